import { describe, expect, it } from 'vitest';
import { omit } from '../../../src/cli/omit.ts';
import { previewRollout } from '../../../src/cli/plan/planned-hosts.ts';
import { createPlanView } from '../../../src/cli/plan/plan-view.ts';
import { eventsBetween } from '../../../src/cli/render/events.ts';
import { renderHost } from '../../../src/cli/render/host.ts';
import { renderList } from '../../../src/cli/render/list.ts';
import { renderLive } from '../../../src/cli/render/live.ts';
import { renderPlan } from '../../../src/cli/render/plan.ts';
import { renderSpec } from '../../../src/cli/render/spec.ts';
import { renderStatus } from '../../../src/cli/render/status.ts';
import { createStyle } from '../../../src/cli/render/style.ts';
import { NOW, SPEC, connection, plain, sampleHost, samplePlan, sampleStatus } from './samples.ts';

/** Golden files stand beside this test; after a wanted change: npx vitest run test/cli/render -u */
const golden = (name: string): string => `./golden/${name}.txt`;

describe('the plan', () => {
  it('reads as kinds with their diff, what is in the way, and the waves', async () => {
    const plan = samplePlan();
    const text = renderPlan(createPlanView(plan, previewRollout(plan)), plain);
    await expect(`${text}\n`).toMatchFileSnapshot(golden('plan'));
  });

  it('says so when the unreachable hosts take every place, so that none may start', () => {
    const plan = samplePlan();
    const limits = { ...plan.spec.limits, maxUnavailable: { kind: 'count', count: 1 } as const };
    const full = { ...plan, spec: { ...plan.spec, limits } };
    const text = renderPlan(createPlanView(full, previewRollout(full)), plain);
    expect(text).toContain('so no host may start: bring them back');
    expect(renderPlan(createPlanView(plan, previewRollout(plan)), plain)).not.toContain(
      'no host may start',
    );
  });

  it('says so when there is nothing to do', () => {
    const plan = samplePlan();
    const nothing = { ...plan, hosts: plan.hosts.filter((host) => host.plan.kind === 'compliant') };
    const text = renderPlan(createPlanView(nothing, previewRollout(nothing)), plain);
    expect(text).toContain('0 to change   3 comply already');
    expect(text.endsWith('Nothing to do.')).toBe(true);
    expect(text).not.toContain('WAVES');
  });
});

describe('the status', () => {
  const view = { now: NOW, engine: 'prod-fra:7233', workers: 2 };

  it('puts held hosts first, then what happens if nobody does anything', async () => {
    const text = renderStatus({ ...view, status: sampleStatus() }, plain);
    await expect(`${text}\n`).toMatchFileSnapshot(golden('status-held'));
  });

  it('names the command that promotes a canary', () => {
    const status = sampleStatus({ phase: 'awaiting-promotion' });
    const waves = status.waves.map((wave) => ({ ...wave, phase: 'awaiting-promotion' as const }));
    const text = renderStatus({ ...view, status: { ...status, waves } }, plain);
    expect(text).toContain('waits for a person: vfleet promote enable-iommu');
  });

  it('shows an ended rollout with the way back', async () => {
    const hosts = sampleStatus().hosts.filter((host) => host.state === 'done');
    const status = sampleStatus({
      phase: 'done',
      explanation: 'every host came to its end',
      verbs: [],
      hosts,
      counts: { ...sampleStatus().counts, held: 0, running: 0, queued: 0 },
    });
    const text = renderStatus({ now: NOW, engine: 'prod-fra:7233', status }, plain);
    await expect(`${text}\n`).toMatchFileSnapshot(golden('status-done'));
  });
});

describe('a host', () => {
  it('shows a hold with every way out', async () => {
    const text = renderHost(
      {
        status: sampleHost(),
        rolloutName: 'enable-iommu',
        now: NOW,
        wave: 'fleet',
        kind: 'A',
        connection: {
          ...connection('hv-118'),
          jump: { address: 'bastion.fra', port: 22, user: 'ops' },
        },
      },
      plain,
    );
    await expect(`${text}\n`).toMatchFileSnapshot(golden('host-held'));
  });

  it('offers no exits for a host that runs', () => {
    const status = { ...omit(sampleHost(), 'hold'), state: 'running' as const };
    const text = renderHost({ status, rolloutName: 'enable-iommu', now: NOW }, plain);
    expect(text).toContain('RUNNING (wait)   a step is under way');
    expect(text).not.toContain('WHAT YOU CAN DO');
  });
});

describe('other outputs', () => {
  it('lists rollouts with their state', async () => {
    const rollout = {
      id: 'enable-iommu#3',
      name: 'enable-iommu',
      number: 3,
      engineStatus: 'RUNNING',
      startedAt: new Date(sampleStatus().startedAt),
    };
    const rows = [
      { rollout, status: sampleStatus() },
      { rollout: { ...rollout, id: 'enable-iommu#2' }, problem: 'no worker answers' },
    ];
    const text = renderList(rows, { now: NOW, attention: false, style: plain });
    await expect(`${text}\n`).toMatchFileSnapshot(golden('list'));
  });

  it('shows a spec with its defaults', async () => {
    await expect(`${renderSpec(SPEC)}\n`).toMatchFileSnapshot(golden('spec'));
  });

  it('tells each change of a rollout once', () => {
    const before = sampleStatus();
    const hosts = before.hosts.map((host) =>
      host.name === 'hv-010' ? { ...host, state: 'done' as const } : host,
    );
    const after = sampleStatus({ hosts });
    expect(eventsBetween(before, after, plain)).toEqual(['hv-010 done']);
    expect(eventsBetween(after, after, plain)).toEqual([]);
  });

  it('keeps the live view within the terminal', () => {
    const events = Array.from({ length: 50 }, (_, index) => `event ${index}`);
    const view = { status: sampleStatus(), now: NOW, events, width: 60, rows: 20 };
    const lines = renderLive(view, plain).split('\n');
    expect(lines.length).toBeLessThan(20);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(lines.at(-1)).toBe('event 49');
  });

  it('writes no escape sequence without colours, and some with them', () => {
    const view = { status: sampleStatus(), now: NOW, engine: 'e' };
    expect(renderStatus(view, plain)).not.toContain('\u001b');
    expect(renderStatus(view, createStyle(true))).toContain('\u001b[');
  });
});
