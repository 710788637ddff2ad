import { pino } from 'pino';
import { afterAll, beforeAll, describe, it, onTestFinished } from 'vitest';
import type { HostDirectory } from '../../../src/host/connection.ts';
import { createSshDirectory } from '../../../src/host/ssh/pool.ts';
import type { ContractFault } from '../contract/contract-host.ts';
import { makeOpenSshHost, type OpenSshHost } from './openssh-host.ts';
import { startOpenSsh, whyNoOpenSsh, type OpenSshServer } from './openssh-server.ts';

export interface OpenSshBench {
  readonly server: () => OpenSshServer;
  /** A host that its maker disposes. */
  readonly make: (fault?: ContractFault) => Promise<OpenSshHost>;
  /** A host that goes with the test. */
  readonly host: () => Promise<OpenSshHost>;
}

/**
 * A suite against a real OpenSSH server. Without sshd or user namespaces it is skipped, saying why; with
 * VFLEET_REQUIRE_SSHD=1 it fails instead.
 */
export function describeOnOpenSsh(name: string, suite: (bench: OpenSshBench) => void): void {
  const missing = whyNoOpenSsh();
  if (missing !== undefined && process.env['VFLEET_REQUIRE_SSHD'] !== '1') {
    console.warn(`skipped: ${name}: ${missing}`);
    describe.skip(name, () => {
      it(`needs a real server: ${missing}`, () => undefined);
    });
    return;
  }
  describe(name, () => {
    let server: OpenSshServer;
    let directory: HostDirectory;
    beforeAll(async () => {
      if (missing !== undefined) throw new Error(missing);
      server = await startOpenSsh();
      directory = createSshDirectory({ log: pino({ level: 'silent' }) });
    });
    afterAll(async () => {
      await directory.close();
      await server.stop();
    });
    const make: OpenSshBench['make'] = (fault) =>
      makeOpenSshHost({ server, directory, ...(fault && { fault }) });
    suite({
      server: () => server,
      make,
      host: async () => {
        const host = await make();
        onTestFinished(() => host.dispose());
        return host;
      },
    });
  });
}
