import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { VfsChange, VfsState, VfState } from '../../../src/domain/changes.ts';
import type { DeviceFacts, PciFunction, VfSettings } from '../../../src/domain/device-facts.ts';
import { leavesTheGroup } from '../../../src/domain/devices/groups.ts';
import { functionAt, guestWith, hostUseHold } from './device-state.ts';
import { hasDriver, isAt, isBetween } from './drivers.ts';
import { leavesVfio } from './group-users.ts';
import { hold } from '../outcomes.ts';

/** A VF as it is now: its function, and what the PF says of it. */
export interface LiveVf extends PciFunction {
  readonly settings: VfSettings;
}

/** The VFs of a PF as they are now. */
export interface LiveVfs {
  readonly facts: DeviceFacts;
  readonly pf: PciFunction;
  readonly count: number;
  readonly autoprobe: boolean;
  readonly mtu: number | null;
  /** By index. */
  readonly vfs: readonly LiveVf[];
}

export const SETTINGS = ['mac', 'vlan', 'trust', 'spoofCheck', 'maxRate'] as const;

/** The VFs of a change's PF now, or the hold that says why there are none to speak of. */
export function liveVfs(
  facts: DeviceFacts,
  { pf: address }: VfsChange,
): LiveVfs | Extract<StepOutcome, { kind: 'hold' }> {
  const pf = functionAt(facts, address);
  if (pf?.sriov === undefined) {
    const sentence = `there is no function ${address} with virtual functions any more`;
    return gone(sentence, { pf: address });
  }
  const { count, autoprobe, mtu, vfs, settings } = pf.sriov;
  const found = vfs.map((vf) => functionAt(facts, vf));
  if (vfs.length !== count || found.includes(undefined)) {
    return gone(`${address} says ${count} VFs, and not all of them are there`, {
      vfs: vfs.join(' ') || 'none',
    });
  }
  const live = found
    .filter((vf) => vf !== undefined)
    .map((vf, index) => ({ ...vf, settings: settings[index] ?? {} }));
  return { facts, pf, count, autoprobe, mtu: mtu ?? null, vfs: live };
}

const gone = (sentence: string, evidence: Record<string, string>) =>
  ({ kind: 'hold', code: 'vfs.gone', sentence, evidence }) as const;

/** Whether the VFs are as a state has them, drivers, settings and all. */
export function isState(live: LiveVfs, goal: VfsState): boolean {
  return (
    live.count === goal.count &&
    live.autoprobe === goal.autoprobe &&
    (goal.mtu === null || live.mtu === goal.mtu) &&
    live.vfs.every((vf, index) => isVf(vf, goal.vfs[index]))
  );
}

function isVf(vf: LiveVf, goal: VfState | undefined): boolean {
  return goal !== undefined && isAt(goal, vf) && wrongSettings(vf, goal).length === 0;
}

/** The settings that are asked and are known to be otherwise. */
export function wrongSettings(vf: LiveVf, goal: VfState): (typeof SETTINGS)[number][] {
  return SETTINGS.filter((name) => {
    const [found, asked] = [vf.settings[name], goal[name]];
    return asked !== undefined && found !== undefined && found !== asked;
  });
}

/**
 * The hold for VFs that stand where neither apply nor undo leaves them (law 3). Both go through no VFs at all, VFs as the
 * driver makes them, and VFs of which some have their settings and drivers already.
 */
export function drifted(live: LiveVfs, change: VfsChange): StepOutcome | undefined {
  const { before, after, pf } = change;
  const why =
    wrongCount(live, change) ??
    wrongMtu(live, change) ??
    live.vfs.flatMap((vf, index) => wrongVf(vf, index, ends(live, change, index))).at(0);
  if (why === undefined) return undefined;
  return hold('drift', `${pf}: ${why}; that is neither as before nor as after`, {
    found: `${live.count} VFs`,
    before: `${before.count} VFs`,
    after: `${after.count} VFs`,
  });
}

function wrongCount(live: LiveVfs, { before, after }: VfsChange): string | undefined {
  const { count, vfs } = live;
  if ([0, before.count, after.count].includes(count)) return undefined;
  // The driver made fewer than asked, and the step held there.
  const isFresh = vfs.every(({ driver, override }) => driver === null && override === null);
  if (count < Math.max(before.count, after.count) && isFresh) return undefined;
  return `it has ${count} VFs`;
}

