import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFleet, type Fleet } from '../../../src/simulator/fleet.ts';
import { runCliHere, type CliResult } from '../run-cli.ts';

/** What needs no engine: hv01 complies, hv02 and hv03 would change, hv04 has its IOMMU off in firmware. */
let folder: string;
let fleet: Fleet;

const vfleet = (...args: string[]): Promise<CliResult> => runCliHere(args, { stateHome: folder });

/** Writes a spec and returns its path. */
async function spec(name: string, select: string, more = ''): Promise<string> {
  const path = join(folder, `${name}-${select.replaceAll(/\W/g, '')}.yaml`);
  await writeFile(
    path,
    `version: 1
name: ${name}
hosts: { inventory: ${fleet.inventoryFile}, select: "${select}" }
target: { iommu: enabled, hostDma: passthrough }
limits: { maxUnavailable: 100% }
${more}`,
  );
  return path;
}

interface Plan {
  readonly id: string;
  readonly changing: number;
}

async function planOf(file: string): Promise<Plan> {
  return JSON.parse((await vfleet('plan', file, '--json')).stdout) as Plan;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-plan-'));
  fleet = await startFleet({
    hosts: 5,
    parentFolder: folder,
    describe: (index) => ({
      cpu: 'intel',
      os: 'debian-12',
      ...(index === 0 ? { defaultArgs: ['quiet', 'intel_iommu=on', 'iommu=pt'] } : {}),
      ...(index === 2 ? { defaultArgs: ['quiet', 'pci=noaer'] } : {}),
    }),
    faults: { hv04: [{ kind: 'firmware-off' }], hv05: [{ kind: 'refuses' }] },
  });
});

afterAll(async () => {
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('vfleet plan', () => {
  it('finds the same plan twice on a fleet that did not change, and another one after an edit', async () => {
    const file = await spec('same', 'all');
    const [first, second] = [await planOf(file), await planOf(file)];
    expect(second).toMatchObject({ id: first.id, changing: 2 });
    await spec('same', 'all', 'reboot: { timeout: 30m }\n');
    expect((await planOf(file)).id).not.toBe(first.id);
  });

  it('reads as in the mock-up: kinds, what is left, what is in the way, waves, time, and the next command', async () => {
    const file = await spec('read', 'all');
    const { stdout } = await vfleet('plan', file);
    const { id } = await planOf(file);
    for (const line of [
      /^read {3}5 hosts \(all\) {3}probed in \d+s, nothing was written$/m,
      /^ {2}2 to change {3}1 comply already {3}1 blocked {3}1 unreachable {6}2 reboots, 0 drains$/m,
      /^KIND A {3}2 hosts {3}Intel, Debian 12, kernel 6\.1\.0-56-amd64 {3}e\.g\. hv02 {3}\(all: --hosts A\)$/m,
      /^ {2}cmdline {3}\+ intel_iommu=on iommu=pt$/m,
      /^ {2}LEFT .*root ro .*$/m,
      /pci=noaer: not asked for, stays as it is \(1 of 2 hosts\)$/m,
      /^Not known before the reboot: IOMMU groups, .* \(A\)\. A surprise there holds the host\.$/m,
      /^BLOCKED {6}1 {3}firmware\.no-dmar {3}.*turn on VT-d in setup$/m,
      /^UNREACHABLE {2}1 {3}ssh\.refused/m,
      /they count as unavailable \(1 of 5\)$/m,
      /^ {2}canary {2}1 {2}1 of each kind: hv02 {2}bake 10m {2}then a person promotes$/m,
      /^TIME {5}about 30m at 10m a host, 4 at a time, with 10m of bakes\. Not in it: until a person promotes canary\.$/m,
    ]) {
      expect(stdout).toMatch(line);
    }
    expect(stdout.replaceAll(/ \\\n */g, ' ')).toContain(`vfleet start ${file} --plan ${id}`);
  });

  it('is a drift check: 0 when every host complies, 3 when one does not, 1 when that is not known', async () => {
    const check = async (select: string): Promise<number | null> =>
      (await vfleet('plan', await spec('drift', select), '--detailed-exitcode')).code;
    expect(await check('hv01')).toBe(0);
    expect(await check('hv01,hv02')).toBe(3);
    expect(await check('hv04')).toBe(3);
    expect(await check('hv01,hv05')).toBe(1);
    expect((await vfleet('plan', await spec('drift', 'hv02'))).code).toBe(0);
  });

  it('lists the hosts of a kind and of a wave, and says what there is to list', async () => {
    const file = await spec('list', 'all');
    expect((await vfleet('plan', file, '--hosts', 'A')).stdout).toContain(
      'KIND A   2 hosts\nhv02 hv03',
    );
    expect((await vfleet('plan', file, '--hosts', 'fleet')).stdout).toContain(
      'WAVE fleet   1 host\nhv03',
    );
    const wrong = await vfleet('plan', file, '--hosts', 'Q');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('no kind and no wave "Q"');
    expect(wrong.stderr).toContain('kinds: A; waves: canary fleet');
  });
});

describe('vfleet start with a plan, before any engine is asked', () => {
  it('lists the kept plans, newest first, when there is none of the id', async () => {
    const { id: older } = await planOf(await spec('older', 'hv02'));
    const { id: newer } = await planOf(await spec('newer', 'hv02,hv03'));
    const { code, stderr } = await vfleet(
      'start',
      await spec('newer', 'hv02,hv03'),
      '--plan',
      'abcdef',
    );
    expect(code).toBe(2);
    expect(stderr).toContain('There is no plan "abcdef"');
    expect(stderr).toMatch(new RegExp(`^ {2}${newer} {3}newer, 2 to change, \\d+s ago$`, 'm'));
    expect(stderr.indexOf(newer)).toBeLessThan(stderr.indexOf(older));
  });

  it('refuses the plan of another spec, and says whose it is', async () => {
    const { id } = await planOf(await spec('mine', 'hv02'));
    const { code, stderr } = await vfleet('start', await spec('other', 'hv02'), '--plan', id);
    expect(code).toBe(2);
    expect(stderr).toContain(`Plan ${id} is of mine, and`);
    expect(stderr).toContain(`mine-hv02.yaml --plan ${id}`);
  });

  it('refuses a spec that was edited since, and says what was', async () => {
    const file = await spec('edited', 'hv02');
    const { id } = await planOf(file);
    await spec('edited', 'hv02', 'reboot: { timeout: 30m }\nonHostFailure: rollback\n');
    const { code, stderr } = await vfleet('start', file, '--plan', id);
    expect(code).toBe(5);
    expect(stderr).toContain('  reboot.timeout: 20m -> 30m\n  onHostFailure: hold -> rollback\n');
    expect(stderr).toContain(`plan again: vfleet plan ${file}`);
  });

  it('says how old an old plan is, and goes on', async () => {
    const file = await spec('aged', 'hv02');
    const { id } = await planOf(file);
    const path = join(folder, 'vfleet', 'plans', `${id}.json`);
    const plan = JSON.parse(await readFile(path, 'utf8')) as { madeAt: string };
    const madeAt = new Date(Date.now() - 5 * 86_400_000).toISOString();
    await writeFile(path, JSON.stringify({ ...plan, madeAt }));
    const { code, stderr } = await vfleet('start', file, '--plan', id, '--yes');
    expect(stderr).toContain(`warning plan ${id} is 5d0h old`);
    expect(code).toBe(4);
  });
});
