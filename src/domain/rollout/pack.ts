import { HOST_STATES, STEPS } from '../host-run.ts';
import type { RolloutRules } from './rules.ts';
import type { HostCell, RolloutState } from './state.ts';
import { withCell } from './state.ts';

/**
 * A rollout's state as it travels through continue-as-new: hosts by position, a letter or a small number each,
 * so that 10,000 of them stay far below the engine's payload limit. Words that repeat stand once, in `words`.
 */
export interface PackedRollout extends Omit<RolloutState, 'cells'> {
  readonly version: 1;
  readonly states: string;
  readonly steps: string;
  readonly flags: string;
  readonly asked: string;
  readonly tells: string;
  readonly runs: readonly number[];
  readonly seqs: readonly number[];
  readonly sinces: readonly number[];
  readonly heards: readonly number[];
  readonly words: readonly string[];
  /** `[position, word]` of the hosts that have a code or a note, and `[position, wave]` of those that joined late. */
  readonly codes: readonly (readonly [number, number])[];
  readonly notes: readonly (readonly [number, number])[];
  readonly joined: readonly (readonly [number, number])[];
  /** `[position, seconds]`, and for `stops` `[position, step]`. */
  readonly begans: readonly (readonly [number, number])[];
  readonly tooks: readonly (readonly [number, number])[];
  readonly reboots: readonly (readonly [number, number])[];
  readonly stops: readonly (readonly [number, number])[];
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** At most four: one letter holds their bits. */
const FLAGS = ['down', 'failed', 'open', 'undo'] as const;
const ASKED = [null, 'retry', 'skip', 'rollback'] as const;
const TELL = [null, 'pause', 'resume'] as const;

/** Packs a state; `unpack` with the rules of the same input gives it back. */
export function pack(rules: RolloutRules, state: RolloutState): PackedRollout {
  const { cells, ...rest } = state;
  const words: string[] = [];
  const column = (of: (cell: HostCell) => number) => cells.map(of);
  const letters = (of: (cell: HostCell) => number) =>
    cells.map((cell) => LETTERS[of(cell)] ?? '?').join('');
  const sparse = (of: (cell: HostCell, index: number) => number | undefined) =>
    cells.flatMap((cell, index): [number, number][] => {
      const value = of(cell, index);
      return value === undefined ? [] : [[index, value]];
    });
  return {
    ...rest,
    version: 1,
    states: letters((cell) => HOST_STATES.indexOf(cell.state)),
    steps: letters((cell) => (cell.step === undefined ? STEPS.length : STEPS.indexOf(cell.step))),
    flags: letters((cell) =>
      FLAGS.reduce((bits, flag, bit) => bits | (cell[flag] ? 1 << bit : 0), 0),
    ),
    asked: letters((cell) => ASKED.indexOf(cell.asked)),
    tells: letters((cell) => TELL.indexOf(cell.tell) + (cell.told ? TELL.length : 0)),
    runs: column((cell) => cell.run),
    seqs: column((cell) => cell.seq),
    sinces: column((cell) => cell.since),
    heards: column((cell) => cell.heard),
    codes: sparse((cell) => wordAt(words, cell.code)),
    notes: sparse((cell) => wordAt(words, cell.note)),
    joined: sparse((cell, index) => (cell.wave === rules.waveOf[index] ? undefined : cell.wave)),
    begans: sparse((cell) => cell.began),
    tooks: sparse((cell) => cell.took),
    reboots: sparse((cell) => cell.reboot),
    stops: sparse((cell) =>
      cell.pausedBefore === undefined ? undefined : STEPS.indexOf(cell.pausedBefore),
    ),
    words,
  };
}

/** The state that was packed. */
export function unpack(rules: RolloutRules, packed: PackedRollout): RolloutState {
  const codeOf = new Map(packed.codes);
  const noteOf = new Map(packed.notes);
  const waveOf = new Map(packed.joined);
  const times = timesOf(packed);
  const cells = Array.from(packed.states, (_, index): HostCell => {
    const bits = letter(packed.flags, index);
    const cell: HostCell = {
      state: HOST_STATES[letter(packed.states, index)] ?? 'queued',
      wave: waveOf.get(index) ?? number(rules.waveOf, index),
      run: number(packed.runs, index),
      seq: number(packed.seqs, index),
      since: number(packed.sinces, index),
      heard: number(packed.heards, index),
      down: (bits & 1) !== 0,
      failed: (bits & 2) !== 0,
      open: (bits & 4) !== 0,
      undo: (bits & 8) !== 0,
      asked: ASKED[letter(packed.asked, index)] ?? null,
      tell: TELL[letter(packed.tells, index) % TELL.length] ?? null,
      told: letter(packed.tells, index) >= TELL.length,
    };
    return withCell(cell, {
      ...times(index),
      step: STEPS[letter(packed.steps, index)],
      code: packed.words[codeOf.get(index) ?? -1],
      note: packed.words[noteOf.get(index) ?? -1],
    });
  });
  return { ...rolloutPart(packed), cells };
}

/** The parts of a cell that few hosts have. */
function timesOf(packed: PackedRollout) {
  const begans = new Map(packed.begans);
  const tooks = new Map(packed.tooks);
  const reboots = new Map(packed.reboots);
  const stops = new Map(packed.stops);
  return (index: number) => ({
    began: begans.get(index),
    took: tooks.get(index),
    reboot: reboots.get(index),
    pausedBefore: STEPS[stops.get(index) ?? -1],
  });
}

/** Only the parts of the state itself, so that packing again does not carry the columns twice. */
function rolloutPart(packed: PackedRollout): Omit<RolloutState, 'cells'> {
  return {
    startedAt: packed.startedAt,
    lease: packed.lease,
    wave: packed.wave,
    flow: packed.flow,
    bakeUntil: packed.bakeUntil,
    paused: packed.paused,
    aborting: packed.aborting,
    failuresMax: packed.failuresMax,
    waveFailuresMax: packed.waveFailuresMax,
    end: packed.end,
    handled: packed.handled,
    audit: packed.audit,
  };
}

function letter(column: string, index: number): number {
  return LETTERS.indexOf(column[index] ?? '?');
}

function number(column: readonly number[], index: number): number {
  return column[index] ?? 0;
}

function wordAt(words: string[], word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const at = words.indexOf(word);
  return at >= 0 ? at : words.push(word) - 1;
}
