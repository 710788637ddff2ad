import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { bootContract } from './kernel-boot-contract.ts';
import { bindContract } from './kernel-bind-contract.ts';
import { Probe, type KernelHost } from './kernel-host.ts';
import { vfsContract } from './kernel-vfs-contract.ts';

/** Limit of one test: on an emulated machine a boot takes a minute and an initramfs half of one. */
const TEST_MS = 15 * 60_000;

/**
 * What a kernel, udev and initramfs-tools do, whether they are the model's or real: through the port only, so that the
 * lab runs the same tests. One host serves all of them, since a real one is dear.
 */
export function describeKernelContract(name: string, makeHost: () => Promise<KernelHost>): void {
  describe(`the kernel: ${name}`, { timeout: TEST_MS, concurrent: false }, () => {
    let probe: Probe | undefined;
    const bench = (): Promise<Probe> => {
      if (probe === undefined) throw new Error('the host was not made');
      return Promise.resolve(probe);
    };
    beforeAll(async () => {
      probe = new Probe(await makeHost());
    }, TEST_MS);
    afterEach(() => probe?.restore(), TEST_MS);
    afterAll(() => probe?.host.dispose(), TEST_MS);
    bindContract(bench);
    vfsContract(bench);
    bootContract(bench);
  });
}
