import type { Problem } from '../blocked.ts';
import type { FileChange, ModulesChange } from '../changes.ts';
import type { PciFunction } from '../device-facts.ts';
import { DRACUT_PATH, MODPROBE_PATH, MODULES_LOAD_PATH } from '../own-files.ts';
import type { Target } from '../spec.ts';
import { blacklistProblem } from './blacklist.ts';
import type { DeviceIndex } from './device-index.ts';
import { listed, nameOf } from './device-index.ts';
import { notLoadedProblem } from './loaded-modules.ts';
import {
  dracutText,
  isDracutText,
  modprobeText,
  modulesLoadText,
  NO_MODPROBE,
  parseModprobe,
  parseModulesLoad,
} from './module-files.ts';
import type { ModprobeSettings } from './module-files.ts';
import { moduleOf } from './module-names.ts';
import { fileChange, fileChanges } from './own-text.ts';

/** A function whose driver is to be vfio-pci, and how it gets there. */
export interface VfioClaim {
  readonly fn: PciFunction;
  readonly by: 'override' | 'ids' | 'driverctl';
  /** The spec matches the subsystem too, so the id may name it. */
  readonly withSubsystem: boolean;
}

/** The change of modprobe.d and modules-load.d; none when they say so already, or why they must not. */
export function planModules(
  index: DeviceIndex,
  target: Target,
  claims: readonly VfioClaim[],
): ModulesChange | Problem | undefined {
  const { modules, allow } = target;
  const byIds = claims.filter(({ by }) => by === 'ids');
  if (!asksFor(target) && byIds.length === 0) return undefined;
  if (modules.unsafeInterrupts && !allow.includes('unsafe-interrupts')) return unsafeProblem();
  const found = foundSettings(index);
  const wanted = merged(found, target, byIds);
  const problem =
    idsProblem(index, claims) ??
    blacklistProblem(index, {
      names: wanted.blacklist.filter((name) => !found.blacklist.includes(name)),
      leaving: new Set(claims.map(({ fn }) => fn.address)),
    });
  if (problem !== undefined) return problem;
  const files = fileChanges([
    fileChange(index.facts, MODPROBE_PATH, modprobeText(wanted), isModprobe),
    fileChange(index.facts, MODULES_LOAD_PATH, loadText(index, target, byIds), isModulesLoad),
    fileChange(index.facts, DRACUT_PATH, dracutTextFor(index, wanted), isDracutText),
  ]);
  if ('code' in files) return files;
  if (files.length === 0) return notLoadedProblem(index.facts, modules);
  // modprobe.d belongs into the initramfs, where drivers are loaded first.
  return { kind: 'modules', files, initramfs: files.some(isForInitramfs) };
}

const isForInitramfs = ({ path }: FileChange): boolean =>
  path === MODPROBE_PATH || path === DRACUT_PATH;

/** Where dracut makes the initramfs; the file of a host that has changed its maker stays as it is. */
function dracutTextFor({ facts }: DeviceIndex, wanted: ModprobeSettings): string | null {
  return facts.initramfsMaker === 'dracut'
    ? dracutText(wanted)
    : (facts.ownFiles[DRACUT_PATH] ?? null);
}

const isModprobe = (text: string): boolean => parseModprobe(text) !== undefined;
const isModulesLoad = (text: string): boolean => parseModulesLoad(text) !== undefined;

/** What our file says already; one that is not ours is found when it would have to change. */
function foundSettings({ facts }: DeviceIndex): ModprobeSettings {
  return parseModprobe(facts.ownFiles[MODPROBE_PATH] ?? '') ?? NO_MODPROBE;
}

function asksFor({ modules }: Target): boolean {
  const { blacklist, load, disableIdleD3, unsafeInterrupts } = modules;
  return blacklist.length + load.length > 0 || disableIdleD3 || unsafeInterrupts;
}

function unsafeProblem(): Problem {
  return {
    code: 'modules.unsafe-interrupts',
    sentence:
      'target.modules.unsafeInterrupts lets a guest that owns a device send interrupts to the host and to other guests; take responsibility by allow: [unsafe-interrupts], or turn interrupt remapping on in the firmware and leave it out',
  };
}

/** What an earlier rollout put there stays: vfleet takes away only by undo. */
function merged(
  found: ModprobeSettings,
  { modules }: Target,
  byIds: readonly VfioClaim[],
): ModprobeSettings {
  const drivers = byIds.flatMap(({ fn }) =>
    fn.driver === null || fn.driver === 'vfio-pci' ? [] : [moduleOf(fn.driver)],
  );
  return {
    ids: [...found.ids, ...byIds.map(idOf)],
    after: [...found.after, ...drivers],
    blacklist: [
      ...found.blacklist.filter((name) => !modules.load.includes(name)),
      ...modules.blacklist.map(moduleOf),
    ],
    disableIdleD3: found.disableIdleD3 || modules.disableIdleD3,
    unsafeInterrupts: found.unsafeInterrupts || modules.unsafeInterrupts,
  };
}

function loadText(
  { facts }: DeviceIndex,
  { modules }: Target,
  byIds: readonly VfioClaim[],
): string | null {
  const found = parseModulesLoad(facts.ownFiles[MODULES_LOAD_PATH] ?? '') ?? [];
  return modulesLoadText([
    ...found.filter((name) => !modules.blacklist.includes(name)),
    ...modules.load.map(moduleOf),
    // A native module that is never loaded, or built in, pulls nothing by its softdep.
    ...(byIds.length === 0 ? [] : ['vfio_pci']),
  ]);
}

function idOf({ fn, withSubsystem }: VfioClaim): string {
  const id = `${fn.vendor}:${fn.device}`;
  return withSubsystem && fn.subsystem !== undefined ? `${id}:${fn.subsystem}` : id;
}

/** `ids=` takes every function of that id, also the one that must stay (field.md, Binding). */
function idsProblem(index: DeviceIndex, claims: readonly VfioClaim[]): Problem | undefined {
  const ids = new Set(claims.filter(({ by }) => by === 'ids').map(idOf));
  if (ids.size === 0) return undefined;
  const claimed = new Set(claims.map(({ fn }) => fn.address));
  const others = index.facts.functions.filter((fn) => {
    const id = `${fn.vendor}:${fn.device}`;
    const matches = ids.has(id) || ids.has(`${id}:${fn.subsystem ?? ''}`);
    return matches && !claimed.has(fn.address);
  });
  if (others.length === 0) return undefined;
  const names = others.map((fn) => `${nameOf(fn)} (${fn.driver ?? 'no driver'})`);
  return {
    code: 'devices.ids-too-many',
    sentence: `bind: ids would also take ${listed(names)}, which no entry gives to vfio-pci; write bind: override, which binds by address, or claim those too`,
  };
}
