import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { HostConnection } from '../../../src/domain/host-entry.ts';
import type { HostDirectory } from '../../../src/host/connection.ts';
import type { SshLimits } from '../../../src/host/ssh/limits.ts';
import { createSshDirectory } from '../../../src/host/ssh/pool.ts';
import { textOf } from '../../../src/facts/snapshot.ts';
import { startTestServer, type TestServer, type TestServerOptions } from './ssh-server.ts';

/** A server that goes with the test. */
export async function testServer(options?: TestServerOptions): Promise<TestServer> {
  const server = await startTestServer(options);
  onTestFinished(() => server.stop());
  return server;
}

/** A pool that goes with the test. */
export function testDirectory(limits: Partial<SshLimits> = {}): HostDirectory {
  const directory = createSshDirectory({ log: pino({ level: 'silent' }), limits });
  onTestFinished(() => directory.close());
  return directory;
}

/** Reads `/x`, which test servers answer with `y`. */
export async function readX(
  directory: HostDirectory,
  connection: HostConnection,
  deadlineMs = 5000,
): Promise<string | undefined> {
  const entries = [{ kind: 'file', glob: '/x' }] as const;
  return textOf(await directory.host(connection).read({ entries, deadlineMs }), '/x');
}

/** Runs a program that the test servers answer with code 0. */
export async function runX(
  directory: HostDirectory,
  connection: HostConnection,
  deadlineMs = 5000,
): Promise<string> {
  const { stdout } = await directory.host(connection).run({ argv: ['x'], deadlineMs });
  return stdout;
}
