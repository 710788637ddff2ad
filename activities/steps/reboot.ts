import type { StepOutcome } from '../../src/domain/activities.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { LOADER_TOOLS, TRIAL_ENTRY_ID } from '../../src/domain/boot-loader/tools.ts';
import type { LoaderFacts } from '../../src/domain/facts.ts';
import { OutcomeUnknown } from '../../src/host/errors.ts';
import type { Guard, HostPort } from '../../src/host/port.ts';
import type { BootState } from './parts/boot-loader.ts';
import { readBootState } from './parts/boot-loader.ts';
import { hold, ok, runProblem } from './outcomes.ts';

/**
 * Arms the one-shot (for a trial) and reboots, but only out of the boot that was seen before: each command
 * carries that boot id in its guard, so an attempt that arrives late, after the host came back, does nothing.
 */
export async function rebootHost(
  port: HostPort,
  call: { readonly guard: Guard; readonly bootIdBefore: string; readonly trial: boolean },
): Promise<StepOutcome> {
  const guard: Guard = { ...call.guard, bootId: call.bootIdBefore };
  const state = await readBootState(port);
  if (typeof state === 'string')
    return hold('drift', `the boot loader is not as planned: ${state}`);
  if (state.bootId !== undefined && state.bootId !== call.bootIdBefore) {
    return ok({ reboot: 'has happened already', bootId: state.bootId });
  }
  const other = kernelProblem(state, call.trial);
  if (other !== undefined) return other;
  if (call.trial) {
    const problem = await armOneShot(port, guard, state.loader);
    if (problem !== undefined) return problem;
  }
  return sendReboot(port, guard);
}

/** A kernel that was installed since the plan would be booted without anybody having asked for it (`uname -r`). */
function kernelProblem({ loader, kernelRelease }: BootState, trial: boolean) {
  const entry = (trial ? loader.trialEntry : undefined) ?? loader.defaultEntry;
  if (kernelRelease === '' || entry.kernel.endsWith(`-${kernelRelease}`)) return undefined;
  return hold(
    'reboot.other-kernel',
    `the next boot would use ${entry.kernel}, but ${kernelRelease} runs: a kernel was installed or removed since the plan`,
    { next: entry.kernel, runs: kernelRelease },
  );
}

async function armOneShot(
  port: HostPort,
  guard: Guard,
  loader: LoaderFacts,
): Promise<StepOutcome | undefined> {
  if (loader.trialEntry === undefined) {
    return hold('drift', 'the trial entry is gone; retry from cmdline');
  }
  if (loader.nextEntry === TRIAL_ENTRY_ID) return undefined;
  const { reboot } = LOADER_TOOLS[loader.kind];
  const outcome = await port.run({
    guard,
    argv: [reboot, TRIAL_ENTRY_ID],
    deadlineMs: HOST_DEADLINE_MS.grubReboot,
  });
  const problem = runProblem('reboot.one-shot-failed', reboot, outcome);
  if (problem !== undefined) return problem;
  const after = await readBootState(port);
  if (typeof after === 'string' || after.loader.nextEntry !== TRIAL_ENTRY_ID) {
    return hold('reboot.one-shot-failed', `${reboot} left no next_entry in grubenv`);
  }
  return undefined;
}

/** A connection that breaks here is what a reboot does; whether it happened is for `wait` to prove. */
async function sendReboot(port: HostPort, guard: Guard): Promise<StepOutcome> {
  try {
    const outcome = await port.run({
      guard,
      argv: ['systemctl', 'reboot'],
      deadlineMs: HOST_DEADLINE_MS.reboot,
    });
    return (
      runProblem('reboot.refused', 'systemctl reboot', outcome) ?? ok({ reboot: 'told to reboot' })
    );
  } catch (error) {
    if (error instanceof OutcomeUnknown) return ok({ reboot: 'sent; the connection closed' });
    throw error;
  }
}
