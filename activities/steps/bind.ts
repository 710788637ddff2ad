import type { StepOutcome } from '../../src/domain/activities.ts';
import type { BindChange, Evidence } from '../../src/domain/changes.ts';
import type { DeviceFacts, PciFunction } from '../../src/domain/device-facts.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import {
  fileDrift,
  functionAt,
  groupHold,
  guestWith,
  hostUseHold,
  isGone,
  readDevices,
  readSettledDevices,
} from './parts/device-state.ts';
import type { DriverGoal } from './parts/drivers.ts';
import {
  DRIVER_ANSWERS,
  driverProblem,
  driverWrites,
  isAt,
  isBetween,
  goalText,
  isPciAlias,
  loadModules,
} from './parts/drivers.ts';
import { groupUseHold, leavesVfio } from './parts/group-users.ts';
import { refreshInitramfs } from './parts/initramfs.ts';
import { failureHold, writeKernel } from './parts/kernel-writes.ts';
import { hold, ok, runProblem } from './outcomes.ts';
import { writeAfter, writeBefore } from './parts/own-file-changes.ts';

/**
 * Binds functions to their drivers, and writes the rules that do it again at each boot.
 *
 * | it dies after         | what is on the host                     | what happens                                          |
 * | --------------------- | --------------------------------------- | ----------------------------------------------------- |
 * | override, or unbind   | no driver, or the old one               | retry goes on; an unasked boot brings the old one     |
 * | drivers_probe         | the new driver, no rule                 | as above                                              |
 * | the rule              | the new driver, also after a boot       | nothing                                               |
 * | undo: the rule        | the new driver until the next boot      | retry goes on; a boot brings the old driver by itself |
 * | undo: initramfs, live | the old driver, or none                 | as above                                              |
 *
 * The rule comes last, so that no boot acts on a binding that this boot has not shown to work; and goes first.
 */
export async function applyBind(
  port: HostPort,
  call: { readonly changes: readonly BindChange[]; readonly guard: Guard },
): Promise<StepOutcome> {
  const { changes, guard } = call;
  if (changes.length === 0) return ok({});
  const facts = await readSettledDevices(port);
  const refused = await obstacle(port, facts, changes);
  if (refused !== undefined) return refused;
  for (const change of changes) {
    const problem = await reach(port, { facts, change, guard, goal: change.after });
    if (problem !== undefined) return problem;
  }
  const seen = await readDevices(port);
  const problem = verify(seen, changes, 'after');
  if (problem !== undefined) return problem;
  const files = changes.flatMap((change) => change.files);
  return (
    (await writeAfter(port, { guard, files, found: seen.ownFiles })) ??
    (await refreshInitramfs(port, guard, files, 'after')) ??
    ok(evidence(seen, changes))
  );
}

/** Everything that stands against it now, found before the first driver goes. */
async function obstacle(
  port: HostPort,
  facts: DeviceFacts,
  changes: readonly BindChange[],
): Promise<StepOutcome | undefined> {
  for (const change of changes) {
    const problem = position(facts, change, change.after);
    if (problem !== undefined) return problem;
  }
  const moves = changes.map((change) => ({ change, goal: change.after }));
  return groupHold(facts, toVfio(changes)) ?? usedInGroup(port, facts, moves);
}

/** Takes one binding back: rule, initramfs, override, driver. Needs no reboot. */
export async function undoBind(
  port: HostPort,
  call: { readonly change: BindChange; readonly guard: Guard },
): Promise<StepOutcome> {
  const { change, guard } = call;
  const facts = await readSettledDevices(port);
  const found = functionAt(facts, change.address);
  if (isGone(facts, change.address)) return undoGone(port, { change, guard, facts });
  const problem =
    position(facts, change, change.before) ??
    (found === undefined ? undefined : usedByHost(found, change)) ??
    (await usedInGroup(port, facts, [{ change, goal: change.before }])) ??
    (await filesBefore(port, { change, guard, facts })) ??
    (await reach(port, { facts, change, guard, goal: change.before }));
  if (problem !== undefined) return problem;
  const seen = await readDevices(port);
  return (
    verify(seen, [change], 'before') ?? ok({ ...evidence(seen, [change]), reboot: 'not needed' })
  );
}

