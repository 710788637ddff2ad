import { describe, expect, it } from 'vitest';
import { compact } from '../../../src/domain/compact.ts';
import type { DeviceFacts, GuestFacts, PciFunction } from '../../../src/domain/device-facts.ts';
import type { DeviceTarget, GuestTarget } from '../../../src/domain/spec.ts';
import { rulePath } from '../../../src/domain/own-files.ts';
import { bindRule } from '../../../src/domain/udev-files.ts';
import {
  deviceEntry,
  deviceFacts,
  graphicsCard,
  guestEntry,
  guestFacts,
  hostWith,
  iommuGroup,
  numaNode,
  ownGroups,
  pciFunction,
  pfWithVfs,
  targetOf,
  vfsTarget,
} from '../../support/device-facts.ts';
import { blockOf, changesOf, ofKind, warningsOf } from './planned.ts';

const NIC = pciFunction('0000:03:00.0', { numaNode: 1 });
const BOUND = { ...NIC, driver: 'vfio-pci', override: 'vfio-pci' };
const ENTRY = deviceEntry({ match: { id: '8086:1572' } });
const ATTACH = [{ device: 'nics', pf: 0 }];
const HAS = { address: NIC.address, managed: false, live: false, config: true };

const host = (
  guests: readonly GuestFacts[],
  functions: readonly PciFunction[] = [BOUND],
  over: Partial<DeviceFacts> = {},
) =>
  hostWith(
    deviceFacts(functions, {
      groups: ownGroups(functions),
      guests,
      ownFiles: { [rulePath(NIC.address)]: bindRule(NIC) },
      ...over,
    }),
  );

const asked = (
  guests: readonly GuestTarget[] = [guestEntry({ attach: ATTACH })],
  devices: readonly DeviceTarget[] = [ENTRY],
) => targetOf({ devices, guests });

describe('a guest that is to have a device', () => {
  it('gets it after it was bound, in one change', () => {
    const facts = host([guestFacts('edge-gw')], [NIC]);
    expect(changesOf(facts, asked())).toMatchObject([
      { kind: 'bind' },
      {
        kind: 'attach',
        domain: 'edge-gw',
        devices: [{ address: NIC.address }],
        managed: false,
        confined: 'recorded',
        pins: null,
      },
    ]);
  });

  it('gets a VF by its PF and index, before there is one', () => {
    const attach = [{ device: 'nics', pf: 0, vf: 1 }];
    const facts = host([guestFacts('edge-gw')], pfWithVfs('0000:03:00.0', 0), { ownFiles: {} });
    const devices = [deviceEntry({ match: { id: '8086:1572' }, vfs: vfsTarget(2) })];
    expect(changesOf(facts, asked([guestEntry({ attach })], devices))).toMatchObject([
      { kind: 'vfs' },
      { kind: 'attach', devices: [{ pf: '0000:03:00.0', vf: 1 }] },
    ]);
  });

  it('gets all functions of the card where the entry says so', () => {
    const [gpu, audio] = graphicsCard('0000:41:00');
    const devices = [deviceEntry({ match: { id: '10de:1b80' }, functions: 'all' })];
    const facts = host([guestFacts('edge-gw')], [gpu, audio]);
    const [change] = ofKind(facts, asked(undefined, devices), 'attach');
    expect(change?.devices).toEqual([{ address: gpu.address }, { address: audio.address }]);
  });

  it('is left alone when it has it', () => {
    const facts = host([guestFacts('edge-gw', { hostdevs: [HAS] })]);
    expect(blockOf(facts, asked()).code).toBe('compliant');
  });

  it('gets only what it has not: the rest is not ours to take back', () => {
    const second = pciFunction('0000:04:00.0', { ...BOUND, address: '0000:04:00.0' });
    const attach = [...ATTACH, { device: 'nics', pf: 1 }];
    const facts = host([guestFacts('edge-gw', { hostdevs: [HAS] })], [BOUND, second]);
    const [change] = ofKind(facts, asked([guestEntry({ attach })]), 'attach');
    expect(change?.devices).toEqual([{ address: second.address }]);
  });

  it('hears when it runs without what its configuration has, or has it managed otherwise', () => {
    const hostdevs = [{ ...HAS, managed: true }];
    const facts = host([guestFacts('edge-gw', { running: true, hostdevs })], [BOUND], {
      ownFiles: {},
    });
    expect(warningsOf(facts, asked())).toEqual([
      "the guest of 0000:03:00.0 has it with managed='yes', which stays: libvirt gives it back to its native driver when the guest stops",
      'the guest of 0000:03:00.0 runs without it, and gets it when it is next started',
    ]);
  });
});

