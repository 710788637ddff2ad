import { afterEach, describe, expect, it } from 'vitest';
import { beginRun } from '../../../activities/steps/begin.ts';
import { finishRun } from '../../../activities/steps/finish.ts';
import { inspectForward, inspectRollback } from '../../../activities/steps/inspect.ts';
import { lastStandingRun, parseRecord } from '../../../src/facts/record.ts';
import type { HostPort } from '../../../src/host/port.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { createMemoryHost } from '../../../src/simulator/memory-host.ts';
import { begun, guard, LEASE, PASSTHROUGH, planned } from '../../support/step-run.ts';

const LEASE_FILE = '/var/lib/vfleet/lease';
const RECORD_FILE = '/var/lib/vfleet/record.json';
const UNDO_FILE = '/var/lib/vfleet/UNDO.txt';
const UNDONE_FILE = '/var/lib/vfleet/undone';
const MOTD_FILE = '/etc/motd.d/50-vfleet';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const make = () => (host = createMemoryHost({ name: 'hv1', kernelArgs: ['intel_iommu=off'] }));
const text = (path: string): string | undefined => host.model.tree.text(path);
const other = { ...LEASE, id: 'sriov/hv1', rollout: 'sriov#2', who: 'eve' };

describe('beginRun', () => {
  it('writes the lease and then what was found, before anything else is changed', async () => {
    const { change } = await begun(make());
    expect(text(LEASE_FILE)).toMatch(/^id=enable-iommu\/hv1\n/);
    const run = lastStandingRun(parseRecord(text(RECORD_FILE))!);
    expect(run?.rollout).toBe('enable-iommu#1');
    expect(run?.changes).toEqual([change]);
    const paths = host.model.log.changes().map((entry) => entry.what);
    expect(paths).toEqual([LEASE_FILE, RECORD_FILE, UNDO_FILE, MOTD_FILE]);
    expect(text(UNDO_FILE)).toContain('rollout   enable-iommu#1, by ops@desk');
  });

  it('holds when the record would be too large to be read again, and leaves it as it is', async () => {
    const { change } = await planned(make());
    const big = { ...change, add: ['x'.repeat(200_000)] };
    const runs = [1, 2, 3, 4, 5].map((at) => ({
      rollout: `a#${at}`,
      who: 'ops',
      since: LEASE.since,
      outcome: 'done',
      changes: [big],
    }));
    const found = JSON.stringify({ version: 1, runs });
    host.model.tree.put(RECORD_FILE, found);
    const outcome = await beginRun(host, { guard: guard(1), lease: LEASE, changes: [change] });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'host.record-full' });
    expect(text(RECORD_FILE)).toBe(found);
  });

  it('is safe twice', async () => {
    const { plan } = await begun(make());
    const again = await beginRun(host, {
      guard: guard(1, 2),
      lease: LEASE,
      changes: plan.changes,
    });
    expect(again.kind).toBe('ok');
    expect(parseRecord(text(RECORD_FILE))?.runs).toHaveLength(1);
  });

  it('holds a busy host, naming rollout, person, engine and time, and writes nothing', async () => {
    const { plan } = await planned(make());
    await beginRun(host, {
      guard: { ...guard(1), lease: other.id },
      lease: other,
      changes: plan.changes,
    });
    const count = host.model.log.changes().length;
    const outcome = await beginRun(host, { guard: guard(1), lease: LEASE, changes: plan.changes });
    expect(outcome).toMatchObject({
      kind: 'hold',
      code: 'host.busy',
      sentence: 'sriov#2 of eve holds this host since 2026-11-22T17:00:00Z (engine test)',
    });
    expect(host.model.log.changes()).toHaveLength(count);
  });

  it('lets one of two that begin at once through', async () => {
    const { plan } = await planned(make());
    const outcomes = await Promise.all(
      [LEASE, other].map((lease) =>
        beginRun(host, { guard: { ...guard(1), lease: lease.id }, lease, changes: plan.changes }),
      ),
    );
    expect(outcomes.map((outcome) => outcome.kind).sort()).toEqual(['hold', 'ok']);
  });

  it('holds rather than overwrite a record that it cannot read', async () => {
    const { plan } = await planned(make());
    host.model.tree.put(RECORD_FILE, 'not json');
    const outcome = await beginRun(host, { guard: guard(1), lease: LEASE, changes: plan.changes });
    expect(outcome).toMatchObject({ kind: 'hold', code: 'host.record-unreadable' });
    expect(text(RECORD_FILE)).toBe('not json');
  });
});

