import type { HostSelection, RolloutVerb, VerbAnswer } from '../status.ts';
import { stoppedByPause } from './apply-verb.ts';
import { failureCount } from './budget.ts';
import { hostRefusal } from './host-verbs.ts';
import { phaseOf } from './phase.ts';
import type { RolloutRules } from './rules.ts';
import type { HostCell, RolloutState } from './state.ts';
import { indicesOf } from './state.ts';

type HostsVerb = Extract<RolloutVerb, { hosts: HostSelection }>;

/** Hosts that a verb is for, and those named that refuse it. */
export interface Targets {
  readonly indices: readonly number[];
  readonly refused: VerbAnswer['refused'];
}

/** Why a verb is not taken now, with what would work instead; `undefined` when it is taken. */
export function refuse(
  rules: RolloutRules,
  state: RolloutState,
  verb: RolloutVerb,
): string | undefined {
  if (state.handled.some((handled) => handled.id === verb.id)) return undefined;
  if (state.end !== null) {
    return `The rollout has ended (${state.end}). Start the spec again for a new run.`;
  }
  switch (verb.verb) {
    case 'pause':
      return refusePause(state, verb.now === true);
    case 'resume':
      return refuseResume(state, verb.newBudget);
    case 'promote':
      return refusePromote(rules, state);
    case 'abort':
      return refuseAbort(state, verb.rollback);
    case 'retry':
    case 'skip':
    case 'rollback':
      return refuseHosts(rules, state, verb);
  }
}

/** The hosts that a verb reaches: for a selection those that take it, for names each one or why not. */
export function targetsOf(rules: RolloutRules, state: RolloutState, verb: RolloutVerb): Targets {
  if (verb.verb === 'pause' && verb.now === true) {
    return { indices: stoppedByPause(state), refused: [] };
  }
  if (!('hosts' in verb)) return { indices: [], refused: [] };
  const selection = verb.hosts;
  if ('all' in selection) {
    const indices = indicesOf(state, (cell) => isSelected(cell, selection.all)).filter(
      (index) => hostRefusal(rules, state, index, verb.verb) === undefined,
    );
    return { indices, refused: [] };
  }
  const indices: number[] = [];
  const refused: { host: string; reason: string }[] = [];
  for (const host of new Set(selection.names)) {
    const index = rules.names.indexOf(host);
    const reason =
      index < 0 ? 'is not in this rollout.' : hostRefusal(rules, state, index, verb.verb);
    if (reason === undefined) indices.push(index);
    else refused.push({ host, reason });
  }
  return { indices, refused };
}

/** The verbs that would be taken now, for at least one host. */
export function verbsNow(rules: RolloutRules, state: RolloutState): readonly RolloutVerb['verb'][] {
  const by = { id: '', who: '' };
  const all: HostSelection = { all: 'hosts' };
  const samples: readonly RolloutVerb[] = [
    { ...by, verb: 'pause' },
    {
      ...by,
      verb: 'resume',
      ...(state.paused?.by === 'budget' ? { newBudget: 0 } : {}),
    },
    { ...by, verb: 'promote' },
    { ...by, verb: 'abort', rollback: true },
    { ...by, verb: 'retry', hosts: all },
    { ...by, verb: 'skip', hosts: all },
    { ...by, verb: 'rollback', hosts: all },
  ];
  return samples
    .filter((verb) => refuse(rules, state, verb) === undefined)
    .map((verb) => verb.verb);
}

function refusePause(state: RolloutState, now: boolean): string | undefined {
  if (state.aborting !== null) return 'It is aborting: no host of a wave starts any more.';
  if (state.paused !== null && (!now || state.paused.now === true))
    return `It is paused already: ${state.paused.sentence} "resume" goes on.`;
  return undefined;
}

function refuseResume(state: RolloutState, newBudget?: number): string | undefined {
  if (state.aborting !== null) return 'It is aborting, which cannot be taken back.';
  if (state.paused === null) return 'It is not paused; nothing waits for "resume".';
  if (newBudget !== undefined && (!Number.isInteger(newBudget) || newBudget < 0)) {
    return 'The new budget is a whole number of hosts, 0 or more.';
  }
  if (state.paused.by === 'budget' && newBudget === undefined) {
    return (
      `The failure budget is spent: ${state.paused.sentence} Give "resume" a new budget, ` +
      `the number of further hosts that may fail after these ${failureCount(state)}.`
    );
  }
  if (state.paused.by === 'person' && newBudget !== undefined) {
    return 'The failure budget is not spent: resume without a new one.';
  }
  return undefined;
}

function refusePromote(rules: RolloutRules, state: RolloutState): string | undefined {
  const wave = rules.waves[state.wave]?.name ?? '';
  if (state.aborting !== null) return 'It is aborting: no further wave starts.';
  if (state.paused !== null) return `It is paused: ${state.paused.sentence} "resume" it first.`;
  switch (state.flow) {
    case 'awaiting-promotion':
      return undefined;
    case 'baking':
      return `Wave ${wave} still bakes until ${iso(state.bakeUntil)}; promote it after that.`;
    case 'wave':
      return `Wave ${wave} still has hosts that are queued or running; "status" shows them.`;
    case 'ended':
      return 'The last wave has ended; only held hosts are left: retry, skip or roll them back.';
  }
}

function refuseAbort(state: RolloutState, rollback: boolean): string | undefined {
  if (state.aborting === null || (state.aborting === 'leave' && rollback)) return undefined;
  return 'It is aborting already; hosts that are held end it when they are retried, skipped or rolled back.';
}

function refuseHosts(
  rules: RolloutRules,
  state: RolloutState,
  verb: HostsVerb,
): string | undefined {
  const { indices, refused } = targetsOf(rules, state, verb);
  if (indices.length > 0) return undefined;
  const first = refused[0];
  if (first !== undefined) {
    const more = refused.length > 1 ? ` (and ${refused.length - 1} more)` : '';
    return `${first.host} ${first.reason}${more}`;
  }
  return `No host would take "${verb.verb}" now: the rollout is ${phaseOf(rules, state)}; "status" shows each host.`;
}

function isSelected(cell: HostCell, all: Extract<HostSelection, { all: string }>['all']): boolean {
  switch (all) {
    case 'held':
      return cell.state === 'held';
    case 'failed':
      return cell.failed;
    case 'not-started':
      return cell.run === 0 || (cell.state === 'held' && !cell.open);
    case 'done':
      return cell.state === 'done';
    case 'hosts':
      return true;
  }
}

function iso(ms: number | null): string {
  return ms === null ? '' : new Date(ms).toISOString();
}
