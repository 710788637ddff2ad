import { DISRUPTIVE_STEPS } from '../host-run.ts';
import type { RolloutVerb, VerbAnswer } from '../status.ts';
import { namesOf } from './explain.ts';
import type { RolloutRules } from './rules.ts';
import type { RolloutState } from './state.ts';
import type { Targets } from './verbs.ts';

/** What a person is told when a verb was taken: how many hosts, and what happens next. */
export function answerFor(
  rules: RolloutRules,
  state: RolloutState,
  verb: RolloutVerb,
  targets: Targets,
): VerbAnswer {
  return {
    count: targets.indices.length,
    next: nextOf(rules, state, verb, targets),
    refused: targets.refused,
  };
}

/** `pause --now` says which hosts stop, and that those in the middle of a step end it first. */
function pausedNow(rules: RolloutRules, { indices }: Targets): string {
  if (indices.length === 0) return 'No new host starts; none is running. "resume" goes on.';
  const hosts = `${indices.length === 1 ? 'the host' : `the ${indices.length} hosts`} that run now`;
  return (
    `No new host starts; ${hosts} (${namesOf(rules, indices)}) end the step they are at and stop before their next ` +
    `${DISRUPTIVE_STEPS.join(', ')}. "resume" goes on.`
  );
}

const NEXT: Readonly<Record<Exclude<RolloutVerb['verb'], 'promote' | 'abort'>, string>> = {
  pause: 'No new host starts; running hosts come to their end. "resume" goes on.',
  resume: 'Hosts start again as places become free.',
  retry: 'Each goes on at the step that its hold names, or starts anew, as places become free.',
  skip: 'Each is left as it stands; a lease that was taken is given up.',
  rollback: 'Each is taken back to how it was, as places become free.',
};

function nextOf(
  rules: RolloutRules,
  state: RolloutState,
  verb: RolloutVerb,
  targets: Targets,
): string {
  if (verb.verb === 'pause' && verb.now === true) return pausedNow(rules, targets);
  if (verb.verb === 'promote') return `Wave ${rules.waves[state.wave + 1]?.name ?? ''} starts.`;
  if (verb.verb !== 'abort') return NEXT[verb.verb];
  return verb.rollback
    ? 'No new host starts; what was changed is taken back, last wave first. Nothing re-applies it.'
    : 'No new host starts; running hosts come to their end; what is done stays as it is.';
}
