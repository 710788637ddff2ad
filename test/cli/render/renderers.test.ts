import { describe, expect, it } from 'vitest';
import { eventsBetween } from '../../../src/cli/render/events.ts';
import { renderList } from '../../../src/cli/render/list.ts';
import { renderLive } from '../../../src/cli/render/live.ts';
import { renderSpec } from '../../../src/cli/render/spec.ts';
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
});
