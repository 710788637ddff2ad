import { describe, expect, it, onTestFinished } from 'vitest';
import { REPLY_BYTES_MAX } from '../../src/host/port.ts';
import { readX, runX, testDirectory, testServer } from './support/ssh-bench.ts';
import { answering, finish, replyOf, socketOf, type OnCommand } from './support/ssh-server.ts';

const CLOSED = { code: 'ssh.closed' };
const UNKNOWN = { code: 'host.outcome-unknown' };

/** Fails the test when anything escapes to the process, as a late `error` event does without a listener. */
function watchProcess(): { warnings: string[] } {
  const warnings: string[] = [];
  const onWarning = (warning: Error): number => warnings.push(warning.message);
  process.on('warning', onWarning);
  onTestFinished(() => void process.removeListener('warning', onWarning));
  return { warnings };
}

const mute: OnCommand = () => undefined;

describe('a connection that is lost', () => {
  const cutAfterHalf: OnCommand = (channel, { text, stdin }, connection) => {
    answering((_channel, call) => {
      const reply = replyOf(call);
      channel.write(reply.subarray(0, reply.length / 2), () => socketOf(connection).destroy());
    })(channel, { text, stdin }, connection);
  };

  it('is never a result, however much had come (trap 2)', async () => {
    const server = await testServer({ onCommand: cutAfterHalf });
    const directory = testDirectory();
    await expect(readX(directory, server.connection())).rejects.toMatchObject(CLOSED);
    await expect(runX(directory, server.connection())).rejects.toMatchObject(UNKNOWN);
  });

  it('is unknown for a mutation even when nothing had come', async () => {
    const server = await testServer({
      onCommand: (_channel, { stdin }, connection) => {
        void stdin.then(() => socketOf(connection).destroy());
      },
    });
    await expect(runX(testDirectory(), server.connection())).rejects.toMatchObject(UNKNOWN);
  });

  it('is a result all the same when the whole answer had come before', async () => {
    const server = await testServer({
      onCommand: (channel, asked, connection) => {
        answering((_channel, call) => {
          channel.write(replyOf(call));
          // Channel messages keep their order: the close of another channel is heard after the answer.
          channel.stderr.write('.', () => connection.end());
        })(channel, asked, connection);
      },
    });
    expect(await runX(testDirectory(), server.connection())).toBe('y');
  });

  it('is replaced by the next command', async () => {
    const server = await testServer();
    const directory = testDirectory();
    await readX(directory, server.connection());
    for (const connection of server.live) socketOf(connection).destroy();
    await expect.poll(() => server.live.size).toBe(0);
    await expect.poll(() => readX(directory, server.connection()).catch(() => '')).toBe('y');
    expect(server.seen.logins).toBe(2);
  });

  it('does not end the process when a keepalive goes unanswered mid-command (traps 1, 3)', async () => {
    const server = await testServer({
      onCommand: (_channel, { stdin }, connection) => {
        void stdin.then(() => socketOf(connection).pause());
      },
    });
    const directory = testDirectory({ keepaliveMs: 50 });
    await expect(runX(directory, server.connection(), 60_000)).rejects.toMatchObject(UNKNOWN);
    await expect(readX(directory, server.connection(), 60_000)).rejects.toMatchObject(CLOSED);
  });
});

describe('a host that stalls', () => {
  it('is given up at the deadline, unknown for a mutation (trap 3)', async () => {
    const server = await testServer({ onCommand: mute });
    const directory = testDirectory({ graceMs: 50 });
    await expect(readX(directory, server.connection(), 100)).rejects.toMatchObject({
      code: 'ssh.timeout',
    });
    await expect(
      directory
        .host(server.connection())
        .poke({ guard: { lease: 'l1', seq: 1, attempt: 1 }, writes: [], deadlineMs: 100 }),
    ).rejects.toMatchObject(UNKNOWN);
  });

  it('is given up when it does not even open a channel', async () => {
    const server = await testServer();
    const directory = testDirectory({ graceMs: 50 });
    await readX(directory, server.connection());
    for (const connection of server.live) socketOf(connection).pause();
    await expect(readX(directory, server.connection(), 100)).rejects.toMatchObject({
      code: 'ssh.timeout',
    });
  });
});

