import { BIND_CODES } from './codes/bind-codes.ts';
import { BOOT_CODES } from './codes/boot-codes.ts';
import type { CodeEntry } from './codes/code-entry.ts';
import { COMMAND_CODES } from './codes/command-codes.ts';
import { DEVICE_CODES } from './codes/device-codes.ts';
import { DEVICE_PLAN_CODES } from './codes/device-plan-codes.ts';
import { DIAGNOSE_CODES } from './codes/diagnose-codes.ts';
import { DIAGNOSE_DEVICE_CODES } from './codes/diagnose-device-codes.ts';
import { FAULT_CODES } from './codes/fault-codes.ts';
import { GUEST_CODES } from './codes/guest-codes.ts';
import { HOST_CODES } from './codes/host-codes.ts';
import { HOST_NEED_CODES } from './codes/host-need-codes.ts';
import { MACHINE_CODES } from './codes/machine-codes.ts';
import { MODULES_CODES } from './codes/modules-codes.ts';
import { REBOOT_CODES } from './codes/reboot-codes.ts';
import { RUN_CODES } from './codes/run-codes.ts';
import { SERVICE_CODES } from './codes/service-codes.ts';
import { SSH_CODES } from './codes/ssh-codes.ts';
import { VFS_CODES } from './codes/vfs-codes.ts';

/** A code: stable, since people script on it. */
export type Code = keyof typeof ALL;

const ALL = {
  ...BIND_CODES,
  ...BOOT_CODES,
  ...COMMAND_CODES,
  ...DEVICE_CODES,
  ...DEVICE_PLAN_CODES,
  ...DIAGNOSE_CODES,
  ...DIAGNOSE_DEVICE_CODES,
  ...FAULT_CODES,
  ...GUEST_CODES,
  ...HOST_CODES,
  ...HOST_NEED_CODES,
  ...MACHINE_CODES,
  ...MODULES_CODES,
  ...REBOOT_CODES,
  ...RUN_CODES,
  ...SERVICE_CODES,
  ...SSH_CODES,
  ...VFS_CODES,
};

/**
 * Every code with which a host or a rollout's cell is held, blocked or counted as unreachable, and with which a command
 * refuses or fails; by code, in order. `vfleet explain` and docs/codes.md are made from this table, and tests compare it
 * with the codes that the source raises and that tests see.
 */
export const CODES: ReadonlyMap<Code, CodeEntry> = new Map(
  (Object.keys(ALL) as Code[]).sort().map((code) => [code, ALL[code]]),
);
