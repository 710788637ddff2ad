import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Change } from '../../src/domain/changes.ts';
import { checkDevices } from '../../src/domain/devices/check-devices.ts';
import type { Target } from '../../src/domain/spec.ts';
import type { HostPort } from '../../src/host/port.ts';
import { readSettledDevices } from './parts/device-state.ts';
import { hold, ok } from './outcomes.ts';

/** Reads whether what the plan knew of the devices holds in this boot, before one of them is touched. Changes nothing. */
export async function checkDevicesOnHost(
  port: HostPort,
  call: { readonly target: Pick<Target, 'allow'>; readonly changes: readonly Change[] },
): Promise<StepOutcome> {
  const { target, changes } = call;
  const touching = changes.filter(({ kind }) => kind === 'bind' || kind === 'vfs');
  if (touching.length === 0) return ok({});
  const problem = checkDevices(await readSettledDevices(port), target, changes);
  if (problem !== undefined) return hold(problem.code, problem.sentence);
  return ok({ devices: `${touching.length} as planned` });
}