/** The verbs that a step calls, each of which is one SSH command. */
async function commandsOf(step: (port: HostPort) => Promise<unknown>): Promise<string[]> {
  const verbs: string[] = [];
  await step({
    name: host.name,
    read: (request) => host.read(request).finally(() => verbs.push('read')),
    write: (request) => host.write(request).finally(() => verbs.push('write')),
    poke: (request) => host.poke(request).finally(() => verbs.push('poke')),
    run: (request) => host.run(request).finally(() => verbs.push('run')),
  });
  return verbs;
}

it('takes three commands to begin and two to finish, whatever is written with them', async () => {
  const { plan } = await planned(make());
  const call = { guard: guard(1), lease: LEASE, changes: plan.changes };
  expect(await commandsOf((port) => beginRun(port, call))).toEqual(['read', 'write', 'write']);
  const end = { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' };
  expect(await commandsOf((port) => finishRun(port, end))).toEqual(['read', 'write']);
});

describe('the message of the day', () => {
  it('says while the host is held who holds it, what not to do and where more is', async () => {
    await begun(make());
    expect(text(MOTD_FILE)).toBe(
      `vfleet: rollout enable-iommu#1 of ops@desk holds this host since 2026-11-22T17:00:00Z.
  Do not change its boot settings and do not reboot it.
  what it does: vfleet host enable-iommu#1 hv1
  undo by hand: sudo sh /var/lib/vfleet/UNDO.txt
`,
    );
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    expect(text(MOTD_FILE)).toBeUndefined();
    expect(host.model.tree.names('/etc/motd.d')).toBeUndefined();
  });

  it('leaves a folder that was there, though it is empty again', async () => {
    make().model.tree.mkdir('/etc/motd.d');
    await begun(host);
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    expect(host.model.tree.names('/etc/motd.d')).toEqual([]);
  });

  it('lets nobody who started a rollout write on the terminals of others', async () => {
    const { plan } = await planned(make());
    const who = 'eve\u001b[2J\n\u202eroot';
    const lease = { ...LEASE, who };
    await beginRun(host, { guard: guard(1), lease, changes: plan.changes });
    expect(text(MOTD_FILE)).toMatch(/^vfleet: rollout enable-iommu#1 of [\x20-\x7e]+ holds/);
    expect(text(MOTD_FILE)).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
    expect(text(UNDO_FILE)).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u);
  });

  it('is there for a rollback too', async () => {
    await begun(make());
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    const lease = { ...LEASE, id: 'l2', rollout: 'enable-iommu#2' };
    const undo = text(UNDO_FILE);
    await beginRun(host, { guard: { ...guard(1), lease: 'l2' }, lease });
    expect(text(MOTD_FILE)).toContain('rollout enable-iommu#2');
    expect(text(UNDO_FILE)).toBe(undo);
  });
});

describe('finishRun', () => {
  it('closes the record and gives the lease up', async () => {
    await begun(make());
    const call = { rollout: LEASE.rollout, outcome: 'done' };
    expect((await finishRun(host, { ...call, guard: guard(2) })).kind).toBe('ok');
    expect(text(LEASE_FILE)).toBeUndefined();
    const [run] = parseRecord(text(RECORD_FILE))?.runs ?? [];
    expect(run?.outcome).toBe('done');
    expect(run?.ended).toMatch(/^20.*Z$/);
    expect(text(UNDO_FILE)).toContain('enable-iommu#1');
    expect((await finishRun(host, { ...call, guard: guard(2, 2) })).kind).toBe('ok');
  });

  it('keeps the record in lines that a person reads from the top', async () => {
    await begun(make());
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    expect(text(RECORD_FILE)?.split('\n').slice(0, 9)).toEqual([
      '{',
      '  "version": 1,',
      '  "runs": [',
      '    {',
      '      "rollout": "enable-iommu#1",',
      '      "who": "ops@desk",',
      '      "since": "2026-11-22T17:00:00Z",',
      '      "outcome": "done",',
      expect.stringMatching(/^ {6}"ended": "20.*Z",$/),
    ]);
  });

  it('leaves no UNDO.txt once nothing of ours stands', async () => {
    await begun(make());
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'rolled-back' });
    expect(host.model.tree.names('/var/lib/vfleet')).not.toContain('UNDO.txt');
  });

  it('leaves the UNDO.txt of the rollout before it, when only the newer one was rolled back', async () => {
    await begun(make());
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    const earlier = text(UNDO_FILE);
    const { plan } = await planned(host);
    const call = { guard: { ...guard(1), lease: other.id }, lease: other, changes: plan.changes };
    await beginRun(host, call);
    expect(text(UNDO_FILE)).toContain('rollout   sriov#2, by eve');
    const end = { rollout: other.rollout, outcome: 'rolled-back' };
    await finishRun(host, { guard: { ...guard(2), lease: other.id }, ...end });
    expect(text(UNDO_FILE)).toBe(earlier);
  });

  it("leaves another rollout's lease alone", async () => {
    await begun(make());
    host.model.tree.put(LEASE_FILE, 'id=someone\n');
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    expect(text(LEASE_FILE)).toBe('id=someone\n');
  });
});

