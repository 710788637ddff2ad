import { afterEach, describe, expect, it } from 'vitest';
import { probe } from '../../../activities/steps/inspect.ts';
import { applyModules } from '../../../activities/steps/modules.ts';
import { withOwnChanges } from '../../../activities/steps/own-changes.ts';
import type { BindChange, Change, HostPlan, ModulesChange } from '../../../src/domain/changes.ts';
import { MODPROBE_PATH } from '../../../src/domain/own-files.ts';
import { parseFacts } from '../../../src/facts/parse-facts.ts';
import type { MemoryHost } from '../../../src/simulator/memory-host.ts';
import { modulesChange } from '../../support/device-changes.ts';
import { deviceHost, well } from '../../support/device-run.ts';
import { guard } from '../../support/step-run.ts';

const bind = (address: string, driver: string | null): BindChange => ({
  kind: 'bind',
  address,
  modalias: null,
  before: { driver, override: null },
  after: { driver: 'vfio-pci', override: 'vfio-pci' },
  by: 'override',
  files: [],
});

let host: MemoryHost | undefined;
afterEach(() => {
  host?.model.dispose();
  host = undefined;
});

async function merged(plan: HostPlan, own: readonly Change[]): Promise<HostPlan> {
  host ??= deviceHost();
  return withOwnChanges(host, plan, { own, facts: parseFacts(await probe(host)) });
}

const planOf = (changes: readonly Change[]): HostPlan => ({
  kind: 'changes',
  changes,
  reboots: 0,
  digest: 'of these',
  hardware: 'Intel',
  warnings: ['hot'],
  bootId: 'boot',
  machineId: 'machine',
});

describe('a plan after a run of the same lease that died', () => {
  it('keeps the state before that the run recorded, not what it left half-way', async () => {
    const recorded = bind('0000:65:00.0', 'nouveau');
    const plan = await merged(planOf([bind('0000:65:00.0', null)]), [recorded]);
    expect(plan).toMatchObject({ kind: 'changes', changes: [recorded], warnings: ['hot'] });
  });

  it('holds what the run had finished too, in the order of the steps', async () => {
    const done = bind('0000:65:00.0', 'nouveau');
    const pages: Change = {
      kind: 'hugepages',
      pages: [],
      file: { path: '/etc/tmpfiles.d/vfleet.conf', before: null, after: 'x' },
    };
    const plan = await merged(planOf([bind('0000:65:00.1', 'snd_hda_intel')]), [pages, done]);
    if (plan.kind !== 'changes') throw new Error(plan.kind);
    expect(
      plan.changes.map((change) => [change.kind, 'address' in change && change.address]),
    ).toEqual([
      ['hugepages', false],
      ['bind', '0000:65:00.1'],
      ['bind', '0000:65:00.0'],
    ]);
    expect(plan.digest).not.toBe('of these');
  });

  it('goes on when all is as asked already, so that its run is ended and its record closed', async () => {
    const done = bind('0000:65:00.0', 'nouveau');
    const plan = await merged({ kind: 'compliant', evidence: {} }, [done]);
    expect(plan).toMatchObject({ kind: 'changes', changes: [done], reboots: 0 });
  });

  it('is left as it is when the run changed nothing, or when the host is blocked', async () => {
    const blocked: HostPlan = { kind: 'blocked', code: 'devices.moved', sentence: 'x' };
    expect(await merged(blocked, [bind('0000:65:00.0', 'nouveau')])).toBe(blocked);
    const plan = planOf([bind('0000:65:00.0', 'nouveau')]);
    expect(await merged(plan, [])).toBe(plan);
  });
});

describe('the reboots of a plan after a run of the same lease that died', () => {
  const COMPLIANT: HostPlan = { kind: 'compliant', evidence: {} };
  const reboots = async (own: readonly Change[]) => {
    const plan = await merged(COMPLIANT, own);
    return plan.kind === 'changes' ? plan.reboots : plan.kind;
  };
  const applied = async (change: ModulesChange = modulesChange()) => {
    host = deviceHost();
    await well(applyModules(host, { changes: [change], guard: guard(2) }));
    return host.model;
  };

  it('are none for modules that this boot has read, and one while none has', async () => {
    const model = await applied();
    expect(await reboots([modulesChange()])).toBe(1);
    await model.powerCycle();
    expect(await reboots([modulesChange()])).toBe(0);
  });

  it('are one for modules that were not applied, or whose file was taken away since', async () => {
    expect(await reboots([modulesChange()])).toBe(1);
    const model = await applied();
    await model.powerCycle();
    model.tree.remove(MODPROBE_PATH);
    expect(await reboots([modulesChange()])).toBe(1);
  });

  it('are one for modules that the initramfs of this boot does not hold, or may not', async () => {
    const unmade = await applied(modulesChange({ initramfs: false }));
    await unmade.powerCycle();
    expect(await reboots([modulesChange({ initramfs: false })])).toBe(0);
    expect(await reboots([modulesChange()])).toBe(1);
    unmade.dispose();
    const files = [{ path: MODPROBE_PATH, before: '# old\n', after: '# new\n' }];
    host = deviceHost({ files: { [MODPROBE_PATH]: '# old\n' } });
    const change = modulesChange({ files });
    await well(applyModules(host, { changes: [change], guard: guard(2) }));
    await host.model.powerCycle();
    expect(await reboots([change])).toBe(1);
  });

  it('are one for modules of which no boot is noted, or a note that is none', async () => {
    const model = await applied();
    await model.powerCycle();
    model.tree.put('/var/lib/vfleet/modules-boot', 'applied=\u001b[2Jyesterday\n');
    expect(await reboots([modulesChange()])).toBe(1);
  });
});
