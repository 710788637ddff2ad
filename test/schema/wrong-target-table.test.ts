import { describe, expect, it } from 'vitest';
import { goldenPage } from './golden-page.ts';
import { isUnderlined, problemsOf } from './problems-of.ts';

const HEAD = 'name: a\nhosts: { inventory: i }\n';

const inTarget = (text: string): string => `${HEAD}target: { ${text} }`;
const inDevice = (text: string): string =>
  inTarget(`devices: [{ name: n, match: { id: "8086:1572" }, ${text} }]`);
const inMatch = (text: string): string =>
  inTarget(`devices: [{ name: n, match: { ${text} }, driver: vfio-pci }]`);
const inVfs = (text: string): string => inDevice(`vfs: { count: 8, ${text} }`);
const inGroup = (text: string): string => inVfs(`groups: [{ vfs: 0-7, ${text} }]`);
const inGuest = (text: string): string =>
  inTarget(
    `devices: [{ name: n, match: { class: "02" }, vfs: { count: 2, groups: [{ vfs: 0-1, driver: vfio-pci }] } }], guests: [{ ${text} }]`,
  );

const VFS_WITH_MAC = 'vfs: { count: 2, groups: [{ vfs: 0, mac: 02:00:00:00:00:0A }, { vfs: 1 }] }';
const twoDevices = (one: string, other: string): string =>
  inTarget(
    `devices: [{ name: n, ${one} match: { netdev: a }, ${VFS_WITH_MAC} }, { name: m, ${other} match: { netdev: b }, ${VFS_WITH_MAC} }]`,
  );

