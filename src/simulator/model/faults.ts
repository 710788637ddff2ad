import type { Verb } from '../../host/wire.ts';

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
  | { readonly kind: 'slow'; readonly latencyMs: number };

export type FaultKind = Fault['kind'];
type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>;

/** The faults of one host now. */
export class Faults {
  private all: readonly Fault[];
  private readonly used = new Map<Fault, number>();

  constructor(faults: readonly Fault[]) {
    this.all = faults;
  }

  find<K extends FaultKind>(kind: K): FaultOf<K> | undefined {
    return this.all.find((fault): fault is FaultOf<K> => fault.kind === kind);
  }

  has(kind: FaultKind): boolean {
    return this.find(kind) !== undefined;
  }

  add(fault: Fault): void {
    this.all = [...this.all, fault];
  }

  /** Takes away the faults of a kind, or all of them. */
  remove(kind?: FaultKind): void {
    this.all = kind === undefined ? [] : this.all.filter((fault) => fault.kind !== kind);
  }

  /** Whether a write to the path meets a full or read-only file system. */
  blocks(kind: 'disk-full' | 'read-only', path: string): boolean {
    return this.all.some(
      (fault) => fault.kind === kind && `${path}/`.startsWith(`${fault.under ?? ''}/`),
    );
  }

  /** When the connection is to be cut at this command; counts it. */
  takeDrop(verb: Verb, program: string | undefined): 'before' | 'after' | undefined {
    for (const fault of this.all) {
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
