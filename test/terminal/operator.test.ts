import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet, type Fleet } from '../../src/simulator/fleet.ts';
import { jsonLines } from '../cli/json-lines.ts';
import { startCli } from '../cli/run-cli.ts';
import { noTmux, openTerminal, type TestTerminal } from './tmux.ts';

/** A person's way through a rollout, typed and read in a real terminal: each test goes on where the one before ended. */
let folder: string;
let fleet: Fleet;
let up: ChildProcessWithoutNullStreams;
let terminal: TestTerminal;

const SPEC = `version: 1
name: enable
hosts: { inventory: INVENTORY, select: all }
target: { iommu: enabled, hostDma: passthrough }
waves:
  - { name: canary, hosts: 1, maxFailures: 0, promote: manual }
  - { name: fleet, upTo: 100% }
limits: { parallel: 4, maxUnavailable: 100%, maxFailures: 2 }
`;

async function startUp(): Promise<void> {
  up = startCli(['up', '--json'], { stateHome: folder });
  up.stderr.resume();
  await jsonLines(up).until<{ ready?: boolean }>((line) => line.ready === true);
}

async function stopUp(): Promise<void> {
  if (up.exitCode !== null) return;
  up.kill('SIGINT');
  await once(up, 'exit');
}

/** A fresh screen, so that what is awaited next cannot be what was there before. */
async function typed(line: string): Promise<void> {
  await terminal.type('clear');
  await terminal.until((screen) => screen.trim() === '$');
  await terminal.type(line);
}

// Why it is skipped is said, and is a failure under VFLEET_REQUIRE_TMUX=1.
const skip = noTmux();
if (skip !== undefined) console.warn(`test/terminal is skipped: ${skip}`);

describe.skipIf(skip !== undefined)('an operator at a terminal', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vfleet-terminal-'));
    fleet = await startFleet({
      hosts: 3,
      parentFolder: folder,
      describe: () => ({ cpu: 'intel', os: 'debian-12' }),
      faults: { hv03: [{ kind: 'trial-panics' }] },
      timing: { shutdownMs: 20, rebootMs: 200, panicSecondMs: 10 },
    });
    await writeFile(join(folder, 'spec.yaml'), SPEC.replace('INVENTORY', fleet.inventoryFile));
    await mkdir(join(folder, 'bin'));
    const vfleet = fileURLToPath(new URL('../../bin/vfleet', import.meta.url));
    await symlink(vfleet, join(folder, 'bin', 'vfleet'));
    await startUp();
    const path = `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`;
    const env = { PATH: path, XDG_STATE_HOME: folder, HOME: folder, NO_COLOR: '' };
    terminal = await openTerminal({ columns: 110, rows: 36, cwd: folder, env });
    await terminal.until(/^\$/);
  }, 120_000);

  afterAll(async () => {
    await terminal.close();
    await stopUp();
    await fleet.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('reads a plan and starts it with a y', async () => {
    await typed('vfleet plan spec.yaml');
    const plan = await terminal.until(/Plan \w+ kept/);
    expect(plan).toContain('3 to change');
    await typed('vfleet start spec.yaml');
    await terminal.until(/3 reboots.*\[y\/N\]/s);
    await terminal.type('y');
    await terminal.until(/enable#1 started/);
  }, 60_000);

  it('watches it, in a terminal that changes its size, and gets the cursor back at Ctrl-C', async () => {
    await typed('vfleet status enable --watch');
    await terminal.until(/AWAITING PROMOTION/);
    expect(await terminal.cursorShown()).toBe(false);
    for (const [columns, rows] of [
      [60, 20],
      [200, 40],
      [110, 36],
    ] as const) {
      await terminal.resize(columns, rows);
      const screen = await terminal.until((text) => isWhole(text, columns));
      expect(screen.match(/enable#1 {3}AWAITING/g)).toHaveLength(1);
    }
    await terminal.press('C-c');
    await terminal.until(/goes on by itself\.\s+\$/);
    expect(await terminal.cursorShown()).toBe(true);
  }, 60_000);

  /** One picture, with its first and last part, and no line that was broken in two. */
  function isWhole(screen: string, columns: number): boolean {
    const lines = screen.trimEnd().split('\n');
    const bars = lines.filter((line) => line.startsWith('['));
    return (
      lines[0]?.startsWith('enable#1') === true &&
      bars.length === 1 &&
      bars[0]?.includes(columns < 80 ? '[===.......] 1 of 3' : '] 1 of 3') === true &&
      lines.every((line) => line.length <= columns) &&
      screen.includes('canary')
    );
  }

  it('promotes the canary, watches the fleet, and sees a host held', async () => {
    await typed('vfleet promote enable');
    const question = await terminal.until(/\[y\/N\]/);
    expect(question.replaceAll(/\s+/g, ' ')).toMatch(
      /Let the next wave of enable#1 begin: hv0\d hv0\d, at most 2 reboots\?/,
    );
    await terminal.type('y');
    await terminal.until(/promote taken/);
    await typed('vfleet status enable --watch');
    const held = await terminal.until(/hv03\s+held\s+\w+\s+reboot\.trial-failed/);
    expect(held).toMatch(/\d\d:\d\d:\d\d {2}hv03 held at/);
  }, 60_000);

  it('says in place that the engine is gone, and goes on by itself when it is back', async () => {
    await stopUp();
    await terminal.until(/NO ANSWER since \d\d:\d\d:\d\d/);
    await startUp();
    const back = await terminal.until((screen) => !screen.includes('NO ANSWER'));
    expect(back).toMatch(/hv03\s+held/);
    await terminal.press('C-c');
    await terminal.until(/goes on by itself\.\s+\$/);
  }, 80_000);

  it('is led by bare vfleet from the hold to its exit', async () => {
    await typed('vfleet');
    await terminal.until(/next {3}vfleet host enable hv03/);
    await typed('vfleet host enable hv03');
    const host = await terminal.until(/MORE +vfleet explain/);
    expect(host).toContain('vfleet rollback enable hv03');
    await typed('vfleet rollback enable hv03');
    const question = await terminal.until(/\[y\/N\]/);
    expect(question).toContain('Take hv03 back to what it was: no reboot?');
    await terminal.type('y');
    await terminal.until(/Why\?/);
    await terminal.type('the line panics');
    const taken = await terminal.until(/rollback taken/);
    expect(taken).toContain('"the line panics"');
    await typed('vfleet status enable --watch');
    await terminal.until(/enable#1 {3}DONE/);
    await typed('vfleet');
    await terminal.until(/Nothing waits for a person/);
  }, 80_000);

  it('completes names at TAB', async () => {
    await typed('source <(vfleet completion bash); echo ready');
    await terminal.until(/^ready/m);
    await terminal.write('vfleet retry ena');
    await terminal.press('Tab');
    await terminal.until(/vfleet retry enable/);
    await terminal.write(' hv');
    await terminal.press('Tab');
    await terminal.until(/vfleet retry enable hv0/);
    await terminal.press('Tab', 'Tab');
    await terminal.until(/hv01 +hv02 +hv03/);
    await terminal.press('C-c');
  }, 120_000);
});
