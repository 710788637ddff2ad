import { pino } from 'pino';
import { createSshDirectory } from '../../src/host/ssh/pool.ts';
import { startFleet } from '../../src/simulator/fleet.ts';
import { describePortContract } from '../host/contract/port-contract.ts';
import { contractHost, prepareContractModel } from './support/contract-model.ts';

describePortContract('the simulated fleet', async ({ fault }) => {
  const fleet = await startFleet({ hosts: 1 });
  const [connection] = fleet.hosts;
  const model = prepareContractModel(fleet.host(connection!.name), fault);
  const directory = createSshDirectory({ log: pino({ level: 'silent' }) });
  return contractHost(model, directory.host(connection!), {
    cut: () => {
      fleet.cutConnections(connection!.name);
      return Promise.resolve();
    },
    dispose: async () => {
      await directory.close();
      await fleet.stop();
    },
  });
});
