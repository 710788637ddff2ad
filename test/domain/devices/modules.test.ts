import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import type { ModprobeSettings } from '../../../src/domain/devices/module-files.ts';
import {
  isDracutText,
  modprobeText,
  modulesLoadText,
  NO_MODPROBE,
  parseModprobe,
  parseModulesLoad,
} from '../../../src/domain/devices/module-files.ts';
import { DRACUT_PATH, MODPROBE_PATH, MODULES_LOAD_PATH } from '../../../src/domain/own-files.ts';
import type { ModulesTarget } from '../../../src/domain/spec.ts';
import { NOTHING_ASKED } from '../../../src/domain/spec.ts';
import {
  deviceEntry,
  deviceFacts,
  graphicsCard,
  hostWith,
  ownGroups,
  pciFunction,
  targetOf,
} from '../../support/device-facts.ts';
import { blockOf, changesOf, ofKind, warningsOf } from './planned.ts';

const host = (functions: readonly PciFunction[], over: Partial<DeviceFacts> = {}) =>
  hostWith(deviceFacts(functions, { groups: ownGroups(functions), ...over }));

const asked = (over: Partial<ModulesTarget>, rest: Parameters<typeof targetOf>[0] = {}) =>
  targetOf({ modules: { ...NOTHING_ASKED.modules, ...over }, ...rest });

const [GPU, AUDIO] = graphicsCard('0000:41:00');
const text = (over: Partial<ModprobeSettings>) => modprobeText({ ...NO_MODPROBE, ...over });

describe('files of modprobe.d and modules-load.d', () => {
  it('are written whole, and the initramfs with them', () => {
    const target = asked({ blacklist: ['nouveau'], load: ['vfio_pci'], disableIdleD3: true });
    expect(changesOf(host([]), target)).toEqual([
      {
        kind: 'modules',
        files: [
          {
            path: MODPROBE_PATH,
            before: null,
            after: text({ blacklist: ['nouveau'], disableIdleD3: true }),
          },
          { path: MODULES_LOAD_PATH, before: null, after: modulesLoadText(['vfio_pci']) },
        ],
        initramfs: true,
      },
    ]);
  });

  it('need no new initramfs for what is only loaded', () => {
    expect(ofKind(host([]), asked({ load: ['vfio_pci'] }), 'modules')).toMatchObject([
      { files: [{ path: MODULES_LOAD_PATH }], initramfs: false },
    ]);
  });

  it('get one for dracut where dracut makes the initramfs, since it may leave modprobe.d out', () => {
    const byDracut = (over: Partial<DeviceFacts> = {}) =>
      host([], { initramfsMaker: 'dracut', ...over });
    const target = asked({ blacklist: ['nouveau'] });
    const [change] = ofKind(byDracut(), target, 'modules');
    expect(change).toMatchObject({
      initramfs: true,
      files: [
        { path: MODPROBE_PATH },
        {
          path: DRACUT_PATH,
          before: null,
          after: expect.stringMatching(
            /^#.*\ninstall_optional_items\+=" \/etc\/modprobe\.d\/vfleet\.conf "\n$/,
          ) as string,
        },
      ],
    });
    const ownFiles = Object.fromEntries(change!.files.map(({ path, after }) => [path, after!]));
    expect(blockOf(byDracut({ ownFiles }), target).code).toBe('compliant');
    const foreign = { [DRACUT_PATH]: 'hostonly="no"\n' };
    expect(blockOf(byDracut({ ownFiles: foreign }), target).code).toBe('devices.file-foreign');
    expect(ofKind(byDracut(), asked({ load: ['vfio_pci'] }), 'modules')).toMatchObject([
      { files: [{ path: MODULES_LOAD_PATH }], initramfs: false },
    ]);
  });

  it('get it also where modprobe.d was written before dracut came to the host', () => {
    const ownFiles = { [MODPROBE_PATH]: text({ blacklist: ['nouveau'] })! };
    const facts = host([], { initramfsMaker: 'dracut', ownFiles });
    expect(ofKind(facts, asked({ blacklist: ['nouveau'] }), 'modules')).toMatchObject([
      { files: [{ path: DRACUT_PATH }], initramfs: true },
    ]);
  });

  it('tell dracut to load vfio-pci first where it takes devices by their ids', () => {
    const nic = pciFunction('0000:3b:00.0', { driver: 'ixgbe' });
    const facts = host([nic], { initramfsMaker: 'dracut' });
    const devices = [deviceEntry({ name: 'nic', match: { address: nic.address }, bind: 'ids' })];
    const [change] = ofKind(facts, targetOf({ devices }), 'modules');
    const file = change?.files.find(({ path }) => path === DRACUT_PATH);
    expect(file?.after).toContain('\nforce_drivers+=" vfio-pci "\n');
    expect(isDracutText(file?.after ?? '')).toBe(true);
    expect(isDracutText(`${file?.after ?? ''}force_drivers+=" nvme "\n`)).toBe(false);
  });

  it('keep what an earlier rollout put there', () => {
    const before = text({ ids: ['8086:1572'], after: ['i40e'], blacklist: ['radeon'] })!;
    const ownFiles = { [MODPROBE_PATH]: before };
    const [change] = ofKind(host([], { ownFiles }), asked({ blacklist: ['nouveau'] }), 'modules');
    expect(change?.files).toEqual([
      {
        path: MODPROBE_PATH,
        before,
        after: text({
          ids: ['8086:1572'],
          after: ['i40e'],
          blacklist: ['nouveau', 'radeon'],
        }),
      },
    ]);
  });

  it('are left alone when they say so already', () => {
    const ownFiles = {
      [MODPROBE_PATH]: text({ blacklist: ['nouveau', 'radeon'] })!,
      [MODULES_LOAD_PATH]: modulesLoadText(['vfio_pci'])!,
    };
    const target = asked({ blacklist: ['nouveau'], load: ['vfio_pci'] });
    expect(blockOf(host([], { ownFiles, modules: ['vfio_pci'] }), target).code).toBe('compliant');
  });

  it('load again what an earlier rollout kept away', () => {
    const ownFiles = { [MODPROBE_PATH]: text({ blacklist: ['nouveau'] })! };
    const [change] = ofKind(host([], { ownFiles }), asked({ load: ['nouveau'] }), 'modules');
    expect(change?.files[0]).toMatchObject({ path: MODPROBE_PATH, after: null });
  });

  it('of somebody else are not overwritten', () => {
    const facts = host([], { ownFiles: { [MODPROBE_PATH]: 'blacklist nouveau\n' } });
    expect(blockOf(facts, asked({ blacklist: ['nouveau'] })).code).toBe('devices.file-foreign');
  });

  it('come back from their text as they went in, and nothing else does', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/);
    const names = fc.uniqueArray(name, { maxLength: 6 }).map((list) => [...list].sort());
    const id = fc.stringMatching(/^[0-9a-f]{4}:[0-9a-f]{4}(:[0-9a-f]{4}:[0-9a-f]{4})?$/);
    const ids = fc.uniqueArray(id, { maxLength: 5 }).map((list) => [...list].sort());
    const flag = fc.boolean();
    fc.assert(
      fc.property(ids, names, names, flag, flag, (...parts) => {
        const [known, after, blacklist, disableIdleD3, unsafeInterrupts] = parts;
        const settings = { ids: known, after, blacklist, disableIdleD3, unsafeInterrupts };
        const written = modprobeText(settings);
        if (written !== null) expect(parseModprobe(written)).toEqual(settings);
        expect(parseModprobe(`${written ?? ''}install vfio-pci /bin/sh\n`)).toBeUndefined();
        const load = modulesLoadText(after);
        if (load !== null) expect(parseModulesLoad(load)).toEqual(after);
        expect(parseModulesLoad(`${load ?? ''}$(x)\n`)).toBeUndefined();
      }),
    );
  });
});

