import type { Snapshot } from '../../facts/snapshot.ts';
import { FileTree } from './file-tree.ts';
import { machineOfSnapshot } from './machine-of-snapshot.ts';
import { makeHostTree, seedOf, type HostTreeOptions } from './make-host-tree.ts';
import { driverctl } from './programs/devices.ts';
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
    return new ModelHost({
      name,
      tree,
      machine,
      programs: PROGRAMS,
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
  const host = new ModelHost({
    name,
    ...made,
    programs: options.driverctl === true ? WITH_DRIVERCTL : PROGRAMS,
    seed: seedOf(options),
    ...behaviour,
  });
  for (const guest of options.guests ?? []) {
    host.guests.add(typeof guest === 'string' ? { name: guest } : guest, seedOf(options));
  }
  return host;
}

const WITH_DRIVERCTL = new Map([...PROGRAMS, ['driverctl', { run: driverctl }]]);
