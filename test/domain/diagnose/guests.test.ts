import { describe, expect, it } from 'vitest';
import type { Code } from '../../../src/domain/codes.ts';
import { GUESTS_RULES } from '../../../src/domain/diagnose/guests.ts';
import {
  deviceFacts,
  GIB_KIB,
  guestFacts,
  numaNode,
  pciFunction,
} from '../../support/device-facts.ts';
import type { DeviceExcerpt as Excerpt } from './excerpts/device-hosts.ts';
import { foundBy } from './excerpts/device-hosts.ts';
import { guest, hostdev, NIC } from './excerpts/guest-hosts.ts';

const findings = (excerpt: Excerpt) => foundBy(GUESTS_RULES, excerpt);

const TWO_NODES = { numaNodes: [numaNode(0), numaNode(1)] };

const CASES: readonly (readonly [string, Excerpt, readonly Code[], RegExp])[] = [
  [
    'a guest whose VF nobody has made in this boot',
    { devices: guest({ hostdevs: [hostdev({ address: '0000:3b:02.0' })] }) },
    ['guest.no-device'],
    /^guest edge-gw is to have 0000:3b:02\.0, which is not there/,
  ],
  [
    'a device that libvirt will not take',
    { devices: deviceFacts([pciFunction(NIC)], { guests: guest().guests }) },
    ['guest.not-detached'],
    /is to have 0000:3b:00\.0 \(i40e\) with managed='no'/,
  ],
  [
    'a guest with more memory than all huge pages',
    {
      devices: guest(
        { memoryKiB: 16 * GIB_KIB, hugepages: true },
        {
          numaNodes: [0, 1].map((id) =>
            numaNode(id, {
              hugepages: {
                '2048': { total: 1_024, free: 1_024 },
                '1048576': { total: 4, free: 0 },
              },
            }),
          ),
        },
      ),
    },
    ['hugepages.too-few'],
    /has 16777216 KiB of memory on huge pages, and this host has set aside 2048 of 2048 KiB, 8 of 1048576 KiB/,
  ],
  [
    'a guest with a balloon and a device',
    { devices: guest({ ballooning: true }) },
    ['guest.ballooning'],
    /^guest edge-gw has a memory balloon and a device/,
  ],
  [
    'vCPUs that are pinned to the other node',
    { devices: guest({ running: true, pins: { '0': '2', '1': '3' }, nodeset: '1' }, TWO_NODES) },
    ['guest.far-from-device'],
    /^guest edge-gw: vCPU 0, 1 may run away from NUMA node 1 of 0000:3b:00\.0/,
  ],
  [
    'memory that is bound to the other node',
    { devices: guest({ pins: { '0': '16', '1': '17' }, nodeset: '0' }, TWO_NODES) },
    ['guest.far-from-device'],
    /its memory is on node 0, its device on node 1/,
  ],
];

const HEALTHY: readonly (readonly [string, Excerpt])[] = [
  [
    'a guest that runs with its device',
    { devices: guest({ running: true, hostdevs: [hostdev({ live: true })] }) },
  ],
  [
    'a device that libvirt binds itself',
    {
      devices: deviceFacts([pciFunction(NIC)], {
        guests: [guestFacts('win', { hostdevs: [hostdev({ managed: true })] })],
      }),
    },
  ],
  ['a guest with a balloon and no device', { devices: guest({ ballooning: true, hostdevs: [] }) }],
  ['a guest that is not pinned at all', { devices: guest({ pins: {} }, TWO_NODES) }],
  [
    'a guest that is pinned to the node of its device',
    { devices: guest({ pins: { '0': '16-31', '1': '16-31' }, nodeset: '1' }, TWO_NODES) },
  ],
  ['pins on a machine with one node', { devices: guest({ pins: { '0': '2' } }) }],
  [
    'huge pages that others have now',
    {
      devices: guest(
        { memoryKiB: 4 * GIB_KIB },
        { numaNodes: [numaNode(0, { hugepages: { '1048576': { total: 4, free: 0 } } })] },
      ),
    },
  ],
];

describe('the rules of guests', () => {
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
});
