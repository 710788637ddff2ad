import { describe, expect, it } from 'vitest';
import { eventsBetween } from '../../../src/cli/render/events.ts';
import { renderList, type ListRow } from '../../../src/cli/render/list.ts';
import { renderLive } from '../../../src/cli/render/live.ts';
import { renderSpec } from '../../../src/cli/render/spec.ts';
import { omit } from '../../../src/cli/omit.ts';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import { DEVICE_TARGET } from './device-samples.ts';
import { NOW, SPEC, plain, sampleStatus } from './samples.ts';

/** Golden files stand beside this test; after a wanted change: npx vitest run test/cli/render -u */
const golden = (name: string): string => `./golden/${name}.txt`;

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

  it('says what needs a person, and the next command for each', async () => {
    const row = (number: number): ListRow['rollout'] => ({
      ...{ id: `enable-iommu#${number}`, name: 'enable-iommu', number, engineStatus: 'RUNNING' },
      startedAt: new Date(sampleStatus().startedAt),
    });
    const hosts = sampleStatus().hosts.filter((host) => host.state !== 'held');
    const calm = { hosts, counts: { ...sampleStatus().counts, held: 0 } };
    const text = renderList(
      [
        { rollout: row(3), status: sampleStatus() },
        { rollout: row(4), status: sampleStatus({ ...calm, phase: 'awaiting-promotion' }) },
        { rollout: row(5), status: sampleStatus({ ...calm, phase: 'paused', pausedBy: 'budget' }) },
        { rollout: row(6), status: sampleStatus({ ...calm, phase: 'paused', pausedBy: 'person' }) },
        { rollout: row(7), problem: 'no worker answers' },
      ],
      { now: NOW, attention: true, style: plain },
    );
    await expect(`${text}\n`).toMatchFileSnapshot(golden('attention'));
  });

  it('shows a spec with its defaults', async () => {
    await expect(`${renderSpec(SPEC, plain, 140)}\n`).toMatchFileSnapshot(golden('spec'));
  });

  it('shows what a spec asks of devices, guests, memory, modules and firmware', async () => {
    const text = renderSpec({ ...SPEC, target: DEVICE_TARGET }, plain, 110);
    await expect(`${text}\n`).toMatchFileSnapshot(golden('spec-devices'));
    const narrow = renderSpec({ ...SPEC, target: DEVICE_TARGET }, plain, 60);
    expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
    const devices = { ...DEVICE_TARGET, ...omit(NOTHING_ASKED, 'devices') };
    expect(renderSpec({ ...SPEC, target: omit(devices, 'iommu', 'hostDma') }, plain, 110)).toMatch(
      /^hosts .*\ndevices /m,
    );
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

  it('says in the live view that nobody answers, since when, and that it goes on by itself', () => {
    const silence = { why: 'no worker answers.', since: new Date(NOW.getTime() - 65_000) };
    const view = { status: sampleStatus(), now: NOW, events: [], width: 60, rows: 30, silence };
    const text = renderLive(view, plain);
    expect(text.replaceAll('\n', ' ')).toContain(
      'NO ANSWER since 02:49:55 (1m05s): no worker answers. This view goes on by itself.',
    );
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('keeps the live view within the terminal', () => {
    const events = Array.from({ length: 50 }, (_, index) => `event ${index}`);
    const view = { status: sampleStatus(), now: NOW, events, width: 60, rows: 20 };
    const lines = renderLive(view, plain).split('\n');
    expect(lines.length).toBeLessThan(20);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(lines.at(-1)).toBe('event 49');
  });
});
