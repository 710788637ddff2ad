import type { StepOutcome } from '../../../src/domain/activities.ts';
import type { AttachChange, Evidence } from '../../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import { guestCopyPath, LEFT_LINES } from '../../../src/facts/guest-files.ts';
import { STATE_DIR } from '../../../src/facts/probe.ts';
import type { Guard, HostPort, RunOutcome } from '../../../src/host/port.ts';
import { configPath } from './guest-state.ts';
import { ok, runProblem } from '../outcomes.ts';
import { virsh } from './virsh.ts';

type Hold = Extract<StepOutcome, { kind: 'hold' }>;

interface ConfigCall {
  readonly guard: Guard;
  readonly change: AttachChange;
}

/**
 * Keeps the configuration as it is before a change, on the host itself with its mode: it may hold passwords (law 10).
 *
 * | a copy of this change | the guest's configuration           | what is kept                                            |
 * | --------------------- | ----------------------------------- | ------------------------------------------------------- |
 * | none                  | whatever it is                      | it is copied: apply copies before it touches a guest     |
 * | there                 | has begun to be changed             | the copy: it alone is from before                       |
 * | there                 | has nothing of the change, and      | the copy: an undo that died left lines of libvirt       |
 * |                       | differs by libvirt's lines at most  |                                                         |
 * | there                 | has nothing of the change, differs  | the configuration: that is what this run finds; the     |
 * |                       | by more                             | copy is of an earlier one                               |
 *
 * A copy is written under another name, synced, and moved to its own, so that half of one is never taken for a whole one.
 */
export async function keepConfig(
  port: HostPort,
  { guard, change, untouched }: ConfigCall & { readonly untouched: boolean },
): Promise<StepOutcome | undefined> {
  const there = await hasCopy(port, change);
  if (there === false) return copyConfig(port, { guard, change, over: false });
  if (there !== true) return there;
  if (!untouched) return undefined;
  const differs = await isAnother(port, change);
  if (differs === false) return undefined;
  return differs === true ? copyConfig(port, { guard, change, over: true }) : differs;
}

async function copyConfig(
  port: HostPort,
  { guard, change, over }: ConfigCall & { readonly over: boolean },
): Promise<StepOutcome | undefined> {
  const { config, copy, fresh } = paths(change);
  const steps: readonly [string, ...string[]][] = [
    ['cp', '--preserve=all', '-T', '--', config, fresh],
    ['sync', fresh],
    ['mv', ...(over ? [] : ['-n']), '-T', '--', fresh, copy],
    ['sync', STATE_DIR],
    // With -n an mv that moves nothing may say that all went well (coreutils 9.1, tried).
    ['cmp', '-s', '--', config, copy],
  ];
  for (const argv of steps) {
    const problem = copyProblem(argv, await run(port, argv[0] === 'cmp' ? undefined : guard, argv));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Whether there is such a copy, so that the change of the guest has begun; the hold when the host does not say. */
export async function hasCopy(port: HostPort, change: AttachChange): Promise<boolean | Hold> {
  return isAnswer(port, ['test', '-e', paths(change).copy]);
}

/** Whether the guest has a configuration; the hold when the host does not say. */
export async function hasConfig(port: HostPort, change: AttachChange): Promise<boolean | Hold> {
  return isAnswer(port, ['test', '-e', paths(change).config]);
}

function paths(change: AttachChange) {
  const copy = guestCopyPath(change);
  return { config: configPath(change.domain), copy, fresh: `${copy}.new` } as const;
}

/** The copy and what an attempt that died has left of it go. */
export async function removeCopy(
  port: HostPort,
  { guard, change }: ConfigCall,
): Promise<StepOutcome | undefined> {
  const { copy, fresh } = paths(change);
  const argv = ['rm', '-f', '--', copy, fresh] as const;
  return copyProblem(argv, await run(port, guard, argv));
}

/**
 * Puts the configuration back from the copy when it differs by libvirt's own lines alone; whatever else differs was changed
 * by somebody else since, and stays, with the copy beside it: that is the only text from before. Compared on the host,
 * which says only whether it is so.
 */
export async function restoreConfig(port: HostPort, call: ConfigCall): Promise<StepOutcome> {
  const { change } = call;
  const same = await isSame(port, change);
  if (typeof same !== 'boolean') return same;
  const how = same ? 'byte for byte as before' : await define(port, call);
  if (typeof how !== 'string') return how;
  return (await removeCopy(port, call)) ?? ok({ config: how });
}

/** The evidence of a configuration that stays, and where the one from before is. */
export const keptCopy = (why: string, change: AttachChange): Evidence => ({
  config: `${why}; as it was before: ${paths(change).copy}`,
});

async function define(
  port: HostPort,
  { guard, change }: ConfigCall,
): Promise<string | StepOutcome> {
  const { copy } = paths(change);
  const differs = await isAnother(port, change);
  if (typeof differs !== 'boolean') return differs;
  if (differs) {
    const why = 'somebody else changed it since, so only the devices were taken out';
    return ok(keptCopy(why, change));
  }
  const defined = await virsh(port, guard, ['define', copy]);
  const problem = runProblem('guest.restore-failed', `virsh define ${copy}`, defined);
  if (problem !== undefined) return problem;
  const same = await isSame(port, change);
  if (typeof same !== 'boolean') return same;
  return same ? 'byte for byte as before' : 'as before, in the words of this libvirt';
}

/** Whether configuration and copy are the same bytes. */
async function isSame(port: HostPort, change: AttachChange): Promise<boolean | Hold> {
  const { config, copy } = paths(change);
  return isAnswer(port, ['cmp', '-s', '--', copy, config]);
}

/** Whether they differ by more than what libvirt adds by itself. */
async function isAnother(port: HostPort, change: AttachChange): Promise<boolean | Hold> {
  const { config, copy } = paths(change);
  const ignored = LEFT_LINES.flatMap((line) => ['-I', line]);
  const same = await isAnswer(port, ['diff', '-q', ...ignored, '--', copy, config]);
  return typeof same === 'boolean' ? !same : same;
}

/**
 * What test, cmp and diff say: 0 is yes, 1 is no. All else is no answer: a host that took too long would else have "no copy",
 * and so nothing to take back.
 */
async function isAnswer(
  port: HostPort,
  argv: readonly [string, ...string[]],
): Promise<boolean | Hold> {
  const outcome = await run(port, undefined, argv);
  if (outcome.kind === 'exited' && outcome.code === 1) return false;
  return copyProblem(argv, outcome) ?? true;
}

/** The hold for a program that did not exit with 0, named with the files that it was about. */
function copyProblem(argv: readonly [string, ...string[]], outcome: RunOutcome): Hold | undefined {
  const files = argv.filter((word) => word.startsWith('/')).join(' ');
  const problem = runProblem('guest.copy-failed', `${argv[0]} ${files}`, outcome);
  return problem?.kind === 'hold' ? problem : undefined;
}

function run(
  port: HostPort,
  guard: Guard | undefined,
  argv: readonly [string, ...string[]],
): Promise<RunOutcome> {
  const deadlineMs = HOST_DEADLINE_MS.read;
  return port.run({ ...(guard && { guard }), argv, deadlineMs });
}
