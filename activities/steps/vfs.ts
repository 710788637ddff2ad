import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Evidence, VfsChange, VfsState } from '../../src/domain/changes.ts';
import type { DeviceFacts } from '../../src/domain/device-facts.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import {
  fileDrift,
  functionAt,
  groupHold,
  isGone,
  readDevices,
  readSettledDevices,
} from './parts/device-state.ts';
import { driverProblem } from './parts/drivers.ts';
import { groupUseHold } from './parts/group-users.ts';
import { refreshInitramfs } from './parts/initramfs.ts';
import { hold, ok } from './outcomes.ts';
import { writeAfter, writeBefore } from './parts/own-file-changes.ts';
import { setCount } from './parts/vfs-count.ts';
import { setDrivers } from './parts/vfs-drivers.ts';
import type { LiveVfs } from './parts/vfs-live.ts';
import {
  drifted,
  isState,
  leavingVfio,
  liveVfs,
  seenVfs,
  usedByGuest,
  usedByHost,
  wrongSettings,
} from './parts/vfs-live.ts';
import { setMtu, setSettings } from './parts/vfs-settings.ts';

/**
 * Makes the VFs of PFs as asked, and writes the rule and the script that make them again at each boot.
 *
 * | it dies after                 | what is on the host                   | what happens                                             |
 * | ----------------------------- | ------------------------------------- | -------------------------------------------------------- |
 * | sriov_numvfs 0                | no VFs                                | retry goes on; an unasked boot makes what was there before |
 * | autoprobe, sriov_numvfs N     | N VFs without drivers                 | as above                                                 |
 * | MTU, settings, some drivers   | N VFs, some of them as asked          | as above: what is as asked already is left alone         |
 * | the last driver               | all as asked, no rule                 | as above                                                 |
 * | the script                    | as above, and a script nobody runs    | as above                                                 |
 * | the rule                      | all as asked, also after a boot       | nothing                                                  |
 * | undo: the rule                | all as after until the next boot      | retry goes on; an unasked boot makes no VFs of ours       |
 * | undo: initramfs               | as above                              | as above                                                 |
 * | undo: any write to the kernel | as for apply, towards before          | as above                                                 |
 *
 * The files come last, and go first, so that no boot ever does by itself what this boot has not shown to work: a driver
 * that crashes the kernel in sriov_numvfs would otherwise crash it at each boot (law 1).
 */
export async function applyVfs(
  port: HostPort,
  call: { readonly changes: readonly VfsChange[]; readonly guard: Guard },
): Promise<StepOutcome> {
  const { changes, guard } = call;
  let seen: Evidence = {};
  for (const change of changes) {
    const outcome = await applyOne(port, change, guard);
    if (outcome.kind === 'hold') return outcome;
    seen = { ...seen, ...outcome.evidence };
  }
  return ok(seen);
}

async function applyOne(port: HostPort, change: VfsChange, guard: Guard): Promise<StepOutcome> {
  const live = await look(port, change);
  if ('kind' in live) return live;
  const reached = await reach(port, { change, guard, goal: change.after, live });
  if ('kind' in reached) return reached;
  return (
    (await writeAfter(port, { guard, files: change.files, found: reached.facts.ownFiles })) ??
    (await refreshInitramfs(port, guard, change.files, 'after')) ??
    ok({ [change.pf]: seenVfs(reached) })
  );
}

/** Takes the VFs of one PF back to how they were: count, settings, drivers, autoprobe and MTU. Needs no reboot. */
export async function undoVfs(
  port: HostPort,
  call: { readonly change: VfsChange; readonly guard: Guard },
): Promise<StepOutcome> {
  const { change, guard } = call;
  const facts = await readSettledDevices(port);
  const live = liveVfs(facts, change);
  if (!('kind' in live)) return drifted(live, change) ?? takeBack(port, { ...call, live });
  const problem = await filesBefore(port, { change, guard, facts });
  if (problem !== undefined) return problem;
  // A PF that is gone can hold no rollback for ever: its files are all there is to take back.
  const pf = functionAt(facts, change.pf);
  const gone = isGone(facts, change.pf) || (pf !== undefined && pf.sriov === undefined);
  if (!gone) return live;
  const what = 'no function with VFs any more, so only its files were put back';
  return ok({ [change.pf]: what, reboot: 'not needed' });
}

/** The hold for VFs that somebody uses and that would be taken away, or changed. */
async function usedByOthers(
  port: HostPort,
  live: LiveVfs,
  goal: VfsState,
): Promise<StepOutcome | undefined> {
  const { facts } = live;
  const functions = leavingVfio(live, goal);
  return (
    usedByGuest(live, goal) ?? groupUseHold(port, { facts, functions, code: 'vfs.used-by-guest' })
  );
}

