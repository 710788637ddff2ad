import { DRIVER_RULES } from './driver.ts';
import { FAULTS_RULES } from './faults.ts';
import type { Rule } from './finding.ts';
import { FIRMWARE_RULES } from './firmware.ts';
import { GUESTS_RULES } from './guests.ts';
import { HARDWARE_RULES } from './hardware.ts';
import { ISOLATION_RULES } from './isolation.ts';
import { KERNEL_RULES } from './kernel.ts';
import { TRACES_RULES } from './traces.ts';

/** Every rule, the topics in the order in which a host comes up: what stands first explains what comes later. */
export const RULES: readonly Rule[] = [
  ...FIRMWARE_RULES,
  ...KERNEL_RULES,
  ...ISOLATION_RULES,
  ...DRIVER_RULES,
  ...TRACES_RULES,
  ...FAULTS_RULES,
  ...GUESTS_RULES,
  ...HARDWARE_RULES,
];