type UndoCall = Omit<Reach, 'goal'>;

/** A card that is gone can hold no rollback for ever: its files go all the same, and that is all there is to take back. */
async function undoGone(port: HostPort, call: UndoCall): Promise<StepOutcome> {
  const { change, facts } = call;
  const { address, before } = change;
  const problem = fileDrift(facts, change.files) ?? (await filesBefore(port, call));
  if (problem !== undefined) return problem;
  const kept = facts.driverctl[address] ?? null;
  const driverctl =
    change.by === 'driverctl' && kept !== before.override
      ? { driverctl: `/etc/driverctl.d/pci-${address} holds ${kept ?? 'nothing'} still` }
      : {};
  const what = 'not there any more, so only its files were put back';
  return ok({ [address]: what, ...driverctl, reboot: 'not needed' });
}

async function filesBefore(
  port: HostPort,
  { change, guard, facts }: UndoCall,
): Promise<StepOutcome | undefined> {
  const { files } = change;
  return (
    (await writeBefore(port, { guard, files, found: facts.ownFiles })) ??
    refreshInitramfs(port, guard, files, 'before')
  );
}

/** The hold for a group in use of which a function would leave VFIO. */
function usedInGroup(
  port: HostPort,
  facts: DeviceFacts,
  moves: readonly { readonly change: BindChange; readonly goal: DriverGoal }[],
): Promise<StepOutcome | undefined> {
  const functions = moves.flatMap(({ change, goal }) => {
    const found = functionAt(facts, change.address);
    return found !== undefined && leavesVfio(found, goal) ? [found] : [];
  });
  return groupUseHold(port, { facts, functions, code: 'bind.used-by-guest' });
}

/** The hold for a function that is gone, elsewhere than between before and after, or to be moved under a running guest. */
function position(
  facts: DeviceFacts,
  change: BindChange,
  goal: DriverGoal,
): StepOutcome | undefined {
  const { address, files } = change;
  const found = functionAt(facts, address);
  if (found === undefined) return hold('bind.gone', `there is no function ${address} any more`);
  return (
    drifted(found, change) ??
    (isAt(goal, found) ? undefined : usedByGuest(facts, address)) ??
    fileDrift(facts, files)
  );
}

function drifted(
  found: PciFunction,
  { address, modalias, before, after }: BindChange,
): StepOutcome | undefined {
  // Bus numbers can move when firmware or cards change, so the address alone says little.
  if (modalias !== null && found.modalias !== modalias) {
    return hold('devices.moved', `${address} is another device than the one of the plan`, {
      found: found.modalias ?? 'unknown',
      planned: modalias,
    });
  }
  if (isBetween(found, [before, after])) return undefined;
  return hold('drift', `${address} has a driver that is neither as before nor as after`, {
    found: goalText(found),
    before: goalText(before),
    after: goalText(after),
  });
}

function usedByGuest(facts: DeviceFacts, address: string): StepOutcome | undefined {
  const guest = guestWith(facts, address);
  if (guest === undefined) return undefined;
  const sentence = `guest ${guest.name} runs with ${address}`;
  return hold('bind.used-by-guest', sentence, { guest: guest.name });
}

/** The driver that goes may be the host's own: of a change that gave the function to it. */
function usedByHost(found: PciFunction, { before }: BindChange): StepOutcome | undefined {
  return isAt(before, found) ? undefined : hostUseHold([found]);
}

interface Reach {
  readonly facts: DeviceFacts;
  readonly change: BindChange;
  readonly guard: Guard;
  readonly goal: DriverGoal;
}

