import { describe, expect, it } from 'vitest';
import type { DeviceFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import {
  MODPROBE_PATH,
  MODULES_LOAD_PATH,
  rulePath,
  scriptPath,
} from '../../../src/domain/own-files.ts';
import { planHost } from '../../../src/domain/planner.ts';
import type { DeviceTarget } from '../../../src/domain/spec.ts';
import { bindRule, vfsRule, vfsScript } from '../../../src/domain/udev-files.ts';
import {
  bridge,
  deviceEntry,
  deviceFacts,
  graphicsCard,
  grubWith,
  hostWith,
  iommuGroup,
  ownGroups,
  pciFunction,
  targetOf,
} from '../../support/device-facts.ts';
import { blockOf, changesOf, kindsOf, ofKind, warningsOf } from './planned.ts';

const ADDRESS = '0000:03:00.0';
const NIC = pciFunction(ADDRESS, { net: ['ens1f0'] });
const BOUND = { ...NIC, driver: 'vfio-pci', override: 'vfio-pci', net: [] };
const RULE = rulePath(ADDRESS);

const host = (functions: readonly PciFunction[], over: Partial<DeviceFacts> = {}) =>
  hostWith(deviceFacts(functions, { groups: ownGroups(functions), ...over }));

const asked = (over: Partial<DeviceTarget> = {}) =>
  targetOf({ devices: [deviceEntry({ match: { address: ADDRESS }, ...over })] });

describe('binding by address', () => {
  it('sets an override and a rule of its own, and reboots nothing', () => {
    expect(changesOf(host([NIC]), asked())).toEqual([
      {
        kind: 'bind',
        address: ADDRESS,
        modalias: NIC.modalias,
        before: { driver: 'i40e', override: null, net: ['ens1f0'] },
        after: { driver: 'vfio-pci', override: 'vfio-pci' },
        by: 'override',
        files: [{ path: RULE, before: null, after: bindRule(NIC) }],
      },
    ]);
  });

  it('leaves a function alone that is bound now and at the next boot', () => {
    const facts = host([BOUND], { ownFiles: { [RULE]: bindRule(NIC) } });
    expect(planHost(facts, asked())).toMatchObject({
      kind: 'compliant',
      evidence: { devices: '1 as asked', vfio: '1 functions, 0 VFs' },
    });
  });

  it('adds the rule where only that is missing', () => {
    const [change] = ofKind(host([BOUND]), asked(), 'bind');
    expect(change?.files).toEqual([{ path: RULE, before: null, after: bindRule(NIC) }]);
  });

  it('gives a function back to its native driver, rule and all', () => {
    const facts = host([BOUND], { ownFiles: { [RULE]: bindRule(NIC) } });
    expect(ofKind(facts, asked({ driver: 'native' }), 'bind')).toMatchObject([
      {
        before: { driver: 'vfio-pci', override: 'vfio-pci' },
        after: { driver: 'native', override: null },
        files: [{ path: RULE, before: bindRule(NIC), after: null }],
      },
    ]);
  });

  it('takes the place of the rule and the script that made VFs', () => {
    const script = vfsScript({ pf: ADDRESS, count: 1, vfs: [{ driver: 'native' }] });
    const ownFiles = { [RULE]: vfsRule(NIC), [scriptPath(ADDRESS)]: script };
    expect(ofKind(host([NIC], { ownFiles }), asked(), 'bind')[0]?.files).toEqual([
      { path: RULE, before: vfsRule(NIC), after: bindRule(NIC) },
      { path: scriptPath(ADDRESS), before: script, after: null },
    ]);
  });

  it('does not overwrite a rule of somebody else under its name', () => {
    const facts = host([NIC], { ownFiles: { [RULE]: 'ACTION=="add"\n' } });
    expect(blockOf(facts, asked())).toMatchObject({ code: 'devices.file-foreign' });
  });

  it('goes on by driverctl where the operator uses it', () => {
    const kept = host([{ ...NIC, override: 'i40e' }], { driverctl: { [ADDRESS]: 'i40e' } });
    const [change] = ofKind(kept, asked(), 'bind');
    expect(change).toMatchObject({
      by: 'driverctl',
      before: { driver: 'i40e', override: 'i40e' },
      files: [],
    });
    const done = host([BOUND], { driverctl: { [ADDRESS]: 'vfio-pci' } });
    expect(blockOf(done, asked()).code).toBe('compliant');
  });

  it.each([
    ['it has none', null],
    ['it has another', 'vfio-pci'],
  ])('is refused where driverctl keeps another override than the kernel has: %s', (_, override) => {
    const facts = host([{ ...NIC, override }], { driverctl: { [ADDRESS]: 'i40e\u001b[2J' } });
    const { code, sentence } = blockOf(facts, asked());
    expect(code).toBe('devices.driverctl-differs');
    expect(sentence).toContain(`/etc/driverctl.d/pci-${ADDRESS}`);
    expect(sentence).toContain(`the kernel has ${override ?? 'none'}`);
    expect(sentence).not.toContain('\u001b');
  });

  it('warns where interrupts are not remapped', () => {
    const facts = host([NIC]);
    const iommu = { ...facts.iommu, interruptRemapping: false };
    expect(warningsOf({ ...facts, iommu }, asked())[0]).toContain('interrupts are not remapped');
  });
});

describe('the IOMMU', () => {
  const off = { units: [], groups: [], interruptRemapping: false };
  const line = ['root=UUID=58589ca0', 'ro'];
  const dark = hostWith(deviceFacts([NIC]), {
    iommu: off,
    runningArgs: line,
    bootLoader: grubWith(line),
  });

  it('may be turned on by the same plan: groups are not known until then', () => {
    const target = { ...asked(), iommu: 'enabled' as const };
    expect(kindsOf(dark, target)).toEqual(['cmdline', 'bind']);
  });

  it('must not stay off', () => {
    expect(blockOf(dark, asked())).toMatchObject({
      code: 'bind.no-group',
      sentence: expect.stringContaining('iommu: enabled') as string,
    });
  });

  it('must cover the slot', () => {
    const groups = [iommuGroup('0', ['0000:00:1f.0'])];
    expect(blockOf(host([NIC], { groups }), asked()).code).toBe('bind.no-group');
  });
});

describe('a group', () => {
  const [gpu, audio] = graphicsCard('0000:41:00');
  const port = bridge('0000:40:01.0');
  const groups = [iommuGroup('12', [port.address, gpu.address, audio.address])];
  const card = (over: Partial<DeviceTarget> = {}) =>
    asked({ name: 'gpus', match: { id: '10de:1b80' }, ...over });

  it('that is not viable is told with every member, its driver and the ways out', () => {
    const { code, sentence } = blockOf(host([port, gpu, audio], { groups }), card());
    expect(code).toBe('devices.group-not-viable');
    expect(sentence).toContain(
      '0000:40:01.0: pcieport, 0000:41:00.0: to go to vfio-pci, 0000:41:00.1: snd_hda_intel',
    );
    expect(sentence).toMatch(/functions: all.*another|own.*ACS override is not offered/);
  });

  it('is viable when it goes as a whole, bridges aside', () => {
    const changes = ofKind(
      host([port, gpu, audio], { groups }),
      card({ functions: 'all' }),
      'bind',
    );
    expect(changes.map(({ address }) => address)).toEqual([gpu.address, audio.address]);
  });

  it.each([null, 'vfio-pci', 'pci-stub', 'mlx5_vfio_pci'])(
    'is viable with a member whose driver is %s',
    (driver) => {
      const facts = host([port, gpu, { ...audio, driver }], { groups });
      expect(ofKind(facts, card(), 'bind')).toHaveLength(1);
    },
  );

  it('with reserved memory is refused, saying what that is', () => {
    const facts = host([NIC], { groups: [iommuGroup('3', [ADDRESS], { rmrr: true })] });
    expect(blockOf(facts, asked())).toMatchObject({
      code: 'devices.rmrr',
      sentence: expect.stringContaining('firmware has reserved memory') as string,
    });
  });
});

describe('binding by ids', () => {
  const twin = pciFunction('0000:04:00.0');
  const byIds = (over: Partial<DeviceTarget> = {}) => asked({ bind: 'ids', ...over });

  it('writes modprobe.d with a softdep, loads vfio-pci, and needs a reboot', () => {
    const changes = changesOf(host([NIC]), byIds());
    expect(changes.map(({ kind }) => kind)).toEqual(['modules', 'bind']);
    const [modules, bind] = changes;
    expect(modules).toMatchObject({ initramfs: true });
    const texts = modules?.kind === 'modules' ? modules.files.map(({ after }) => after) : [];
    expect(texts[0]).toContain('options vfio-pci ids=8086:1572\n');
    expect(texts[0]).toContain('softdep i40e pre: vfio-pci\n');
    expect(texts[1]).toContain('\nvfio_pci\n');
    expect(bind).toMatchObject({
      by: 'ids',
      after: { driver: 'vfio-pci', override: null },
      files: [],
    });
  });

  it('is refused when the ids also match a function that no entry claims', () => {
    expect(blockOf(host([NIC, twin]), byIds())).toMatchObject({
      code: 'devices.ids-too-many',
      sentence: expect.stringContaining('0000:04:00.0 (i40e)') as string,
    });
  });

  it('is told apart by the subsystem where the spec matches it', () => {
    const other = { ...twin, subsystem: '8086:0002' };
    const target = byIds({ match: { address: ADDRESS, subsystem: '8086:0001' } });
    const [modules] = ofKind(host([NIC, other]), target, 'modules');
    expect(modules?.files[0]?.after).toContain('ids=8086:1572:8086:0001\n');
  });

  it('complies when the files say so and the driver is there', () => {
    const [modules] = ofKind(host([NIC]), byIds(), 'modules');
    const ownFiles = Object.fromEntries(
      (modules?.files ?? []).map(({ path, after }) => [path, after ?? '']),
    );
    expect(Object.keys(ownFiles)).toEqual([MODPROBE_PATH, MODULES_LOAD_PATH]);
    const done = host([{ ...BOUND, override: null }], { ownFiles });
    expect(blockOf(done, byIds()).code).toBe('compliant');
  });

  it('does not reboot into another line than the one that runs', () => {
    const facts = host([NIC]);
    const bootLoader = grubWith([...facts.runningArgs, 'quiet']);
    expect(blockOf({ ...facts, bootLoader }, byIds())).toMatchObject({
      code: 'cmdline.pending-differs',
    });
    // What needs no reboot does not mind.
    expect(kindsOf({ ...facts, bootLoader }, asked())).toEqual(['bind']);
  });
});
