import { describe, expect, it } from 'vitest';
import { readX, testDirectory, testServer } from './support/ssh-bench.ts';
import { answering, finish, replyOf, withoutName, type OnCommand } from './support/ssh-server.ts';

/** Answers when the test lets it. */
function gatedAnswers(): { onCommand: OnCommand; arrived: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  let arrive = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  return {
    onCommand: answering((channel, call) => {
      arrive();
      void gate.then(() => {
        channel.write(replyOf(call));
        finish(channel, 0);
      });
    }),
    arrived,
    open,
  };
}

describe('the pool', () => {
  it('connects by the first command, once, and shares the connection between steps', async () => {
    const server = await testServer();
    const directory = testDirectory();
    directory.host(server.connection());
    expect(server.seen.connections).toBe(0);
    await readX(directory, server.connection());
    await readX(directory, server.connection({ name: 'alias' }));
    expect(server.seen).toMatchObject({ connections: 1, logins: 1 });
  });

  it('keeps other users of one address apart', async () => {
    const server = await testServer();
    const directory = testDirectory();
    await readX(directory, server.connection());
    await readX(directory, server.connection({ user: 'ops' }));
    expect(server.seen.logins).toBe(2);
  });

  it('closes a connection that nobody has used for a while', async () => {
    const server = await testServer();
    const directory = testDirectory({ idleMs: 30 });
    await readX(directory, server.connection());
    await expect.poll(() => server.live.size).toBe(0);
    expect(await readX(directory, server.connection())).toBe('y');
    expect(server.seen.logins).toBe(2);
  });

  it('does not take a connection with a command on it for idle', async () => {
    const { onCommand, arrived, open } = gatedAnswers();
    const server = await testServer({ onCommand });
    const directory = testDirectory({ idleMs: 20 });
    const reading = readX(directory, server.connection());
    await arrived;
    await new Promise((resolve) => setTimeout(resolve, 100));
    open();
    expect(await reading).toBe('y');
  });

  it('connects afresh after forget, and lets what runs come to its end', async () => {
    const { onCommand, arrived, open } = gatedAnswers();
    const server = await testServer({ onCommand });
    const directory = testDirectory();
    const reading = readX(directory, server.connection());
    await arrived;
    directory.forget(server.connection());
    open();
    const afresh = readX(directory, server.connection());
    expect(await reading).toBe('y');
    expect(await afresh).toBe('y');
    expect(server.seen.logins).toBe(2);
    await expect.poll(() => server.live.size).toBe(1);
  });

  it('forgets a host that it does not know, and one that cannot be reached', async () => {
    const server = await testServer({ refuses: true });
    const directory = testDirectory();
    directory.forget(server.connection());
    const reading = readX(directory, server.connection());
    directory.forget(server.connection());
    await expect(reading).rejects.toMatchObject({ code: 'ssh.auth' });
  });

  it('does not keep a connection that failed', async () => {
    const options = { refuses: true };
    const server = await testServer(options);
    const directory = testDirectory();
    const both = [readX(directory, server.connection()), readX(directory, server.connection())];
    const settled = await Promise.allSettled(both);
    expect(settled.map((it) => it.status)).toEqual(['rejected', 'rejected']);
    expect(server.seen.connections).toBe(1);
    options.refuses = false;
    expect(await readX(directory, server.connection())).toBe('y');
  });

  it('ends all connections on close, and makes no new one', async () => {
    const server = await testServer();
    const directory = testDirectory();
    await readX(directory, server.connection());
    await directory.close();
    await expect.poll(() => server.live.size).toBe(0);
    await expect(readX(directory, server.connection())).rejects.toMatchObject({
      code: 'ssh.closed',
    });
  });
});

describe('a jump host (trap 11)', () => {
  it('is connected to once for all hosts behind it', async () => {
    const jump = await testServer({ forwards: true });
    const hosts = await Promise.all(Array.from({ length: 5 }, () => testServer()));
    const directory = testDirectory();
    const through = withoutName(jump.connection());
    const reads = hosts.map((host) => readX(directory, host.connection({ jump: through })));
    expect(await Promise.all(reads)).toEqual(['y', 'y', 'y', 'y', 'y']);
    expect(jump.seen).toMatchObject({ connections: 1, logins: 1 });
    expect(hosts.map((it) => it.seen.logins)).toEqual([1, 1, 1, 1, 1]);
  });

  it('stays open while a host behind it is connected', async () => {
    const jump = await testServer({ forwards: true });
    const host = await testServer();
    const directory = testDirectory({ idleMs: 60 });
    const through = withoutName(jump.connection());
    for (let round = 0; round < 5; round += 1) {
      await readX(directory, host.connection({ jump: through }));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect([jump.seen.logins, host.seen.logins]).toEqual([1, 1]);
    await expect.poll(() => host.live.size + jump.live.size).toBe(0);
  });

  it('that does not forward is told from a host that it cannot reach', async () => {
    const host = await testServer();
    const refusing = await testServer();
    const through = withoutName(refusing.connection());
    await expect(readX(testDirectory(), host.connection({ jump: through }))).rejects.toMatchObject({
      code: 'ssh.jump',
      transient: false,
    });
    const forwarding = await testServer({ forwards: true });
    const good = withoutName(forwarding.connection());
    await expect(
      readX(testDirectory(), host.connection({ jump: good, port: 1 })),
    ).rejects.toMatchObject({ code: 'ssh.unreachable', transient: true });
  });

  it('that never says whether it reaches a host is given up, so that it keeps nobody waiting for ever', async () => {
    const jump = await testServer();
    const host = await testServer();
    const directory = testDirectory({ connectTimeoutMs: 1500 });
    await readX(directory, jump.connection());
    for (const connection of jump.live) connection.on('tcpip', () => undefined);
    const through = withoutName(jump.connection());
    const reads = Array.from({ length: 8 }, () => testServer()).map(async (server) =>
      readX(directory, (await server).connection({ jump: through })),
    );
    for (const read of await Promise.allSettled(reads)) {
      expect(read).toMatchObject({ status: 'rejected', reason: { code: 'ssh.timeout' } });
    }
    await expect(readX(directory, host.connection())).resolves.toBe('y');
  });

  it('has its own host key checked, and is named in the error', async () => {
    const jump = await testServer({ forwards: true });
    const host = await testServer();
    const through = { ...jump.connection(), knownHostsFile: `${jump.folder}/none` };
    await expect(readX(testDirectory(), host.connection({ jump: through }))).rejects.toMatchObject({
      code: 'ssh.host-key-unknown',
      message: expect.stringMatching(/^web-1 \(jump host 127\.0\.0\.1\): /) as string,
    });
    expect(host.seen.connections).toBe(0);
  });

  it('takes the hosts behind it along when it is lost, and both come back', async () => {
    const jump = await testServer({ forwards: true });
    const host = await testServer();
    const directory = testDirectory();
    const through = withoutName(jump.connection());
    const read = (): Promise<string | undefined> =>
      readX(directory, host.connection({ jump: through }));
    await read();
    for (const connection of jump.live) connection.end();
    await expect.poll(() => host.live.size).toBe(0);
    await expect.poll(() => read().catch(() => '')).toBe('y');
    expect([jump.seen.logins, host.seen.logins]).toEqual([2, 2]);
  });
});
