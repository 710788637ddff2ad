import type { Verb } from '../../host/wire.ts';
import type { DeviceFault } from './faults-devices.ts';

/**
 * What is wrong with a simulated host. A fault stays until it is repaired, unless it counts its `times`.
 * Each is what a real host of that kind does on the wire, so that messages and exits are those of real life.
 */
export type Fault =
  /** Nothing listens: connections are refused. */
  | { readonly kind: 'refuses' }
  /** `connect`: the connection is accepted and nothing is ever said; `command`: commands are taken and never answered. */
  | { readonly kind: 'stalls'; readonly at?: 'connect' | 'command' }
  /**
   * The connection is cut at a command: `before` it had any effect, or `after` it took effect and before it was
   * answered. Only for commands of that verb and, for `run`, of that program, when given; `times` is 1 unless given.
   */
  | {
      readonly kind: 'drops';
      readonly when: 'before' | 'after';
      readonly verb?: Verb;
      readonly program?: string;
      readonly times?: number;
    }
  /** The next command that changes the host is killed after so many of its single writes, and its connection is cut. */
  | { readonly kind: 'dies-after'; readonly writes: number }
  /** A reboot does not come back; a power cycle does. */
  | { readonly kind: 'never-returns' }
  /** A kernel line with our trial marker crashes: with `panic=N` the host returns by itself on the old line. */
  | { readonly kind: 'trial-panics' }
  /** Nothing can be written for lack of room; only below a folder, when given. */
  | { readonly kind: 'disk-full'; readonly under?: string }
  /** The root file system, or what is below the folder, is mounted read-only. */
  | { readonly kind: 'read-only'; readonly under?: string }
  /** The firmware publishes no DMAR or IVRS table; repaired, it does from the next boot on. */
  | { readonly kind: 'firmware-off' }
  | { readonly kind: 'no-sudo' }
  /** It shows another host key than the one in known_hosts. Takes effect on connections over SSH; in memory, on every verb. */
  | { readonly kind: 'wrong-host-key' }
  /** Commands answer with bytes that no script of ours printed. */
  | { readonly kind: 'garbage' }
  /** Every command takes this much longer. */
  | { readonly kind: 'slow'; readonly latencyMs: number }
  | DeviceFault;

export type FaultKind = Fault['kind'];
type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

/** The faults of one host now. */
export class Faults {
  private now: readonly Fault[];
  private readonly used = new Map<Fault, number>();
  private waiting: { readonly kind: FaultKind; readonly gone: () => void }[] = [];

  constructor(faults: readonly Fault[]) {
    this.now = faults;
  }

  find<K extends FaultKind>(kind: K): FaultOf<K> | undefined {
    return this.now.find((fault): fault is FaultOf<K> => fault.kind === kind);
  }

  /** All faults of a kind: there may be one for each of several devices. */
  all<K extends FaultKind>(kind: K): readonly FaultOf<K>[] {
    return this.now.filter((fault): fault is FaultOf<K> => fault.kind === kind);
  }

  /** Calls back once, when no fault of the kind is left. */
  onceGone(kind: FaultKind, gone: () => void): void {
    this.waiting.push({ kind, gone });
  }

  has(kind: FaultKind): boolean {
    return this.find(kind) !== undefined;
  }

  add(fault: Fault): void {
    this.now = [...this.now, fault];
  }

  /** Takes away the faults of a kind, or all of them. */
  remove(kind?: FaultKind): void {
    this.now = kind === undefined ? [] : this.now.filter((fault) => fault.kind !== kind);
    const over = this.waiting.filter((it) => !this.has(it.kind));
    this.waiting = this.waiting.filter((it) => !over.includes(it));
    for (const { gone } of over) gone();
  }

  /** Whether a write to the path meets a full or read-only file system. */
  blocks(kind: 'disk-full' | 'read-only', path: string): boolean {
    return this.now.some(
      (fault) => fault.kind === kind && `${path}/`.startsWith(`${fault.under ?? ''}/`),
    );
  }

  /** Counts one write to the host; true when what does it is killed now. Happens once. */
  takeWrite(): boolean {
    const fault = this.find('dies-after');
    if (fault === undefined) return false;
    const done = (this.used.get(fault) ?? 0) + 1;
    this.used.set(fault, done);
    if (done < fault.writes) return false;
    this.remove('dies-after');
    return true;
  }

  /** When the connection is to be cut at this command; counts it. */
  takeDrop(verb: Verb, program: string | undefined): 'before' | 'after' | undefined {
    for (const fault of this.now) {
      if (fault.kind !== 'drops') continue;
      if (fault.verb !== undefined && fault.verb !== verb) continue;
      if (fault.program !== undefined && fault.program !== program) continue;
      const used = this.used.get(fault) ?? 0;
      if (used >= (fault.times ?? 1)) continue;
      this.used.set(fault, used + 1);
      return fault.when;
    }
    return undefined;
  }
}
