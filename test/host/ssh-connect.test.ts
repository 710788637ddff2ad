import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Algorithms } from 'ssh2';
import { readX, testDirectory, testServer } from './support/ssh-bench.ts';
import { withoutKey } from './support/ssh-server.ts';

/** A TCP server that goes with the test. */
async function tcpServer(onSocket: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(onSocket).listen(0, '127.0.0.1');
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('connecting', () => {
  it('tells a port where nothing listens', async () => {
    const server = await testServer();
    const { port } = server;
    const elsewhere = server.connection({ port: port === 1 ? 2 : 1 });
    await expect(readX(testDirectory(), elsewhere)).rejects.toMatchObject({
      code: 'ssh.refused',
      transient: true,
      message: expect.stringMatching(/^web-1: 127\.0\.0\.1:1 refuses connections/) as string,
    });
  });

  it('tells a name that cannot be looked up', async () => {
    const server = await testServer();
    const nowhere = server.connection({ address: 'no-such-host.invalid' });
    // A resolver that is out of reach takes its time.
    const patient = testDirectory({ connectTimeoutMs: 28_000 });
    await expect(readX(patient, nowhere)).rejects.toMatchObject({
      code: 'ssh.name-not-found',
      transient: false,
    });
  });

  it('gives up on a port that takes the connection and says nothing', async () => {
    const server = await testServer();
    const port = await tcpServer(() => undefined);
    const directory = testDirectory({ connectTimeoutMs: 200 });
    await expect(readX(directory, server.connection({ port }))).rejects.toMatchObject({
      code: 'ssh.timeout',
      transient: true,
    });
  });

  it('names connection limits when it is dropped before the handshake (trap 8)', async () => {
    const server = await testServer();
    const port = await tcpServer((socket) => void socket.end('SSH-2.0-OpenSSH_9.8\r\n'));
    await expect(readX(testDirectory(), server.connection({ port }))).rejects.toMatchObject({
      code: expect.stringMatching(/^ssh\.(protocol|closed)$/) as string,
      transient: true,
      message: expect.stringMatching(/MaxStartups/) as string,
    });
  });

  it('tells a port where something other than SSH answers', async () => {
    const server = await testServer();
    const port = await tcpServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(readX(testDirectory(), server.connection({ port }))).rejects.toMatchObject({
      code: expect.stringMatching(/^ssh\.(protocol|closed)$/) as string,
    });
  });

  it('paces handshakes with one address (trap 8)', async () => {
    let open = 0;
    let most = 0;
    const server = await testServer();
    const port = await tcpServer((socket) => {
      open += 1;
      most = Math.max(most, open);
      socket.on('close', () => (open -= 1));
      setTimeout(() => socket.destroy(), 30);
    });
    const directory = testDirectory({ connectsPerDoor: 3 });
    const attempts = Array.from({ length: 12 }, (_, i) =>
      readX(directory, server.connection({ port, user: `user-${i}` })),
    );
    const settled = await Promise.allSettled(attempts);
    expect(settled.every((it) => it.status === 'rejected')).toBe(true);
    expect(most).toBe(3);
  });

  it.each([
    ['a MAC with SHA-1', { hmac: ['hmac-sha1'], cipher: ['aes128-ctr'] }],
    ['an old key exchange', { kex: ['diffie-hellman-group14-sha1'] }],
    ['an old cipher', { cipher: ['aes128-cbc'] }],
  ] satisfies [string, Algorithms][])('does not agree to %s', async (_what, algorithms) => {
    const server = await testServer({ algorithms });
    await expect(readX(testDirectory(), server.connection())).rejects.toMatchObject({
      code: 'ssh.protocol',
      message: expect.stringMatching(/share no algorithm/) as string,
    });
    expect(server.seen.authTries).toBe(0);
  });

  it('does not agree to an RSA host key that signs with SHA-1, and takes one with SHA-2', async () => {
    const old = await testServer({
      hostKeyType: 'rsa',
      algorithms: { serverHostKey: ['ssh-rsa'] },
    });
    await expect(readX(testDirectory(), old.connection())).rejects.toMatchObject({
      code: 'ssh.protocol',
    });
    const good = await testServer({ hostKeyType: 'rsa' });
    expect(await readX(testDirectory(), good.connection())).toBe('y');
  });
});

describe('logging in', () => {
  it('tries a key once and never again by itself (trap 8)', async () => {
    const server = await testServer({ refuses: true });
    await expect(readX(testDirectory(), server.connection())).rejects.toMatchObject({
      code: 'ssh.auth',
      transient: false,
      message: expect.stringMatching(/refused every key for user root.*authorized_keys/) as string,
    });
    expect(server.seen).toMatchObject({ connections: 1, authTries: 1 });
  });

  it('says which key file is missing, locked or no key', async () => {
    const server = await testServer();
    const read = (identityFile: string): Promise<unknown> =>
      readX(
        testDirectory(),
        server.connection({ identityFile: join(server.folder, identityFile) }),
      );
    await expect(read('none')).rejects.toMatchObject({
      code: 'ssh.key-file',
      message: expect.stringMatching(/none cannot be read \(ENOENT\)/) as string,
    });
    const locked = join(server.folder, 'locked');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', locked]);
    await expect(read('locked')).rejects.toThrow(/has a passphrase.*ssh-agent/);
    writeFileSync(join(server.folder, 'junk'), 'hello');
    await expect(read('junk')).rejects.toThrow(/is not a private key/);
    expect(server.seen.connections).toBe(0);
  });

  it('uses the default key files, leaving out one with a passphrase', async () => {
    const server = await testServer();
    const home = server.folder;
    execFileSync('mkdir', [join(home, '.ssh')]);
    vi.stubEnv('HOME', home);
    vi.stubEnv('SSH_AUTH_SOCK', '');
    const connection = withoutKey(server.connection({ knownHostsFile: '~/known_hosts' }));
    await expect(readX(testDirectory(), connection)).rejects.toMatchObject({
      code: 'ssh.key-file',
    });
    execFileSync('ssh-keygen', ['-qt', 'ecdsa', '-N', 'x', '-f', join(home, '.ssh/id_ecdsa')]);
    copyFileSync(join(home, 'key'), join(home, '.ssh/id_ed25519'));
    expect(await readX(testDirectory(), connection)).toBe('y');
  });

  it('uses the agent, and passes over one that is gone', async () => {
    const server = await testServer();
    const socket = join(server.folder, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    onTestFinished(async () => {
      agent.kill();
      if (agent.exitCode === null) await once(agent, 'exit');
    });
    await vi.waitFor(() => expect(existsSync(socket)).toBe(true), { timeout: 10_000 });
    execFileSync('ssh-keygen', ['-qt', 'ed25519', '-N', '', '-f', join(server.folder, 'k')]);
    const env = { ...process.env, SSH_AUTH_SOCK: socket };
    execFileSync('ssh-add', ['-q', join(server.folder, 'k')], { env, stdio: 'ignore' });
    vi.stubEnv('HOME', server.folder);
    vi.stubEnv('SSH_AUTH_SOCK', socket);
    const connection = withoutKey(server.connection());
    expect(await readX(testDirectory(), connection)).toBe('y');
    vi.stubEnv('SSH_AUTH_SOCK', join(server.folder, 'gone'));
    await expect(readX(testDirectory(), connection)).rejects.toMatchObject({
      code: 'ssh.key-file',
    });
  });
});