describe('inspect', () => {
  it('says busy before a host that someone else works on is planned for', async () => {
    const { plan } = await planned(make());
    await beginRun(host, {
      guard: { ...guard(1), lease: other.id },
      lease: other,
      changes: plan.changes,
    });
    const found = await inspectForward(host, PASSTHROUGH, LEASE.id);
    expect(found).toMatchObject({ kind: 'held', code: 'host.busy' });
  });

  it('finds for a rollback what the record says, and only of the same spec', async () => {
    const { change } = await begun(make());
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    expect(await inspectRollback(host, 'enable-iommu#2', LEASE.id)).toMatchObject({
      kind: 'changes',
      changes: [change],
    });
    expect(await inspectRollback(host, 'sriov#1', LEASE.id)).toMatchObject({
      code: 'rollback.not-latest',
    });
  });

  it('finds nothing to take back twice', async () => {
    await begun(make());
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'rolled-back' });
    expect(await inspectRollback(host, 'enable-iommu#2', LEASE.id)).toMatchObject({
      kind: 'compliant',
    });
  });
});

describe('a host that was undone by hand', () => {
  const undoneNote = `rollout=enable-iommu#1\nsince=${LEASE.since}\nwho=ops2\nat=2026-11-22T18:00:00Z\n`;
  const undone = async () => {
    const start = await begun(make());
    await finishRun(host, { guard: guard(2), rollout: LEASE.rollout, outcome: 'done' });
    host.model.tree.put(UNDONE_FILE, undoneNote);
    return start;
  };

  it('has nothing to roll back, and says who did it', async () => {
    await undone();
    expect(await inspectRollback(host, 'enable-iommu#2', LEASE.id)).toEqual({
      kind: 'compliant',
      evidence: { record: 'ops2 undid it by hand at 2026-11-22T18:00:00Z' },
    });
  });

  it('is held while it runs the line that was taken back, since only a reboot ends that', async () => {
    await undone();
    host.model.tree.put('/proc/cmdline', 'BOOT_IMAGE=/boot/vmlinuz root=x ro iommu=pt\n');
    expect(await inspectRollback(host, 'enable-iommu#2', LEASE.id)).toEqual({
      kind: 'held',
      code: 'cmdline.pending-differs',
      sentence:
        'ops2 undid it by hand at 2026-11-22T18:00:00Z, and it still runs the line of before that; reboot it, then retry',
    });
  });

  it('has it in its record from the next run on, and that run is a new one', async () => {
    const { plan } = await undone();
    const again = { ...LEASE, since: '2026-11-23T08:00:00Z' };
    await beginRun(host, { guard: guard(3), lease: again, changes: plan.changes });
    const runs = parseRecord(text(RECORD_FILE))?.runs;
    const byHand = { who: 'ops2', at: '2026-11-22T18:00:00Z' };
    expect(runs?.map((run) => run.undone)).toEqual([byHand, undefined]);
    expect(text(UNDONE_FILE)).toBeUndefined();
  });

  it('does not take a note of another run for its own', async () => {
    await undone();
    host.model.tree.put(UNDONE_FILE, undoneNote.replace(LEASE.since, '2026-01-01T00:00:00Z'));
    expect(await inspectRollback(host, 'enable-iommu#2', LEASE.id)).toMatchObject({
      kind: 'changes',
    });
  });
});
