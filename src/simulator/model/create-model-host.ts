import type { Snapshot } from '../../facts/snapshot.ts';
import { readEntries } from './bls/entries.ts';
import { FileTree } from './file-tree.ts';
import { machineOfSnapshot } from './machine-of-snapshot.ts';
import { makeHostTree, seedOf, type HostTreeOptions } from './make-host-tree.ts';
import { driverctl } from './programs/devices.ts';
import type { Program } from './programs/result.ts';
import { PROGRAMS } from './programs.ts';
import type { ModelHostOptions } from './model-host-options.ts';
import { ModelHost } from './model-host.ts';

type Behaviour = Pick<ModelHostOptions, 'faults' | 'timing' | 'clock' | 'units' | 'complain'>;

/** A host made from options, or from what was read of a real one. */
export type CreateModelHostOptions =
  | (HostTreeOptions & Behaviour)
  | ({ readonly name: string; readonly snapshot: Snapshot } & Behaviour);

/** Makes a model host, up and running. */
export function createModelHost(options: CreateModelHostOptions): ModelHost {
  const { faults, timing, clock, units, complain } = options;
  const behaviour: Behaviour = {
    ...(faults && { faults }),
    ...(timing && { timing }),
    ...(clock && { clock }),
    ...(units && { units }),
    ...(complain && { complain }),
  };
  const { name } = options;
  if ('snapshot' in options) {
    const { snapshot } = options;
    const machine = machineOfSnapshot(snapshot);
    const tree = FileTree.fromSnapshot(snapshot);
    // Nobody reads kernels; those that entries name are there.
    for (const { keys } of readEntries(tree)) {
      const path = `/boot${keys.get('linux') ?? ''}`;
      if (tree.at(path) === undefined) tree.put(path, '');
    }
    return new ModelHost({
      name,
      tree,
      machine,
      programs: PROGRAMS[machine.family],
      queries: snapshot.queries,
      ...behaviour,
    });
  }
  return fromOptions(options, behaviour);
}

function fromOptions(options: HostTreeOptions & Behaviour, behaviour: Behaviour): ModelHost {
  const { name, faults } = options;
  const firmwareOff = faults?.some((fault) => fault.kind === 'firmware-off') === true;
  const made = makeHostTree(firmwareOff ? { ...options, iommuFirmware: false } : options);
  const programs = PROGRAMS[made.machine.family];
  const host = new ModelHost({
    name,
    ...made,
    programs: options.driverctl === true ? new Map([...programs, DRIVERCTL]) : programs,
    seed: seedOf(options),
    ...behaviour,
  });
  for (const guest of options.guests ?? []) {
    host.guests.add(typeof guest === 'string' ? { name: guest } : guest, seedOf(options));
  }
  return host;
}

const DRIVERCTL: readonly [string, Program] = ['driverctl', { run: driverctl }];
