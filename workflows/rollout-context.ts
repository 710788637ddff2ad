import { ApplicationFailure, log, uuid4 } from '@temporalio/workflow';
import { compact } from '../src/domain/compact.ts';
import type { HostReport, HostRunInput } from '../src/domain/host-run.ts';
import type { RolloutEvent } from '../src/domain/rollout/events.ts';
import { next } from '../src/domain/rollout/next.ts';
import { pack, unpack } from '../src/domain/rollout/pack.ts';
import type { PackedRollout } from '../src/domain/rollout/pack.ts';
import { answerFor } from '../src/domain/rollout/answer.ts';
import { rolloutStatus } from '../src/domain/rollout/rollout-status.ts';
import { rulesOf } from '../src/domain/rollout/rules.ts';
import type { RolloutRules } from '../src/domain/rollout/rules.ts';
import { initialState } from '../src/domain/rollout/state.ts';
import type { RolloutState } from '../src/domain/rollout/state.ts';
import { refuse, targetsOf } from '../src/domain/rollout/verbs.ts';
import type { RolloutInput, RolloutStatus, RolloutVerb, VerbAnswer } from '../src/domain/status.ts';
import { targetFor } from '../src/domain/target-for.ts';

type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;

/** A rollout as its handlers and its loop see it: the pure state behind one door, and a mark that it changed. */
export class Rollout {
  readonly input: RolloutInput;
  readonly rules: RolloutRules;
  state: RolloutState;
  /** Grows with every event, so that the loop sees what came while it was away. */
  version = 0;

  constructor(input: RolloutInput) {
    this.input = input;
    this.rules = rulesOf(input);
    this.state =
      input.resume === undefined
        ? initialState(this.rules, input, { now: Date.now(), lease: uuid4() })
        : unpack(this.rules, input.resume as PackedRollout);
  }

  apply(event: WithoutNow<RolloutEvent>): void {
    this.state = next(this.rules, this.state, { ...event, now: Date.now() });
    this.version += 1;
  }

  report(report: HostReport): void {
    if (report.rollout !== this.input.id) {
      log.warn('a report for another rollout', { rollout: report.rollout, host: report.index });
      return;
    }
    this.apply({ kind: 'report', report });
  }

  /** Throws why a verb is not taken now, with what would work instead. */
  refuse(verb: RolloutVerb): void {
    const refusal = refuse(this.rules, this.state, verb);
    if (refusal !== undefined) throw ApplicationFailure.nonRetryable(refusal, 'refused');
  }

  /** Takes a verb that was not refused; one taken before, also before continue-as-new, gets the same answer. */
  take(verb: RolloutVerb): VerbAnswer {
    const before = this.state.handled.find((handled) => handled.id === verb.id);
    if (before !== undefined) return before.answer;
    const { indices, refused } = targetsOf(this.rules, this.state, verb);
    const answer = answerFor(this.rules, this.state, verb, { indices, refused });
    this.apply({ kind: 'verb', verb, targets: indices, answer });
    return answer;
  }

  status(): RolloutStatus {
    return rolloutStatus(this.input, this.rules, this.state);
  }

  /** The input with which it continues as new. */
  continued(): RolloutInput {
    return { ...this.input, resume: pack(this.rules, this.state) };
  }

  /** The inputs of some hosts' runs that are about to start. */
  hostInputs(indices: readonly number[]): readonly HostRunInput[] {
    return indices.flatMap((index) => this.#hostInput(index));
  }

  #hostInput(index: number): HostRunInput[] {
    const { id, spec, direction, who } = this.input;
    const host = this.input.hosts[index];
    const cell = this.state.cells[index];
    if (host === undefined || cell === undefined) return [];
    const back = direction === 'rollback' || cell.undo;
    // A later run was asked for by a person, after the host changed: the digest of the first plan says nothing then.
    const expectedDigest = back || cell.run > 1 ? undefined : host.digest;
    const undoOf = cell.undo && direction === 'forward' ? id : undefined;
    return [
      {
        rollout: id,
        index,
        run: cell.run,
        lease: `${this.state.lease}.${index}`,
        connection: host.connection,
        direction: back ? 'rollback' : 'forward',
        target: targetFor(spec.target, host.scope),
        hooks: spec.hooks,
        reboot: spec.reboot,
        onHostFailure: back ? 'hold' : spec.onHostFailure,
        who,
        ...compact({ expectedDigest, undoOf }),
      },
    ];
  }
}
