import type { RolloutPhase, RolloutVerb } from './status.ts';

/** What a rollout's phase means: the one table from which the CLI's outcome, docs/states.md and tests are made. */
export interface RolloutPhaseMeaning {
  /** One clause, to be read after the phase's name. */
  readonly meaning: string;
  /** `done`: nothing is wrong, also while it is under way; `waiting`: for a person. A held host makes any open phase wait. */
  readonly outcome: 'done' | 'waiting' | 'failed';
  /** Nothing more happens in it. */
  readonly final: boolean;
  /** The verbs for the rollout that it takes; held hosts take theirs in every phase that is not final. */
  readonly exits: readonly Exclude<RolloutVerb['verb'], 'retry' | 'skip' | 'rollback'>[];
}

export const ROLLOUT_PHASE_TABLE: Readonly<Record<RolloutPhase, RolloutPhaseMeaning>> = {
  running: {
    meaning: 'hosts start as places become free',
    outcome: 'done',
    final: false,
    exits: ['pause', 'abort'],
  },
  paused: {
    meaning: 'a person or a spent budget stopped new hosts; running ones come to their end',
    outcome: 'waiting',
    final: false,
    exits: ['resume', 'abort'],
  },
  baking: {
    meaning: 'a wave is over and is watched before the next one',
    outcome: 'done',
    final: false,
    exits: ['pause', 'abort'],
  },
  'awaiting-promotion': {
    meaning: 'a wave is over; a person says whether the next one begins',
    outcome: 'waiting',
    final: false,
    exits: ['promote', 'pause', 'abort'],
  },
  waiting: {
    meaning:
      'nothing runs and no host may start: held hosts are all that is left, or take up every place',
    outcome: 'waiting',
    final: false,
    exits: ['pause', 'abort'],
  },
  aborting: {
    meaning:
      'running hosts come to their end, no new one starts; with rollback, changes are taken back',
    outcome: 'done',
    final: false,
    exits: ['abort'],
  },
  done: {
    meaning: 'every host has come to its end',
    outcome: 'done',
    final: true,
    exits: [],
  },
  aborted: {
    meaning: 'a person ended it; nothing re-applies what was left or taken back',
    outcome: 'failed',
    final: true,
    exits: [],
  },
  failed: {
    meaning: 'the failure budget was spent and the changes were taken back',
    outcome: 'failed',
    final: true,
    exits: [],
  },
};
