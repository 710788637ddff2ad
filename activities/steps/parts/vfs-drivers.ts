import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { VfsState } from '../../../src/domain/changes.ts';
import type { Guard, HostPort } from '../../../src/host/port.ts';
import {
  deviceFile,
  DRIVER_ANSWERS,
  driverWrites,
  isPciAlias,
  loadModules,
  quick,
} from './drivers.ts';
import type { KernelWrite } from './kernel-writes.ts';
import { failureHold, writeKernel } from './kernel-writes.ts';
import type { LiveVf, LiveVfs } from './vfs-live.ts';
import { vfHasDriver } from './vfs-live.ts';

/**
 * Overrides and drivers of all VFs in one command: first those with a driver by name, then, with autoprobe on, those of
 * which the kernel picks the driver; and autoprobe as it is to be.
 */
export async function setDrivers(
  port: HostPort,
  call: { readonly guard: Guard; readonly goal: VfsState; readonly live: LiveVfs },
): Promise<StepOutcome | undefined> {
  const { guard, goal, live } = call;
  const isNative = (index: number): boolean => goal.vfs[index]?.driver === 'native';
  const of = (native: boolean): KernelWrite[] =>
    live.vfs.flatMap((vf, index) => {
      const wanted = goal.vfs[index];
      if (wanted === undefined || isNative(index) !== native) return [];
      return driverWrites(vf.address, vf, wanted);
    });
  const autoprobe = (on: boolean): KernelWrite =>
    quick(deviceFile(live.pf.address, 'sriov_drivers_autoprobe'), on ? '1' : '0');
  const [named, native] = [of(false), of(true)];
  const turnsOn = native.length > 0 && !live.autoprobe;
  const isOn = turnsOn || live.autoprobe;
  const problem = await loadModules(port, guard, modulesFor(live, goal));
  if (problem !== undefined) return problem;
  const failed = await writeKernel(port, guard, [
    ...named,
    ...(turnsOn ? [autoprobe(true)] : []),
    ...native,
    ...(isOn === goal.autoprobe ? [] : [autoprobe(goal.autoprobe)]),
  ]);
  return failed && failureHold(failed, DRIVER_ANSWERS, `VFs of ${live.pf.address}`);
}

/** Which modules the VFs need that have not their driver yet. */
function modulesFor({ vfs, facts }: LiveVfs, goal: VfsState) {
  const waiting = vfs.flatMap((vf: LiveVf, index) => {
    const wanted = goal.vfs[index];
    return wanted === undefined || wanted.driver === null || vfHasDriver(vf, wanted)
      ? []
      : [{ vf, vfio: wanted.driver === 'vfio-pci' }];
  });
  return {
    vfio: waiting.some(({ vfio }) => vfio) && !facts.modules.includes('vfio_pci'),
    aliases: waiting.flatMap(({ vf, vfio }) =>
      !vfio && isPciAlias(vf.modalias) ? [vf.modalias] : [],
    ),
  };
}
