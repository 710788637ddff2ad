const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Whether a text is a boot id: the lower-case UUID that the kernel prints in /proc/sys/kernel/random/boot_id.
 * Noise from sudo or a login shell was once taken for a new boot id (ansible#83018), hence the strictness.
 */
export function isBootId(text: string | undefined): text is string {
  return text !== undefined && UUID.test(text);
}

/** Whether a text is a machine id: 32 lower-case hex digits (machine-id(5)). */
export function isMachineId(text: string | undefined): text is string {
  return text !== undefined && /^[0-9a-f]{32}$/.test(text);
}
