import {
  CancellationScope,
  allHandlersFinished,
  condition,
  continueAsNew,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { HostVerb } from '../src/domain/activities.ts';
import { BATCH_MAX, decide } from '../src/domain/rollout/decide.ts';
import type { Decision } from '../src/domain/rollout/decide.ts';
import { indicesOf } from '../src/domain/rollout/state.ts';
import { refuse } from '../src/domain/rollout/verbs.ts';
import type { RolloutInput, RolloutStatus, RolloutVerb } from '../src/domain/status.ts';
import { engine } from './activity-proxies.ts';
import { failureOf } from './failures.ts';
import { hostReportSignal, rolloutStatusQuery, rolloutVerbUpdate } from './messages.ts';
import { Rollout } from './rollout-context.ts';

/** History at which it continues as new, should the engine not have asked before (law 11). */
const EVENTS_MAX = 1_000;

/**
 * One rollout: starts hosts as its rules allow, hears their reports, takes verbs, and stays open until every host
 * has left its hold. Temporal's Cancel is an abort without rollback; hosts under way come to their end.
 */
export async function rollout(input: RolloutInput): Promise<RolloutStatus> {
  const run = new Rollout(input);
  setHandler(hostReportSignal, (report) => {
    run.report(report);
  });
  setHandler(rolloutStatusQuery, () => run.status());
  setHandler(rolloutVerbUpdate, (verb) => run.take(verb), {
    validator: (verb: RolloutVerb) => {
      run.refuse(verb);
    },
  });
  CancellationScope.current().cancelRequested.catch(() => {
    abortByCancel(run);
  });
  return CancellationScope.nonCancellable(() => drive(run));
}

async function drive(run: Rollout): Promise<RolloutStatus> {
  run.apply({ kind: 'tick' });
  // What was on its way when the history was cut off may be lost: ask about all that run.
  if (run.input.resume !== undefined) await lookUpRunning(run);
  const alarm = new Alarm(run);
  for (;;) {
    const seen = run.version;
    const decision = decide(run.rules, run.state, Date.now());
    if (decision.finished) break;
    await continueWhenLong(run);
    await act(run, decision);
    if (run.version !== seen) continue;
    alarm.set(decision.wakeAt);
    await condition(() => run.version !== seen);
  }
  await condition(allHandlersFinished);
  return run.status();
}

/** One thing at a time, so that nothing is half-way when the rollout continues as new. */
async function act(run: Rollout, decision: Decision): Promise<void> {
  if (decision.send !== null) return send(run, decision.send);
  if (decision.start.length > 0) return start(run, decision.start);
  if (decision.reconcile.length > 0) return lookUp(run, decision.reconcile);
  // Last, since who does not answer is told again and again: a pause leaves nothing to start before it.
  if (decision.tell !== null) return tell(run, decision.tell);
}

async function start(run: Rollout, indices: readonly number[]): Promise<void> {
  run.apply({ kind: 'starting', indices });
  const hosts = run.hostInputs(indices);
  try {
    const outcomes = await engine.startHosts({ rollout: run.input.id, hosts });
    run.apply({ kind: 'start-answered', outcomes });
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    const detail = failure.sentence;
    const outcomes = indices.map((index) => ({ index, outcome: 'failed' as const, detail }));
    run.apply({ kind: 'start-answered', outcomes });
  }
}

/** Sends a verb to held hosts. What the engine did not confirm is settled by the hosts' reports, or by looking them up. */
async function send(run: Rollout, what: NonNullable<Decision['send']>): Promise<void> {
  run.apply({ kind: 'sending', indices: what.indices });
  try {
    run.apply({ kind: 'send-answered', outcomes: await fanOut(run, what) });
  } catch (error) {
    if (failureOf(error) === undefined) throw error;
  }
}

/**
 * Tells running hosts of a `pause --now` or of its end. One that has ended meanwhile has nothing to stop; one that did
 * not confirm is told again, after the seconds that its answer was waited for.
 */
async function tell(run: Rollout, { verb, indices }: NonNullable<Decision['tell']>): Promise<void> {
  try {
    const outcomes = await fanOut(run, { verb, indices });
    const confirmed = outcomes.filter((outcome) => outcome.unconfirmed !== true);
    run.apply({ kind: 'told', verb, indices: confirmed.map((outcome) => outcome.index) });
  } catch (error) {
    if (failureOf(error) === undefined) throw error;
    run.apply({ kind: 'told', verb, indices });
  }
}

function fanOut(
  run: Rollout,
  what: { readonly verb: HostVerb['verb']; readonly indices: readonly number[] },
) {
  const who = run.state.audit.findLast((entry) => entry.verb.startsWith(what.verb))?.who;
  return engine.fanOut({
    rollout: run.input.id,
    ticket: `${run.input.id}/${what.verb}/${workflowInfo().historyLength}/${workflowInfo().runId}`,
    verb: { verb: what.verb, who: who ?? run.input.who },
    hosts: what.indices.map((index) => ({ index, name: run.rules.names[index] ?? '' })),
  });
}

async function lookUpRunning(run: Rollout): Promise<void> {
  const running = indicesOf(run.state, (cell) => cell.state === 'running');
  for (let from = 0; from < running.length; from += BATCH_MAX) {
    await lookUp(run, running.slice(from, from + BATCH_MAX));
  }
}

async function lookUp(run: Rollout, indices: readonly number[]): Promise<void> {
  const hosts = indices.flatMap((index) => {
    const cell = run.state.cells[index];
    return cell === undefined ? [] : [{ index, name: run.rules.names[index] ?? '', run: cell.run }];
  });
  try {
    const described = await engine.describeHosts({ rollout: run.input.id, hosts });
    run.apply({ kind: 'described', hosts: described });
  } catch (error) {
    if (failureOf(error) === undefined) throw error;
    // Not looked up is not lost: they are asked about again after the next silence.
    run.apply({
      kind: 'described',
      hosts: indices.map((index) => ({ index, status: 'running' as const })),
    });
  }
}

function abortByCancel(run: Rollout): void {
  const verb: RolloutVerb = {
    id: 'cancel',
    who: 'Temporal Cancel (unverified)',
    verb: 'abort',
    rollback: false,
  };
  if (refuse(run.rules, run.state, verb) === undefined) run.take(verb);
}

/** Only with nothing half-way: every host's report is in the state, and the state goes along. */
async function continueWhenLong(run: Rollout): Promise<void> {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  if (!continueAsNewSuggested && historyLength < EVENTS_MAX) return;
  await condition(allHandlersFinished);
  await continueAsNew<typeof rollout>(run.continued());
}

/** One timer at a time: a condition with a timeout would cost two events for every report. */
class Alarm {
  readonly #run: Rollout;
  #at = Infinity;

  constructor(run: Rollout) {
    this.#run = run;
  }

  /** Wakes the loop at that time at the latest, in milliseconds since the epoch. */
  set(at: number | null): void {
    if (at === null || at >= this.#at) return;
    this.#at = at;
    void sleep(Math.max(1, at - Date.now())).then(() => {
      if (this.#at === at) this.#at = Infinity;
      this.#run.apply({ kind: 'tick' });
    });
  }
}