describe('a guest by its device', () => {
  const nodes = { numaNodes: [numaNode(0), numaNode(1)] };
  const pinned = asked([guestEntry({ attach: ATTACH, pin: 'device-node' })]);

  it('has its vCPUs pinned to the node, on request', () => {
    const guest = guestFacts('edge-gw', { pins: { '0': '3' }, vcpus: 2 });
    const [change] = ofKind(host([guest], [BOUND], nodes), pinned, 'attach');
    expect(change?.pins).toEqual({
      before: { '0': '3' },
      after: { '0': '16-31', '1': '16-31' },
      all: '0-31',
    });
  });

  it('is left alone when they are, in whatever way that is written', () => {
    const pins = { '0': '16-20,21-31', '1': '16-31' };
    const guest = guestFacts('edge-gw', { pins, nodeset: '1', hostdevs: [HAS] });
    expect(blockOf(host([guest], [BOUND], nodes), pinned).code).toBe('compliant');
  });

  it('is pinned to the only node where the firmware names none', () => {
    const facts = host([guestFacts('edge-gw')], [withoutNode(BOUND)]);
    expect(ofKind(facts, pinned, 'attach')[0]?.pins?.after).toEqual({ '0': '0-15', '1': '0-15' });
  });

  it('is told how it lies: vCPUs, memory and what that is made of', () => {
    const guest = guestFacts('edge-gw', {
      pins: { '0': '16-31' },
      nodeset: '0',
      hugepages: false,
      locked: false,
    });
    const [report] = warningsOf(host([guest], [BOUND], nodes), asked());
    expect(report).toBe(
      'guest of 0000:03:00.0: vCPU 1 may run away from NUMA node 1 of 0000:03:00.0 (CPUs 16-31); pin: device-node pins them; ' +
        'its memory is on node 0, its device on node 1; its memory is not backed by huge pages; its memory is not locked (memoryBacking)',
    );
  });

  it.each<[string, readonly PciFunction[], Partial<GuestFacts>]>([
    ['without a node', [withoutNode(BOUND)], {}],
    ['on two nodes', [BOUND, { ...BOUND, address: '0000:04:00.0', numaNode: 0 }], {}],
    ['of a guest that hides its vCPUs', [BOUND], { vcpus: 1_000_000 }],
  ])('cannot be pinned to devices %s', (_, functions, over) => {
    const attach = functions.map((_fn, pf) => ({ device: 'nics', pf }));
    const facts = host([guestFacts('edge-gw', over)], functions, nodes);
    const target = asked([guestEntry({ attach, pin: 'device-node' })]);
    expect(blockOf(facts, target)).toMatchObject({ code: 'guest.pin-unknown' });
  });
});

function withoutNode(fn: PciFunction): PciFunction {
  return compact({ ...fn, numaNode: undefined });
}

