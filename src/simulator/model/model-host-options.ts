import type { QueryAnswer, QueryName } from '../../facts/snapshot.ts';
import type { Clock } from './clock.ts';
import type { Fault } from './faults.ts';
import type { FileTree } from './file-tree.ts';
import type { Machine } from './machine.ts';
import type { Program } from './programs/result.ts';

/** How long things take, in milliseconds. */
export interface Timing {
  /** Every command, before it has an effect. */
  readonly commandMs: number;
  readonly updateGrubMs: number;
  readonly updateInitramfsMs: number;
  /** From the reboot command to the host being gone. */
  readonly shutdownMs: number;
  /** From being gone to answering again. */
  readonly rebootMs: number;
  /** What a second of `panic=N` takes. */
  readonly panicSecondMs: number;
}

export const QUICK: Timing = {
  commandMs: 0,
  updateGrubMs: 0,
  updateInitramfsMs: 0,
  shutdownMs: 5,
  rebootMs: 30,
  panicSecondMs: 1,
};

export interface ModelHostOptions {
  readonly name: string;
  readonly tree: FileTree;
  readonly machine: Machine;
  /** The programs that it has, by name. */
  readonly programs: ReadonlyMap<string, Program>;
  /** What boot ids are made from. */
  readonly seed?: string;
  readonly faults?: readonly Fault[];
  readonly timing?: Partial<Timing>;
  readonly clock?: Clock;
  /** Answers of queries that a capture holds, in place of the model's own. */
  readonly queries?: ReadonlyMap<QueryName, QueryAnswer>;
  /** Systemd units that are not simply absent; `ssh` and `libvirtd` are active unless told otherwise. */
  readonly units?: Readonly<Record<string, 'active' | 'inactive' | 'failed'>>;
  /** Where what the model does not know is said; a test may collect it. */
  readonly complain?: (message: string) => void;
}
