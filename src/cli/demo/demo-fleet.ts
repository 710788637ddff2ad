import type { HostConnection } from '../../domain/host-entry.ts';
import { startFleet } from '../../simulator/fleet.ts';
import type { Fault } from '../../simulator/model/faults.ts';
import type { HostTreeOptions } from '../../simulator/model/make-host-tree.ts';
import { seededNumber } from '../../simulator/model/random.ts';
import { connectionOf } from '../inputs.ts';

/** The simulated hosts of a demo, running. */
export interface DemoFleet {
  readonly connections: readonly HostConnection[];
  /** Repairs and resets a machine, as a person in the datacenter would; resolves when it answers. */
  readonly powerCycle: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What is wrong with the demo's bad hosts: three are found by the plan, one by the probe, two in the rollout itself. */
const FAULTS: readonly (readonly Fault[])[] = [
  [{ kind: 'never-returns' }],
  [{ kind: 'trial-panics' }],
  [{ kind: 'firmware-off' }],
  [{ kind: 'no-sudo' }],
  [{ kind: 'disk-full' }],
  [{ kind: 'refuses' }],
];

/** A simulated boot is quick, but long enough to be seen; a crashed kernel's `panic=` second is shorter. */
const TIMING = {
  commandMs: 5,
  updateGrubMs: 100,
  shutdownMs: 100,
  rebootMs: 1_000,
  panicSecondMs: 20,
};

/** Starts the simulated hosts; keys and known_hosts go into `folder`. The same seed makes the same fleet. */
export async function startDemoFleet(options: {
  readonly hosts: number;
  readonly seed: number;
  readonly folder: string;
}): Promise<DemoFleet> {
  const { hosts, seed, folder } = options;
  const places = badPlaces(hosts, seed);
  const width = Math.max(2, String(hosts).length);
  const nameOf = (index: number): string => `hv-${String(index + 1).padStart(width, '0')}`;
  const compliant = places.at(-1);
  const fleet = await startFleet({
    hosts,
    prefix: 'hv-',
    seed,
    timing: TIMING,
    parentFolder: folder,
    faults: Object.fromEntries(FAULTS.map((faults, at) => [nameOf(places[at] ?? 0), faults])),
    describe: (index) =>
      index === compliant ? ALREADY_RIGHT : places.includes(index) ? PLAIN : mixed(index, seed),
  });
  return {
    connections: fleet.hosts.map(connectionOf),
    powerCycle: (name) => {
      const machine = fleet.host(name);
      machine.repair('never-returns');
      return machine.powerCycle();
    },
    close: () => fleet.stop(),
  };
}

const PLAIN: Omit<HostTreeOptions, 'name'> = { cpu: 'intel', os: 'debian-12' };
const ALREADY_RIGHT: Omit<HostTreeOptions, 'name'> = {
  ...PLAIN,
  defaultArgs: ['quiet', 'intel_iommu=on', 'iommu=pt'],
};

/** The first host is as the bad ones are, so that the canary of their kind is a good one. */
function mixed(index: number, seed: number): Omit<HostTreeOptions, 'name'> {
  if (index === 0) return PLAIN;
  return {
    cpu: seededNumber(4, seed, index, 'cpu') === 0 ? 'amd' : 'intel',
    os: seededNumber(4, seed, index, 'os') === 0 ? 'ubuntu-24.04' : 'debian-12',
  };
}

/** Positions of the bad hosts and, last, of the one that complies already: none is the first of its kind. */
function badPlaces(hosts: number, seed: number): readonly number[] {
  const free = Array.from({ length: hosts - 1 }, (_, index) => index + 1);
  return Array.from({ length: FAULTS.length + 1 }, (_, at) => {
    const [place] = free.splice(seededNumber(free.length, seed, at, 'bad'), 1);
    return place ?? 0;
  });
}
