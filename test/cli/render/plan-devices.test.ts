import { describe, expect, it } from 'vitest';
import { createPlanView } from '../../../src/cli/plan/plan-view.ts';
import type { PlanFile } from '../../../src/cli/plan/plan-file.ts';
import { previewRollout } from '../../../src/cli/plan/planned-hosts.ts';
import { renderPlan } from '../../../src/cli/render/plan.ts';
import { startQuestion } from '../../../src/cli/render/start-question.ts';
import { UNSAFE_INTERRUPTS } from '../../../src/domain/target-warnings.ts';
import {
  attachChange,
  bindChange,
  DEVICES,
  DEVICE_TARGET,
  EVERY_KIND,
  host,
  MODULES,
  planOf,
  vfsChange,
} from './device-samples.ts';
import { cmdlineChange, NOW, plain } from './samples.ts';

/** Golden files stand beside this test; after a wanted change: npx vitest run test/cli/render -u */
const golden = (name: string): string => `./golden/${name}.txt`;

const viewOf = (plan: PlanFile) => createPlanView(plan, previewRollout(plan));
const textOf = (plan: PlanFile, width = 110): string =>
  renderPlan(viewOf(plan), plain, { width, now: NOW, spec: 'enable-sriov.yaml' });
const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `hv-${String(from + at).padStart(3, '0')}`);

const SAFE = {
  ...DEVICE_TARGET,
  modules: { ...DEVICE_TARGET.modules, unsafeInterrupts: false },
};
const LEFT = ['0000:3b:00.0 also matches fast-nics but carries the SSH route (bond0): not touched'];

/** A kind with every change, one that differs in its kernel line only, and one that changes devices only. */
function fleet(): PlanFile {
  const amd = [cmdlineChange(['iommu=pt']), ...EVERY_KIND.slice(1)];
  return planOf([
    ...names(1, 6).map((name) => host(name, EVERY_KIND, { left: LEFT })),
    ...names(7, 9).map((name) => host(name, amd)),
    ...names(10, 11).map((name) => host(name, DEVICES)),
  ]);
}

describe('the plan of devices', () => {
  it.each([110, 80, 60])('reads in %i columns as its golden file', async (width) => {
    const text = textOf(fleet(), width);
    await expect(`${text}\n`).toMatchFileSnapshot(golden(`plan-devices-${width}`));
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
  });

  it('counts as reboots and drains only what reboots, and fears for guests only there', () => {
    const view = viewOf(fleet());
    expect([view.reboots, view.drains, view.changing]).toEqual([9, 9, 11]);
    expect(view.guests.hosts).toEqual(names(1, 9));
  });

  it('says of the kinds what is not known, and until when', () => {
    expect(viewOf(fleet()).notKnown).toEqual([
      {
        until: 'the reboot',
        what: ['IOMMU groups', "the groups' domain types", 'VF addresses'],
        kinds: ['A', 'B'],
      },
      {
        until: 'the VFs are made',
        what: ['VF addresses', 'IOMMU groups of the VFs'],
        kinds: ['C'],
      },
    ]);
    const bound = planOf([host('hv-001', [bindChange('0000:65:00.0')])]);
    expect(viewOf(bound).notKnown).toEqual([]);
  });

  it('warns of unsafe interrupts before anything else, also in the question', () => {
    const plan = fleet();
    expect(textOf(plan, 200)).toMatch(/drains\n\nWARNING {3}unsafe interrupts: .*\n\nKIND A/);
    expect(startQuestion(viewOf(plan))).toContain(`9 drains; WARNING ${UNSAFE_INTERRUPTS}?`);
    // What is written on a host counts, whatever the spec says now.
    expect(viewOf(planOf([host('hv-001', [MODULES])], SAFE)).warnings).toEqual([UNSAFE_INTERRUPTS]);
    expect(viewOf(planOf([host('hv-001', DEVICES)], SAFE)).warnings).toEqual([]);
  });

  it('shows what is exact where the kind has one host', () => {
    const one = textOf(planOf([host('hv-001', [vfsChange('0000:3b:00.1')])]), 1000);
    expect(one).toContain('VF 2 mac 02:00:00:00:00:02, vlan 100');
    const two = names(1, 2).map((name) => host(name, [vfsChange('0000:3b:00.1')]));
    expect(textOf(planOf(two), 200)).toContain('VF 0-3 mac set, vlan 100');
  });

  it('says whose guest it names when each host has its own', () => {
    const hosts = names(1, 2).map((name) =>
      host(name, [attachChange(`edge-${name}`)], {
        scope: { devices: [], guests: [{ entry: 0, domain: `edge-${name}` }] },
      }),
    );
    expect(textOf(planOf(hosts), 200)).toContain(
      'attach    edge-hv-001 (on hv-001; each host its own)   + VF 0 of 0000:3b:00.1',
    );
  });
});

describe('the question before a start', () => {
  it('names reboots and drains', () => {
    const plan = planOf([host('hv-001', EVERY_KIND.slice(0, 1))], SAFE);
    expect(startQuestion(viewOf(plan))).toBe(
      'Start enable-sriov on 1 host in 3 waves, first hv-001: 1 reboot, 1 drain?',
    );
  });

  it('says what happens to devices where nothing reboots', () => {
    const plan = planOf(
      names(1, 3).map((name) => host(name, DEVICES)),
      SAFE,
    );
    expect(startQuestion(viewOf(plan))).toBe(
      'Start enable-sriov on 3 hosts in 3 waves, first hv-001: ' +
        'no reboot, 3 PFs with other VFs, 6 functions with another driver, 3 guests with other devices?',
    );
  });
});
