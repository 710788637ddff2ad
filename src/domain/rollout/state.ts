import type { HostState, Step } from '../host-run.ts';
import type { AuditEntry, PlannedHost, RolloutInput, VerbAnswer } from '../status.ts';
import type { RolloutRules } from './rules.ts';

/** What a rollout knows of one host. Times are whole seconds after the rollout's start. */
export interface HostCell {
  readonly state: HostState;
  /** NO_WAVE, or its wave; a host that joins later by `retry` joins the wave under way. */
  readonly wave: number;
  /** Runs started so far. */
  readonly run: number;
  /** Number of the last report taken of that run. */
  readonly seq: number;
  /** When it came into its state. */
  readonly since: number;
  /** When anything was last known of its run. */
  readonly heard: number;
  /** Unavailable while it is not running: did not answer, or held or skipped while down or drained. */
  readonly down: boolean;
  /** Has spent the failure budget; never taken back. */
  readonly failed: boolean;
  /** A run of it may be open in the engine, so that verbs go there. */
  readonly open: boolean;
  /** What a person asked for and what waits for a free place. */
  readonly asked: 'retry' | 'skip' | 'rollback' | null;
  /** Its run takes changes back, or will. */
  readonly undo: boolean;
  /** What its run is still to be told of a `pause --now`, or of its end. */
  readonly tell: 'pause' | 'resume' | null;
  /** Its run was told to stop before its next disruptive step. */
  readonly told: boolean;
  /** When its run under way, or its last one, was started. */
  readonly began?: number;
  /** For `done` without a hold: seconds from start to end. */
  readonly took?: number;
  /** Seconds from the order to reboot until it was seen back. */
  readonly reboot?: number;
  /** It has stopped before this step, for a `pause --now`. */
  readonly pausedBefore?: Step;
  readonly step?: Step;
  readonly code?: string;
  readonly note?: string;
}

/** Parts of a cell that may be absent. */
export const OPTIONAL_PARTS = [
  'began',
  'took',
  'reboot',
  'pausedBefore',
  'step',
  'code',
  'note',
] as const satisfies readonly (keyof HostCell)[];

/** Why no new host of a wave starts. A spent budget needs a new one before it goes on. */
export interface Pause {
  readonly by: 'person' | 'budget';
  readonly sentence: string;
  /** Hosts that ran were told to stop before their next disruptive step. */
  readonly now?: boolean;
}

/** A rollout's whole state; `next` is the only thing that makes another one. */
export interface RolloutState {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Unique in the world: the first part of the lease id of every host. */
  readonly lease: string;
  readonly cells: readonly HostCell[];
  /** The wave under way. */
  readonly wave: number;
  readonly flow: 'wave' | 'baking' | 'awaiting-promotion' | 'ended';
  /** Milliseconds since the epoch, while baking. */
  readonly bakeUntil: number | null;
  readonly paused: Pause | null;
  /** `leave`: what is done stays; `rollback`: by a person; `budget`: rolled back since the budget was spent. */
  readonly aborting: 'leave' | 'rollback' | 'budget' | null;
  /** Failure budgets as they are now: a resume may have raised them. */
  readonly failuresMax: number;
  readonly waveFailuresMax: readonly (number | null)[];
  readonly end: 'done' | 'aborted' | 'failed' | null;
  /** Verbs taken, by id, so that a repeat gets the same answer. */
  readonly handled: readonly { readonly id: string; readonly answer: VerbAnswer }[];
  readonly audit: readonly AuditEntry[];
}

/** How many verbs are remembered by id, and shown in the audit trail. */
export const VERBS_KEPT = 200;

/** The state that a rollout starts in. `now` in milliseconds since the epoch. */
export function initialState(
  rules: RolloutRules,
  input: Pick<RolloutInput, 'hosts' | 'who' | 'reason' | 'direction'>,
  at: { readonly now: number; readonly lease: string },
): RolloutState {
  return {
    startedAt: at.now,
    lease: at.lease,
    cells: input.hosts.map((host, index) => initialCell(host, rules.waveOf[index] ?? -1)),
    wave: 0,
    flow: 'wave',
    bakeUntil: null,
    paused: null,
    aborting: null,
    failuresMax: rules.failuresMax,
    waveFailuresMax: rules.waves.map((wave) => wave.failuresMax ?? null),
    end: null,
    handled: [],
    audit: [
      {
        at: new Date(at.now).toISOString(),
        verb: 'start',
        who: input.who,
        ...(input.reason === undefined ? {} : { reason: input.reason }),
        hosts: input.hosts.filter((host) => host.planned === 'changes').length,
      },
    ],
  };
}

function initialCell(host: PlannedHost, wave: number): HostCell {
  return {
    state: host.planned === 'changes' ? 'queued' : host.planned,
    wave,
    run: 0,
    seq: 0,
    since: 0,
    heard: 0,
    down: host.planned === 'unreachable',
    failed: false,
    open: false,
    asked: null,
    undo: false,
    tell: null,
    told: false,
    ...(host.code === undefined ? {} : { code: host.code }),
  };
}

/** Copies a cell with changes; parts of OPTIONAL_PARTS given as `undefined` are taken away. */
export function withCell(
  cell: HostCell,
  change: { readonly [K in keyof HostCell]?: HostCell[K] | undefined },
): HostCell {
  const merged = { ...cell, ...change };
  // exactOptionalPropertyTypes: an absent part must be absent, also in what is packed.
  for (const key of OPTIONAL_PARTS) {
    if (merged[key] === undefined) Reflect.deleteProperty(merged, key);
  }
  return merged as HostCell;
}

/** Copies the state with some cells changed; a change of `undefined` leaves the cell. */
export function withCells(
  state: RolloutState,
  indices: Iterable<number>,
  change: (cell: HostCell, index: number) => HostCell | undefined,
): RolloutState {
  const cells = [...state.cells];
  for (const index of indices) {
    const cell = cells[index];
    const changed = cell === undefined ? undefined : change(cell, index);
    if (changed !== undefined) cells[index] = changed;
  }
  return { ...state, cells };
}

/** The positions of the cells that a test accepts. */
export function indicesOf(
  state: Pick<RolloutState, 'cells'>,
  test: (cell: HostCell) => boolean,
): readonly number[] {
  return state.cells.flatMap((cell, index) => (test(cell) ? [index] : []));
}
