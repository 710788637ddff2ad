import { MemoryHost } from '../../src/simulator/memory-host.ts';
import { describePortContract } from '../host/contract/port-contract.ts';
import { contractHost, contractModel } from './support/contract-model.ts';

describePortContract('in memory', ({ fault }) => {
  const model = contractModel(fault);
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
