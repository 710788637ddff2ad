import { describe, expect, it } from 'vitest';
import { parseDevices } from '../../../src/facts/devices/parse-devices.ts';
import {
  NO_DISK,
  NO_NETWORK,
  dm,
  net,
  nvme,
  pci,
  snapshotOf,
  type Holds,
} from './support/snapshot-of.ts';

const VF = '0000:03:10.0';
const NIC = '0000:03:00.0';
const DISK = '0000:01:00.0';
const hostdev = (function_: string, attributes = "type='pci' managed='no'") =>
  `<hostdev mode='subsystem' ${attributes}><source>` +
  `<address domain='0x0000' bus='0x03' slot='0x10' function='0x${function_}'/></source>` +
  `<address type='pci' domain='0x0000' bus='0x06' slot='0x00' function='0x0'/></hostdev>`;

const domain = (devices: string, more = '') =>
  `<domain type='kvm'><name>edge
</name><memory unit='GiB'>2</memory><vcpu current='1'>4</vcpu>${more}<devices>${devices}</devices></domain>`;
const NO_BALLOON = "<memballoon model='none'/>";
const PINNED =
  "<memoryBacking><hugepages/><locked/></memoryBacking><cputune><vcpupin vcpu='0' cpuset='2-3'/>" +
  "<vcpupin vcpu='1' cpuset='4'/></cputune><numatune><memory mode='strict' nodeset='0'/></numatune>";
const LABELS =
  "<seclabel type='dynamic' model='dac'><label>+64055:+64055</label></seclabel>" +
  "<seclabel type='dynamic' model='apparmor'><label>libvirt-8fff4336</label></seclabel>";

const live = (text: string) =>
  `file /run/libvirt/qemu/edge.xml\n<domstatus state='running'>${text}</domstatus>\n`;
const configured = (text: string) => `file /etc/libvirt/qemu/edge.xml\n${text}\n`;

const host = (guests: string, ...more: readonly Holds[]) =>
  parseDevices(
    snapshotOf(
      NO_DISK,
      NO_NETWORK,
      pci(VF, {}, { physfn: `../${NIC}` }),
      pci(NIC),
      pci(DISK),
      { queries: { guests } },
      ...more,
    ),
  );
const RUNS: Holds = { dirs: { '/run/libvirt/qemu': ['autostarted', 'edge.pid', 'edge.xml'] } };

describe('the guests of a host', () => {
  it('own what libvirt took for them from a pool of VFs, and NVMe disks by PCI', () => {
    const source = (slot: string) =>
      `<source><address type='pci' domain='0x0000' bus='0x03' slot='${slot}' function='0x0'/></source>`;
    const pool = `<interface type='network'><source network='pool'/>${source('0x10')}</interface>`;
    const disk = `<disk type='nvme' device='disk'>${source('0x00')}</disk>`;
    const { guests, functions } = host(live(domain(pool + disk + NO_BALLOON)), RUNS);
    expect(guests[0]?.hostdevs.map(({ address, live: now }) => [address, now])).toEqual([
      [NIC, true],
      [VF, true],
    ]);
    const used = functions.filter(({ uses }) => uses.some(({ kind }) => kind === 'guest'));
    expect(used.map(({ address }) => address)).toEqual([NIC, VF]);
  });

  it('are read from what is configured and from what runs', () => {
    const guests = [
      configured(domain(hostdev('0') + NO_BALLOON, PINNED)),
      live(domain(hostdev('0') + hostdev('2') + NO_BALLOON, PINNED + LABELS)),
    ];
    const facts = host(guests.join(''), RUNS);
    expect(facts.unresolved).toEqual([]);
    expect(facts.guests).toEqual([
      {
        name: 'edge',
        running: true,
        persistent: true,
        memoryKiB: 2 * 1024 * 1024,
        vcpus: 4,
        pins: { '0': '2-3', '1': '4' },
        nodeset: '0',
        hugepages: true,
        locked: true,
        ballooning: false,
        hostdevs: [
          { address: VF, managed: false, live: true, config: true },
          { address: '0000:03:10.2', managed: false, live: true, config: false },
        ],
        confinement: 'libvirt-8fff4336',
      },
    ]);
    expect(facts.functions.find(({ address }) => address === VF)?.uses).toEqual([
      { kind: 'guest', what: 'guest edge runs with it' },
    ]);
  });

  it('own no device while they are off, and balloon unless they say none', () => {
    const facts = host(configured(domain(hostdev('0', "type='pci' managed='yes'"))));
    expect(facts.guests).toMatchObject([
      {
        running: false,
        ballooning: true,
        hostdevs: [{ address: VF, managed: true, live: false, config: true }],
      },
    ]);
    expect(facts.functions.flatMap(({ uses }) => uses)).toEqual([]);
  });

  it('may have no configuration that outlasts them', () => {
    const facts = host(live(domain(NO_BALLOON)), RUNS);
    expect(facts.guests).toMatchObject([{ running: true, persistent: false }]);
  });

  it('are given VFs as network interfaces too, and other hostdevs are none of PCI', () => {
    const interface_ = hostdev('1', "type='hostdev' managed='yes'")
      .replace('<hostdev', '<interface')
      .replace('</hostdev', '</interface');
    const facts = host(configured(domain(interface_ + "<hostdev type='usb'/>" + NO_BALLOON)));
    expect(facts.guests[0]?.hostdevs.map(({ address }) => address)).toEqual(['0000:03:10.1']);
  });

  it('use the disks and the bridges that they name', () => {
    const devices =
      "<disk type='block'><source dev='/dev/vg-a/web'/></disk>" +
      "<disk type='file'><source file='/var/lib/libvirt/images/a.qcow2'/></disk>" +
      "<interface type='bridge'><source bridge='br1'/></interface>" +
      "<interface type='direct'><source dev='eth0' mode='bridge'/></interface>";
    const facts = host(
      configured(domain(devices)),
      nvme('nvme0n1', DISK, '259:0'),
      dm('dm-0', 'vg--a-web', '253:0', ['nvme0n1']),
      net('eth0', NIC),
      net('br1', undefined, ['eth0']),
    );
    const uses = facts.functions.flatMap(({ address, uses: list }) =>
      list.map(({ kind, what }) => `${address} ${kind} ${what}`),
    );
    expect(uses).toEqual([
      `${DISK} root-disk part of dm-0 (vg--a-web)`,
      `${DISK} guest guest edge has its disk /dev/vg-a/web on it`,
      `${NIC} network network of guest edge (br1)`,
      `${NIC} network network of guest edge (eth0)`,
    ]);
  });

  it.each([
    ['that is not whole', live('<domain><name>edge</name>')],
    ['whose device has no address', live(domain("<hostdev type='pci'><source/></hostdev>"))],
    ['whose device lies at no address', live(domain(hostdev('99')))],
    ['with a document type', live(`<!DOCTYPE a [<!ENTITY b "c">]>${domain('')}`)],
    ['with an entity of its own', live(domain('').replace('edge', '&xxe;'))],
    ['that was not read', ''],
  ])('count as owners of anything while one runs %s', (_what, guests) => {
    const facts = host(guests, RUNS);
    expect(facts.unresolved).toEqual([
      { kind: 'root-disk', what: 'guest edge runs, and its configuration could not be read' },
    ]);
  });

  it('are called as their file is', () => {
    expect(host(configured(domain('').replace('edge', 'other'))).guests).toEqual([]);
    const text = configured(domain('').replace('edge', 'a&amp;b')).replace('edge.xml', 'a&b.xml');
    expect(host(text).guests).toMatchObject([{ name: 'a&b' }]);
  });
});
