import { describe, expect, it } from 'vitest';
import { NOTHING_ASKED, type Target } from '../../src/domain/spec.ts';
import { formatProblem } from '../../src/schema/problem.ts';
import { parseSpec } from '../../src/schema/spec.ts';

function targetOf(text: string): Target {
  const parsed = parseSpec(`name: a\nhosts: { inventory: i }\n${text}`, 's.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  return parsed.spec.target;
}

const nics = (more: string): string =>
  `target:\n  devices:\n    - { name: nics, match: { id: '8086:1572' }, ${more} }\n`;

describe('a target', () => {
  it('carries all of its parts, with every default filled in and nothing undefined', () => {
    const target = targetOf(`target:
  hugepages: [{ size: 1G, count: 32 }, { size: 2M, count: 512, node: 1, at: runtime }]
  hugepagesReserve: 512G
  devices:
    - name: fast-nics
      hosts: "!gpu_only"
      match: { id: "8086:1572", subsystem: 8086:00AA, class: "02", driver: i40e, numaNode: 0 }
      guarded: skip
      expect: 1
      vfs:
        count: 3
        mtu: 9000
        groups:
          - { vfs: [0, 2], driver: vfio-pci, trust: true, vlan: 100, spoofCheck: false, maxRate: 0 }
          - { vfs: 1, mac: 02:00:00:00:00:AA }
    - { name: gpu, match: { address: 3B:00.0, revision: A1, netdev: Eth0 }, functions: all, driver: vfio-pci, bind: ids }
  guests:
    - domain: "{{ edge_domain }}"
      hosts: edge
      attach: [{ device: fast-nics, vf: 0 }, { device: gpu, pf: 1 }]
      confined: required
      pin: device-node
    - { domain: other, managed: true, attach: [{ device: fast-nics, pf: 0, vf: 2 }] }
  modules: { blacklist: [snd-hda-intel], load: [vfio-pci], disableIdleD3: true }
  firmware: { minVersion: "2.10", minDate: 2023-05-01 }
allow: [boot-vga, root-disk]
`);
    const shared = { driver: 'vfio-pci', trust: true, vlan: 100, spoofCheck: false, maxRate: 0 };
    expect(target).toStrictEqual({
      kernelArgs: { present: [], absent: [] },
      hugepages: [
        { sizeKiB: 1_048_576, count: 32, at: 'boot' },
        { sizeKiB: 2_048, count: 512, node: 1, at: 'runtime' },
      ],
      hugepagesReserveKiB: 536_870_912,
      devices: [
        {
          name: 'fast-nics',
          hosts: '!gpu_only',
          match: {
            id: '8086:1572',
            subsystem: '8086:00aa',
            class: '02',
            driver: 'i40e',
            numaNode: 0,
          },
          guarded: 'skip',
          expect: 1,
          functions: 'matched',
          bind: 'override',
          vfs: {
            count: 3,
            mtu: 9000,
            vfs: [shared, { driver: 'native', mac: '02:00:00:00:00:aa' }, shared],
          },
        },
        {
          name: 'gpu',
          match: { address: '0000:3b:00.0', revision: 'a1', netdev: 'Eth0' },
          guarded: 'refuse',
          functions: 'all',
          driver: 'vfio-pci',
          bind: 'ids',
        },
      ],
      guests: [
        {
          domain: '{{ edge_domain }}',
          hosts: 'edge',
          attach: [
            { device: 'fast-nics', pf: 0, vf: 0 },
            { device: 'gpu', pf: 1 },
          ],
          managed: false,
          confined: 'required',
          pin: 'device-node',
        },
        {
          domain: 'other',
          attach: [{ device: 'fast-nics', pf: 0, vf: 2 }],
          managed: true,
          confined: 'recorded',
          pin: 'as-found',
        },
      ],
      modules: {
        blacklist: ['snd_hda_intel'],
        load: ['vfio_pci'],
        disableIdleD3: true,
        unsafeInterrupts: false,
      },
      firmware: { minVersion: '2.10', minDate: '2023-05-01' },
      allow: ['boot-vga', 'root-disk'],
    });
  });

  it.each([
    ['hugepages', 'hugepages: [{ size: 2M, count: 1 }]'],
    ['devices', 'devices: [{ name: n, match: { class: "02" }, driver: native }]'],
    ['modules', 'modules: { disableIdleD3: true }'],
    ['firmware', 'firmware: { minVersion: "1" }'],
  ])('may ask for nothing but %s', (part, text) => {
    const target = targetOf(`target: { ${text} }\n`);
    expect({ ...target, [part]: NOTHING_ASKED[part as keyof Target] }).toStrictEqual(NOTHING_ASKED);
  });

  it('leaves VFs without groups to their native driver', () => {
    const [device] = targetOf(nics('vfs: { count: 2 }')).devices;
    expect(device?.vfs).toStrictEqual({
      count: 2,
      vfs: [{ driver: 'native' }, { driver: 'native' }],
    });
    expect(device).not.toHaveProperty('driver');
  });

  it('may keep the native driver of a PF beside its VFs', () => {
    expect(targetOf(nics('driver: native, vfs: { count: 1 }')).devices[0]?.driver).toBe('native');
  });

  it('keeps the long domain of an address', () => {
    const [device] = targetOf(
      'target: { devices: [{ name: n, match: { address: 10000:E1:00.0 }, driver: native }] }\n',
    ).devices;
    expect(device?.match.address).toBe('10000:e1:00.0');
  });

  it('may give one VF to guests on hosts that may differ', () => {
    const guest = (domain: string, hosts: string): string =>
      `{ domain: ${domain}, hosts: ${hosts}, attach: [{ device: nics, vf: 0 }] }`;
    const text = `${nics('vfs: { count: 1, groups: [{ vfs: 0, driver: vfio-pci }] }')}  guests: [${guest('a', 'x')}, ${guest('a', 'y')}]\n`;
    expect(targetOf(text).guests).toHaveLength(2);
  });
});