async function reach(port: HostPort, call: Reach): Promise<StepOutcome | undefined> {
  if (call.change.by !== 'driverctl') return setDriver(port, call);
  const problem = await driverctl(port, call);
  return problem ?? setDriver(port, { ...call, facts: await readDevices(port) });
}

async function setDriver(port: HostPort, call: Reach): Promise<StepOutcome | undefined> {
  const { facts, change, guard, goal } = call;
  const { address, modalias } = change;
  const found = functionAt(facts, address);
  if (found === undefined) return hold('bind.gone', `there is no function ${address} any more`);
  const writes = driverWrites(address, found, goal);
  if (writes.length === 0) return undefined;
  const failed =
    (await loadModules(port, guard, modulesFor(facts, goal, modalias))) ??
    (await writeKernel(port, guard, writes));
  if (failed === undefined || 'kind' in failed) return failed;
  return failureHold(failed, DRIVER_ANSWERS, address);
}

function modulesFor({ modules }: DeviceFacts, { driver }: DriverGoal, modalias: string | null) {
  const isVfio = driver === 'vfio-pci';
  const native = !isVfio && driver !== null && isPciAlias(modalias);
  return { vfio: isVfio && !modules.includes('vfio_pci'), aliases: native ? [modalias] : [] };
}

/** The operator's own tool keeps the override in its own file and binds by itself (driverctl(8)). */
async function driverctl(port: HostPort, call: Reach): Promise<StepOutcome | undefined> {
  const { facts, change, guard, goal } = call;
  const { address } = change;
  if ((facts.driverctl[address] ?? null) === goal.override) return undefined;
  const argv: [string, ...string[]] =
    goal.override === null
      ? ['driverctl', 'unset-override', address]
      : ['driverctl', 'set-override', address, goal.override];
  const outcome = await port.run({ guard, argv, deadlineMs: HOST_DEADLINE_MS.driverctl });
  return runProblem('bind.driverctl-failed', argv.slice(0, 2).join(' '), outcome);
}

function verify(
  facts: DeviceFacts,
  changes: readonly BindChange[],
  wanted: 'before' | 'after',
): StepOutcome | undefined {
  for (const change of changes) {
    const found = functionAt(facts, change.address);
    if (found === undefined) return hold('bind.gone', `there is no function ${change.address}`);
    const problem = driverProblem(found, change[wanted]);
    if (problem !== undefined) return problem;
  }
  if (wanted === 'before') return undefined;
  return groupHold(facts, toVfio(changes));
}

const toVfio = (changes: readonly BindChange[]): readonly string[] =>
  changes.flatMap(({ address, after }) => (after.driver === 'vfio-pci' ? [address] : []));

/** Most functions that evidence names: it goes through the engine's history. */
const NAMED_MAX = 12;

/** `driver, override, group` by address of the first of them; of more than these, how many have which driver. */
function evidence(facts: DeviceFacts, changes: readonly BindChange[]): Evidence {
  const found = changes.map(({ address }) => [address, functionAt(facts, address)] as const);
  const named = found.slice(0, NAMED_MAX).map(([address, fn]) => [address, described(fn)] as const);
  if (found.length <= NAMED_MAX) return Object.fromEntries(named);
  const counts = new Map<string, number>();
  for (const [, fn] of found) {
    const driver = fn?.driver ?? 'no driver';
    counts.set(driver, (counts.get(driver) ?? 0) + 1);
  }
  const drivers = [...counts].slice(0, NAMED_MAX).map(([driver, count]) => `${count} ${driver}`);
  return { functions: `${found.length}: ${drivers.join(', ')}`, ...Object.fromEntries(named) };
}

function described(found: PciFunction | undefined): string {
  const override = found?.override ?? null;
  const parts = [
    found?.driver ?? 'no driver',
    ...(override === null ? [] : [`override ${override}`]),
    ...(found?.group === undefined ? [] : [`group ${found.group}`]),
  ];
  return parts.join(', ');
}