async function takeBack(
  port: HostPort,
  { change, guard, live }: Omit<Reach, 'goal'>,
): Promise<StepOutcome> {
  const { facts } = live;
  // An MTU that was left as found is nobody's to take back.
  const goal = change.after.mtu === null ? { ...change.before, mtu: null } : change.before;
  const problem =
    usedByHost(live, goal) ??
    (await usedByOthers(port, live, goal)) ??
    (await filesBefore(port, { change, guard, facts }));
  if (problem !== undefined) return problem;
  const reached = await reach(port, { change, guard, goal, live });
  if ('kind' in reached) return reached;
  return ok({ [change.pf]: seenVfs(reached), reboot: 'not needed' });
}

async function filesBefore(
  port: HostPort,
  call: { readonly change: VfsChange; readonly guard: Guard; readonly facts: DeviceFacts },
): Promise<StepOutcome | undefined> {
  const { guard, facts } = call;
  const { files } = call.change;
  return (
    fileDrift(facts, files) ??
    (await writeBefore(port, { guard, files, found: facts.ownFiles })) ??
    refreshInitramfs(port, guard, files, 'before')
  );
}

/** The VFs now, or the hold for VFs or files that somebody else changed. */
async function look(port: HostPort, change: VfsChange): Promise<LiveVfs | StepOutcome> {
  const facts = await readSettledDevices(port);
  const live = liveVfs(facts, change);
  if ('kind' in live) return live;
  return drifted(live, change) ?? fileDrift(facts, change.files) ?? live;
}

interface Reach {
  readonly change: VfsChange;
  readonly guard: Guard;
  readonly goal: VfsState;
  readonly live: LiveVfs;
}

/** Brings the VFs to a goal from wherever they are on the way, and reads them again. */
async function reach(port: HostPort, call: Reach): Promise<LiveVfs | StepOutcome> {
  const { change, guard, goal } = call;
  if (isState(call.live, goal)) return call.live;
  const problem =
    (await usedByOthers(port, call.live, goal)) ??
    (await setCount(port, { guard, goal, live: call.live }));
  if (problem !== undefined) return problem;
  // VFs that were made just now have other addresses.
  const live = liveVfs(await readSettledDevices(port), change);
  if ('kind' in live) return live;
  const failed =
    wrongCount(live, goal) ??
    groupHold(live.facts, toVfio(live, goal)) ??
    (await setMtu(port, { guard, goal, live, netdev: change.netdev })) ??
    (await setSettings(port, { guard, goal, live, netdev: change.netdev })) ??
    (await setDrivers(port, { guard, goal, live }));
  return failed ?? verify(port, change, goal);
}

function wrongCount({ pf, count }: LiveVfs, goal: VfsState): StepOutcome | undefined {
  if (count === goal.count) return undefined;
  const evidence = { asked: String(goal.count), got: String(count) };
  if (count < goal.count) {
    const sentence = `${pf.address}: asked for ${goal.count} VFs, got ${count}`;
    return hold('vfs.fewer-than-asked', sentence, evidence);
  }
  return hold('vfs.readback', `${pf.address} has ${count} VFs, asked for ${goal.count}`, evidence);
}

async function verify(
  port: HostPort,
  change: VfsChange,
  goal: VfsState,
): Promise<LiveVfs | StepOutcome> {
  const live = liveVfs(await readDevices(port), change);
  if ('kind' in live) return live;
  return wrongCount(live, goal) ?? wrongVfs(live, goal) ?? wrongPf(live, goal) ?? live;
}

function wrongVfs(live: LiveVfs, goal: VfsState): StepOutcome | undefined {
  for (const [index, vf] of live.vfs.entries()) {
    const wanted = goal.vfs[index];
    if (wanted === undefined) continue;
    const [setting] = wrongSettings(vf, wanted);
    if (setting !== undefined) {
      return hold('vfs.setting-ignored', `VF ${index} of ${live.pf.address} ignores ${setting}`, {
        asked: String(wanted[setting]),
        found: String(vf.settings[setting]),
      });
    }
    const problem = driverProblem(vf, wanted);
    if (problem !== undefined) return problem;
  }
  return groupHold(live.facts, toVfio(live, goal));
}

const toVfio = ({ vfs }: LiveVfs, goal: VfsState): readonly string[] =>
  vfs.flatMap(({ address }, index) => (goal.vfs[index]?.driver === 'vfio-pci' ? [address] : []));

function wrongPf(live: LiveVfs, goal: VfsState): StepOutcome | undefined {
  if (isState(live, goal)) return undefined;
  return hold('vfs.readback', `${live.pf.address} does not keep what was written`, {
    autoprobe: `${live.autoprobe ? 1 : 0}, asked ${goal.autoprobe ? 1 : 0}`,
    mtu: `${live.mtu ?? 'none'}, asked ${goal.mtu ?? 'as found'}`,
  });
}
