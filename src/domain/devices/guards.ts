import type { Problem } from '../blocked.ts';
import type { Code } from '../codes.ts';
import type { DeviceFacts, DeviceUse, PciFunction, UseKind } from '../device-facts.ts';
import type { Allow } from '../spec.ts';
import type { DeviceIndex } from './device-index.ts';
import { listed, nameOf, vfsOf } from './device-index.ts';

/** Why a function must not be touched (law 1): what it, or one that goes with it, does for the host. */
export interface GuardHit {
  readonly kind: UseKind;
  readonly fn: PciFunction;
  /** `is in use: root file system /`, `shares IOMMU group 12 with ...`. */
  readonly why: string;
}

const CODES = {
  'root-disk': 'devices.root-disk',
  'ssh-route': 'devices.ssh-route',
  'boot-vga': 'devices.boot-vga',
  network: 'devices.network',
  guest: 'devices.guest',
} as const satisfies Readonly<Record<UseKind, Code>>;

/** Worst first: the one that is told. */
const KINDS = ['root-disk', 'ssh-route', 'boot-vga', 'guest', 'network'] as const;

/** What may be allowed by name; nobody can allow what others' guests lose. */
const ALLOWABLE: ReadonlySet<UseKind> = new Set<UseKind>([
  'root-disk',
  'ssh-route',
  'boot-vga',
  'network',
]);

const isAllowed = (kind: UseKind, allow: readonly Allow[]): boolean =>
  ALLOWABLE.has(kind) && (allow as readonly string[]).includes(kind);

/** What a change does to a function: `bind` takes it from the host, `vfs` makes VFs on it, `files` acts at the next boot. */
export type Touch = 'bind' | 'vfs' | 'files';

