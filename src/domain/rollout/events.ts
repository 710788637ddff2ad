import type { RolloutActivities } from '../activities.ts';
import type { HostReport } from '../host-run.ts';
import type { RolloutVerb, VerbAnswer } from '../status.ts';

/** What a start activity answered for one host. */
export type StartOutcome = Awaited<ReturnType<RolloutActivities['startHosts']>>[number];
/** What the engine knows of one host's run. */
export type DescribedHost = Awaited<ReturnType<RolloutActivities['describeHosts']>>[number];
/** What one host's run answered to a verb. */
export type FanOutOutcome = Awaited<ReturnType<RolloutActivities['fanOut']>>[number];

/** Everything that can change a rollout. `now` is in milliseconds since the epoch. */
export type RolloutEvent = { readonly now: number } & (
  | { readonly kind: 'tick' }
  /** The hosts' runs are about to be started. */
  | { readonly kind: 'starting'; readonly indices: readonly number[] }
  | { readonly kind: 'start-answered'; readonly outcomes: readonly StartOutcome[] }
  /** The verb asked for is about to be sent to the hosts' runs. */
  | { readonly kind: 'sending'; readonly indices: readonly number[] }
  /** The hosts' runs were told of a `pause --now`, or that it is over. */
  | {
      readonly kind: 'told';
      readonly verb: 'pause' | 'resume';
      readonly indices: readonly number[];
    }
  | { readonly kind: 'send-answered'; readonly outcomes: readonly FanOutOutcome[] }
  | { readonly kind: 'report'; readonly report: HostReport }
  | { readonly kind: 'described'; readonly hosts: readonly DescribedHost[] }
  | {
      readonly kind: 'verb';
      readonly verb: RolloutVerb;
      readonly targets: readonly number[];
      readonly answer: VerbAnswer;
    }
);
