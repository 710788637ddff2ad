import type { Verb } from '../../host/wire.ts';

/** One thing that was asked of a model host, or that befell it. */
export interface HostLogEntry {
  /** Milliseconds of the model's clock. */
  readonly at: number;
  /** `kernel`: boots, panics, reboots; `operator`: repairs and power cycles by the test or the demo. */
  readonly verb: Verb | 'kernel' | 'operator';
  /** The path, the argv joined by spaces, or what happened. */
  readonly what: string;
  /** How it went: `written`, `unchanged`, `conflict`, `exit 0`, `refused fenced`, ... */
  readonly effect: string;
  /** Whether anything on the host is other than before, or is about to be (a reboot). */
  readonly changed: boolean;
}

/**
 * The host's own record of all that was done to it. It lies outside the host, so that nothing vfleet does, and
 * no reboot, can touch it: tests count on it that something was changed exactly once, or not at all.
 */
export class HostLog {
  readonly entries: HostLogEntry[] = [];
  private readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  add(entry: Omit<HostLogEntry, 'at'>): void {
    this.entries.push({ at: this.now(), ...entry });
  }

  /** What changed the host, in order. */
  changes(): readonly HostLogEntry[] {
    return this.entries.filter((entry) => entry.changed);
  }

  /** How often this path was changed. */
  changesOf(path: string): number {
    return this.changes().filter((entry) => entry.what === path).length;
  }

  /** Runs of a program that got as far as to run. */
  runsOf(program: string): readonly HostLogEntry[] {
    return this.entries.filter(
      (entry) =>
        entry.verb === 'run' &&
        entry.what.split(' ', 1)[0] === program &&
        !entry.effect.startsWith('refused'),
    );
  }

  /** How often the machine came up, its first boot not counted. */
  boots(): number {
    return this.entries.filter((entry) => entry.verb === 'kernel' && entry.effect === 'up').length;
  }
}
