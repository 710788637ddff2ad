import { describe, expect, it } from 'vitest';
import { parseDevices } from '../../../src/facts/devices/parse-devices.ts';
import { addresses, net, NO_DISK, pci, snapshotOf, type Holds } from './support/snapshot-of.ts';

const PF = '0000:03:00.0';
const OTHER = '0000:04:00.0';
const VF = '0000:03:10.0';
const BASE = [
  NO_DISK,
  pci(PF, {}, { virtfn0: `../${VF}` }),
  pci(OTHER),
  pci(VF, {}, { physfn: `../${PF}` }),
];

function networkOf(...parts: readonly Holds[]) {
  const { functions, unresolved } = parseDevices(snapshotOf(...BASE, ...parts));
  const used = functions.flatMap(({ address, uses }) =>
    uses.map(({ kind, what }) => `${address} ${kind} ${what}`),
  );
  return { used, lost: unresolved.map(({ kind, what }) => `${kind} ${what}`) };
}

const LO: Holds = { links: { '/sys/class/net/lo': '../../devices/virtual/net/lo' } };

/** SSH from 10.0.0.9 to 10.0.0.1 by way of an interface, which has the default route too. */
const sshBy = (device: string, more: Holds['queries'] = {}): Holds => ({
  queries: {
    'ssh-connection': '10.0.0.9 50000 10.0.0.1 22',
    'ssh-route': `[{"dst":"10.0.0.9","from":"10.0.0.1","dev":"${device}","flags":[]}]`,
    'ip-addresses': addresses({ '10.0.0.1': device }),
    'default-routes': `[{"dst":"default","gateway":"10.0.0.254","dev":"${device}"}]\n[]`,
    ...more,
  },
});

const critical = (address: string, device: string) => [
  `${address} ssh-route SSH route (${device})`,
  `${address} ssh-route SSH address 10.0.0.1 (${device})`,
  `${address} ssh-route default route (${device})`,
];

const tap = (name: string): Holds => {
  const { links } = net(name, undefined);
  return { ...(links && { links }), files: { [`/sys/class/net/${name}/tun_flags`]: '0x1002\n' } };
};

