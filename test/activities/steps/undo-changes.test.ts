import { afterEach, describe, expect, it } from 'vitest';
import { applyBind } from '../../../activities/steps/bind.ts';
import { undoChanges } from '../../../activities/steps/devices.ts';
import { applyModules } from '../../../activities/steps/modules.ts';
import type { Change } from '../../../src/domain/changes.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { CrashingPort } from '../../support/crashing-port.ts';
import {
  GPU,
  GPU_AUDIO,
  GPU_CHANGES,
  hugepagesChange,
  modulesChange,
} from '../../support/device-changes.ts';
import {
  deviceHost,
  differences,
  leavesOf,
  well,
  withoutModules,
} from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});
const BACK: readonly Change[] = [...GPU_CHANGES].reverse();
const LIMIT = { limitMs: 60_000 };

async function bound(): Promise<ReadonlyMap<string, string>> {
  host = deviceHost();
  const before = withoutModules(leavesOf(host));
  await well(applyBind(host, { changes: GPU_CHANGES, guard: guard(2) }));
  return before;
}
const undo = (
  port = host as Parameters<typeof undoChanges>[0],
  limit: Parameters<typeof undoChanges>[2] = LIMIT,
  changes = BACK,
) => undoChanges(port, { changes, guard: guard(9) }, limit);

describe('undoChanges', () => {
  it('takes the changes of a step back, and folds what it saw', async () => {
    const before = await bound();
    const outcome = await undo();
    expect(outcome).toMatchObject({ tried: 2, failures: [] });
    expect(Object.keys(outcome.evidence).sort()).toEqual([GPU, GPU_AUDIO, 'reboot']);
    expect(outcome.evidence['reboot']).toBe('not needed');
    expect(differences(before, withoutModules(leavesOf(host)))).toEqual({});
  });

  it('goes on after one that cannot be taken back, and tells which', async () => {
    await bound();
    host.model.kernel.override(host.model.kernel.bus.at(GPU_AUDIO)!, 'pci-stub');
    const first = await undo();
    const at = BACK.findIndex((change) => change.kind === 'bind' && change.address === GPU_AUDIO);
    expect(first).toMatchObject({ tried: 2, failures: [{ index: at, code: 'drift' }] });
    expect(host.model.kernel.bus.at(GPU)?.driver).toBe('nouveau');
  });

  it('needs a reboot when any of them does', async () => {
    host = deviceHost();
    const changes: readonly Change[] = [hugepagesChange(), modulesChange()];
    await well(applyModules(host, { changes: [modulesChange()], guard: guard(2) }));
    await host.model.powerCycle();
    expect(await undo(host, LIMIT, changes.toReversed())).toMatchObject({
      tried: 2,
      failures: [],
      evidence: { reboot: 'needed' },
    });
  });

  it('begins no other one when its time is up, but always one', async () => {
    await bound();
    expect(await undo(host, { limitMs: 0 })).toMatchObject({ tried: 1, failures: [] });
    expect(await undo(host, { limitMs: 0 }, BACK.slice(1))).toMatchObject({ tried: 1 });
    expect([GPU, GPU_AUDIO].map((at) => host.model.kernel.bus.at(at)?.override)).toEqual([
      null,
      null,
    ]);
  });

  it('ends with what it has done when the host is lost, and throws when that is nothing', async () => {
    const before = await bound();
    let done = 0;
    for (let mutations = 0; done < 2; mutations += 1) {
      const port = new CrashingPort(host, mutations);
      const outcome = await undo(port).catch(() => undefined);
      done = outcome?.tried ?? 0;
      if (outcome === undefined) expect(mutations).toBeLessThan(20);
      else expect(outcome.failures).toEqual([]);
    }
    expect(differences(before, withoutModules(leavesOf(host)))).toEqual({});
  });

  it('says no more than a dozen things of many', async () => {
    host = deviceHost();
    const changes = Array.from({ length: 30 }, (_, at): Change => ({
      ...GPU_CHANGES[0],
      address: `0000:${(at + 16).toString(16)}:00.0`,
      files: [],
    }));
    const { tried, failures, evidence } = await undo(host, LIMIT, changes);
    expect(tried).toBe(30);
    expect(failures).toEqual([]);
    expect(Object.keys(evidence)).toHaveLength(14);
    expect(evidence).toMatchObject({ others: '18 more' });
  });
});