/** What guards a function against a change, allowed or not, worst first. */
export function guardsOf(index: DeviceIndex, fn: PciFunction, touch: Touch): readonly GuardHit[] {
  const own = usesOf(index, fn, touch).map(({ kind, what }) => ({
    kind,
    fn,
    why: `is in use: ${what}`,
  }));
  return [...own, ...companionHits(index, fn, touch)].sort(
    (a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
  );
}

/** The first of them that the spec does not allow. */
export function forbidden(
  hits: readonly GuardHit[],
  allow: readonly Allow[],
): GuardHit | undefined {
  return hits.find(({ kind }) => !isAllowed(kind, allow));
}

/** Uses of one function. A file that acts at the next boot takes nothing from a guest that runs now. */
function usesOf(index: DeviceIndex, fn: PciFunction, touch: Touch): readonly DeviceUse[] {
  const guest = index.runningOn.get(fn.address);
  return [
    ...fn.uses.filter(({ kind }) => kind !== 'boot-vga' && (kind !== 'guest' || touch !== 'files')),
    ...(fn.bootVga ? [{ kind: 'boot-vga' as const, what: bootScreen(fn) }] : []),
    ...(guest === undefined || touch === 'files'
      ? []
      : [{ kind: 'guest' as const, what: `guest ${guest.name} runs with it` }]),
  ];
}

function bootScreen(fn: PciFunction): string {
  const screen = 'the screen that firmware and kernel write to (boot VGA)';
  return isIntegratedGraphics(fn) ? `${screen}; ${INTEGRATED}` : screen;
}

/** Graphics in the processor sit on the root bus, at 00:02.0 on Intel (class 03: display). */
export const isIntegratedGraphics = ({ class: pciClass, parents, bootVga }: PciFunction): boolean =>
  pciClass.startsWith('03') && bootVga && parents.length === 0;

const INTEGRATED =
  'it is part of the processor and firmware has set memory aside for it, so a guest gets it only with what the firmware supports, and the host has no screen left';

/**
 * Functions that a change of this one would reach: its PF or its VFs, those behind it (an Intel VMD is no bridge, and NVMe
 * disks lie below it), its group, and those that a reset of it resets too.
 */
function companionHits(index: DeviceIndex, fn: PciFunction, touch: Touch): readonly GuardHit[] {
  const hits = (other: PciFunction, how: string): readonly GuardHit[] =>
    usesOf(index, other, touch)
      // VFs are made beside the others of a group, and a guest of those loses nothing by it.
      .filter(({ kind }) => touch === 'bind' || ALLOWABLE.has(kind))
      .map(({ kind, what }) => ({
        kind,
        fn,
        why: `${how} ${nameOf(other)}, in use: ${what}`,
      }));
  const pf = fn.physfn === undefined ? undefined : index.byAddress.get(fn.physfn);
  const group = index.groupOf.get(fn.address);
  const members = (group?.members ?? []).flatMap((address) => index.byAddress.get(address) ?? []);
  return [
    ...(pf === undefined ? [] : hits(pf, 'is a VF of')),
    ...(touch === 'bind' ? vfsOf(index, fn).flatMap((vf) => hits(vf, 'has the VF')) : []),
    ...(index.below.get(fn.address) ?? []).flatMap((other) => hits(other, 'leads to')),
    ...members
      .filter((other) => other !== fn && other !== pf)
      .flatMap((other) => hits(other, `shares IOMMU group ${group?.id ?? ''} with`)),
    ...resetWith(index, fn, touch).flatMap((other) => hits(other, 'can only be reset along with')),
  ];
}

/**
 * A function that the kernel can reset in no way of its own is reset with its whole bus, if at all (drivers/pci/pci.c). On
 * the root bus there is no such reset.
 */
function resetWith(index: DeviceIndex, fn: PciFunction, touch: Touch): readonly PciFunction[] {
  if (touch !== 'bind' || fn.resetMethods?.length !== 0) return [];
  return othersOnBus(index, fn);
}

/** Functions of other groups on the bus of one that is behind a bridge. */
function othersOnBus(index: DeviceIndex, fn: PciFunction): readonly PciFunction[] {
  if (fn.parents.length === 0) return [];
  const group = index.groupOf.get(fn.address);
  const bus = index.byBus.get(fn.address.slice(0, fn.address.lastIndexOf(':'))) ?? [];
  return bus.filter((other) => other !== fn && index.groupOf.get(other.address) !== group);
}

/**
 * What a plan says of a function that is to be given away and of which it is not known how it is reset, where others on its
 * bus are in use. Not known: the kernel is older than 5.15, or the function has no reset of its own (the kernel then shows no
 * reset_method: drivers/pci/pci.c, pci_dev_reset_method_attr_is_visible). Not a block, which would stop whole fleets of old
 * kernels.
 */
export function resetWarning(index: DeviceIndex, fn: PciFunction): string | undefined {
  if (fn.resetMethods !== undefined) return undefined;
  const used = othersOnBus(index, fn).filter((other) => usesOf(index, other, 'bind').length > 0);
  if (used.length === 0) return undefined;
  return (
    `${nameOf(fn)} does not say how it is reset (a kernel before 5.15 says it of none, a newer one of those that can be), ` +
    `so the others of its bus that are in use may be reset with it: ${listed(used.map(nameOf))}`
  );
}

/** What a person is told who did not allow it. */
export function guardProblem(hit: GuardHit, entry?: { readonly name: string }): Problem {
  const of = entry === undefined ? '' : ` of entry "${entry.name}"`;
  return {
    code: CODES[hit.kind],
    sentence: `${nameOf(hit.fn)}${of} ${hit.why}; ${wayOut(hit.kind)}`,
  };
}

function wayOut(kind: UseKind): string {
  switch (kind) {
    case 'guest':
      return 'shut that guest down or detach the device first, or leave it alone by guarded: skip';
    case 'network':
      return 'move that to another device first, narrow match, leave it alone by guarded: skip, or take responsibility by allow: [network]';
    default:
      return `narrow match, leave it alone by guarded: skip, or take responsibility by allow: [${kind}]`;
  }
}

/** One that is touched all the same, since the spec allows it by name. */
export const allowedWarning = (hit: GuardHit): string =>
  `${nameOf(hit.fn)} ${hit.why}; it is touched all the same, ${allowedEnd(hit.kind)}`;

const allowedEnd = (kind: UseKind): string => `since the spec allows ${kind}`;

/** Whether a warning says that something is touched since the spec allows this by name. */
export const isAllowedWarning = (text: string, kind: UseKind): boolean =>
  text.endsWith(allowedEnd(kind));

/** One that is left alone, for people to read. */
export function skippedSentence(
  fn: PciFunction,
  hit: GuardHit,
  entry: { readonly name: string },
): string {
  const who = hit.fn === fn ? 'it' : nameOf(hit.fn);
  return `${nameOf(fn)} of entry "${entry.name}" stays as it is (guarded: skip), since ${who} ${hit.why}`;
}

/** A use of the host that could not be followed to its functions: any of them may be the one. */
export function unresolvedProblem(
  { unresolved }: DeviceFacts,
  allow: readonly Allow[],
): Problem | undefined {
  const first = unresolved.find(({ kind }) => !isAllowed(kind, allow));
  if (first === undefined) return undefined;
  return {
    code: 'devices.unresolved',
    sentence:
      `${first.what}: which device carries that is not known, so any of them may be the one; ` +
      `make it traceable, or take responsibility by allow: [${first.kind}]`,
  };
}
