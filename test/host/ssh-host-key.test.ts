import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readX, testDirectory, testServer } from './support/ssh-bench.ts';
import type { TestServer } from './support/ssh-server.ts';
import { newKey } from '../../src/simulator/new-key.ts';

const otherKey = (): string => newKey('test').public.split(' ').slice(0, 2).join(' ');

const know = (server: TestServer, ...lines: string[]): void =>
  writeFileSync(join(server.folder, 'known_hosts'), lines.map((it) => `${it}\n`).join(''));

/** Checks that the connection ends before any key of ours is shown. */
async function expectRefusal(server: TestServer, code: string, words: RegExp): Promise<void> {
  await expect(readX(testDirectory(), server.connection())).rejects.toMatchObject({
    code,
    transient: false,
    message: expect.stringMatching(words) as string,
  });
  expect(server.seen.authTries).toBe(0);
}

describe('the host key (trap 9)', () => {
  it('is refused when it is not listed, with its fingerprint and the command that lists it', async () => {
    const server = await testServer();
    know(server);
    const words = new RegExp(
      `not in .*known_hosts \\(it showed ssh-ed25519 SHA256:[A-Za-z0-9+/]{43}\\).*ssh-keyscan -p ${server.port} 127\\.0\\.0\\.1 >> `,
    );
    await expectRefusal(server, 'ssh.host-key-unknown', words);
  });

  it('is refused when there is no known_hosts at all', async () => {
    const server = await testServer();
    const connection = server.connection({ knownHostsFile: join(server.folder, 'none') });
    await expect(readX(testDirectory(), connection)).rejects.toMatchObject({
      code: 'ssh.host-key-unknown',
    });
  });

  it('is refused with a command that runs nothing of what the inventory calls the file', async () => {
    const server = await testServer();
    const knownHostsFile = join(server.folder, "$(id) it's; id");
    await expect(
      readX(testDirectory(), server.connection({ knownHostsFile })),
    ).rejects.toMatchObject({
      message: expect.stringContaining(`>> '${server.folder}/$(id) it'\\''s; id'`) as string,
    });
  });

  it('is refused when another one is listed, with the line and the command that removes it', async () => {
    const server = await testServer();
    know(server, '# ours', `[127.0.0.1]:${server.port} ${otherKey()}`);
    const words = new RegExp(
      `known_hosts:2 .*ssh-keygen -R '\\[127\\.0\\.0\\.1\\]:${server.port}' -f `,
    );
    await expectRefusal(server, 'ssh.host-key-changed', words);
  });

  it('is refused when it is revoked, even where it is listed too', async () => {
    const server = await testServer();
    const line = `[127.0.0.1]:${server.port} ${server.hostKeyLine}`;
    know(server, line, `@revoked * ${server.hostKeyLine}`);
    await expectRefusal(server, 'ssh.host-key-revoked', /revoked in .*known_hosts:2/);
  });

  it('does not stand for the same address on another port', async () => {
    const server = await testServer();
    know(server, `127.0.0.1 ${server.hostKeyLine}`);
    await expectRefusal(server, 'ssh.host-key-unknown', /not in/);
  });

  it('says that host certificates are not supported (trap 10)', async () => {
    const server = await testServer();
    know(server, `@cert-authority * ${otherKey()}`);
    await expectRefusal(server, 'ssh.host-key-unknown', /certificates are not supported/);
  });

  it('may be of any type that is listed, whichever the server likes best', async () => {
    // Ed25519 comes first in everybody's list; only the RSA key is listed.
    const server = await testServer({ hostKeyType: 'rsa', alsoEd25519: true });
    expect(await readX(testDirectory(), server.connection())).toBe('y');
  });

  it('is read again at each connect, so that a repair works at once', async () => {
    const server = await testServer();
    const directory = testDirectory();
    know(server);
    await expect(readX(directory, server.connection())).rejects.toThrow();
    know(server, `[127.0.0.1]:${server.port} ${server.hostKeyLine}`);
    expect(await readX(directory, server.connection())).toBe('y');
  });
});
