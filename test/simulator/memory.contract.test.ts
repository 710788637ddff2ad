import { MemoryHost } from '../../src/simulator/memory-host.ts';
import { createModelHost } from '../../src/simulator/model/create-model-host.ts';
import { describePortContract } from '../host/contract/port-contract.ts';
import { contractHost, prepareContractModel } from './support/contract-model.ts';

describePortContract('in memory', ({ fault }) => {
  const model = prepareContractModel(createModelHost({ name: 'kvm-07' }), fault);
  const port = new MemoryHost(model);
  return Promise.resolve(
    contractHost(model, port, {
      cut: () => {
        port.cutConnections();
        return Promise.resolve();
      },
      dispose: () => {
        model.dispose();
        return Promise.resolve();
      },
    }),
  );
});
