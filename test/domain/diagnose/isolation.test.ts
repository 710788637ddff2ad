import { describe, expect, it } from 'vitest';
import type { Code } from '../../../src/domain/codes.ts';
import type { DeviceFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import { indexDevices } from '../../../src/domain/devices/device-index.ts';
import { groupProblem } from '../../../src/domain/devices/groups.ts';
import { ISOLATION_RULES } from '../../../src/domain/diagnose/isolation.ts';
import {
  bridge,
  deviceFacts,
  graphicsCard,
  guestFacts,
  iommuGroup,
  ownGroups,
  pciFunction,
} from '../../support/device-facts.ts';
import type { DeviceExcerpt as Excerpt } from './excerpts/device-hosts.ts';
import { foundBy, symptomsWith } from './excerpts/device-hosts.ts';
import { lineOf } from './excerpts/symptoms.ts';

const findings = (excerpt: Excerpt) => foundBy(ISOLATION_RULES, excerpt);

const VFIO = { driver: 'vfio-pci', override: 'vfio-pci' };
const [GPU, AUDIO] = graphicsCard('0000:65:00');
const port = (address: string, acs: boolean): PciFunction => ({ ...bridge(address), acs });
const below = (address: string, over: Partial<PciFunction> = {}) =>
  pciFunction(address, { parents: ['0000:00:1c.0'], ...over });
const hostdev = (address: string, live = false) => ({ address, managed: true, live, config: true });

/** Functions of which these share group 12, and each other has its own. */
function sharing(
  functions: readonly PciFunction[],
  members: readonly string[],
  over: Partial<DeviceFacts> = {},
): DeviceFacts {
  const others = functions.filter(({ address }) => !members.includes(address));
  const groups = [...ownGroups(others), iommuGroup('12', members)];
  return deviceFacts(functions, { groups, ...over });
}

const CARD_AND_NIC = [below('0000:02:00.0', VFIO), below('0000:03:00.0', { net: ['eth0'] })];
const BOTH = ['0000:02:00.0', '0000:03:00.0'];
const GPU_BOTH = ['0000:65:00.0', '0000:65:00.1'];
const OVERRIDE =
  'Warning: PCIe ACS overrides enabled; This may allow non-IOMMU protected peer-to-peer DMA';

const CASES: readonly (readonly [string, Excerpt, readonly Code[], RegExp])[] = [
  [
    'a GPU whose audio function the host keeps',
    { devices: sharing([{ ...GPU, ...VFIO }, AUDIO], GPU_BOTH) },
    ['devices.group-not-viable'],
    /^IOMMU group 12 of 0000:65:00\.0 .*0000:65:00\.1: snd_hda_intel/,
  ],
  [
    'the same, of a guest that libvirt binds for and that is off',
    {
      devices: sharing([GPU, AUDIO], GPU_BOTH, {
        guests: [guestFacts('win', { hostdevs: [hostdev(GPU.address)] })],
      }),
    },
    ['devices.group-not-viable'],
    /0000:65:00\.0: to go to vfio-pci, 0000:65:00\.1: snd_hda_intel/,
  ],
  [
    'two cards below a port of the chipset without ACS',
    { devices: sharing([port('0000:00:1c.0', false), ...CARD_AND_NIC], BOTH) },
    ['devices.no-acs', 'devices.group-not-viable'],
    /^IOMMU group 12 holds several cards \(0000:02:00\.0, 0000:03:00\.0 \(eth0\)\), since 0000:00:1c\.0 above them does not/,
  ],
  [
    'two ports without ACS, each with a card',
    {
      devices: sharing(
        [
          port('0000:00:1c.0', false),
          port('0000:00:1c.4', false),
          below('0000:02:00.0', VFIO),
          below('0000:03:00.0', { parents: ['0000:00:1c.4'] }),
        ],
        ['0000:00:1c.0', '0000:00:1c.4', ...BOTH],
      ),
    },
    ['devices.no-acs', 'devices.group-not-viable'],
    /0000:00:1c\.0, 0000:00:1c\.4 above them do not keep them apart/,
  ],
  [
    'a function of a guest that no IOMMU covers',
    {
      devices: deviceFacts([GPU, pciFunction('0000:04:00.0', VFIO)], { groups: ownGroups([GPU]) }),
    },
    ['bind.no-group'],
    /^0000:04:00\.0 is in no IOMMU group/,
  ],
  [
    'a guest that cannot start beside the one that has its audio',
    {
      devices: sharing(
        [
          { ...GPU, ...VFIO },
          { ...AUDIO, ...VFIO },
        ],
        GPU_BOTH,
        {
          guests: [
            guestFacts('a', { running: true, hostdevs: [hostdev(AUDIO.address, true)] }),
            guestFacts('b', { hostdevs: [hostdev(GPU.address)] }),
          ],
        },
      ),
    },
    ['guest.group-split'],
    /^0000:65:00\.0 for guest b shares IOMMU group 12 with 0000:65:00\.1 of guest a/,
  ],
  [
    'an ACS override that the kernel knows',
    {
      facts: lineOf('intel_iommu=on', 'pcie_acs_override=downstream,multifunction'),
      log: [OVERRIDE],
    },
    ['devices.acs-override'],
    /^an ACS override is in use/,
  ],
  [
    'an ACS override that is built in',
    { facts: lineOf('intel_iommu=on'), log: [OVERRIDE] },
    ['devices.acs-override'],
    /^an ACS override is in use/,
  ],
  [
    'an ACS override that the kernel does not know',
    { facts: lineOf('pcie_acs_override=downstream'), log: ['DMAR: IOMMU enabled'] },
    ['devices.acs-override'],
    /does not say that it knows it/,
  ],
];

const HEALTHY: readonly (readonly [string, Excerpt])[] = [
  ['a host as it should be', {}],
  [
    'a port without ACS, whose cards no guest has',
    {
      devices: sharing(
        [port('0000:00:1c.0', false), below('0000:02:00.0'), below('0000:03:00.0')],
        BOTH,
      ),
    },
  ],
  [
    'a whole card on vfio-pci',
    {
      devices: sharing(
        [
          { ...GPU, ...VFIO },
          { ...AUDIO, ...VFIO },
        ],
        GPU_BOTH,
      ),
    },
  ],
  [
    'a group with its port, which the host keeps',
    {
      devices: sharing(
        [port('0000:00:1c.0', false), below('0000:02:00.0', VFIO)],
        ['0000:00:1c.0', '0000:02:00.0'],
      ),
    },
  ],
  [
    'two guests that take turns with one device',
    {
      devices: sharing(
        [
          { ...GPU, ...VFIO },
          { ...AUDIO, ...VFIO },
        ],
        GPU_BOTH,
        {
          guests: [
            guestFacts('a', { running: true, hostdevs: GPU_BOTH.map((it) => hostdev(it, true)) }),
            guestFacts('b', { hostdevs: GPU_BOTH.map((it) => hostdev(it)) }),
          ],
        },
      ),
    },
  ],
  [
    'a quirk of the kernel for ports that isolate without saying so',
    { log: ['pci 0000:00:1c.0: Intel PCH root port ACS workaround enabled'] },
  ],
  ['a host whose IOMMU is off', { devices: deviceFacts([{ ...GPU, ...VFIO }]) }],
];

describe('the rules of isolation', () => {
  it.each(CASES)('find of %s what is wrong, the cause first', (_, excerpt, codes, sentence) => {
    const found = findings(excerpt);
    expect(found.map(({ code }) => code)).toEqual(codes);
    expect(found[0]?.sentence).toMatch(sentence);
    for (const { proof, next } of found) {
      expect(proof).not.toEqual([]);
      expect(next).not.toBe('');
    }
  });

  it.each(HEALTHY)('find nothing of %s', (_, excerpt) => {
    expect(findings(excerpt)).toEqual([]);
  });

  it('say of a group what the hold says', () => {
    const [, excerpt] = CASES[0]!;
    const { facts } = symptomsWith(excerpt);
    const held = groupProblem(indexDevices(facts.devices), new Set([GPU.address]));
    expect(findings(excerpt)[0]).toMatchObject({ code: held?.code, sentence: held?.sentence });
  });

  it('show where QEMU refused the group', () => {
    const line =
      '2024-05-03T09:12:44.120394Z qemu-system-x86_64: -device {"driver":"vfio-pci","host":"0000:65:00.0","id":"hostdev0","bus":"pci.5","addr":"0x0"}: vfio 0000:65:00.0: group 12 is not viable';
    const [, excerpt] = CASES[0]!;
    const [found] = findings({ ...excerpt, over: { guestLogs: { win: ['starting', line] } } });
    expect(found?.proof).toEqual([
      {
        source: '/sys/kernel/iommu_groups/12/devices',
        text: '0000:65:00.0 vfio-pci, 0000:65:00.1 snd_hda_intel',
      },
      { source: '/var/log/libvirt/qemu/win.log', text: line },
    ]);
  });
});
