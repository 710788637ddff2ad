import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RolloutStatus } from '../../../src/domain/status.ts';
import { startFleet, type Fleet } from '../../../src/simulator/fleet.ts';
import { finished, startCli, type CliResult } from '../run-cli.ts';
import { jsonLines } from '../json-lines.ts';
import { commandsWithJson, createJsonCommands } from './commands.ts';

/** The whole way of a script, in order: each test goes on where the one before ended. */
let folder: string;
let fleet: Fleet;
let up: ChildProcessWithoutNullStreams | undefined;
let upEnds: Promise<CliResult> | undefined;

const file = (name: string): string => join(folder, name);
const commands = createJsonCommands(() => folder);
const { document, error, lines } = commands;

const specText = (name: string, select: string): string => `version: 1
name: ${name}
hosts: { inventory: ${fleet.inventoryFile}, select: ${select} }
target: { iommu: enabled, hostDma: passthrough }
waves:
  - { name: canary, hosts: 1, maxFailures: 0, promote: manual }
  - { name: fleet, upTo: 100% }
limits: { parallel: 4, maxUnavailable: 100%, maxFailures: 2 }
`;

const releaseOf = (host: string): readonly string[] => [
  host,
  ...['-i', fleet.inventoryFile, '--reason', 'a test', '--yes'],
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vfleet-json-'));
  fleet = await startFleet({
    hosts: 4,
    parentFolder: folder,
    describe: () => ({ cpu: 'intel', os: 'debian-12' }),
    faults: { hv04: [{ kind: 'firmware-off' }], hv03: [{ kind: 'trial-panics' }] },
    timing: { shutdownMs: 20, rebootMs: 200, panicSecondMs: 10 },
  });
  await writeFile(file('spec.yaml'), specText('enable', 'all'));
  await writeFile(file('nothing.yaml'), specText('nothing', 'hv04'));
  await writeFile(file('lost.yaml'), specText('lost', 'hv03'));
  await writeFile(file('wrong.yaml'), 'version: 1\n');
});