/** What an editor with our schema underlines as well. */
const SHAPE: readonly string[] = [
  inTarget('hugepages: 32'),
  inTarget('hugepages: { size: 1G, count: 32 }'),
  inTarget('hugepages: [{ size: 1GiB, count: 32 }]'),
  inTarget('hugepages: [{ size: 1GB, count: 32 }]'),
  inTarget('hugepages: [{ size: 16M, count: 32 }]'),
  inTarget('hugepages: [{ size: 1048576, count: 32 }]'),
  inTarget('hugepages: [{ size: 1G, count: 0 }]'),
  inTarget('hugepages: [{ size: 1G, count: 32G }]'),
  inTarget('hugepages: [{ size: 1G }]'),
  inTarget('hugepages: [{ size: 1G, count: 1, node: -1 }]'),
  inTarget('hugepages: [{ size: 1G, count: 1, at: run-time }]'),
  inTarget('iommu: enabled, hugepagesReserve: 8'),
  inTarget('iommu: enabled, hugepagesReserve: 8GiB'),
  inTarget('iommu: enabled, hugepagesReserve: 8 GB'),
  inTarget('iommu: enabled, hugepagesReserve: 10%'),
  inTarget('iommu: enabled, hugePagesReserve: 8G'),
  inTarget('modules: [nouveau]'),
  inTarget('modules: { blacklist: nouveau }'),
  inTarget('modules: { blacklist: [nouveau.ko] }'),
  inTarget('modules: { blacklist: ["nouveau nvidia"] }'),
  inTarget('modules: { load: [vfio-pci, vfio-pci] }'),
  inTarget('modules: { load: [vfio-pci ids=10de:1b80] }'),
  inTarget('modules: { disableIdleD3: 1 }'),
  inTarget('modules: { unsafe_interrupts: true }'),
  inTarget('firmware: { minVersion: 2.10 }'),
  inTarget('firmware: { minVersion: newest }'),
  inTarget('firmware: { minDate: 05/01/2023 }'),
  inTarget('firmware: { minDate: 2023-13-01 }'),
  inTarget('firmware: {}'),
  inTarget('devices: { name: n }'),
  inTarget('device: [{ name: n, match: { class: "02" }, driver: vfio-pci }]'),
  inTarget('devices: [fast-nics]'),
  inTarget('devices: [{ name: n, match: { id: "8086:1572" } }]'),
  inTarget('devices: [{ match: { id: "8086:1572" }, driver: vfio-pci }]'),
  inTarget('devices: [{ name: Fast NICs, match: { id: "8086:1572" }, driver: vfio-pci }]'),
  inTarget('devices: [{ name: n, driver: vfio-pci }]'),
  inTarget('devices: [{ name: n, match: "8086:1572", driver: vfio-pci }]'),
  inTarget('devices: [{ name: n, id: "8086:1572", driver: vfio-pci }]'),
  inMatch(''),
  inMatch('vendor: "8086"'),
  inMatch('id: 8086'),
  inMatch('id: "8086"'),
  inMatch('id: 0x8086:0x1572'),
  inMatch('id: 8086-1572'),
  inMatch('id: "8086:*"'),
  inMatch('address: 3:0.0'),
  inMatch('address: 0000:03:00'),
  inMatch('address: "03:00:0"'),
  inMatch('address: eth0'),
  inMatch('address: 0000:03:20.0'),
  inMatch('address: 0000:03:00.8'),
  inMatch('class: 02'),
  inMatch('class: 0x0200'),
  inMatch('class: "020"'),
  inMatch('class: network'),
  inMatch('revision: 01'),
  inMatch('revision: "1"'),
  inMatch('subsystem: "8086"'),
  inMatch('netdev: an-interface-name-that-is-long'),
  inMatch('netdev: ../eth0'),
  inMatch('driver: "i40e; reboot"'),
  inMatch('numaNode: "0"'),
  inMatch('numaNode: -1'),
  inMatch('numa_node: 0'),
  inDevice('driver: vfio'),
  inDevice('driver: vfio_pci'),
  inDevice('driver: i40e'),
  inDevice('driver: vfio-pci, guarded: ignore'),
  inDevice('driver: vfio-pci, guarded: true'),
  inDevice('driver: vfio-pci, expect: 0'),
  inDevice('driver: vfio-pci, functions: [0, 1]'),
  inDevice('driver: vfio-pci, bind: driver_override'),
  inDevice('driver: vfio-pci, hosts: [a, b]'),
  inDevice('driver: vfio-pci, hosts: ""'),
  inDevice('vfs: 8'),
  inDevice('vfs: { count: 0 }'),
  inDevice('vfs: { count: 300 }'),
  inDevice('vfs: { count: 8, mtu: 9k }'),
  inDevice('vfs: {}'),
  inDevice('numvfs: 8'),
  inVfs('groups: []'),
  inVfs('groups: { vfs: 0-7 }'),
  inVfs('groups: [{ driver: vfio-pci }]'),
  inVfs('groups: [{ vfs: all }]'),
  inVfs('groups: [{ vfs: 0..7 }]'),
  inVfs('groups: [{ vfs: 0 - 7 }]'),
  inVfs('groups: [{ vfs: [0-3, x] }]'),
  inVfs('groups: [{ vfs: -1 }]'),
  inVfs('groups: [{ vfs: { from: 0, to: 7 } }]'),
  inVfs('groups: [{ vfs: [] }]'),
  inGroup('driver: vfio'),
  inGroup('trust: on'),
  inGroup('vlan: 4095'),
  inGroup('vlan: none'),
  inGroup('maxRate: 10G'),
  inGroup('spoofcheck: true'),
  inGroup('mac: 02-00-00-00-00-01'),
  inGroup('mac: "{{ vf_mac }}"'),
  inGroup('mac: 02:00:00'),
  inGuest('domain: d'),
  inGuest('domain: d, attach: []'),
  inGuest('domain: d, attach: { device: n, vf: 0 }'),
  inGuest('domain: d, attach: [n]'),
  inGuest('domain: d, attach: [{ device: n, vf: "0" }]'),
  inGuest('domain: d, attach: [{ device: n, pf: -1, vf: 0 }]'),
  inGuest('domain: d, attach: [{ dev: n, vf: 0 }]'),
  inGuest('domain: 7, attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: "", attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: -d, attach: [{ device: n, vf: 0 }]'),
  inGuest('name: d, attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: d, managed: yes, attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: d, confined: true, attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: d, pin: true, attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: d, pin: 0-3, attach: [{ device: n, vf: 0 }]'),
];

