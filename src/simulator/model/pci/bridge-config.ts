import type { PciSpec } from './pci-spec.ts';

type BridgeKind = NonNullable<PciSpec['bridge']>;

/** Source validation, request and completion redirect, upstream forwarding: what the kernel switches on (PCI_ACS_*). */
const ACS_BITS = 0x1d;

const made = new Map<BridgeKind, Uint8Array>();

/** A bridge's config space, as far as capabilities are read from it: 4,096 bytes, 256 for a conventional one. */
export function configOf(kind: BridgeKind): Uint8Array {
  const known = made.get(kind);
  if (known !== undefined) return known;
  const config = Buffer.alloc(kind === 'conventional' ? 256 : 4096);
  // Header type 1: a bridge.
  config.writeUInt8(1, 0x0e);
  if (kind !== 'conventional') {
    config.writeUInt8(0x40, 0x34);
    config.writeUInt8(0x10, 0x40);
    // Version 2, port type 4: root port.
    config.writeUInt16LE(0x42, 0x42);
  }
  if (kind === 'root') {
    config.writeUInt32LE(0x0001_000d, 0x100);
    config.writeUInt16LE(ACS_BITS, 0x104);
    config.writeUInt16LE(ACS_BITS, 0x106);
  }
  made.set(kind, config);
  return config;
}
