import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  currentUpdateInfo,
  getExternalWorkflowHandle,
  log,
} from '@temporalio/workflow';
import type { HostVerb, Mutation, OnHost, StepOutcome } from '../src/domain/activities.ts';
import type { Evidence } from '../src/domain/changes.ts';
import { compact } from '../src/domain/compact.ts';
import { holdFor, isAway } from '../src/domain/holds.ts';
import type {
  HostExit,
  HostReport,
  HostRunInput,
  HostRunResult,
  HostRunState,
  HostState,
  Step,
} from '../src/domain/host-run.ts';
import { DISRUPTIVE_STEPS, STEP_OF_CHANGE } from '../src/domain/host-run.ts';
import { rolloutWorkflowId } from '../src/domain/ids.ts';
import { shortText } from '../src/domain/short-text.ts';
import type { HostStatus } from '../src/domain/status.ts';
import { hostReportSignal } from './messages.ts';

/** How a step ended. `ok` goes on to the next one. */
export type StepEnd =
  | StepOutcome
  | { readonly kind: 'end'; readonly result: Omit<HostRunResult, 'evidence' | 'undoFailures'> };

/** A mutation's fencing numbers of one run; the next run of the same host begins above them. */
const SEQ_PER_RUN = 1_000;
const VERB_IDS_KEPT = 20;
const DISRUPTIVE: ReadonlySet<Step> = new Set(DISRUPTIVE_STEPS);

const FRESH: Omit<HostRunState, 'seq'> = {
  step: 'inspect',
  changes: [],
  undo: [],
  evidence: {},
  leaseId: null,
  begun: false,
  drained: false,
  bootIdBefore: null,
  reports: 0,
  bootId: null,
  rebootSent: false,
  reboots: 0,
  undoing: false,
  undoReboot: false,
  undoFailures: [],
  acceptedDigest: null,
  stepsAt: {},
  hold: null,
  reason: null,
  lastReport: null,
  verbIds: [],
};

/** A host's run as its steps see it: the state, the messages to its rollout, and the verbs that people send. */
export class HostRun {
  readonly input: HostRunInput;
  state: HostRunState;
  /** Temporal's Cancel arrived: stop before the next step. */
  cancelRequested = false;
  ended: HostRunResult | undefined;
  #pending = new Set<Promise<void>>();
  #chosen: { readonly verb: HostVerb; readonly exit: HostExit } | undefined;

  constructor(input: HostRunInput) {
    this.input = input;
    this.state = input.resume ?? { ...FRESH, seq: input.run * SEQ_PER_RUN };
  }

  set(change: Partial<HostRunState>): void {
    this.state = { ...this.state, ...change };
  }

  get onHost(): OnHost {
    return { connection: this.input.connection };
  }

  /** The fencing token of the next mutation; each one scheduled has a number of its own. */
  mutation(): Mutation {
    this.set({ seq: this.state.seq + 1 });
    return { ...this.onHost, lease: this.input.lease, seq: this.state.seq };
  }

  /** The marker on a trial's kernel line, the same for every attempt of this run. */
  get trialId(): string {
    return `${this.input.lease.replace(/[^a-z0-9]/gi, '').slice(0, 12)}-${this.input.index}-${this.input.run}`;
  }

  saw(step: Step, evidence: Evidence): void {
    this.set({
      evidence: { ...this.state.evidence, [step]: { ...this.state.evidence[step], ...evidence } },
    });
  }

  enter(step: Step): void {
    const stepsAt = { ...this.state.stepsAt, [step]: new Date().toISOString() };
    this.set({ step, stepsAt });
  }

  /** Becomes held: keeps why, with the exits. */
  hold(why: {
    readonly code: string;
    readonly sentence: string;
    readonly evidence: Evidence;
  }): void {
    const { step, undoing, begun, rebootSent, bootIdBefore, reboots, drained, changes } =
      this.state;
    const hold = holdFor(
      {
        step,
        undoing,
        begun,
        forward: this.input.direction === 'forward',
        booted: rebootSent ? 'maybe' : bootIdBefore === null ? 'no' : 'yes',
        reboots,
        kinds: changes.map((change) => change.kind),
        drained,
        hooks: this.input.hooks,
        since: new Date().toISOString(),
      },
      why,
    );
    this.set({ hold, reason: { code: why.code, sentence: why.sentence } });
  }