describe('a blacklist', () => {
  it.each<[string, readonly PciFunction[], Partial<DeviceFacts>, string, RegExp]>([
    ['a driver in use', [GPU], {}, 'nouveau', /driver of 0000:41:00\.0/],
    [
      'the module of a driver with another name',
      [pciFunction('0000:00:14.0', { driver: 'xhci_hcd', class: '0c0330' })],
      {},
      'xhci_pci',
      /driver of 0000:00:14\.0/,
    ],
    ['a module that is loaded for who knows what', [], { modules: ['ext4'] }, 'ext4', /is loaded/],
  ])('refuses %s', (_, functions, over, name, sentence) => {
    const block = blockOf(host(functions, over), asked({ blacklist: [name] }));
    expect(block.code).toBe('modules.blacklist-in-use');
    expect(block.sentence).toMatch(sentence);
  });

  it('takes a driver whose only functions go to vfio-pci in the same plan', () => {
    const devices = [deviceEntry({ match: { id: '10de:1b80' }, functions: 'all' })];
    const facts = host([GPU, AUDIO], { modules: ['nouveau', 'snd_hda_intel'] });
    const changes = changesOf(facts, asked({ blacklist: ['nouveau'] }, { devices }));
    expect(changes.map(({ kind }) => kind)).toEqual(['modules', 'bind', 'bind']);
    const second = pciFunction('0000:42:00.0', { driver: 'nouveau' });
    const both = host([GPU, AUDIO, second]);
    expect(blockOf(both, asked({ blacklist: ['nouveau'] }, { devices })).code).toBe(
      'modules.blacklist-in-use',
    );
  });

  it('takes graphics and sound that are loaded without a device', () => {
    const facts = host([], { modules: ['nouveau'] });
    expect(ofKind(facts, asked({ blacklist: ['nouveau'] }), 'modules')).toHaveLength(1);
  });
});

describe('unsafe interrupts', () => {
  it('are refused unless they are allowed by name', () => {
    expect(blockOf(host([]), asked({ unsafeInterrupts: true }))).toMatchObject({
      code: 'modules.unsafe-interrupts',
    });
  });

  it('are a warning of the plan where they are', () => {
    const target = asked({ unsafeInterrupts: true }, { allow: ['unsafe-interrupts'] });
    const [change] = ofKind(host([]), target, 'modules');
    expect(change?.files[0]?.after).toContain('allow_unsafe_interrupts=1');
    expect(warningsOf(host([]), target)).toEqual([
      expect.stringContaining('allow_unsafe_interrupts') as string,
    ]);
  });
});
