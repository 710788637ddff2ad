import { randomInt } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { HostEntry } from '../domain/host-entry.ts';
import { writeKeys, type WrittenKeys } from './fleet-keys.ts';
import { createModelHost } from './model/create-model-host.ts';
import type { Fault } from './model/faults.ts';
import type { HostTreeOptions } from './model/make-host-tree.ts';
import type { ModelHostOptions } from './model/model-host-options.ts';
import type { ModelHost } from './model/model-host.ts';
import { seededNumber } from './model/random.ts';
import { SshFront } from './ssh-front.ts';

/** What a simulated fleet is to be like. */
export interface FleetOptions {
  /** How many hosts; they are named `<prefix>01`, `<prefix>02`, ... */
  readonly hosts: number;
  readonly prefix?: string;
  /** The same seed makes the same machines; addresses, port and keys are new each time. */
  readonly seed?: string | number;
  readonly faults?: Readonly<Record<string, readonly Fault[]>>;
  /** What a host is like, beside its name; absent: a seeded mix of Intel and AMD, Debian and Ubuntu. */
  readonly describe?: (index: number, name: string) => Omit<HostTreeOptions, 'name'>;
  readonly timing?: ModelHostOptions['timing'];
  readonly clock?: ModelHostOptions['clock'];
  readonly complain?: ModelHostOptions['complain'];
  /** Where the temporary folder with keys and inventory is made; the system's own unless given. */
  readonly parentFolder?: string;
}

/** A running fleet. */
export interface Fleet {
  readonly hosts: readonly HostEntry[];
  /** In vfleet's own form. */
  readonly inventoryFile: string;
  readonly knownHostsFile: string;
  readonly identityFile: string;
  /** The machine behind a name, for faults, power cycles and its log. @throws Error for an unknown name. */
  host(name: string): ModelHost;
  /** Cuts the connections to one host; what runs there goes on. */
  cutConnections(name: string): void;
  /** How many SSH connections a host has taken. */
  connections(name: string): number;
  /** Ends every connection, listener and timer, and removes the folder. */
  stop(): Promise<void>;
}

const USER = 'admin';
const HOSTS_MAX = 60_000;
/** Below the range from which Linux takes the ports of outgoing connections (ip_local_port_range: 32768 to 60999). */
const PORTS = [20_000, 32_000] as const;
const PLACE_ATTEMPTS = 20;
const LISTENERS_AT_ONCE = 200;

