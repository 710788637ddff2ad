import { createMemoryHost } from '../../src/simulator/memory-host.ts';
import { describeKernelContract } from '../host/contract/kernel-contract.ts';
import { rebootModel } from './support/reboot-model.ts';

describeKernelContract('the model', async () => {
  const port = createMemoryHost({ name: 'kvm-07' });
  const lease = 'contract/kvm-07';
  await port.write({
    files: [{ path: '/var/lib/vfleet/lease', expect: null, content: Buffer.from(`id=${lease}\n`) }],
    deadlineMs: 5000,
  });
  let seq = 0;
  return {
    port,
    guard: () => ({ lease, seq: (seq += 1), attempt: 1 }),
    nic: '0000:3b:00.0',
    disk: '0000:5e:00.0',
    plain: '0000:65:00.1',
    vfs: 8,
    reboot: () => rebootModel(port.model),
    dispose: () => {
      port.model.dispose();
      return Promise.resolve();
    },
  };
});
