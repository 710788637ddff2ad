import type { HostReport } from '../../../src/domain/host-run.ts';
import { decide } from '../../../src/domain/rollout/decide.ts';
import type { RolloutEvent } from '../../../src/domain/rollout/events.ts';
import { next } from '../../../src/domain/rollout/next.ts';
import { rolloutStatus } from '../../../src/domain/rollout/rollout-status.ts';
import { rulesOf } from '../../../src/domain/rollout/rules.ts';
import { initialState } from '../../../src/domain/rollout/state.ts';
import type { RolloutState } from '../../../src/domain/rollout/state.ts';
import { refuse, targetsOf } from '../../../src/domain/rollout/verbs.ts';
import type { RolloutInput, RolloutVerb } from '../../../src/domain/status.ts';

type WithoutNow<T> = T extends unknown ? Omit<T, 'now'> : never;
/** A verb without who and id. */
export type Ask = WithoutIds<RolloutVerb>;
type WithoutIds<T> = T extends unknown ? Omit<T, 'id' | 'who'> : never;

/** Plays the workflow's part against the pure state machine, with a clock and hosts moved by the test. */
export class Driver {
  readonly input: RolloutInput;
  readonly rules;
  state: RolloutState;
  now = Date.UTC(2026, 10, 2, 22);
  readonly startedOrder: number[] = [];
  #verbs = 0;

  constructor(input: RolloutInput) {
    this.input = input;
    this.rules = rulesOf(input);
    this.state = initialState(this.rules, input, { now: this.now, lease: 'lease' });
    this.event({ kind: 'tick' });
  }

  event(event: WithoutNow<RolloutEvent>): void {
    this.state = next(this.rules, this.state, { ...event, now: this.now });
  }

  decision() {
    return decide(this.rules, this.state, this.now);
  }

  status() {
    return rolloutStatus(this.input, this.rules, this.state);
  }

  /** Starts and sends all that may be; the positions started. */
  step(): readonly number[] {
    this.tell();
    const { send } = this.decision();
    if (send !== null) this.event({ kind: 'sending', indices: send.indices });
    const { start } = this.decision();
    if (start.length > 0) this.event({ kind: 'starting', indices: start });
    this.startedOrder.push(...start);
    return start;
  }

  /** Carries out what running hosts are to be told. */
  tell(): void {
    const { tell } = this.decision();
    if (tell !== null) this.event({ kind: 'told', ...tell });
  }

  /** A report of the host's run under way; a number later than the last unless given. */
  report(index: number, state: HostReport['state'], more: Partial<HostReport> = {}): void {
    const cell = this.state.cells[index];
    this.event({
      kind: 'report',
      report: {
        rollout: this.input.id,
        index,
        run: cell?.run ?? 0,
        seq: (cell?.seq ?? 0) + 1,
        state,
        unavailable: state === 'unreachable',
        ...(state === 'held' ? { code: 'health.failed', step: 'health' as const } : {}),
        ...more,
      },
    });
  }

  /** Raises a verb; the reason when it was refused. */
  verb(ask: Ask, id = `v${(this.#verbs += 1)}`): string | undefined {
    const verb = { ...ask, id, who: 'ops1' } as RolloutVerb;
    const refusal = refuse(this.rules, this.state, verb);
    if (refusal !== undefined) return refusal;
    const { indices, refused } = targetsOf(this.rules, this.state, verb);
    const answer = { count: indices.length, next: '', refused };
    this.event({ kind: 'verb', verb, targets: indices, answer });
    return undefined;
  }

  pass(ms: number): void {
    this.now += ms;
    this.event({ kind: 'tick' });
  }

  states(): readonly string[] {
    return this.state.cells.map((cell) => cell.state);
  }
}
