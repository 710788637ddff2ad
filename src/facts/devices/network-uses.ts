import type { DeviceUse, PciFunction } from '../../domain/device-facts.ts';
import type { Snapshot } from '../snapshot.ts';
import type { ServerRoute } from './disk-uses.ts';
import type { Findings } from './findings.ts';
import type { Interfaces } from './interfaces.ts';
import { isObject, jsonOf, linesOf, objectsOf, outputOf, textIn } from './text.ts';

/** Who uses the network cards: SSH, routes, addresses, guests. */
export class NetworkUses {
  private readonly snapshot: Snapshot;
  private readonly findings: Findings;
  private readonly interfaces: Interfaces;
  private readonly physfn: (address: string) => string | undefined;
  private readonly addresses: readonly InterfaceAddress[];
  private readonly criticalNames = new Set<string>();
  private readonly storageRoutes: ReadonlyMap<string, string>;

  constructor(
    snapshot: Snapshot,
    options: {
      readonly findings: Findings;
      readonly interfaces: Interfaces;
      readonly functions: readonly Pick<PciFunction, 'address' | 'physfn'>[];
    },
  ) {
    this.snapshot = snapshot;
    this.findings = options.findings;
    this.interfaces = options.interfaces;
    const physfns = new Map(options.functions.map(({ address, physfn }) => [address, physfn]));
    this.physfn = (address) => physfns.get(address);
    this.addresses = interfaceAddresses(snapshot);
    this.storageRoutes = new Map(
      linesOf(outputOf(snapshot, 'storage-routes')).map((row) => {
        const end = row.indexOf(' ');
        return [row.slice(0, Math.max(end, 0)), row.slice(end + 1)];
      }),
    );
  }

  /** Adds which functions carry SSH, default routes, addresses and guests' bridges. */
  find(): void {
    this.sshConnection();
    if (outputOf(this.snapshot, 'default-routes') === undefined) {
      this.findings.lose('ssh-route', 'the default routes were not read');
    }
    for (const name of defaultRoutes(this.snapshot)) this.critical(name, `default route (${name})`);
    for (const { name, address, global } of this.addresses) {
      // What carries SSH is refused for that already.
      if (!global || name === 'lo' || this.criticalNames.has(name)) continue;
      this.use(name, 'network', `address ${address} (${name})`);
    }
    for (const name of this.interfaces.serveGuests) {
      this.use(name, 'network', `bridge of guests (${name})`);
    }
  }

  /** An interface that a guest's configuration names. */
  guestInterface(name: string, guest: string): void {
    this.use(name, 'network', `network of guest ${guest} (${name})`);
  }

  /** `ServerRoute` by the answers to `storage-routes`. */
  readonly routeTo: ServerRoute = (server, { kind, what }) => {
    const device = routeDevices(jsonOf(this.storageRoutes.get(server)))[0];
    if (device === undefined) return false;
    const { functions, lost } = this.interfaces.trace(device);
    if (lost.length > 0) return false;
    this.mark(functions, kind, `${what} by way of ${device}`);
    return true;
  };

  /** The route to whoever is connected now, and the owner of the address that they reached. */
  private sshConnection(): void {
    const connection = outputOf(this.snapshot, 'ssh-connection')?.slice(0, 200).split(' ');
    const [peer, , local] = connection ?? [];
    if (peer === undefined || local === undefined) {
      this.findings.lose('ssh-route', 'the addresses of the SSH connection were not read');
      return;
    }
    // Of a link-local address the interface is a part.
    const scope = local.split('%')[1] ?? peer.split('%')[1];
    const orScope = (names: readonly string[]) =>
      names.length > 0 || scope === undefined ? names : [scope];
    const own = withoutScope(local);
    this.allCritical(
      orScope(routeDevices(jsonOf(outputOf(this.snapshot, 'ssh-route')))),
      'SSH route',
      `the route to ${peer}, whose SSH connection this is, was not read`,
    );
    this.allCritical(
      orScope(this.addresses.filter(({ address }) => address === own).map(({ name }) => name)),
      `SSH address ${own}`,
      `the interface with ${own}, which SSH reached, was not read`,
    );
  }

  private allCritical(names: readonly string[], what: string, none: string): void {
    if (names.length === 0) this.findings.lose('ssh-route', none);
    for (const name of names) this.critical(name, `${what} (${name})`);
  }

  private critical(name: string, what: string): void {
    this.criticalNames.add(name);
    const { functions, lost } = this.interfaces.trace(name);
    this.mark(functions, 'ssh-route', what);
    for (const part of lost) this.findings.lose('ssh-route', `${what}: ${part}`);
  }

  private use(name: string, kind: DeviceUse['kind'], what: string): void {
    this.mark(this.interfaces.trace(name).functions, kind, what);
  }

  /** What a VF carries is carried by its PF too: without that there is no VF. */
  private mark(functions: ReadonlySet<string>, kind: DeviceUse['kind'], what: string): void {
    for (const address of functions) {
      this.findings.add(address, kind, what);
      const physfn = this.physfn(address);
      if (physfn !== undefined) this.findings.add(physfn, kind, `${what} on its VF ${address}`);
    }
  }
}

interface InterfaceAddress {
  readonly name: string;
  readonly address: string;
  /** Not only valid on its own link or host. */
  readonly global: boolean;
}

function interfaceAddresses(snapshot: Snapshot): readonly InterfaceAddress[] {
  return objectsOf(jsonOf(outputOf(snapshot, 'ip-addresses'))).flatMap((entry) => {
    const name = textIn(entry, 'ifname');
    return name === undefined
      ? []
      : objectsOf(entry['addr_info']).flatMap((info) => {
          const address = textIn(info, 'local');
          const global = !['link', 'host', 'nowhere'].includes(textIn(info, 'scope') ?? 'global');
          return address === undefined ? [] : [{ name, address, global }];
        });
  });
}

/** Interfaces of the default routes of all tables, IPv4 and IPv6. */
function defaultRoutes(snapshot: Snapshot): readonly string[] {
  const names = linesOf(outputOf(snapshot, 'default-routes')).flatMap((row) =>
    routeDevices(jsonOf(row)),
  );
  return [...new Set(names)];
}

/** `dev` of routes, and of each next hop; blackholes and the like have none. */
function routeDevices(routes: unknown): readonly string[] {
  return objectsOf(routes).flatMap((route) => {
    const hops = objectsOf(route['nexthops']).filter(isObject);
    return [route, ...hops].flatMap((hop) => textIn(hop, 'dev') ?? []);
  });
}

/** An address without its interface, and an IPv4 one out of IPv6. */
function withoutScope(address: string): string {
  return (address.split('%')[0] ?? '').replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();
}
