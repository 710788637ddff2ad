import type { Problem } from '../blocked.ts';
import type { BindChange, VfsChange } from '../changes.ts';
import type { PciFunction } from '../device-facts.ts';
import type { DeviceTarget, Target, VfsTarget } from '../spec.ts';
import type { DeviceIndex } from './device-index.ts';
import { nameOf, slotOf, vfsOf } from './device-index.ts';
import type { GuardHit, Touch } from './guards.ts';
import {
  allowedWarning,
  forbidden,
  guardProblem,
  guardsOf,
  resetWarning,
  skippedSentence,
  unresolvedProblem,
} from './guards.ts';
import { keptBy, movesDriver, planBind } from './plan-bind.ts';
import type { VfioClaim } from './plan-modules.ts';
import type { PlannedVfs } from './plan-vfs.ts';
import { planVfs } from './plan-vfs.ts';
import type { SelectedEntry, Selection } from './select.ts';

/** What becomes of the functions that the entries mean. */
export interface Decided {
  readonly binds: readonly BindChange[];
  readonly vfs: readonly VfsChange[];
  /** Why a function is left alone, by address. */
  readonly skipped: ReadonlyMap<string, string>;
  /** Functions that are as asked, by the entry's name. */
  readonly asAsked: ReadonlyMap<string, readonly string[]>;
  /** Functions that go to vfio-pci, or are there. */
  readonly vfio: readonly VfioClaim[];
  /** VFs that are there now and stay, and whose driver is to be vfio-pci. */
  readonly vfioVfs: readonly string[];
  readonly warnings: readonly string[];
}

/** Decides for each function of each entry; the first that must not be touched, or cannot be as asked, is a problem. */
export function decide(
  index: DeviceIndex,
  selection: Selection,
  target: Target,
): Decided | Problem {
  const decider = new Decider(index, target);
  for (const selected of selection.entries) {
    const problem = decider.entry(selected);
    if (problem !== undefined) return problem;
  }
  const { binds, vfs } = decider;
  const touches = binds.length + vfs.length > 0;
  return (touches ? unresolvedProblem(index.facts, target.allow) : undefined) ?? decider;
}

class Decider implements Decided {
  readonly binds: BindChange[] = [];
  readonly vfs: VfsChange[] = [];
  readonly skipped = new Map<string, string>();
  readonly asAsked = new Map<string, string[]>();
  readonly vfio: VfioClaim[] = [];
  readonly vfioVfs: string[] = [];
  readonly warnings: string[] = [];
  private readonly index: DeviceIndex;
  private readonly target: Target;

  constructor(index: DeviceIndex, target: Target) {
    this.index = index;
    this.target = target;
  }

  entry(selected: SelectedEntry): Problem | undefined {
    const { entry, matches, claimed } = selected;
    for (const fn of claimed) {
      const problem = entry.driver === undefined ? undefined : this.driver(selected, fn);
      if (problem !== undefined) return problem;
    }
    for (const fn of matches) {
      const { vfs } = entry;
      const problem = vfs === undefined ? undefined : this.functions({ ...entry, vfs }, fn);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  private driver({ entry, claimed }: SelectedEntry, fn: PciFunction): Problem | undefined {
    const { driver } = entry;
    if (driver === undefined) return undefined;
    const planned = planBind(this.index, fn, { ...entry, driver });
    const verdict = this.bindVerdict(entry, planned, { fn, claimed });
    if (verdict === 'skip') return undefined;
    if (verdict !== 'go') return verdict;
    if (driver === 'vfio-pci') {
      const withSubsystem = entry.match.subsystem !== undefined;
      this.vfio.push({ fn, by: keptBy(this.index, fn, entry), withSubsystem });
    }
    return undefined;
  }

  private bindVerdict(
    entry: DeviceTarget,
    planned: BindChange | Problem | undefined,
    { fn, claimed }: { readonly fn: PciFunction; readonly claimed: readonly PciFunction[] },
  ): Problem | 'go' | 'skip' {
    if (planned === undefined) return this.isAsAsked(entry, fn);
    const touch = 'code' in planned || movesDriver(planned) ? 'bind' : 'files';
    // A card is left alone with all its functions, or not at all.
    const all =
      entry.functions === 'all' ? claimed.filter((it) => slotOf(it) === slotOf(fn)) : [fn];
    const hits = all.flatMap((it) => guardsOf(this.index, it, touch));
    const verdict = this.guard(entry, fn, hits);
    if (verdict !== 'go') return verdict;
    if ('code' in planned) return planned;
    this.binds.push(planned);
    const warning = touch === 'bind' ? resetWarning(this.index, fn) : undefined;
    if (warning !== undefined) this.warnings.push(warning);
    return 'go';
  }

  private functions(
    entry: DeviceTarget & { readonly vfs: VfsTarget },
    pf: PciFunction,
  ): Problem | undefined {
    if (this.skipped.has(pf.address)) return undefined;
    const planned = planVfs(this.index, pf, entry.vfs);
    const verdict = this.vfsVerdict(entry, planned, pf);
    if (verdict === 'skip') return undefined;
    if (verdict !== 'go') return verdict;
    // VFs that are made anew have groups of which nothing is known before.
    if (pf.sriov?.count === entry.vfs.count) {
      const guests = vfsOf(this.index, pf).filter(
        (_, at) => entry.vfs.vfs[at]?.driver === 'vfio-pci',
      );
      this.vfioVfs.push(...guests.map(({ address }) => address));
    }
    return undefined;
  }

  private vfsVerdict(
    entry: DeviceTarget,
    planned: PlannedVfs | Problem | undefined,
    pf: PciFunction,
  ): Problem | 'go' | 'skip' {
    if (planned === undefined) return this.isAsAsked(entry, pf);
    const verdict = this.guard(entry, pf, this.vfsGuards(pf, planned));
    if (verdict !== 'go') return verdict;
    if ('code' in planned) return planned;
    this.vfs.push(planned.change);
    return 'go';
  }

  /** Those of the PF, and of the VFs that the change would take from the host. */
  private vfsGuards(pf: PciFunction, planned: PlannedVfs | Problem): readonly GuardHit[] {
    const touch: Touch = 'code' in planned || planned.live ? 'vfs' : 'files';
    const disturbed = 'code' in planned ? [] : planned.disturbed;
    return [
      ...guardsOf(this.index, pf, touch),
      ...disturbed.flatMap((vf) => guardsOf(this.index, vf, 'files')),
    ];
  }

  /** Whether a function may be touched: `go`, `skip`, or why the host is blocked. */
  private guard(
    entry: DeviceTarget,
    fn: PciFunction,
    hits: readonly GuardHit[],
  ): Problem | 'go' | 'skip' {
    const hit = forbidden(hits, this.target.allow);
    if (hit === undefined) {
      const [worst] = hits;
      if (worst !== undefined) this.warnings.push(allowedWarning(worst));
      return 'go';
    }
    if (entry.guarded === 'refuse') return guardProblem(hit, entry);
    this.skipped.set(fn.address, skippedSentence(fn, hit, entry));
    return 'skip';
  }

  private isAsAsked(entry: DeviceTarget, fn: PciFunction): 'go' {
    const list = this.asAsked.get(entry.name) ?? [];
    if (!list.includes(nameOf(fn))) list.push(nameOf(fn));
    this.asAsked.set(entry.name, list);
    return 'go';
  }
}
