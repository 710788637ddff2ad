import type { StepOutcome } from '../../../src/domain/activities.ts';
import { LOADER_TOOLS, TRIAL_ENTRY_ID } from '../../../src/domain/boot-loader/tools.ts';
import type { CmdlineChange } from '../../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import type { LoaderFacts } from '../../../src/domain/facts.ts';
import type { Guard, HostPort } from '../../../src/host/port.ts';
import { hold, runProblem } from '../outcomes.ts';
import type { BootState } from './boot-loader.ts';

/** What every function of the cmdline step gets; the guard carries the fencing token. */
export interface CmdlineCall<C extends CmdlineChange = CmdlineChange> {
  readonly change: C;
  readonly guard: Guard;
}

export type Side = 'before' | 'after';

/** Where a host stands between `before` and `after`. */
export interface Standing {
  /** The default entry's arguments. */
  readonly line: Side;
  /** The files that keep them. */
  readonly files: Side | 'mixed';
}

/** The facts of the loader that a change is for. */
export type FactsOf<C extends CmdlineChange> = Extract<LoaderFacts, { kind: C['loader'] }>;
export interface StateOf<C extends CmdlineChange> extends BootState {
  readonly loader: FactsOf<C>;
}

/**
 * What a family's boot loader does in its own way; src of the order and of the proofs is ../cmdline.ts. A family is one such
 * driver, its facts (src/facts), its change (src/domain/boot-loader), and its row in the contract suite.
 */
export interface LineDriver<C extends CmdlineChange> {
  /** Where the host stands; the hold `drift` when it is neither as before nor as after, nor between. */
  readonly locate: (state: StateOf<C>, change: C) => Standing | StepOutcome;
  /** Installs the trial entry, with the default entry and its files as before. */
  readonly installTrial: (
    port: HostPort,
    call: CmdlineCall<C> & { readonly state: StateOf<C>; readonly trialId: string },
  ) => Promise<StepOutcome | undefined>;
  /** Brings line and files to one side, and takes all of the trial away. Does nothing where that is so. */
  readonly settle: (
    port: HostPort,
    call: CmdlineCall<C> & {
      readonly state: StateOf<C>;
      readonly at: Standing;
      readonly side: Side;
    },
  ) => Promise<StepOutcome | undefined>;
  /** Whether a line holds nothing of the change any more. */
  readonly isBack: (args: readonly string[], change: C) => boolean;
}

export const isStanding = (at: Standing | StepOutcome): at is Standing => 'line' in at;

export function drift(sentence: string, evidence: Record<string, string> = {}): StepOutcome {
  return hold('drift', sentence, evidence);
}

export const isArmed = ({ nextEntry }: LoaderFacts): boolean => nextEntry === TRIAL_ENTRY_ID;

/** Clears the one-shot. */
export async function disarm(
  port: HostPort,
  guard: Guard,
  loader: LoaderFacts,
): Promise<StepOutcome | undefined> {
  const { editenv } = LOADER_TOOLS[loader.kind];
  const outcome = await port.run({
    guard,
    argv: [editenv, '-', 'unset', 'next_entry'],
    deadlineMs: HOST_DEADLINE_MS.grubReboot,
  });
  return runProblem('cmdline.one-shot-stuck', editenv, outcome);
}
