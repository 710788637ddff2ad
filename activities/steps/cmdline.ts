import type { StepOutcome } from '../../src/domain/activities.ts';
import type { CmdlineChange } from '../../src/domain/changes.ts';
import { TRIAL_ONLY_ARGS, trialMarker, withoutTrialArgs } from '../../src/domain/drop-in.ts';
import { sameArgs, sameArgSet } from '../../src/domain/kernel-args.ts';
import type { HostPort } from '../../src/host/port.ts';
import { readBootState } from './parts/boot-loader.ts';
import { LINE_BLS } from './parts/line-bls.ts';
import { LINE_DEBIAN } from './parts/line-debian.ts';
import type { CmdlineCall, LineDriver, Side, Standing, StateOf } from './parts/line-driver.ts';
import { disarm, drift, isArmed, isStanding } from './parts/line-driver.ts';
import { hold, ok } from './outcomes.ts';

export type { CmdlineCall } from './parts/line-driver.ts';

/** Installs the trial entry beside the unchanged default entry, and reads both back from the loader's own files. */
export function applyTrial(
  port: HostPort,
  call: CmdlineCall & { readonly trialId: string },
): Promise<StepOutcome> {
  const { change } = call;
  return change.loader === 'grub-bls'
    ? tried(port, LINE_BLS, { ...call, change })
    : tried(port, LINE_DEBIAN, { ...call, change });
}

/** After proof: the new line becomes the default, and the trial entry goes. Reads the default back. */
export function makeDefault(port: HostPort, call: CmdlineCall): Promise<StepOutcome> {
  const { change } = call;
  return change.loader === 'grub-bls'
    ? settled(port, LINE_BLS, { ...call, change, side: 'after' })
    : settled(port, LINE_DEBIAN, { ...call, change, side: 'after' });
}

/** Takes the change back: trial entry, one-shot and files. Says whether the running line needs a reboot to be gone. */
export function undoCmdline(port: HostPort, call: CmdlineCall): Promise<StepOutcome> {
  const { change } = call;
  return change.loader === 'grub-bls'
    ? undone(port, LINE_BLS, { ...call, change })
    : undone(port, LINE_DEBIAN, { ...call, change });
}

/** Where the host stands now, or the hold for one that stands nowhere between before and after (law 3). */
async function locate<C extends CmdlineChange>(
  port: HostPort,
  driver: LineDriver<C>,
  change: C,
): Promise<{ readonly at: Standing; readonly state: StateOf<C> } | StepOutcome> {
  const state = await readBootState(port);
  if (typeof state === 'string') return drift(`the boot loader is not as planned: ${state}`);
  if (!isFor(state, change)) {
    return drift(`the boot loader is another one now: ${state.loader.kind}`);
  }
  const at = driver.locate(state, change);
  return isStanding(at) ? { at, state } : at;
}

const isFor = <C extends CmdlineChange>(
  state: { readonly loader: { readonly kind: string } },
  change: C,
): state is StateOf<C> => state.loader.kind === change.loader;

async function tried<C extends CmdlineChange>(
  port: HostPort,
  driver: LineDriver<C>,
  call: CmdlineCall<C> & { readonly trialId: string },
): Promise<StepOutcome> {
  const { change, trialId } = call;
  const found = await locate(port, driver, change);
  if ('kind' in found) return found;
  const { at, state } = found;
  if (at.line === 'after' && at.files === 'after') {
    return ok({ cmdline: 'already the default', args: change.after.join(' ') });
  }
  const problem = await driver.installTrial(port, { ...call, state });
  return problem ?? verifyTrial(port, driver, { change, trialId });
}

async function verifyTrial<C extends CmdlineChange>(
  port: HostPort,
  driver: LineDriver<C>,
  { change, trialId }: { readonly change: C; readonly trialId: string },
): Promise<StepOutcome> {
  const read = await locate(port, driver, change);
  if ('kind' in read) return read;
  const { loader } = read.state;
  const expected = [...change.after, ...TRIAL_ONLY_ARGS, trialMarker(trialId)];
  const found = loader.trialEntry?.args;
  if (read.at.line !== 'before' || found === undefined || !sameArgSet(found, expected)) {
    return hold('cmdline.readback', 'the boot loader does not hold the trial entry as asked', {
      trial: found?.join(' ') ?? 'no trial entry',
      expected: expected.join(' '),
      default: loader.defaultEntry.args.join(' '),
    });
  }
  return ok({ trial: found.join(' '), default: 'unchanged' });
}

async function settled<C extends CmdlineChange>(
  port: HostPort,
  driver: LineDriver<C>,
  call: CmdlineCall<C> & { readonly side: Side },
): Promise<StepOutcome> {
  const { change, side } = call;
  const found = await locate(port, driver, change);
  if ('kind' in found) return found;
  return (
    (await driver.settle(port, { ...call, ...found })) ?? verifyDefault(port, driver, change, side)
  );
}

async function undone<C extends CmdlineChange>(
  port: HostPort,
  driver: LineDriver<C>,
  call: CmdlineCall<C>,
): Promise<StepOutcome> {
  const { change, guard } = call;
  const found = await locate(port, driver, change);
  if ('kind' in found) return found;
  const { loader, runningArgs } = found.state;
  const problem =
    (isArmed(loader) ? await disarm(port, guard, loader) : undefined) ??
    (await driver.settle(port, { ...call, ...found, side: 'before' }));
  if (problem !== undefined) return problem;
  const verified = await verifyDefault(port, driver, change, 'before');
  if (verified.kind === 'hold') return verified;
  const isGone = driver.isBack(withoutTrialArgs(runningArgs), change);
  return ok({ ...verified.evidence, reboot: isGone ? 'not needed' : 'needed' });
}

async function verifyDefault<C extends CmdlineChange>(
  port: HostPort,
  driver: LineDriver<C>,
  change: C,
  wanted: Side,
): Promise<StepOutcome> {
  const read = await locate(port, driver, change);
  if ('kind' in read) return read;
  const { at, state } = read;
  const { loader } = state;
  const leftover = loader.trialEntry !== undefined || isArmed(loader);
  const same = sameArgs(change.before, change.after) || at.line === wanted;
  if (!same || at.files !== wanted || leftover) {
    return hold(
      'cmdline.readback',
      `the boot loader does not hold the ${wanted === 'after' ? 'new' : 'old'} line as the default`,
      {
        default: loader.defaultEntry.args.join(' '),
        trialEntry: loader.trialEntry === undefined ? 'absent' : 'still there',
        nextEntry: loader.nextEntry ?? 'none',
      },
    );
  }
  return ok({ default: loader.defaultEntry.args.join(' ') });
}
