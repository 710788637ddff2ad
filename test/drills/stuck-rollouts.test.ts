import { execFile, execFileSync } from 'node:child_process';
import { appendFile, chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDrillGround, type DrillGround } from './drill-ground.ts';
import { Drill, unwrapped } from './drill.ts';

const program = promisify(execFile);
/** Where drift happens: a file that only vfleet should write. */
const DROP_IN = '/etc/default/grub.d/zz-vfleet.cfg';
const ONE_BY_ONE = 'limits: { parallel: 1, maxUnavailable: 100%, maxFailures: 0 }';

let ground: DrillGround;
const host = (name: string) => ground.fleet.host(name);
const held = (name: string) => ground.until(name, ({ counts }) => counts.held === 1);
const done = (name: string) => ground.until(name, ({ phase }) => phase === 'done');

/** All four get into trouble at once; each drill begins at the same list of four rollouts that need a person. */
beforeAll(async () => {
  ground = await startDrillGround({ hosts: 5 });
  const { spec, start, hooks, folder } = ground;
  await start(await spec('key', 'hv01'), () => {
    host('hv01').addFault({ kind: 'wrong-host-key' });
  });
  host('hv02').addFault({ kind: 'never-returns' });
  await start(await spec('silent', 'hv02', 'reboot: { timeout: 1m }'));
  host('hv04').addFault({ kind: 'trial-panics' });
  await start(await spec('budget', 'hv04,hv05', ONE_BY_ONE));

  // The drain takes as long as it takes somebody else to change a file.
  await writeFile(
    join(hooks, 'drain'),
    `#!/bin/sh\nwhile [ ! -e ${folder}/changed ]; do sleep 0.05; done\n`,
  );
  await chmod(join(hooks, 'drain'), 0o755);
  await start(await spec('drift', 'hv03', 'hooks: { drain: { on: worker, run: [drain] } }'));
  await ground.until('drift', ({ hosts }) => hosts[0]?.step === 'drain');
  host('hv03').tree.put(DROP_IN, 'GRUB_CMDLINE_LINUX_DEFAULT="mine"\n');
  await writeFile(join(folder, 'changed'), '');
  await Promise.all(['key', 'silent', 'budget', 'drift'].map(held));
}, 240_000);
afterAll(() => ground.stop(), 60_000);

describe('from nothing but the words of the CLI', () => {
  it('a wrong host key is compared, replaced and tried again', async () => {
    const drill = new Drill(ground.cli);
    const list = await drill.begin();
    expect(list.code).toBe(3);
    const shown = await drill.follow(
      list,
      /hv01 .* ssh\.host-key-changed\n +next {3}(vfleet host key hv01)\n/,
    );
    const words = unwrapped(shown);
    expect(words).toMatch(/its host key is not the one in .*known_hosts:1 \(it showed ssh-ed25519/);
    const commands =
      /if its console shows the same fingerprint, run: ssh-keygen -R '(\S+)' -f (\S+); ssh-keyscan -p (\d+) (\S+) >> (\S+?) /;
    const [, name, file, port, address, again] = commands.exec(words) ?? [];
    await program('ssh-keygen', ['-R', name!, '-f', file!]);
    const { stdout: key } = await program('ssh-keyscan', ['-p', port!, address!]);
    // What the person compares; here the new key is the host's own.
    const fingerprint = execFileSync('ssh-keygen', ['-lf', '-'], { input: key }).toString();
    expect(words).toContain(/SHA256:\S+/.exec(fingerprint)?.[0]);
    await appendFile(again!, key);
    await drill.follow(shown, /1 \* {2}(vfleet retry key hv01) /, '--yes');
    expect((await done('key')).counts.done).toBe(1);
  }, 120_000);

  it('a host that did not return is power-cycled and waited for again', async () => {
    const drill = new Drill(ground.cli);
    const shown = await drill.follow(
      await drill.begin(),
      /hv02 .* reboot\.no-return\n +next {3}(vfleet host silent hv02)\n/,
    );
    const words = unwrapped(shown);
    expect(words).toContain('was told to reboot and has not answered within 1m.');
    expect(words).toContain(
      'DEFAULT IS STILL THE OLD ONE: a power cycle boots the old kernel line',
    );
    expect(words).toMatch(/vfleet retry silent hv02 .*after a power cycle: waits until it answers/);
    host('hv02').repair('never-returns');
    await host('hv02').powerCycle();
    await drill.follow(shown, /1 \* {2}(vfleet retry silent hv02) /, '--yes');
    expect((await done('silent')).counts.done).toBe(1);
  }, 120_000);

  it('a drifted file is named with what stands in it, taken away, and the host goes on', async () => {
    const drill = new Drill(ground.cli);
    const shown = await drill.follow(
      await drill.begin(),
      /hv03 .* drift\n +next {3}(vfleet host drift hv03)\n/,
    );
    const [, path] = /^(\/\S+) was changed by someone else$/m.exec(shown.text) ?? [];
    expect(shown.text).toContain('found: GRUB_CMDLINE_LINUX_DEFAULT="mine"');
    expect(unwrapped(shown)).toContain('after the other change was taken back: compares again');
    host('hv03').tree.remove(path!);
    await drill.follow(shown, /1 \* {2}(vfleet retry drift hv03) /, '--yes');
    expect((await done('drift')).counts.done).toBe(1);
  }, 120_000);

  it('a spent budget names the host that spent it, and goes on with a new one', async () => {
    const drill = new Drill(ground.cli);
    const list = await drill.begin();
    expect(unwrapped(list)).toMatch(
      /budget#1 PAUSED, 1 host held .*1 host has failed; .* allows 0/,
    );
    const shown = await drill.follow(
      list,
      /hv04 .* reboot\.trial-failed\n +next {3}(vfleet host budget hv04)\n/,
    );
    expect(shown.text).toContain('the trial boot failed');
    const lead = /next {3}(vfleet resume budget --new-budget) N$/m;
    expect((await drill.follow(list, lead, '1')).code).toBe(0);
    const { hosts } = await ground.until('budget', ({ counts }) => counts.done === 1);
    expect(hosts.map(({ state }) => state)).toEqual(['held', 'done']);
  }, 120_000);
});
