import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { VfsState } from '../../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import type { Guard, HostPort } from '../../../src/host/port.ts';
import { deviceFile, quick } from './drivers.ts';
import type { AnswerTable, KernelWrite } from './kernel-writes.ts';
import { failureHold, writeKernel } from './kernel-writes.ts';
import type { LiveVfs } from './vfs-live.ts';

/** What the kernel says to sriov_numvfs (drivers/pci/iov.c; each tried on Linux 6.1 or read there). */
const COUNT_ANSWERS: AnswerTable = {
  busy: ['vfs.busy', 'it has VFs already, so somebody else made some; see who owns the count'],
  'out-of-range': ['vfs.out-of-range', 'it has fewer VFs in all than asked for'],
  'no-entry': ['vfs.no-driver', 'its driver cannot make VFs, or it has none that can'],
  absent: ['vfs.gone', 'the function, or its SR-IOV capability, is not there any more'],
  'no-device': ['vfs.gone', 'the function is not there any more; see dmesg'],
  'no-memory': [
    'vfs.no-memory',
    'the firmware left no bus numbers or addresses for its VFs; pci=realloc lets the kernel find some',
  ],
  hung: ['vfs.hung', 'sriov_numvfs did not return in time and may still take effect'],
  'not-permitted': ['vfs.refused', 'the kernel does not permit it; lockdown may be on'],
  other: ['vfs.refused', 'its driver refused to make VFs; dmesg says why'],
};

/**
 * Writes the count, with 0 in between: the kernel changes a count to none and from none only. Autoprobe goes off first, so
 * that no driver takes a VF before it is known which one it is to have.
 */
export async function setCount(
  port: HostPort,
  call: { readonly guard: Guard; readonly goal: VfsState; readonly live: LiveVfs },
): Promise<StepOutcome | undefined> {
  const { guard, goal, live } = call;
  const { address } = live.pf;
  if (live.count === goal.count) return undefined;
  const count = (value: number): KernelWrite => ({
    path: deviceFile(address, 'sriov_numvfs'),
    value: String(value),
    timeoutMs: HOST_DEADLINE_MS.sriovNumvfs,
  });
  const failed = await writeKernel(port, guard, [
    ...(live.count === 0 ? [] : [count(0)]),
    ...(goal.count > 0 && live.autoprobe
      ? [quick(deviceFile(address, 'sriov_drivers_autoprobe'), '0')]
      : []),
    ...(goal.count === 0 ? [] : [count(goal.count)]),
  ]);
  return failed && failureHold(failed, COUNT_ANSWERS, address);
}
