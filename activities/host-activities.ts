import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import type { HostActivities, Mutation, StepOutcome } from '../src/domain/activities.ts';
import { ACTIVITY_TIME_MS } from '../src/domain/deadlines.ts';
import type { HostConnection } from '../src/domain/host-entry.ts';
import type { HostDirectory } from '../src/host/connection.ts';
import { OutcomeUnknown } from '../src/host/errors.ts';
import type { Guard, HostPort } from '../src/host/port.ts';
import { withinTime } from '../src/host/within-time.ts';
import { bounded, currentAttempt, NotYet } from './boundary.ts';
import { beginRun } from './steps/begin.ts';
import { applyTrial, makeDefault } from './steps/cmdline.ts';
import { compareDeviceHealth } from './steps/device-health.ts';
import { applyDevices, undoChanges } from './steps/devices.ts';
import { checkGuests } from './steps/drain.ts';
import { finishRun } from './steps/finish.ts';
import { runHook } from './steps/hook.ts';
import { inspectForward, inspectRollback } from './steps/inspect.ts';
import { prove } from './steps/prove.ts';
import { rebootHost } from './steps/reboot.ts';
import { lookForBoot, verifyBoot } from './steps/wait.ts';

export interface HostActivityDependencies {
  readonly hosts: HostDirectory;
  /** The worker's folder of hooks. */
  readonly hooksFolder: string;
  /** Name of the engine in leases: which Temporal namespace, for whoever finds a host busy. */
  readonly engine: string;
  readonly log: Logger;
}

/** What connecting twice takes at most, and the engine's own delays: a long attempt leaves room for it. */
const CONNECTING_MS = 120_000;

const guardOf = (input: Mutation): Guard => ({
  lease: input.lease,
  seq: input.seq,
  attempt: currentAttempt(),
});

/** The activities on hosts: each opens the host's port, calls its step and turns errors into failures. */
export function createHostActivities(dependencies: HostActivityDependencies): HostActivities {
  const { hosts, hooksFolder, engine, log } = dependencies;
  const on = (connection: HostConnection): HostPort => hosts.host(connection);
  const fresh = (connection: HostConnection): HostPort => {
    hosts.forget(connection);
    return hosts.host(connection);
  };
  const inTime = (connection: HostConnection): HostPort =>
    withinTime(on(connection), ACTIVITY_TIME_MS.lengthy - CONNECTING_MS);
  const activities: HostActivities = {
    inspect: ({ connection, target, direction, rollout, lease, undoOf }) =>
      direction === 'forward'
        ? inspectForward(on(connection), target, lease)
        : inspectRollback(on(connection), rollout, lease, undoOf),
    begin: ({ connection, changes, direction, rollout, who, since, ...mutation }) =>
      beginRun(on(connection), {
        guard: guardOf({ connection, ...mutation }),
        lease: { id: mutation.lease, rollout, who, since, engine },
        ...(direction === 'forward' ? { changes } : {}),
      }),
    checkGuests: ({ connection }) => checkGuests(on(connection)),
    hook: (input) => hookOn(on(input.connection), input, hooksFolder),
    applyCmdline: (input) => applyTrial(on(input.connection), { ...input, guard: guardOf(input) }),
    applyDevices: (input) =>
      applyDevices(inTime(input.connection), { ...input, guard: guardOf(input) }),
    reboot: (input) => rebootHost(on(input.connection), { ...input, guard: guardOf(input) }),
    awaitReboot: async ({ connection, bootIdBefore }) => {
      const look = await lookForBoot(fresh(connection), bootIdBefore);
      if (look.kind === 'back') return { bootId: look.bootId };
      const seen = look.kind === 'away' ? look.sentence : 'it answers but has not rebooted yet';
      throw new NotYet('reboot.not-back-yet', seen);
    },
    probeBoot: ({ connection, bootIdBefore }) => lookForBoot(fresh(connection), bootIdBefore),
    verifyBoot: (input) => verifyBoot(on(input.connection), input),
    proveIommu: ({ connection, ...call }) => prove(on(connection), call),
    deviceHealth: ({ connection, ...call }) => compareDeviceHealth(on(connection), call),
    makeDefault: (input) => makeDefault(on(input.connection), { ...input, guard: guardOf(input) }),
    undo: (input) =>
      undoChanges(
        inTime(input.connection),
        { changes: input.changes, guard: guardOf(input) },
        { limitMs: ACTIVITY_TIME_MS.lengthy / 2 },
      ),
    finish: (input) => finishRun(on(input.connection), { ...input, guard: guardOf(input) }),
  };
  return boundAll(log, activities);
}

/** Runs a hook; one that was stopped with its worker says nothing of the host, so the next attempt runs it again. */
async function hookOn(
  port: HostPort,
  input: Parameters<HostActivities['hook']>[0],
  folder: string,
): Promise<StepOutcome> {
  const { cancellationSignal } = Context.current();
  const { connection, hook, phase, rollout } = input;
  const outcome = await runHook(port, {
    hook,
    guard: guardOf(input),
    context: { phase, host: connection.name, address: connection.address, rollout, folder },
    signal: cancellationSignal,
  });
  if (outcome.kind === 'hold' && cancellationSignal.aborted) {
    const sentence = `the ${phase} hook was stopped with its worker; it is run again`;
    throw new OutcomeUnknown(connection.name, sentence);
  }
  return outcome;
}

/** Every activity behind the boundary, by its own name. */
function boundAll(log: Logger, activities: HostActivities): HostActivities {
  return Object.fromEntries(
    Object.entries(activities).map(([name, handler]) => [
      name,
      bounded(log, name, handler as (input: unknown) => Promise<unknown>),
    ]),
  ) as unknown as HostActivities;
}