afterAll(async () => {
  if (up?.exitCode === null) {
    up.kill('SIGINT');
    await upEnds;
  }
  await fleet.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('--json, by the published schemas and nothing else on stdout', () => {
  it('tells each command that needs an engine that there is none', async () => {
    await error(4, 'start', file('spec.yaml'), '--yes');
    await error(4, 'list');
    await error(4, 'status', 'enable');
    await error(4, 'host', 'enable', 'hv01');
    await error(4, 'worker');
    for (const verb of ['pause', 'resume', 'promote', 'abort']) {
      await error(4, verb, 'enable', '--reason', 'a test', '--yes');
    }
    for (const verb of ['retry', 'skip', 'rollback']) {
      await error(4, verb, 'enable', 'hv01', '--reason', 'a test', '--yes');
    }
  }, 240_000);

  it('prints what needs no engine', async () => {
    await document(0, 'check', file('spec.yaml'));
    await error(2, 'check', file('wrong.yaml'));
    await document(0, 'inventory', '-i', fleet.inventoryFile);
    await error(2, 'inventory', '-i', file('none.ini'));
    await document(0, 'capture', 'hv01', file('capture'), '-i', fleet.inventoryFile);
    await error(2, 'capture', 'hv01', file('capture'), '-i', fleet.inventoryFile);
    await document(0, 'facts', 'hv01', '-i', fleet.inventoryFile);
    await document(0, 'facts', '--from', file('capture'));
    await error(2, 'facts');
    await document(0, 'diagnose', 'hv01', '-i', fleet.inventoryFile);
    await document(3, 'diagnose', 'hv04', '-i', fleet.inventoryFile);
    await document(0, 'diagnose', '--from', file('capture'));
    await error(2, 'diagnose');
    await document(0, 'release', ...releaseOf('hv01'));
    await document(0, 'explain');
    await document(0, 'explain', 'ssh');
    await error(2, 'explain', 'no.such-code');
    await document(0, 'plan', file('spec.yaml'));
    await document(0, 'plan', file('spec.yaml'), '--from', file('capture'));
    await error(2, 'plan', file('none.yaml'));
    await error(2, 'demo', '--hosts', '1');
  }, 240_000);

  it('prints a line when up and a worker serve', async () => {
    up = startCli(['up', '--json'], { stateHome: folder });
    upEnds = finished(up);
    await jsonLines(up).until<{ ready?: boolean }>((line) => line.ready === true);
    await error(5, 'up');
    const worker = startCli(['worker', '--json'], { stateHome: folder });
    const ended = finished(worker);
    await jsonLines(worker).until<{ ready?: boolean }>((line) => line.ready === true);
    worker.kill('SIGINT');
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(lines('worker', stdout)).toHaveLength(1);
  }, 240_000);

  it('follows a rollout and takes every verb on the way', async () => {
    await document(0, 'start', file('nothing.yaml'), '--yes');
    await document(0, 'start', file('spec.yaml'), '--yes');
    const watch = startCli(['status', 'enable', '--watch', '--json'], { stateHome: folder });
    const watched = finished(watch);
    const { until } = jsonLines(watch);
    await until<RolloutStatus>(({ phase }) => phase === 'awaiting-promotion');
    await document(0, 'list');
    await document(3, '');
    await document(3, 'status', 'enable');
    await document(0, 'host', 'enable', 'hv01');
    await document(0, 'host', 'enable', 'hv04');
    await document(0, 'pause', 'enable', '--now', '--reason', 'a look');
    await document(0, 'resume', 'enable');
    await document(0, 'promote', 'enable', '--yes');
    const first = await until<RolloutStatus>(({ phase }) => phase === 'waiting');
    await document(3, 'host', 'enable', 'hv03');
    const refused = await error(5, 'release', ...releaseOf('hv03'));
    expect(refused.stderr).toContain('more: vfleet explain release.running');
    expect(fleet.host('hv03').tree.text('/var/lib/vfleet/lease')).toBeDefined();
    await document(0, 'retry', 'enable', 'hv03', '--yes');
    const since = (status: RolloutStatus): string | undefined =>
      status.hosts.find(({ name, state }) => name === 'hv03' && state === 'held')?.since;
    await until<RolloutStatus>((now) => ![undefined, since(first)].includes(since(now)));
    await document(0, 'skip', 'enable', 'hv03', '--reason', 'a broken board', '--yes');
    await until<RolloutStatus>(({ phase }) => phase === 'done');
    lines('status', (await watched).stdout);
  }, 240_000);

  it('rolls back during a rollout and after it, and follows from the start to an abort', async () => {
    await document(0, 'rollback', 'enable#1', '--all', '--yes', '--reason', 'a test');
    const back = await finished(
      startCli(['status', 'enable#2', '--watch', '--json'], { stateHome: folder }),
    );
    lines('status', back.stdout);
    const start = startCli(['start', file('spec.yaml'), '--yes', '--watch', '--json'], {
      stateHome: folder,
    });
    const started = finished(start);
    await jsonLines(start).until<RolloutStatus>(({ phase }) => phase === 'awaiting-promotion');
    await document(0, 'rollback', 'enable#3', 'hv01', '--yes', '--reason', 'a test');
    await document(0, 'abort', 'enable#3', '--yes', '--reason', 'a test');
    lines('start', (await started).stdout);
    await error(5, 'abort', 'enable#3', '--yes', '--reason', 'a test');
    await error(2, 'status', 'enable', '--no-such-option');
  }, 240_000);

  it('follows a rollout to a held host, and leaves it there', async () => {
    const start = startCli(['start', file('lost.yaml'), '--yes', '--watch', '--json'], {
      stateHome: folder,
    });
    const started = finished(start);
    await jsonLines(start).until<Partial<RolloutStatus>>(({ counts }) => counts?.held === 1);
    start.kill('SIGINT');
    lines('start', (await started).stdout);
  }, 240_000);

  it('follows the demo', async () => {
    const demo = startCli(['demo', '--hosts', '10', '--json'], { stateHome: folder });
    const { code, stdout } = await finished(demo);
    expect(code).toBe(0);
    expect(lines('demo', stdout).length).toBeGreaterThan(2);
  }, 240_000);

  it('prints nothing more from up when it stops', async () => {
    up?.kill('SIGINT');
    const end = await upEnds;
    expect(end?.code).toBe(0);
    expect(lines('up', end?.stdout ?? '')).toHaveLength(1);
  }, 60_000);

  it('releases the host that the lost engine held', async () => {
    const released = await document<{ released: boolean }>(0, 'release', ...releaseOf('hv03'));
    expect(released.released).toBe(true);
  }, 60_000);

  it('was held to it for every command, well and failing', () => {
    expect([...commands.told].sort()).toEqual(commandsWithJson());
    expect([...commands.failed].sort()).toEqual(commandsWithJson());
  });
});
