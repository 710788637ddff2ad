import type { StepOutcome } from '../../../src/domain/activities.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import { LEFT_LINES } from '../../../src/facts/guest-files.ts';
import type { Guard, HostPort, RunOutcome } from '../../../src/host/port.ts';
import { configPath, copyPath } from './guest-state.ts';
import { ok, runProblem } from '../outcomes.ts';
import { virsh } from './virsh.ts';

/** Keeps the configuration as it is before the first change, on the host itself: it may hold passwords (law 10). */
export async function keepConfig(
  port: HostPort,
  guard: Guard,
  domain: string,
): Promise<StepOutcome | undefined> {
  const argv = ['cp', '--preserve=all', '-T', '--', configPath(domain), copyPath(domain)] as const;
  const outcome = await run(port, guard, argv);
  const problem = runProblem('guest.copy-failed', `cp ${configPath(domain)}`, outcome);
  if (problem !== undefined) return problem;
  const synced = await run(port, guard, ['sync', copyPath(domain)]);
  return runProblem('guest.copy-failed', `sync ${copyPath(domain)}`, synced);
}

/** Whether there is such a copy, so that a change of the guest has begun. */
export async function hasCopy(port: HostPort, domain: string): Promise<boolean> {
  return (await run(port, undefined, ['test', '-e', copyPath(domain)])).code === 0;
}

/**
 * Puts the configuration back from the copy when it differs by such lines alone; whatever else differs was changed
 * by somebody else since, and stays. Compared on the host, which says only whether it is so.
 */
export async function restoreConfig(
  port: HostPort,
  guard: Guard,
  domain: string,
): Promise<StepOutcome> {
  const [config, copy] = [configPath(domain), copyPath(domain)];
  const same = await run(port, undefined, ['cmp', '-s', '--', copy, config]);
  const how = same.code === 0 ? 'byte for byte as before' : await define(port, guard, domain);
  if (typeof how !== 'string') return how;
  const removed = await run(port, guard, ['rm', '-f', '--', copy]);
  return runProblem('guest.copy-failed', `rm ${copy}`, removed) ?? ok({ config: how });
}

async function define(port: HostPort, guard: Guard, domain: string): Promise<string | StepOutcome> {
  const [config, copy] = [configPath(domain), copyPath(domain)];
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
