import type { Facts, Lease } from '../../domain/facts.ts';
import type { RankedFinding } from '../../domain/diagnose/diagnose.ts';
import type { HostConnection, HostEntry } from '../../domain/host-entry.ts';
import type { Spec } from '../../domain/spec.ts';
import type {
  HostStatus,
  RolloutHostStatus,
  RolloutStatus,
  VerbAnswer,
} from '../../domain/status.ts';
import type { HostLook } from '../look-at-host.ts';
import type { CliError } from '../outcome.ts';
import type { PlanFile } from '../plan/plan-file.ts';
import type { PlanView } from '../plan/plan-view.ts';
import type { ExplainedCode } from '../render/explain.ts';
import type { ListedRollout } from '../rollouts.ts';

/**
 * What each command prints on stdout with `--json`: one document, or lines of them where it says so. The schemas in
 * docs/schemas/output are made from this type, so it is what scripts may rely on; an `ErrorOutput` may come instead.
 */
export interface Outputs {
  readonly check: CheckOutput;
  /** The hosts that the pattern selects. */
  readonly inventory: readonly HostEntry[];
  readonly facts: Facts;
  readonly diagnose: DiagnoseOutput;
  /** The codes that are meant: the one that was named, or each with the word in it. */
  readonly explain: readonly ExplainedCode[];
  readonly capture: CaptureOutput;
  readonly release: ReleaseOutput;
  readonly plan: PlanOutput;
  /** With `--watch` a line, and after it the lines of `status --watch`. */
  readonly start: StartOutput | RolloutStatus;
  /** Newest first. */
  readonly list: readonly ListOutputRow[];
  /** With `--watch` a line for each change. */
  readonly status: RolloutStatus;
  readonly host: HostOutput;
  readonly pause: VerbOutput;
  readonly resume: VerbOutput;
  readonly promote: VerbOutput;
  readonly abort: VerbOutput;
  readonly retry: VerbOutput;
  readonly skip: VerbOutput;
  readonly rollback: VerbOutput | RollbackStarted;
  /** One line, as soon as it serves. */
  readonly up: UpOutput;
  /** One line, as soon as it serves. */
  readonly worker: WorkerOutput;
  /** A line for each change of the demo's rollout. */
  readonly demo: RolloutStatus;
}

/** Anything that a command hands out as JSON. */
export type Output = Outputs[keyof Outputs];

/** What any command prints with `--json` when it could not do what was asked. */
export interface ErrorOutput {
  readonly error: {
    /** Decides the exit code: failed 1, usage 2, waiting 3, no-engine 4, refused 5. */
    readonly outcome: CliError['outcome'];
    /** What is wrong; problems of a file on a line each: `file:line:col path: message`. */
    readonly message: string;
    /** What to do about it; may be empty. */
    readonly next: string;
    /** What `vfleet explain` knows more about; a usage error has none. */
    readonly code?: string;
  };
}

/** A spec that is well, with every default filled in. */
interface CheckOutput {
  readonly ok: true;
  readonly spec: Spec;
  /** Names of the hosts that it selects. */
  readonly hosts: readonly string[];
  /** Lawful but surprising: `file:line:col path: message`. */
  readonly warnings: readonly string[];
}

/** What is wrong with each host, in the order in which they were named. */
interface DiagnoseOutput {
  readonly hosts: readonly DiagnosedHost[];
}

/** A host, or a capture of one, with its findings, the causes first; or why it could not be read. */
export type DiagnosedHost =
  | {
      readonly name: string;
      /** The folder, when it was no host. */
      readonly capture?: string;
      readonly findings: readonly RankedFinding[];
      /** What was not there to be looked at, in words: nothing is said of it. */
      readonly notRead: readonly string[];
    }
  | {
      readonly name: string;
      readonly problem: { readonly code: string; readonly sentence: string };
    };

/** A saved capture. */
interface CaptureOutput {
  readonly host: string;
  readonly dir: string;
  /** How many files it holds. */
  readonly files: number;
}

/** A host that was taken from a rollout, or `released: false` when no rollout held it. */
type ReleaseOutput =
  | { readonly host: string; readonly released: false }
  | {
      readonly host: string;
      readonly released: true;
      /** The lease that was given up. */
      readonly lease: Lease;
      readonly who: string;
      readonly reason: string;
    };

/** A plan: counts and groups, then every host. */
export type PlanOutput = Omit<PlanView, 'plan'> &
  Pick<PlanFile, 'id' | 'digest' | 'madeAt' | 'specFile' | 'capture' | 'hosts'>;

/** A rollout that was started, or `null` when no host has changes. */
type StartOutput =
  | { readonly rollout: string; readonly plan: string; readonly changing: number }
  | { readonly rollout: null; readonly changing: 0 };

/** A rollout as the engine lists it, with its status or why that could not be read. */
type ListOutputRow = ListedRollout & {
  readonly status?: RolloutStatus;
  readonly problem?: string;
};

/** A host of a rollout; its own run when that is this rollout's, how workers reach it, and how it is right now. */
type HostOutput = RolloutHostStatus & {
  readonly run?: HostStatus;
  readonly connection?: HostConnection;
  readonly look?: HostLook;
};

/** What the engine answered. */
type VerbOutput = VerbAnswer & {
  readonly rollout: string;
  /** The verb's own id: repeated with it, it never acts twice. */
  readonly id: string;
};

/** Of a finished rollout: its rollback is a rollout of its own. */
interface RollbackStarted {
  readonly rollout: string;
  readonly hosts: number;
  readonly direction: 'rollback';
  /** The rollout that is taken back. */
  readonly of: string;
}

/** An engine and a worker on this machine. */
interface UpOutput {
  readonly ready: true;
  readonly address: string;
  readonly namespace: string;
  readonly pid: number;
}

/** A worker of somebody else's engine. */
interface WorkerOutput {
  readonly ready: true;
  readonly address: string;
  readonly taskQueue: string;
}
