import type { HostState } from './host-run.ts';

/**
 * What a host's state means: the one table from which budgets, the CLI, docs/states.md and tests are made. A test holds
 * its exits against what the rollout's state machine really takes.
 */
export interface HostStateMeaning {
  /** One clause, to be read after the state's name. */
  readonly meaning: string;
  /** Spends the failure budget; once spent it stays spent, also when the host ends well later. */
  readonly failed: boolean;
  /** Counts as unavailable by itself; `as-reported`: when it is down or drained, which its report says. */
  readonly unavailable: 'yes' | 'no' | 'as-reported';
  readonly keepsLease: boolean;
  /** Whether guests have been moved away; `as-reported`: from its drain to its undrain, wherever it stands now. */
  readonly drained: 'no' | 'as-reported';
  /** Nothing more happens to the host in this rollout unless a verb asks. */
  readonly final: boolean;
  /** The verbs that leave it, in the order they are offered. */
  readonly exits: readonly ('retry' | 'skip' | 'rollback' | 'abort')[];
}

/** What most states have in common: nothing was written, nothing is missing. */
const UNTOUCHED = {
  failed: false,
  unavailable: 'no',
  keepsLease: false,
  drained: 'no',
  final: true,
} as const;

export const HOST_STATE_TABLE: Readonly<Record<HostState, HostStateMeaning>> = {
  queued: {
    ...UNTOUCHED,
    meaning: 'waits for its wave and a free place',
    final: false,
    exits: ['skip', 'abort'],
  },
  running: {
    meaning: 'a step is under way',
    failed: false,
    unavailable: 'yes',
    keepsLease: true,
    drained: 'as-reported',
    final: false,
    exits: ['abort'],
  },
  done: {
    ...UNTOUCHED,
    meaning: 'changed, proven and back in service',
    exits: ['rollback'],
  },
  compliant: {
    ...UNTOUCHED,
    meaning: 'was as asked already; nothing was written',
    exits: ['retry'],
  },
  held: {
    meaning: 'waits for a person',
    failed: true,
    unavailable: 'as-reported',
    keepsLease: true,
    drained: 'as-reported',
    final: false,
    exits: ['retry', 'rollback', 'skip'],
  },
  blocked: {
    ...UNTOUCHED,
    meaning: 'needs work outside vfleet; nothing was written',
    exits: ['retry'],
  },
  // A host skipped out of a hold has spent its failure already; one that was never started has not failed.
  skipped: {
    meaning: 'left as it stands by a person',
    failed: false,
    unavailable: 'as-reported',
    keepsLease: false,
    drained: 'as-reported',
    final: true,
    exits: ['retry', 'rollback'],
  },
  // Only when nobody asked for it (onHostFailure: rollback): an undo that a person wanted is no failure.
  'rolled-back': {
    ...UNTOUCHED,
    meaning: 'as it was before',
    failed: true,
    exits: ['retry'],
  },
  unreachable: {
    ...UNTOUCHED,
    meaning: 'did not answer when it was inspected; nothing was written',
    unavailable: 'yes',
    exits: ['retry'],
  },
};

/** How a host leaves its state, to stand behind "is held; ": the verbs of the table, or what to wait for. */
export function wayOut(state: HostState): string {
  const exits = HOST_STATE_TABLE[state].exits.filter((exit) => exit !== 'abort');
  return exits.length === 0
    ? 'wait until it is held or done'
    : `only ${exits.map((exit) => `"${exit}"`).join(' or ')} leads out of that`;
}