describe('a guest that cannot have a device', () => {
  const edge = guestFacts('edge-gw');
  const live = { ...HAS, live: true };
  const [gpu, audio] = graphicsCard('0000:41:00');
  const card = [deviceEntry({ name: 'gpus', match: { id: '10de:1b80' }, functions: 'all' })];
  const wide = { groups: [iommuGroup('5', [gpu.address, audio.address])] };
  const ssh = [{ kind: 'ssh-route' as const, what: 'default route' }];

  it.each<[string, string, ReturnType<typeof host>, ReturnType<typeof asked>, RegExp]>([
    ['is not there', 'guest.absent', host([guestFacts('db')]), asked(), /it has db/],
    [
      'has a name that no file can have',
      'guest.name-unsafe',
      host([guestFacts('a/b')]),
      asked([guestEntry({ domain: 'a/b', attach: ATTACH })]),
      /virsh domrename/,
    ],
    [
      'is transient',
      'guest.transient',
      host([guestFacts('edge-gw', { persistent: false })]),
      asked(),
      /virsh define/,
    ],
    [
      'has a balloon',
      'guest.ballooning',
      host([guestFacts('edge-gw', { ballooning: true })]),
      asked(),
      /memballoon model='none'/,
    ],
    [
      'is not confined',
      'guest.not-confined',
      host([guestFacts('edge-gw', { running: true })]),
      asked([guestEntry({ attach: ATTACH, confined: 'required' })]),
      /AppArmor or SELinux/,
    ],
    [
      'has it only until it stops',
      'guest.half-attached',
      host([guestFacts('edge-gw', { running: true, hostdevs: [{ ...live, config: false }] })]),
      asked(),
      /would not have it after its next start/,
    ],
    [
      'wants what another guest has',
      'guest.device-taken',
      host([edge, guestFacts('db', { hostdevs: [HAS] })]),
      asked(),
      /which guest db has too/,
    ],
    [
      'wants what another guest is to get',
      'guest.device-taken',
      host([edge, guestFacts('db')]),
      asked([guestEntry({ attach: ATTACH }), guestEntry({ domain: 'db', attach: ATTACH })]),
      /is to go to guest edge-gw/,
    ],
    [
      'wants a match that is not there',
      'guest.no-device',
      host([edge]),
      asked([guestEntry({ attach: [{ device: 'nics', pf: 3 }] })]),
      /match 3 of entry "nics" \(counted from 0\), and 1 are here/,
    ],
    [
      'wants a device of an entry for other hosts',
      'guest.no-device',
      host([edge]),
      asked([guestEntry({ attach: [{ device: 'gpus', pf: 0 }] })]),
      /does not hold on this host/,
    ],
    [
      'wants a device that is left alone',
      'guest.no-device',
      host([edge], [{ ...NIC, uses: ssh }]),
      asked(undefined, [deviceEntry({ match: { id: '8086:1572' }, guarded: 'skip' })]),
      /which is left alone: .*default route/,
    ],
    [
      'would share a group with another',
      'guest.group-split',
      host(
        [edge, guestFacts('db', { hostdevs: [{ ...HAS, address: audio.address }] })],
        [gpu, audio],
        wide,
      ),
      asked(
        [guestEntry({ attach: [{ device: 'one', pf: 0 }] })],
        [
          deviceEntry({ name: 'one', match: { id: '10de:1b80' } }),
          deviceEntry({ name: 'two', match: { id: '10de:10f0' } }),
        ],
      ),
      /IOMMU group 5 with 0000:41:00\.1 of guest db/,
    ],
    [
      'wants a whole card of which another has a part',
      'guest.device-taken',
      host(
        [edge, guestFacts('db', { hostdevs: [{ ...HAS, address: audio.address }] })],
        [gpu, audio],
      ),
      asked([guestEntry({ attach: [{ device: 'gpus', pf: 0 }] })], card),
      /0000:41:00\.1/,
    ],
  ])('%s: %s', (_, code, facts, target, sentence) => {
    const block = blockOf(facts, target);
    expect(block.code).toBe(code);
    expect(block.sentence).toMatch(sentence);
  });

  it('of a group with a VF of another guest: told when the VF is there', () => {
    const functions = pfWithVfs('0000:03:00.0', 2, {
      vf: { driver: 'vfio-pci', override: 'vfio-pci' },
      sriov: { autoprobe: false },
    });
    const vfs = functions.slice(1).map(({ address }) => address);
    const facts = host([edge, guestFacts('db')], functions, {
      groups: [iommuGroup('0', ['0000:03:00.0']), iommuGroup('1', vfs)],
      ownFiles: {},
    });
    const target = asked(
      [
        guestEntry({ attach: [{ device: 'nics', pf: 0, vf: 0 }] }),
        guestEntry({ domain: 'db', attach: [{ device: 'nics', pf: 0, vf: 1 }] }),
      ],
      [deviceEntry({ match: { id: '8086:1572' }, vfs: vfsTarget(2) })],
    );
    expect(blockOf(facts, target)).toMatchObject({ code: 'guest.group-split' });
  });
});
