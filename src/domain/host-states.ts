import type { HostState } from './host-run.ts';

/** What a host's state means: the one table from which the CLI, the docs and the budgets are made. */
export interface HostStateMeaning {
  /** Spends the failure budget; once spent it stays spent, also when the host ends well later. */
  readonly failed: boolean;
  /** Counts as unavailable by itself; a held host counts when it is down or drained (its report says so). */
  readonly unavailable: 'yes' | 'no' | 'as-reported';
  readonly keepsLease: boolean;
  /** Nothing more happens to the host in this rollout unless a verb asks. */
  readonly final: boolean;
  /** The verbs that leave it, in the order they are offered. */
  readonly exits: readonly ('retry' | 'skip' | 'rollback' | 'abort')[];
  readonly meaning: string;
}

export const HOST_STATE_TABLE: Readonly<Record<HostState, HostStateMeaning>> = {
  queued: {
    failed: false,
    unavailable: 'no',
    keepsLease: false,
    final: false,
    exits: ['skip', 'abort'],
    meaning: 'waits for its wave and a free place',
  },
  running: {
    failed: false,
    unavailable: 'yes',
    keepsLease: true,
    final: false,
    exits: ['abort'],
    meaning: 'a step is under way',
  },
  done: {
    failed: false,
    unavailable: 'no',
    keepsLease: false,
    final: true,
    exits: ['rollback'],
    meaning: 'changed, proven and back in service',
  },
  compliant: {
    failed: false,
    unavailable: 'no',
    keepsLease: false,
    final: true,
    exits: ['retry'],
    meaning: 'was as asked already; nothing was written',
  },
  held: {
    failed: true,
    unavailable: 'as-reported',
    keepsLease: true,
    final: false,
    exits: ['retry', 'rollback', 'skip'],
    meaning: 'waits for a person',
  },
  blocked: {
    failed: false,
    unavailable: 'no',
    keepsLease: false,
    final: true,
    exits: ['retry'],
    meaning: 'needs work outside vfleet; nothing was written',
  },
  // A host skipped out of a hold has spent its failure already; one that was never started has not failed.
  skipped: {
    failed: false,
    unavailable: 'as-reported',
    keepsLease: false,
    final: true,
    exits: ['retry', 'rollback'],
    meaning: 'left as it stands by a person',
  },
  // Only when nobody asked for it (onHostFailure: rollback): an undo that a person wanted is no failure.
  'rolled-back': {
    failed: true,
    unavailable: 'no',
    keepsLease: false,
    final: true,
    exits: ['retry'],
    meaning: 'as it was before',
  },
  unreachable: {
    failed: false,
    unavailable: 'yes',
    keepsLease: false,
    final: true,
    exits: ['retry'],
    meaning: 'did not answer when it was inspected; nothing was written',
  },
};
