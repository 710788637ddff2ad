import type { LoaderFacts } from '../../../src/domain/facts.ts';
import { HOST_DEADLINE_MS } from '../../../src/domain/deadlines.ts';
import { parseBootLoader } from '../../../src/facts/boot-loader.ts';
import { isBootId } from '../../../src/domain/boot-id.ts';
import { parseRunningArgs } from '../../../src/facts/parse-facts.ts';
import {
  BOOT_ID_PATH,
  BOOT_PROBE,
  KERNEL_RELEASE_PATH,
  TRIAL_ARGS_PATH,
  TRIAL_ID_PATH,
} from '../../../src/facts/probe.ts';
import { lineOf, textOf } from '../../../src/facts/snapshot.ts';
import type { HostPort } from '../../../src/host/port.ts';

/** The boot loader and the running boot, read freshly from the machine. */
export interface BootState {
  readonly loader: LoaderFacts;
  readonly runningArgs: readonly string[];
  readonly bootId: string | undefined;
  /** `uname -r`; empty when it could not be read. */
  readonly kernelRelease: string;
  readonly trialArgs: string | undefined;
  readonly trialId: string | undefined;
}

/** Reads the boot state; a string says why the loader is not one we drive (any more). */
export async function readBootState(port: HostPort): Promise<BootState | string> {
  const snapshot = await port.read({ entries: BOOT_PROBE, deadlineMs: HOST_DEADLINE_MS.read });
  const loader = parseBootLoader(snapshot);
  if (!loader.supported) return loader.reason;
  const bootId = lineOf(snapshot, BOOT_ID_PATH);
  return {
    loader,
    runningArgs: parseRunningArgs(snapshot),
    kernelRelease: lineOf(snapshot, KERNEL_RELEASE_PATH) ?? '',
    bootId: isBootId(bootId) ? bootId : undefined,
    trialArgs: textOf(snapshot, TRIAL_ARGS_PATH),
    trialId: textOf(snapshot, TRIAL_ID_PATH),
  };
}
