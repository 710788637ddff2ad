import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import type { HostPort } from '../../src/host/port.ts';
import { SSH_LIMITS } from '../../src/host/ssh/limits.ts';
import { openClient } from '../../src/host/ssh/open-client.ts';
import { SshConnection } from '../../src/host/ssh/ssh-connection.ts';
import { createSshHost } from '../../src/host/ssh/ssh-host.ts';
import { guardOf, RECORD, takeLease } from './contract/contract-host.ts';
import { describeOnOpenSsh, type OpenSshBench } from './support/openssh-bench.ts';
import type { OpenSshHost } from './support/openssh-host.ts';

const DEADLINE_MS = 20_000;

/** sudo's own words, from its source (plugins/sudoers, messages of 1.9). */
const REFUSALS = {
  'a password': 'sudo: a password is required',
  'no rule': 'operator is not in the sudoers file.',
  'a terminal': 'sudo: sorry, you must have a tty to run sudo',
};

/** The same login, taken for one that is not root and so needs sudo. */
async function asOperator(bench: OpenSshBench, host: OpenSshHost): Promise<HostPort> {
  const connection = bench.server().connection(host.address);
  const client = await openClient({ connection, limits: SSH_LIMITS });
  const open = new SshConnection(client, SSH_LIMITS);
  onTestFinished(async () => {
    open.retire();
    await open.closed;
  });
  return createSshHost({
    connection: { ...connection, user: 'operator' },
    run: (call, context) => open.run(call, context),
    graceMs: SSH_LIMITS.graceMs,
    log: pino({ level: 'silent' }),
  });
}

describeOnOpenSsh('a real host', (bench) => {
  it('is used through sudo -n by a user who is not root', async () => {
    const host = await bench.host();
    await takeLease(host);
    const port = await asOperator(bench, host);
    const files = [{ path: RECORD, expect: null, content: Buffer.from('x') }];
    const outcome = await port.write({ guard: guardOf(1), files, deadlineMs: DEADLINE_MS });
    expect(outcome).toEqual([{ path: RECORD, kind: 'written' }]);
  });

  it('tells the SSH connection although sudo drops it', async () => {
    const host = await bench.host();
    const port = await asOperator(bench, host);
    const { queries } = await port.read({
      entries: [{ kind: 'query', query: 'ssh-connection' }],
      deadlineMs: DEADLINE_MS,
    });
    const { output } = queries.get('ssh-connection')!;
    expect(output.split(' ').slice(2)).toEqual([
      host.address,
      String(bench.server().connection(host.address).port),
    ]);
  });

  it.each(Object.entries(REFUSALS))('says so when sudo wants %s', async (_what, words) => {
    const host = await bench.host();
    await host.put('/usr/local/bin/sudo', `#!/bin/sh\necho '${words}' >&2\nexit 1\n`);
    const port = await asOperator(bench, host);
    await expect(port.run({ argv: ['id'], deadlineMs: DEADLINE_MS })).rejects.toMatchObject({
      code: 'host.no-sudo',
    });
  });

  it('says so when there is no sudo', async () => {
    const host = await bench.host();
    await host.remove('/usr/local/bin/sudo');
    const port = await asOperator(bench, host);
    await expect(port.run({ argv: ['id'], deadlineMs: DEADLINE_MS })).rejects.toMatchObject({
      code: 'host.no-sudo',
    });
  });

  it('answers when a program leaves a process behind that keeps its output open', async () => {
    const host = await bench.host();
    await takeLease(host);
    await host.program('vt-daemon', {});
    await host.put('/usr/local/bin/vt-daemon', '#!/bin/sh\necho up\nsleep 15 &\nexit 4\n');
    const outcome = await host.port.run({
      guard: guardOf(1),
      argv: ['vt-daemon'],
      deadlineMs: DEADLINE_MS,
    });
    expect(outcome).toMatchObject({ kind: 'exited', code: 4 });
    expect(outcome.stderr).toMatch(/background process keeps the output open/);
    // Nor does it keep the lock.
    const files = [{ path: RECORD, expect: null, content: Buffer.from('x') }];
    const next = host.port.write({ guard: guardOf(2), files, deadlineMs: 4000 });
    expect(await next).toEqual([{ path: RECORD, kind: 'written' }]);
  });

  it('runs programs with signals as they are by default', async () => {
    const host = await bench.host();
    await host.program('vt-pipe', {});
    await host.put(
      '/usr/local/bin/vt-pipe',
      '#!/bin/sh\n( kill -s PIPE $(sh -c "echo \\$PPID"); echo alive )\n',
    );
    const { stdout } = await host.port.run({ argv: ['vt-pipe'], deadlineMs: DEADLINE_MS });
    expect(stdout).toBe('');
  });

  it('has nothing left of a run afterwards', async () => {
    const host = await bench.host();
    await host.program('vt-ok', { stdout: 'x' });
    await host.port.run({ argv: ['vt-ok'], deadlineMs: DEADLINE_MS });
    expect([...(await host.names('/run')), ...(await host.names('/tmp'))]).toEqual([]);
  });

  it('answers questions that its programs can answer, and leaves out the others', async () => {
    const host = await bench.host();
    const { queries } = await host.port.read({
      entries: [
        { kind: 'query', query: 'grub-probe-fs' },
        { kind: 'query', query: 'space' },
      ],
      deadlineMs: DEADLINE_MS,
    });
    expect(queries.get('space')?.code).toBeTypeOf('number');
    await host.program('grub-probe', { stdout: 'ext2\n' });
    const after = await host.port.read({
      entries: [{ kind: 'query', query: 'grub-probe-fs' }],
      deadlineMs: DEADLINE_MS,
    });
    expect(after.queries.get('grub-probe-fs')).toEqual({ code: 0, output: 'ext2' });
  });
});