describe('output', () => {
  it('on stderr is no failure at exit code 0 (trap 5)', async () => {
    const server = await testServer({
      onCommand: answering((channel, call) => {
        channel.stderr.write('locale: cannot set LC_ALL\n');
        channel.write(replyOf(call));
        finish(channel, 0);
      }),
    });
    expect(await readX(testDirectory(), server.connection())).toBe('y');
  });

  it('keeps its characters whole at chunk borders (trap 6)', async () => {
    const text = 'Grüße, 世界 🚀 '.repeat(2000);
    const server = await testServer({
      onCommand: answering((channel, call) => {
        const reply = replyOf(call, text);
        const plain = Buffer.from(
          `vfleet-begin ${call.nonce}\0line\0/x\0${text}\0vfleet-end\0${call.nonce}\0`,
        );
        expect(plain.length).toBeLessThan(reply.length);
        for (let at = 0; at < plain.length; at += 37) channel.write(plain.subarray(at, at + 37));
        finish(channel, 0);
      }),
    });
    expect(await readX(testDirectory(), server.connection())).toBe(text);
  });

  it('is bounded: a flood ends the command (trap 6)', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const server = await testServer({
      onCommand: (channel) => {
        let left = REPLY_BYTES_MAX + 2 * chunk.length;
        const pump = (): void => {
          left -= chunk.length;
          if (left > 0 && channel.writable) channel.write(chunk, pump);
        };
        pump();
      },
    });
    const directory = testDirectory();
    await expect(readX(directory, server.connection(), 30_000)).rejects.toMatchObject({
      code: 'host.output-too-large',
    });
    await expect(runX(directory, server.connection(), 30_000)).rejects.toMatchObject(UNKNOWN);
  });

  it('that is no answer of ours is shown, bounded and printable', async () => {
    const server = await testServer({
      onCommand: (channel) => {
        channel.write('\u001b[2J<html>maintenance</html>\u0007'.repeat(1000));
        finish(channel, 0);
      },
    });
    await expect(readX(testDirectory(), server.connection())).rejects.toThrow(
      /^web-1: it answered with something other than[^\n]{0,80}<html>maintenance<\/html>[\x20-\x7e]{0,300}$/,
    );
  });

  it('of a sudo that refuses says what to do', async () => {
    const server = await testServer({
      onCommand: (channel) => {
        channel.stderr.write('sudo: a password is required\n');
        finish(channel, 1);
      },
    });
    const connection = server.connection({ user: 'ops' });
    await expect(runX(testDirectory(), connection)).rejects.toMatchObject({
      code: 'host.no-sudo',
      message: expect.stringMatching(/NOPASSWD/) as string,
    });
  });
});

describe('many commands at once', () => {
  it('share one connection and stay below MaxSessions, without a listener warning (trap 7)', async () => {
    const { warnings } = watchProcess();
    const server = await testServer({ maxSessions: 10 });
    const directory = testDirectory();
    const reads = Array.from({ length: 40 }, () => readX(directory, server.connection()));
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['y']));
    expect(server.seen).toMatchObject({ connections: 1, logins: 1 });
    expect(server.seen.sessionsMost).toBeLessThanOrEqual(8);
    expect(server.seen.sessionsMost).toBeGreaterThan(1);
    expect(warnings).toEqual([]);
  });

  it('tell a session that is refused, and it can be tried again', async () => {
    const server = await testServer({ maxSessions: 0 });
    await expect(readX(testDirectory(), server.connection())).rejects.toMatchObject({
      code: 'ssh.protocol',
      transient: true,
    });
  });
});
