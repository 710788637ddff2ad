import type { StepOutcome } from '../../src/domain/activities.ts';
import { isBootId } from '../../src/domain/boot-id.ts';
import type { CmdlineChange } from '../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import { trialMarker, withoutTrialArgs } from '../../src/domain/drop-in.ts';
import { sameArgs, sameArgSet } from '../../src/domain/kernel-args.ts';
import { parseRunningArgs } from '../../src/facts/parse-facts.ts';
import { BOOT_ID_PATH, BOOT_ID_PROBE, PROOF_PROBE } from '../../src/facts/probe.ts';
import { lineOf } from '../../src/facts/snapshot.ts';
import { HostError } from '../../src/host/errors.ts';
import type { HostPort } from '../../src/host/port.ts';
import { hold, ok } from './outcomes.ts';

/** One look at a host that was told to reboot. `port` must open a fresh connection (law 9). */
export type Look =
  | { readonly kind: 'back'; readonly bootId: string }
  | { readonly kind: 'same-boot' }
  | { readonly kind: 'away'; readonly code: string; readonly sentence: string };

/**
 * Whether the host is back. A login that is refused counts as away: while a host boots, pam_nologin turns
 * ordinary users down ("System is booting up"). A changed host key never does; it is thrown.
 */
export async function lookForBoot(port: HostPort, bootIdBefore: string): Promise<Look> {
  try {
    const snapshot = await port.read({
      entries: BOOT_ID_PROBE,
      deadlineMs: HOST_DEADLINE_MS.look,
    });
    const bootId = lineOf(snapshot, BOOT_ID_PATH);
    if (!isBootId(bootId)) {
      return { kind: 'away', code: 'host.no-boot-id', sentence: 'it answers without a boot id' };
    }
    return bootId === bootIdBefore ? { kind: 'same-boot' } : { kind: 'back', bootId };
  } catch (error) {
    if (error instanceof HostError && (error.transient || error.code === 'ssh.auth')) {
      return { kind: 'away', code: error.code, sentence: error.message };
    }
    throw error;
  }
}

/** After a boot: which line runs, and is it the one that was to run? */
export async function verifyBoot(
  port: HostPort,
  call: {
    readonly change: CmdlineChange;
    readonly expect: 'trial' | 'before';
    readonly trialId: string;
  },
): Promise<StepOutcome> {
  const { change, expect, trialId } = call;
  const snapshot = await port.read({ entries: PROOF_PROBE, deadlineMs: HOST_DEADLINE_MS.read });
  const running = parseRunningArgs(snapshot);
  const plain = withoutTrialArgs(running);
  const onTrial = running.includes(trialMarker(trialId));
  const evidence = { running: running.join(' '), bootId: lineOf(snapshot, BOOT_ID_PATH) ?? '' };
  const wanted = expect === 'before' ? change.before : change.after;
  if (sameArgSet(plain, wanted) && onTrial === (expect === 'trial')) return ok(evidence);
  // Without the marker the trial entry is not what runs, even where old and new line are the same.
  if (expect === 'trial' && sameArgs(plain, change.before)) {
    return hold(
      'reboot.trial-failed',
      'the trial boot failed: the host came back by itself on the old line; it is up and unchanged',
      evidence,
    );
  }
  return hold('reboot.unexpected-line', 'it runs neither the old nor the asked kernel line', {
    ...evidence,
    asked: wanted.join(' '),
  });
}
