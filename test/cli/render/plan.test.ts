import { describe, expect, it } from 'vitest';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import { groupKinds } from '../../../src/cli/plan/group-kinds.ts';
import type { PlanFile, ProbedHost } from '../../../src/cli/plan/plan-file.ts';
import { createPlanView } from '../../../src/cli/plan/plan-view.ts';
import { previewRollout } from '../../../src/cli/plan/planned-hosts.ts';
import { renderPart, renderPlan } from '../../../src/cli/render/plan.ts';
import { NOW, connection, plain, samplePlan } from './samples.ts';

/** Golden files stand beside this test; after a wanted change: npx vitest run test/cli/render/plan.test.ts -u */
const golden = (name: string): string => `./golden/${name}.txt`;

const viewOf = (plan: PlanFile) => createPlanView(plan, previewRollout(plan));
const textOf = (plan: PlanFile, width = 110): string =>
  renderPlan(viewOf(plan), plain, { width, now: NOW, spec: 'enable-iommu.yaml' });

function withHosts(plan: PlanFile, probed: readonly ProbedHost[]): PlanFile {
  return { ...plan, hosts: groupKinds(probed).hosts };
}

/** The sample with guests on two hosts that would change. */
function withGuests(plan: PlanFile): PlanFile {
  const busy = new Map([
    ['hv-001', ['edge-gw', 'db']],
    ['hv-042', ['edge-gw']],
  ]);
  const guestsOf = (host: ProbedHost) => busy.get(host.connection.name) ?? [];
  return withHosts(
    plan,
    plan.hosts.map((host) => ({ ...host, guests: guestsOf(host) })),
  );
}

describe('the plan', () => {
  it('reads as kinds with their diff, what is in the way, the waves and the time', async () => {
    await expect(`${textOf(withGuests(samplePlan()))}\n`).toMatchFileSnapshot(golden('plan'));
  });

  it.each([80, 60])('fits into %i columns without a broken word', async (width) => {
    const text = textOf(withGuests(samplePlan()), width);
    await expect(`${text}\n`).toMatchFileSnapshot(golden(`plan-${width}`));
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
    const words = (of: string): Set<string> => new Set(of.split(/:?\s+/));
    const wide = words(textOf(withGuests(samplePlan())));
    // A line that a shell goes on reading ends with a backslash; nothing else is new.
    expect([...words(text)].filter((word) => !wide.has(word) && word !== '\\')).toEqual([]);
  });

  it('leads from each code once to what vfleet explain knows of it', () => {
    const view = viewOf(samplePlan());
    const blocked = ['in setup', 'in the jumper'].map((sentence) => ({
      code: 'firmware.no-dmar',
      sentence,
      hosts: ['hv-058'],
    }));
    const text = renderPlan({ ...view, blocked }, plain, { width: 110, now: NOW });
    expect(text.match(/vfleet explain \S+/g)).toEqual([
      'vfleet explain firmware.no-dmar',
      'vfleet explain ssh.timeout',
    ]);
  });

  it('says so when the unreachable hosts take every place, so that none may start', () => {
    const plan = samplePlan();
    const limits = { ...plan.spec.limits, maxUnavailable: { kind: 'count', count: 1 } as const };
    const text = textOf({ ...plan, spec: { ...plan.spec, limits } });
    expect(text).toContain('so no host may start: bring them back');
    expect(text).toContain('TIME     not known: no host may start');
    expect(textOf(plan)).not.toContain('no host may start');
  });

  it('says so when there is nothing to do', () => {
    const plan = samplePlan();
    const text = textOf({
      ...plan,
      hosts: plan.hosts.filter((host) => host.plan.kind === 'compliant'),
    });
    expect(text).toContain('0 to change   3 comply already');
    expect(text.endsWith('Nothing to do.')).toBe(true);
    expect(text).not.toMatch(/WAVES|TIME|Not known/);
  });

  it('never says that there is nothing to do of hosts that did not answer or are blocked', () => {
    const plan = samplePlan();
    const only = (...kinds: readonly string[]): string =>
      textOf({ ...plan, hosts: plan.hosts.filter((host) => kinds.includes(host.plan.kind)) });
    expect(only('compliant', 'unreachable')).toMatch(
      /Nothing to start: 1 host did not answer, so what it needs is not known. See to that, then plan again\.$/,
    );
    expect(only('blocked')).toMatch(
      /Nothing to start: 2 hosts are blocked. See to that, then plan again\.$/,
    );
    expect(only('compliant', 'unreachable', 'blocked')).not.toContain('Nothing to do');
  });

  it('says that hosts with guests will be held when nobody drains them', () => {
    const plan = withGuests(samplePlan());
    const text = textOf({ ...plan, spec: { ...plan.spec, hooks: {} } });
    expect(text).toContain('3 run on 2 hosts to reboot and the spec has no drain hook');
    expect(text).toContain('drain.guests-running until its guests are moved: hv-001 hv-042');
  });

  it('promises nothing unknown where no IOMMU is asked for', () => {
    const plan = samplePlan();
    const target = { ...NOTHING_ASKED, kernelArgs: plan.spec.target.kernelArgs };
    expect(textOf({ ...plan, spec: { ...plan.spec, target } })).not.toContain('Not known');
  });

  it('tells two holders of busy hosts apart, in the time of the reader', () => {
    const plan = samplePlan();
    const busy = (name: string, holder: string): ProbedHost => ({
      connection: connection(name),
      guests: [],
      left: [],
      plan: {
        kind: 'held',
        code: 'host.busy',
        sentence: `${holder} holds this host since ${NOW.toISOString()} (engine e)`,
      },
    });
    const hosts = [busy('a1', 'x#1 of bob'), busy('a2', 'x#1 of bob'), busy('a3', 'y#2 of ann')];
    const text = textOf(withHosts(plan, [...plan.hosts, ...hosts]));
    expect(text).toMatch(/BLOCKED {6}2 {3}host\.busy {3}x#1 of bob holds .* 02:51 .*\n *a1 a2\n/);
    expect(text).toMatch(/BLOCKED {6}1 {3}host\.busy {3}y#2 of ann holds .*\n *a3\n/);
  });

  it('shortens what many hosts say differently to one example', () => {
    const plan = samplePlan();
    const odd = (at: number): ProbedHost => ({
      connection: connection(`z${at}`),
      guests: [],
      left: [],
      plan: { kind: 'blocked', code: 'host.no-space', sentence: `only ${at} KiB are free` },
    });
    const text = textOf(withHosts(plan, [...plan.hosts, odd(1), odd(2), odd(3), odd(4)]));
    expect(text).toMatch(/BLOCKED {6}4 {3}host\.no-space {3}e\.g\. only 1 KiB are free\n *z1 z2/);
  });

  it('lists every host of a kind or of a wave', () => {
    const view = viewOf(samplePlan());
    expect(renderPart(view, 'b', 80)).toContain('KIND B   14 hosts\nhv-041 hv-042');
    expect(renderPart(view, 'early', 80)).toBe('WAVE early   3 hosts\nhv-002 hv-003 hv-004');
    expect(renderPart(view, 'C', 80)).toBeUndefined();
  });
});
