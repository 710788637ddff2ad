import { pino } from 'pino';
import { createSshDirectory } from '../src/host/ssh/pool.ts';
import { describeKernelContract } from '../test/host/contract/kernel-contract.ts';
import { startMachines } from './machines.ts';

const LEASE = 'contract/lab-kernel';

/** What the model claims of kernels, put to a real one. Where they part, the model and its contract are wrong. */
describeKernelContract('Linux', async () => {
  const kernelArgs = ['intel_iommu=on', 'iommu=pt'];
  const [started] = await startMachines([{ name: 'lab-kernel', kernelArgs }]);
  const machine = started!;
  const { name, address, port, user, keyFile, knownHostsFile } = machine;
  const connection = { name, address, port, user, identityFile: keyFile, knownHostsFile };
  const directory = createSshDirectory({ log: pino({ level: 'silent' }) });
  await machine.ssh(
    `sudo -n mkdir -p /var/lib/vfleet && echo id=${LEASE} | sudo -n tee /var/lib/vfleet/lease`,
  );
  let seq = 0;
  return {
    port: directory.host(connection),
    guard: () => ({ lease: LEASE, seq: (seq += 1), attempt: 1 }),
    nic: '0000:03:00.0',
    disk: '0000:01:00.0',
    plain: '0000:02:00.0',
    vfs: 4,
    reboot: async () => {
      directory.forget(connection);
      await machine.reboot();
    },
    dispose: async () => {
      await directory.close();
      await machine.stop();
    },
  };
});