/** Right in form; only the parser knows better. */
const MEANING: readonly string[] = [
  inTarget('hugepagesReserve: 16G'),
  inTarget('hugepages: []'),
  inTarget('modules: { blacklist: [] }'),
  inTarget('iommu: enabled, hugepagesReserve: 512M'),
  inTarget('hugepages: [{ size: 1G, count: 1 }, { size: 1G, count: 2, at: runtime }]'),
  inTarget(
    'hugepages: [{ size: 1G, count: 1 }, { size: 2M, count: 1 }, { size: 1G, count: 2, node: 0 }]',
  ),
  inTarget('hugepages: [{ size: 1G, count: 1 }], kernelArgs: { present: [hugepagesz=1G] }'),
  inTarget('hugepages: [{ size: 1G, count: 1 }], kernelArgs: { absent: [hugepagesz=2M] }'),
  inTarget('kernelArgs: { present: [hugepages=4, modprobe.blacklist=igb] }'),
  inTarget('kernelArgs: { present: [pcie_acs_override=downstream, vfio-pci.ids=10de:1b80] }'),
  inTarget('kernelArgs: { present: [vfio_iommu_type1.allow_unsafe_interrupts=1] }'),
  inTarget('modules: { blacklist: [nouveau], load: [nouveau] }'),
  inTarget('modules: { blacklist: [snd-hda-intel, snd_hda_intel] }'),
  inTarget('modules: { blacklist: [vfio-pci] }'),
  inTarget('modules: { unsafeInterrupts: true }'),
  inTarget('firmware: { minDate: 2023-02-30 }'),
  inTarget(
    'devices: [{ name: n, match: { class: "02" }, driver: native }, { name: n, match: { class: "03" }, driver: native }]',
  ),
  inTarget('iommu: disabled, devices: [{ name: n, match: { class: "02" }, driver: vfio-pci }]'),
  inDevice('driver: vfio-pci, vfs: { count: 8 }'),
  inDevice('driver: native, bind: ids'),
  inDevice('vfs: { count: 8 }, bind: ids'),
  inDevice('vfs: { count: 8 }, functions: all'),
  inDevice('driver: vfio-pci, hosts: "a:&"'),
  inVfs('groups: [{ vfs: 0-3 }]'),
  inVfs('groups: [{ vfs: [0-3, 6] }]'),
  inVfs('groups: [{ vfs: 0-8 }]'),
  inVfs('groups: [{ vfs: 8 }]'),
  inVfs('groups: [{ vfs: 0-7 }, { vfs: [7, 2-3] }]'),
  inVfs('groups: [{ vfs: [0-4, 4-7] }]'),
  inVfs('groups: [{ vfs: 7-0 }]'),
  inVfs('groups: [{ vfs: 0-999 }]'),
  inGroup('mac: 02:00:00:00:00:01'),
  inVfs('groups: [{ vfs: 0, mac: 01:00:00:00:00:01 }, { vfs: 1-7 }]'),
  inVfs('groups: [{ vfs: 0, mac: 00:00:00:00:00:00 }, { vfs: 1-7 }]'),
  inVfs(
    'groups: [{ vfs: 0, mac: 02:00:00:00:00:0A }, { vfs: 1, mac: 02:00:00:00:00:0a }, { vfs: 2-7 }]',
  ),
  inDevice(`expect: 2, ${VFS_WITH_MAC}`),
  twoDevices('', ''),
  twoDevices('hosts: edge,', ''),
  twoDevices('hosts: edge,', 'hosts: edge,'),
  inGuest('domain: a/b, attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: "12", attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: 6f2e1a4c-9d1b-4c53-8d0e-0a1b2c3d4e5f, attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: "{{ a | default(1) }}", attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: "{% if a %}b{% endif %}", attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: "{{ ansible_host }}", attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: "{{ api_key }}", attach: [{ device: n, vf: 0 }]'),
  inGuest('domain: d, attach: [{ device: m, vf: 0 }]'),
  inGuest('domain: d, attach: [{ device: n }]'),
  inGuest('domain: d, attach: [{ device: n, vf: 2 }]'),
  inGuest('domain: d, attach: [{ device: n, vf: 0 }, { device: n, pf: 0, vf: 0 }]'),
  inGuest(
    'domain: d, attach: [{ device: n, vf: 0 }] }, { domain: e, attach: [{ device: n, vf: 0 }]',
  ),
  inGuest(
    'domain: d, attach: [{ device: n, vf: 0 }] }, { domain: d, attach: [{ device: n, vf: 1 }]',
  ),
  inGuest('domain: d, hosts: "!", attach: [{ device: n, vf: 0 }]'),
  inTarget('guests: [{ domain: d, attach: [{ device: n }] }]'),
  inTarget(
    'devices: [{ name: n, match: { class: "03" }, driver: native }], guests: [{ domain: d, attach: [{ device: n }, { device: n, vf: 0 }] }]',
  ),
  inTarget(
    'devices: [{ name: n, match: { class: "03" }, driver: vfio-pci, expect: 1 }], guests: [{ domain: d, attach: [{ device: n, pf: 1 }] }]',
  ),
  inTarget(
    'devices: [{ name: n, match: { class: "02" }, vfs: { count: 2 } }], guests: [{ domain: d, attach: [{ device: n, vf: 1 }] }]',
  ),
];

// Rewritten by `npx vitest run test/schema/wrong-target-table -u`; read the difference, it is what people are told.
describe('each of many wrong targets is refused with exactly these words', () => {
  it.each([
    ['shape', SHAPE],
    ['meaning', MEANING],
  ])('%s', async (name, texts) => {
    const golden = goldenPage(`Targets wrong in ${name}, on line 3 of a spec.`, HEAD, texts);
    await expect(golden).toMatchFileSnapshot(`golden/targets-wrong-in-${name}.txt`);
  });

  it.each([...SHAPE, ...MEANING])('%j', (text) => {
    expect(problemsOf(text)).not.toEqual([]);
  });

  it('and those wrong in shape are underlined by an editor', () => {
    expect(SHAPE.filter((text) => !isUnderlined(text))).toEqual([]);
    expect(MEANING.filter(isUnderlined)).toEqual([]);
  });
});
