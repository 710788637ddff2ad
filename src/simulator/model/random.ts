import { createHash } from 'node:crypto';

/** Bytes that depend on nothing but the parts: the same seed makes the same fleet. */
export function seededBytes(...parts: readonly (string | number)[]): Buffer {
  return createHash('sha256').update(parts.join('\0')).digest();
}

/** A number from 0 up to, not including, `below` (at most 2^32). */
export function seededNumber(below: number, ...parts: readonly (string | number)[]): number {
  return seededBytes(...parts).readUInt32BE(0) % below;
}

/** A random (version 4) UUID, as /proc/sys/kernel/random/boot_id and file systems have them. */
export function seededUuid(...parts: readonly (string | number)[]): string {
  const bytes = seededBytes(...parts).subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
