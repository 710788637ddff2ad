import type { ModelHost } from '../model-host.ts';
import type { PciFunction } from '../pci/pci-function.ts';

const LOOPBACK = {
  ifindex: 1,
  ifname: 'lo',
  flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
  mtu: 65536,
  qdisc: 'noqueue',
  operstate: 'UNKNOWN',
  linkmode: 'DEFAULT',
  group: 'default',
  txqlen: 1000,
  link_type: 'loopback',
  address: '00:00:00:00:00:00',
  broadcast: '00:00:00:00:00:00',
};
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
/** Of a host that nobody is connected to. */
const OWN_ADDRESS = '10.0.0.11';

/** `ip -j link show [dev NAME]`, as iproute2 6.1 prints it (lab). */
export function linksJson(host: ModelHost, name?: string): string {
  const links = [LOOPBACK, ...cards(host).map(linkOf)];
  return JSON.stringify(links.filter(({ ifname }) => name === undefined || ifname === name));
}

/** `ip -j address show`: the address that SSH reached is on the card of the default route. */
export function addressesJson(host: ModelHost, connection: string | undefined): string {
  const uplink = uplinkOf(host);
  const local = connection?.split(' ')[2] ?? OWN_ADDRESS;
  const family = local.includes(':') ? 'inet6' : 'inet';
  const info = { family, local, prefixlen: 24, scope: 'global', label: uplink };
  return JSON.stringify([
    {
      ...LOOPBACK,
      addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host', label: 'lo' }],
    },
    ...cards(host).map((card, at) => ({
      ...linkOf(card, at),
      vfinfo_list: undefined,
      addr_info: card.netdev === uplink ? [info] : [],
    })),
  ]);
}

/** `ip -j -4 route show table all default`. */
export function defaultRoutesJson(host: ModelHost): string {
  const dev = uplinkOf(host);
  return dev === undefined
    ? '[]'
    : JSON.stringify([{ dst: 'default', gateway: '10.0.0.1', dev, protocol: 'static', flags: [] }]);
}

/** `ip -j route get PEER from LOCAL`. */
export function sshRouteJson(host: ModelHost, connection: string): string {
  const [peer, , local] = connection.split(' ');
  const dev = uplinkOf(host);
  return JSON.stringify([{ dst: peer, from: local, dev, flags: [], uid: 0, cache: [] }]);
}

function cards({ kernel }: ModelHost): readonly PciFunction[] {
  return [...kernel.bus.functions.values()].filter(({ net }) => net !== undefined);
}

/** The card of the management network: the first, while the host's own driver has it. */
function uplinkOf(host: ModelHost): string | undefined {
  const name = host.machine.uplink;
  return cards(host).find(({ netdev }) => netdev === name)?.netdev;
}

const DOWN: NonNullable<PciFunction['net']> = { mtu: 1500, up: false, vfs: [] };

function linkOf(card: PciFunction, at: number) {
  const { spec } = card;
  const { mtu, up, vfs } = card.net ?? DOWN;
  return {
    ifindex: at + 2,
    ifname: card.netdev ?? '',
    flags: ['BROADCAST', 'MULTICAST', ...(up ? ['UP', 'LOWER_UP'] : [])],
    mtu,
    qdisc: 'mq',
    operstate: up ? 'UP' : 'DOWN',
    linkmode: 'DEFAULT',
    group: 'default',
    txqlen: 1000,
    link_type: 'ether',
    address: spec.net?.mac ?? '',
    broadcast: BROADCAST,
    ...(spec.sriov !== undefined && { vfinfo_list: vfs.map(vfInfo) }),
  };
}

function vfInfo(
  vf: NonNullable<PciFunction['net']>['vfs'][number],
  index: number,
): Readonly<Record<string, unknown>> {
  return {
    vf: index,
    link_type: 'ether',
    address: vf.mac,
    broadcast: BROADCAST,
    vlan_list: [vf.vlan === 0 ? {} : { vlan: vf.vlan }],
    rate: { max_tx: vf.maxRate, min_tx: 0 },
    spoofchk: vf.spoofCheck,
    link_state: 'auto',
    trust: vf.trust,
  };
}
