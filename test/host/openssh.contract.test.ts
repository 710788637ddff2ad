import { afterAll, beforeAll, describe, it } from 'vitest';
import { pino } from 'pino';
import type { HostDirectory } from '../../src/host/connection.ts';
import { createSshDirectory } from '../../src/host/ssh/pool.ts';
import { describePortContract } from './contract/port-contract.ts';
import { makeOpenSshHost } from './support/openssh-host.ts';
import { startOpenSsh, whyNoOpenSsh, type OpenSshServer } from './support/openssh-server.ts';

const missing = whyNoOpenSsh();

if (missing !== undefined && process.env['VFLEET_REQUIRE_SSHD'] !== '1') {
  console.warn(`the OpenSSH suite is skipped: ${missing}`);
  describe.skip('the host port: OpenSSH', () => {
    it(`needs a real server: ${missing}`, () => undefined);
  });
} else {
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
  describePortContract('OpenSSH', (options) => makeOpenSshHost({ server, directory, ...options }));
}