function wrongMtu({ mtu }: LiveVfs, { before, after }: VfsChange): string | undefined {
  if (after.mtu === null || [before.mtu, after.mtu].includes(mtu)) return undefined;
  return `its MTU is ${mtu ?? 'unknown'}`;
}

/**
 * What a VF may be on its way from or to; `fresh`: it may have been made anew, for another count or after a boot without
 * VFs, so its settings may be as the driver makes them.
 */
interface Ends {
  readonly states: readonly VfState[];
  readonly fresh: boolean;
}

function ends(live: LiveVfs, { before, after }: VfsChange, index: number): Ends {
  const fresh = before.count !== after.count || live.vfs[index]?.driver === null;
  const sides = [before, after].filter(({ count }) => count === live.count);
  return { states: sides.flatMap(({ vfs }) => vfs[index] ?? []), fresh };
}

function wrongVf(vf: LiveVf, index: number, { states, fresh }: Ends): string[] {
  // Fewer than asked: wrongCount has looked at them.
  if (states.length === 0) return [];
  const settings = SETTINGS.filter((name) => {
    const found = vf.settings[name];
    const known =
      found === undefined || states.some((state) => [undefined, found].includes(state[name]));
    return !known && !(fresh && isDefault(name, found));
  });
  return [
    ...(isBetween(vf, states)
      ? []
      : [`VF ${index} has driver ${vf.driver ?? 'none'}, override ${vf.override ?? 'none'}`]),
    ...settings.map((name) => `VF ${index} has ${name} ${String(vf.settings[name])}`),
  ];
}

/** A driver chooses addresses and the spoof check by itself; the rest it leaves off. */
function isDefault(name: (typeof SETTINGS)[number], value: string | number | boolean): boolean {
  return name === 'mac' || name === 'spoofCheck' || value === 0 || value === false;
}

/** The hold for a running guest with a VF that would be taken away, or changed in any way. */
export function usedByGuest(live: LiveVfs, goal: VfsState): StepOutcome | undefined {
  const remade = live.count !== goal.count;
  for (const [index, vf] of live.vfs.entries()) {
    const wanted = goal.vfs[index];
    if (!remade && isVf(vf, wanted)) continue;
    const guest = guestWith(live.facts, vf.address);
    if (guest === undefined) continue;
    return hold(
      'vfs.used-by-guest',
      `guest ${guest.name} runs with VF ${index} of ${live.pf.address}`,
      { guest: guest.name, vf: vf.address },
    );
  }
  return undefined;
}

/** VFs that a goal takes from VFIO: with the whole count, or by another driver. Their groups must be free then. */
export function leavingVfio(live: LiveVfs, goal: VfsState): readonly LiveVf[] {
  const remade = live.count !== goal.count;
  return live.vfs.filter((vf, index) => {
    if (remade) return vf.driver !== null && leavesTheGroup(vf.driver);
    const wanted = goal.vfs[index];
    return wanted !== undefined && leavesVfio(vf, wanted);
  });
}

/** The hold for VFs that carry the host by now and would be taken away, or get another driver. */
export function usedByHost(live: LiveVfs, goal: VfsState): StepOutcome | undefined {
  const remade = live.count !== goal.count;
  return hostUseHold(live.vfs.filter((vf, index) => remade || !isVf(vf, goal.vfs[index])));
}

/** `8 VFs; vfio-pci 0-3 6, iavf 4 5; groups 21 22`: what a verified step saw. */
export function seenVfs({ count, vfs }: LiveVfs): string {
  const drivers = new Map<string, number[]>();
  for (const [index, { driver }] of vfs.entries()) {
    const name = driver ?? 'no driver';
    drivers.set(name, [...(drivers.get(name) ?? []), index]);
  }
  const groups = new Set(vfs.flatMap(({ group }) => group ?? []));
  return [
    `${count} VFs`,
    ...[...drivers].map(([name, indices]) => `${name} ${ranges(indices)}`),
    ...(groups.size === 0 ? [] : [`groups ${[...groups].slice(0, 16).join(' ')}`]),
  ].join('; ');
}

function ranges(indices: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const index of indices) {
    const last = parts.at(-1);
    if (last?.[1] === index - 1) last[1] = index;
    else parts.push([index, index]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' ');
}

/** Whether a VF has the driver that it is to have. */
export const vfHasDriver = (vf: LiveVf, goal: VfState): boolean => hasDriver(goal, vf.driver);
