import { afterEach, describe, expect, it } from 'vitest';
import { beginRun } from '../../../activities/steps/begin.ts';
import { inspectForward } from '../../../activities/steps/inspect.ts';
import { proveModules } from '../../../activities/steps/loaded-modules.ts';
import { applyModules } from '../../../activities/steps/modules.ts';
import { prove } from '../../../activities/steps/prove.ts';
import type { ModulesChange } from '../../../src/domain/changes.ts';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import { createMemoryHost, type MemoryHost } from '../../../src/simulator/memory-host.ts';
import { targetOf } from '../../support/device-facts.ts';
import { well } from '../../support/device-run.ts';
import { guard, LEASE, rebooted } from '../../support/step-run.ts';

let host: MemoryHost;
afterEach(() => {
  host.model.dispose();
});

const asking = (...load: string[]) => targetOf({ modules: { ...NOTHING_ASKED.modules, load } });

/** The host after the files were written, in the same boot. */
async function written(...load: string[]) {
  host = createMemoryHost({ name: 'hv1' });
  const plan = await inspectForward(host, asking(...load), LEASE.id);
  if (plan.kind !== 'changes') throw new Error(JSON.stringify(plan));
  const changes = plan.changes.filter(
    (change): change is ModulesChange => change.kind === 'modules',
  );
  await beginRun(host, { guard: guard(1), lease: LEASE, changes });
  await well(applyModules(host, { changes, guard: guard(2) }));
  const boot = () => rebooted(host, { bootIdBefore: plan.bootId, trial: false, seq: 3 });
  return { changes, boot };
}

describe('the proof that modules are loaded at each boot', () => {
  it('sees them loaded after the boot', async () => {
    const { changes, boot } = await written('vfio_pci');
    await boot();
    expect(await well(prove(host, { target: asking('vfio_pci'), changes }))).toMatchObject({
      modules: 'vfio_pci: there',
    });
  });

  it('holds where the boot went on without one, and says that there is none such', async () => {
    const { changes, boot } = await written('doesnotexist', 'vfio_pci');
    await boot();
    expect(
      await prove(host, { target: asking('doesnotexist', 'vfio_pci'), changes }),
    ).toMatchObject({
      kind: 'hold',
      code: 'modules.not-loaded',
      sentence: expect.stringContaining('no module of the name doesnotexist') as string,
    });
  });

  it('stands in the next plan too: the files alone are not what was asked', async () => {
    const { boot } = await written('doesnotexist');
    await boot();
    expect(await inspectForward(host, asking('doesnotexist'), 'another')).toMatchObject({
      kind: 'blocked',
      code: 'modules.not-loaded',
    });
  });

  it('is not asked for by the plan of a run that died between the files and the boot', async () => {
    const { changes } = await written('vfio_pci');
    expect(await inspectForward(host, asking('vfio_pci'), LEASE.id)).toMatchObject({
      kind: 'changes',
      changes,
      reboots: 1,
    });
  });

  it('reads nothing where none is asked for', async () => {
    host = createMemoryHost({ name: 'hv1' });
    expect(await well(proveModules(host, NOTHING_ASKED))).toEqual({});
    expect(host.model.log.entries).toEqual([]);
  });
});