const CASES: readonly (readonly [
  string,
  readonly Holds[],
  { readonly used?: readonly string[]; readonly lost?: readonly string[] },
])[] = [
  ['a plain interface', [net('eth0', PF), sshBy('eth0')], { used: critical(PF, 'eth0') }],
  [
    'a bridge on a VLAN on a bond of two, with a guest beside it',
    [
      net('eth0', PF),
      net('eth1', OTHER),
      net('bond0', undefined, ['eth0', 'eth1']),
      net('bond0.5', undefined, ['bond0']),
      net('br0', undefined, ['bond0.5', 'vnet0']),
      tap('vnet0'),
      sshBy('br0'),
    ],
    {
      used: [PF, OTHER].flatMap((address) => [
        ...critical(address, 'br0'),
        `${address} network bridge of guests (br0)`,
      ]),
    },
  ],
  [
    'a macvlan and a team',
    [
      net('eth0', PF),
      net('team0', undefined, ['eth0']),
      net('mac0', undefined, ['team0']),
      sshBy('mac0'),
    ],
    { used: critical(PF, 'mac0') },
  ],
  [
    'an interface of Open vSwitch, which has nothing below it',
    [
      net('eth0', PF),
      net('ovs-system', undefined, ['eth0']),
      net('br-ex', undefined),
      sshBy('br-ex'),
    ],
    {
      lost: [
        'ssh-route SSH route (br-ex): br-ex has no network card below it',
        'ssh-route SSH address 10.0.0.1 (br-ex): br-ex has no network card below it',
        'ssh-route default route (br-ex): br-ex has no network card below it',
      ],
    },
  ],
  [
    'a bridge that may go out through a tunnel too',
    [
      net('eth0', PF),
      net('vxlan7', undefined),
      net('br0', undefined, ['eth0', 'vxlan7']),
      sshBy('br0'),
    ],
    {
      used: critical(PF, 'br0'),
      lost: ['SSH route', 'SSH address 10.0.0.1', 'default route'].map(
        (what) => `ssh-route ${what} (br0): vxlan7 has no network card below it`,
      ),
    },
  ],
  [
    'a bridge with containers beside it',
    [
      net('eth0', PF),
      net('veth1', undefined),
      net('veth2', undefined),
      net('br0', undefined, ['eth0', 'veth1', 'veth2']),
      sshBy('br0', {
        'ip-links': JSON.stringify([
          { ifname: 'veth1', link_index: 2, link_netnsid: 0 },
          { ifname: 'veth2', link: 'inside' },
          { ifname: 'inside', link: 'veth2' },
        ]),
      }),
    ],
    { used: critical(PF, 'br0') },
  ],
  [
    'SSH by way of a VF, which takes its PF with it',
    [net('eth0v0', VF), sshBy('eth0v0')],
    {
      used: [
        ...critical(PF, 'eth0v0').map((it) => `${it} on its VF ${VF}`),
        ...critical(VF, 'eth0v0'),
      ],
    },
  ],
  [
    'another way out than in, and two next hops',
    [
      net('eth0', PF),
      net('eth1', OTHER),
      sshBy('eth0', {
        'ip-addresses': addresses({ '10.0.0.1': 'eth1' }),
        'default-routes': '[{"dst":"default","nexthops":[{"dev":"eth0"},{"dev":"eth1"}]}]\n[]',
      }),
    ],
    {
      used: [
        `${PF} ssh-route SSH route (eth0)`,
        `${PF} ssh-route default route (eth0)`,
        `${OTHER} ssh-route SSH address 10.0.0.1 (eth1)`,
        `${OTHER} ssh-route default route (eth1)`,
      ],
    },
  ],
  [
    'a default route of IPv6 only, and addresses of a storage network',
    [
      net('eth0', PF),
      net('eth1', OTHER),
      sshBy('lo', {
        'ip-addresses': addresses({ '10.0.0.1': 'lo', '192.168.7.2': 'eth1' }),
        'default-routes': '[]\n[{"dst":"default","gateway":"fe80::1","dev":"eth0"}]',
      }),
      LO,
    ],
    {
      used: [`${PF} ssh-route default route (eth0)`, `${OTHER} network address 192.168.7.2 (eth1)`],
    },
  ],
  [
    'SSH over IPv6, and IPv4 in it',
    [
      net('eth0', PF),
      net('eth1', OTHER),
      sshBy('eth0', {
        'ssh-connection': '::ffff:10.0.0.9 50000 ::ffff:10.0.0.1 22',
        'default-routes': '[]\n[]',
      }),
    ],
    {
      used: [`${PF} ssh-route SSH route (eth0)`, `${PF} ssh-route SSH address 10.0.0.1 (eth0)`],
    },
  ],
  [
    'SSH to a link-local address, which names its interface',
    [
      net('eth0', PF),
      {
        queries: {
          'ssh-connection': 'fe80::1%eth0 50000 fe80::2%eth0 22',
          'ip-addresses': '[]',
          'default-routes': '[]\n[]',
        },
      },
    ],
    {
      used: [`${PF} ssh-route SSH route (eth0)`, `${PF} ssh-route SSH address fe80::2 (eth0)`],
    },
  ],
  [
    'nothing of the network that could be read',
    [net('eth0', PF)],
    {
      lost: [
        'ssh-route the addresses of the SSH connection were not read',
        'ssh-route the default routes were not read',
      ],
    },
  ],
  [
    'no iproute2',
    [net('eth0', PF), { queries: { 'ssh-connection': '10.0.0.9 50000 10.0.0.1 22' } }],
    {
      lost: [
        'ssh-route the route to 10.0.0.9, whose SSH connection this is, was not read',
        'ssh-route the interface with 10.0.0.1, which SSH reached, was not read',
        'ssh-route the default routes were not read',
      ],
    },
  ],
];

describe('the network of a host', () => {
  it.each(CASES)('is traced: %s', (_what, parts, { used = [], lost = [] }) => {
    expect(networkOf(...parts)).toEqual({ used, lost });
  });
});
