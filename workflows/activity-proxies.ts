import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { HostActivities, RolloutActivities } from '../src/domain/activities.ts';
import { ACTIVITY_TIME_MS, HOOK_MARGIN_MS } from '../src/domain/deadlines.ts';

/** After a few attempts a person decides: whatever does not pass by itself within a minute or two becomes a hold. */
const FEW_ATTEMPTS = {
  initialInterval: 2_000,
  backoffCoefficient: 2,
  maximumInterval: 15_000,
  maximumAttempts: 4,
} as const;

/** A few short commands on a host. No schedule-to-close time: a worker that is down is no failure of the host. */
export const quick = proxyActivities<
  Pick<
    HostActivities,
    | 'inspect'
    | 'begin'
    | 'checkGuests'
    | 'reboot'
    | 'verifyBoot'
    | 'proveIommu'
    | 'deviceHealth'
    | 'finish'
  >
>({
  startToCloseTimeout: ACTIVITY_TIME_MS.quick,
  heartbeatTimeout: ACTIVITY_TIME_MS.heartbeat,
  retry: FEW_ATTEMPTS,
});

/** Commands with update-grub in them. */
export const slow = proxyActivities<Pick<HostActivities, 'applyCmdline' | 'makeDefault'>>({
  startToCloseTimeout: ACTIVITY_TIME_MS.slow,
  heartbeatTimeout: ACTIVITY_TIME_MS.heartbeat,
  retry: FEW_ATTEMPTS,
});

/** All devices of one step, or one change back: with an initramfs for each kernel, or kernel writes that take minutes. */
export const lengthy = proxyActivities<Pick<HostActivities, 'applyDevices' | 'undo'>>({
  startToCloseTimeout: ACTIVITY_TIME_MS.lengthy,
  heartbeatTimeout: ACTIVITY_TIME_MS.heartbeat,
  retry: FEW_ATTEMPTS,
});

/** One look at a host that may be away. */
export const look = proxyActivities<Pick<HostActivities, 'probeBoot'>>({
  startToCloseTimeout: ACTIVITY_TIME_MS.look,
  retry: { ...FEW_ATTEMPTS, maximumAttempts: 3 },
});

/**
 * Polling by the activity's own retries: three events however often, and no worker slot in between. The deadline
 * may strike up to one interval early, and also when no worker polled at all, so it never counts by itself.
 */
export function poll(timeoutMs: number): Pick<HostActivities, 'awaitReboot'> {
  return proxyActivities<Pick<HostActivities, 'awaitReboot'>>({
    startToCloseTimeout: ACTIVITY_TIME_MS.look,
    scheduleToCloseTimeout: timeoutMs,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    // A model or a virtual machine is back in seconds; a server takes minutes, where 5 s more do not count.
    retry: { initialInterval: 1_000, backoffCoefficient: 1.5, maximumInterval: 5_000 },
  });
}

/** A hook ends itself at its own timeout; the engine waits a little longer for that. */
export function hookPatience(timeoutMs: number): Pick<HostActivities, 'hook'> {
  return proxyActivities<Pick<HostActivities, 'hook'>>({
    startToCloseTimeout: timeoutMs + HOOK_MARGIN_MS,
    heartbeatTimeout: ACTIVITY_TIME_MS.heartbeat,
    retry: { ...FEW_ATTEMPTS, maximumAttempts: 2 },
  });
}

/** Calls to the engine itself, safe to repeat: it comes back, so they never give up. */
export const engine = proxyActivities<RolloutActivities>({
  startToCloseTimeout: 300_000,
  heartbeatTimeout: 60_000,
  retry: { initialInterval: 1_000, backoffCoefficient: 2, maximumInterval: 60_000 },
});
