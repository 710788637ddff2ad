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

  it('shows the MAC addresses of a kind that are the same on each of its hosts', () => {
    const change = vfsChange('0000:3b:00.1');
    const shown = 'VF 2 mac 02:00:00:00:00:02, vlan 100';
    expect(textOf(planOf([host('hv-001', [change])]), 1000)).toContain(shown);
    const alike = names(1, 2).map((name) => host(name, [change]));
    expect(textOf(planOf(alike), 1000)).toContain(shown);
    const vfs = change.after.vfs.map((vf) =>
      vf.mac === undefined ? vf : { ...vf, mac: '02:ff:00:00:00:01' },
    );
    const other = { ...change, after: { ...change.after, vfs } };
    const text = textOf(planOf([...alike, host('hv-003', [other])]), 1000);
    expect(text).toContain('VF 0-3 mac set, vlan 100');
  });

  it('calls nothing a difference between kinds that they have in common', () => {
    const { vfs, modules } = { vfs: vfsChange('0000:3b:00.1'), modules: MODULES };
    const line = (arg: string) => cmdlineChange([arg]);
    const plan = planOf([
      ...names(1, 2).map((name) => host(name, [line('iommu=pt'), modules, vfs])),
      host('hv-003', [line('intel_iommu=on'), modules, vfs]),
    ]);
    const [, second = ''] = textOf(plan, 1000).split(/^(?=KIND B)/m);
    expect(second).toContain('as A, but');
    expect(second.split('\n\n', 1)[0]).not.toContain('sriov_numvfs');
  });

  it('says of what the spec allows that no change needs it', () => {
    const bind = bindChange('0000:65:00.0');
    const allow = ['network', 'boot-vga'] as const;
    const target = { ...SAFE, allow };
    const needing = host('hv-001', [bind]);
    const warnings = ['0000:65:00.0 is in use: x; it is touched, since the spec allows boot-vga'];
    const plan = { ...needing.plan, warnings } as typeof needing.plan;
    expect(viewOf(planOf([{ ...needing, plan }], target)).warnings).toEqual([
      'allow: [network] is needed by no change of this plan; take it out of the spec',
    ]);
    expect(viewOf(planOf([host('hv-001', [MODULES])], target)).warnings).not.toContainEqual(
      expect.stringContaining('is needed by no change'),
    );
  });

  it('tells what hosts that comply guard, with their names', () => {
    const sentence = '0000:3b:00.0 of entry "nics" stays as it is (guarded: skip)';
    const compliant = (name: string) => ({
      ...host(name, [], { left: [sentence] }),
      plan: { kind: 'compliant' as const, evidence: {} },
    });
    const text = textOf(planOf([compliant('hv-001'), compliant('hv-002')]));
    expect(text).toMatch(/LEFT ALONE {3}2 {3}0000:3b:00\.0 of entry "nics".*\n {13}hv-001 hv-002/);
    expect(text).toContain('Nothing to do.');
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