interface Place {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/**
 * Starts a simulated fleet: a real SSH server on an address of 127.0.0.0/8 for each host, in this process, all on one port, in
 * front of model hosts that are made when they are first used. Needs a system where all of 127.0.0.0/8 is local (Linux).
 *
 * @throws Error when no free addresses were found, or a fault names no host.
 */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const names = hostNames(options);
  const stranger = Object.keys(options.faults ?? {}).find((name) => !names.includes(name));
  if (stranger !== undefined)
    throw new Error(`a fault is for ${stranger}, which is not in the fleet`);
  const folder = await mkdtemp(join(options.parentFolder ?? tmpdir(), 'vfleet-fleet-'));
  try {
    return await placeFleet(options, names, folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function hostNames({ hosts, prefix }: FleetOptions): readonly string[] {
  if (!Number.isInteger(hosts) || hosts < 1 || hosts > HOSTS_MAX) {
    throw new RangeError(`a fleet has 1 to ${HOSTS_MAX} hosts`);
  }
  const width = Math.max(2, String(hosts).length);
  return Array.from(
    { length: hosts },
    (_, index) => `${prefix ?? 'hv'}${String(index + 1).padStart(width, '0')}`,
  );
}

/** Tries networks and ports until all addresses are free: two fleets at once never share one. */
async function placeFleet(
  options: FleetOptions,
  names: readonly string[],
  folder: string,
): Promise<Fleet> {
  for (let attempt = 1; ; attempt += 1) {
    const network = randomInt(2, 251);
    const port = randomInt(...PORTS);
    const places = names.map((name, index) => ({ name, port, address: addressOf(network, index) }));
    const written = await writeKeys(folder, places);
    const fronts = makeFronts(options, places, written);
    try {
      await startAll([...fronts.values()]);
      return await openFleet({ options, places, written, fronts, folder });
    } catch (error) {
      await Promise.all([...fronts.values()].map((front) => front.stop()));
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!taken || attempt === PLACE_ATTEMPTS) throw error;
    }
  }
}

const addressOf = (network: number, index: number): string =>
  `127.${network}.${Math.floor(index / 250)}.${(index % 250) + 1}`;

function makeFronts(
  options: FleetOptions,
  places: readonly Place[],
  { keys }: WrittenKeys,
): ReadonlyMap<string, SshFront> {
  return new Map(
    places.map(({ name, address, port }, index) => {
      const faults = options.faults?.[name] ?? [];
      const refuses = faults.some((fault) => fault.kind === 'refuses');
      const model = () => makeModel(options, name, index, faults);
      return [name, new SshFront({ address, port, user: USER, keys, model, refuses })];
    }),
  );
}

async function startAll(fronts: readonly SshFront[]): Promise<void> {
  for (let at = 0; at < fronts.length; at += LISTENERS_AT_ONCE) {
    const started = await Promise.allSettled(
      fronts.slice(at, at + LISTENERS_AT_ONCE).map((front) => front.start()),
    );
    const failed = started.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}

function makeModel(
  options: FleetOptions,
  name: string,
  index: number,
  faults: readonly Fault[],
): ModelHost {
  const { seed, timing, clock, complain } = options;
  return createModelHost({
    ...(options.describe ?? ((at) => mixed(at, seed ?? 0)))(index, name),
    name,
    faults,
    seed: seed ?? 0,
    ...(timing && { timing }),
    ...(clock && { clock }),
    ...(complain && { complain }),
  });
}

/** Two thirds Intel, one third AMD; three quarters Debian 12, one quarter Ubuntu 24.04. */
function mixed(index: number, seed: string | number): Omit<HostTreeOptions, 'name'> {
  return {
    cpu: seededNumber(3, seed, index, 'cpu') === 0 ? 'amd' : 'intel',
    os: seededNumber(4, seed, index, 'os') === 0 ? 'ubuntu-24.04' : 'debian-12',
  };
}

interface OpenFleet {
  readonly options: FleetOptions;
  readonly places: readonly Place[];
  readonly written: WrittenKeys;
  readonly fronts: ReadonlyMap<string, SshFront>;
  readonly folder: string;
}

async function openFleet({ places, written, fronts, folder }: OpenFleet): Promise<Fleet> {
  const { identityFile, knownHostsFile } = written;
  const hosts: readonly HostEntry[] = places.map((place, index) => ({
    ...place,
    user: USER,
    identityFile,
    knownHostsFile,
    groups: ['hypervisors'],
    labels: { rack: `r${Math.floor(index / 10) + 1}`, site: `s${Math.floor(index / 100) + 1}` },
  }));
  const frontOf = (name: string): SshFront => {
    const front = fronts.get(name);
    if (front === undefined) throw new Error(`no host ${name} in this fleet`);
    return front;
  };
  const inventoryFile = join(folder, 'inventory.yaml');
  await writeFile(inventoryFile, inventoryText(hosts, written));
  return {
    hosts,
    inventoryFile,
    identityFile,
    knownHostsFile,
    host: (name) => frontOf(name).host(),
    cutConnections: (name) => frontOf(name).cutConnections(),
    connections: (name) => frontOf(name).connections,
    stop: async () => {
      await Promise.all([...fronts.values()].map((front) => front.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function inventoryText(hosts: readonly HostEntry[], written: WrittenKeys): string {
  const { identityFile, knownHostsFile } = written;
  return stringify({
    version: 1,
    defaults: { user: USER, identityFile, knownHosts: knownHostsFile, groups: ['hypervisors'] },
    hosts: hosts.map(({ name, address, port, labels }) => ({ name, address, port, labels })),
  });
}