  /** Tells the rollout, without waiting. A rollout that is gone is no reason to fail a host's run. */
  report(state: Exclude<HostState, 'queued'>, code?: string): void {
    const { step, drained, rebootSent, rebootMs, pausedBefore, undoFailures } = this.state;
    const report: HostReport = {
      rollout: this.input.rollout,
      index: this.input.index,
      run: this.input.run,
      seq: this.state.reports + 1,
      state,
      step,
      unavailable: drained || rebootSent || (code !== undefined && isAway(code)),
      ...compact({ code, rebootMs, pausedBefore }),
      ...(undoFailures.length === 0 ? {} : { undoFailures: undoFailures.map(shortSentence) }),
    };
    this.set({ reports: report.seq, lastReport: report });
    const sent = getExternalWorkflowHandle(rolloutWorkflowId(this.input.rollout))
      .signal(hostReportSignal, report)
      .catch((error: unknown) => {
        // Not a warning: the rollout asks for what it did not hear, and one that has ended needs nothing.
        log.info('the report did not reach the rollout', { seq: report.seq, error: String(error) });
      })
      .finally(() => this.#pending.delete(sent));
    this.#pending.add(sent);
  }

  /** Waits until every report has left and no verb is half-way: the only moment to close or continue as new. */
  async quiet(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    await condition(allHandlersFinished);
  }

  /** A verb or a cancel waits to be looked at. */
  get isBusy(): boolean {
    return this.#chosen !== undefined || this.cancelRequested;
  }

  /** Throws why a verb is not taken now, with what would work instead. */
  refuse(verb: HostVerb): void {
    if (this.#isRepeat() || verb.verb === 'pause' || verb.verb === 'resume') return;
    const { hold, step } = this.state;
    if (hold === null || this.#chosen !== undefined || this.ended !== undefined) {
      throw ApplicationFailure.nonRetryable(
        `${this.input.connection.name} is not held: it is at ${step}. Wait until it is held or done.`,
        'refused',
      );
    }
    if (!hold.exits.some((exit) => exit.verb === verb.verb)) {
      const exits = hold.exits.map((exit) => exit.verb).join(', ');
      throw ApplicationFailure.nonRetryable(
        `"${verb.verb}" does not lead out of ${hold.code} at ${hold.step}; these do: ${exits}.`,
        'refused',
      );
    }
  }

  /** Takes a verb that was not refused; a repeat of one taken before changes nothing. */
  take(verb: HostVerb): { readonly next: string } {
    if (verb.verb === 'pause' || verb.verb === 'resume') {
      this.set({ stopAsked: verb.verb === 'pause' });
      return { next: verb.verb === 'pause' ? 'stops before its next disruptive step' : 'goes on' };
    }
    const exit = this.state.hold?.exits.find((one) => one.verb === verb.verb);
    if (this.#isRepeat() || exit === undefined) return { next: 'taken already' };
    const id = currentUpdateInfo()?.id ?? '';
    this.set({ verbIds: [...this.state.verbIds, id].slice(-VERB_IDS_KEPT) });
    this.#chosen = { verb, exit };
    return { next: exit.effect };
  }

  /** Before a disruptive step: waits while a `pause --now` of the rollout holds, which the rollout is told. */
  async mayDisrupt(step: Step): Promise<void> {
    if (this.state.stopAsked !== true || this.state.undoing || !this.#disrupts(step)) return;
    this.set({ pausedBefore: step });
    this.report('running');
    await condition(() => this.state.stopAsked !== true || this.cancelRequested);
    const { pausedBefore, ...rest } = this.state;
    this.state = rest;
    if (pausedBefore !== undefined && !this.cancelRequested) this.report('running');
  }

  /** A step without anything to do on this host disrupts nothing. */
  #disrupts(step: Step): boolean {
    const { changes, reboots } = this.state;
    if (!DISRUPTIVE.has(step)) return false;
    if (step === 'drain' || step === 'reboot') return reboots > 0;
    return changes.some(({ kind }) => STEP_OF_CHANGE[kind] === step);
  }

  /** Waits for a person, for months when it must: nothing polls meanwhile. */
  async chosenExit(): Promise<HostExit> {
    await condition(() => this.#chosen !== undefined);
    const exit = this.#chosen?.exit;
    this.#chosen = undefined;
    if (exit === undefined) throw new Error('woken without a verb');
    return exit;
  }

  #isRepeat(): boolean {
    const id = currentUpdateInfo()?.id;
    return id !== undefined && this.state.verbIds.includes(id);
  }

  status(): HostStatus {
    const { hold, step, stepsAt, undoFailures, pausedBefore } = this.state;
    return {
      rollout: this.input.rollout,
      name: this.input.connection.name,
      state: this.ended?.state ?? (hold === null ? 'running' : 'held'),
      step,
      ...(hold === null ? {} : { hold }),
      run: this.state,
      stepsAt,
      undoFailures,
      ...compact({ pausedBefore }),
    };
  }
}

/** A report is small whatever a host printed. */
function shortSentence(text: string): string {
  return shortText(text, 200);
}
