import type { StepOutcome } from '../../../src/domain/activities.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import type { AttachChange } from '../../../src/domain/changes.ts';
import { guestCopyPath, LEFT_LINES } from '../../../src/facts/guest-files.ts';
import type { Guard, HostPort, RunOutcome } from '../../../src/host/port.ts';
import { configPath } from './guest-state.ts';
import { ok, runProblem } from '../outcomes.ts';
import { virsh } from './virsh.ts';

/** Keeps the configuration as it is before a change, on the host itself with its mode: it may hold passwords (law 10). */
export async function keepConfig(
  port: HostPort,
  guard: Guard,
  change: AttachChange,
): Promise<StepOutcome | undefined> {
  const [config, copy] = paths(change);
  const outcome = await run(port, guard, ['cp', '--preserve=all', '-T', '--', config, copy]);
  const problem = runProblem('guest.copy-failed', `cp ${config}`, outcome);
  if (problem !== undefined) return problem;
  const synced = await run(port, guard, ['sync', copy]);
  return runProblem('guest.copy-failed', `sync ${copy}`, synced);
}

/** Whether there is such a copy, so that the change of the guest has begun. */
export async function hasCopy(port: HostPort, change: AttachChange): Promise<boolean> {
  return (await run(port, undefined, ['test', '-e', guestCopyPath(change)])).code === 0;
}

const paths = (change: AttachChange): readonly [config: string, copy: string] => [
  configPath(change.domain),
  guestCopyPath(change),
];

/**
 * Puts the configuration back from the copy when it differs by such lines alone; whatever else differs was changed
 * by somebody else since, and stays. Compared on the host, which says only whether it is so.
 */
export async function restoreConfig(
  port: HostPort,
  guard: Guard,
  change: AttachChange,
): Promise<StepOutcome> {
  const [config, copy] = paths(change);
  const same = await run(port, undefined, ['cmp', '-s', '--', copy, config]);
  const how = same.code === 0 ? 'byte for byte as before' : await define(port, guard, change);
  if (typeof how !== 'string') return how;
  const removed = await run(port, guard, ['rm', '-f', '--', copy]);
  return runProblem('guest.copy-failed', `rm ${copy}`, removed) ?? ok({ config: how });
}

async function define(
  port: HostPort,
  guard: Guard,
  change: AttachChange,
): Promise<string | StepOutcome> {
  const [config, copy] = paths(change);
  const ignored = LEFT_LINES.flatMap((line) => ['-I', line]);
  const diff = await run(port, undefined, ['diff', '-q', ...ignored, '--', copy, config]);
  if (diff.kind !== 'exited' || diff.code > 1) {
    return runProblem('guest.copy-failed', `diff ${copy} ${config}`, diff) ?? 'unknown';
  }
  if (diff.code === 1) return 'somebody else changed it since, so only the devices were taken out';
  const defined = await virsh(port, guard, ['define', copy]);
  const problem = runProblem('guest.restore-failed', `virsh define ${copy}`, defined);
  if (problem !== undefined) return problem;
  const again = await run(port, undefined, ['cmp', '-s', '--', copy, config]);
  return again.code === 0 ? 'byte for byte as before' : 'as before, in the words of this libvirt';
}

function run(
  port: HostPort,
  guard: Guard | undefined,
  argv: readonly [string, ...string[]],
): Promise<RunOutcome> {
  const deadlineMs = HOST_DEADLINE_MS.read;
  return port.run({ ...(guard && { guard }), argv, deadlineMs });
}
