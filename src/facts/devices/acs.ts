import { isPciAddress } from '../../domain/own-files.ts';
import type { Snapshot } from '../snapshot.ts';
import { outputOf } from './text.ts';

const HEADER = '==> /sys/bus/pci/devices/';

/**
 * Which bridges isolate what is below them, by address; absent for those that need not (upstream ports) or were not read.
 * As drivers/pci/pci.c asks in pci_acs_enabled: source validation, request and completion redirect and upstream
 * forwarding are on, as far as the capability offers them.
 */
export function parseAcs(snapshot: Snapshot): ReadonlyMap<string, boolean> {
  const bytes = Buffer.from(
    outputOf(snapshot, 'bridge-config')?.slice(0, 4_000_000) ?? '',
    'base64',
  );
  const isolated = new Map<string, boolean>();
  for (let at = bytes.indexOf(HEADER); at !== -1;) {
    const end = bytes.indexOf('\n', at);
    if (end === -1) break;
    const next = bytes.indexOf(HEADER, end);
    const address = bytes.toString('latin1', at + HEADER.length, end).split('/')[0] ?? '';
    const acs = acsOf(bytes.subarray(end + 1, next === -1 ? undefined : next));
    if (isPciAddress(address) && acs !== undefined) isolated.set(address, acs);
    at = next;
  }
  return isolated;
}

const PCI_EXPRESS = 0x10;
const ROOT_PORT = 4;
const UPSTREAM_PORT = 5;
const DOWNSTREAM_PORT = 6;

/** Of one bridge's config space; `undefined` when that is too short to say. */
function acsOf(config: Buffer): boolean | undefined {
  if (config.length < 256) return undefined;
  const express = capability(config, PCI_EXPRESS);
  // Behind a conventional bridge nothing tells who sent a request.
  if (express === undefined) return false;
  const portType = (config.readUInt16LE(express + 2) >> 4) & 0xf;
  if (portType === UPSTREAM_PORT) return undefined;
  if (portType !== ROOT_PORT && portType !== DOWNSTREAM_PORT) return false;
  if (config.length < 4096) return undefined;
  const acs = extendedCapability(config, ACS);
  if (acs === undefined) return false;
  const wanted = REQUIRED & config.readUInt16LE(acs + 4);
  return (config.readUInt16LE(acs + 6) & wanted) === wanted;
}

const ACS = 0x000d;
/** Source validation, request redirect, completion redirect, upstream forwarding (include/uapi/linux/pci_regs.h). */
const REQUIRED = 0x01 | 0x04 | 0x08 | 0x10;

/** Where a capability of the first 256 bytes lies. */
function capability(config: Buffer, id: number): number | undefined {
  let at = config.readUInt8(0x34) & 0xfc;
  for (let steps = 0; steps < 48 && at >= 0x40; steps += 1) {
    if (config.readUInt8(at) === id) return at <= 252 ? at : undefined;
    at = config.readUInt8(at + 1) & 0xfc;
  }
  return undefined;
}

/** Where an extended capability lies: id, version, and the offset of the next in one 32-bit word. */
function extendedCapability(config: Buffer, id: number): number | undefined {
  let at = 0x100;
  for (let steps = 0; steps < 960 && at >= 0x100 && at <= 4088; steps += 1) {
    const header = config.readUInt32LE(at);
    if ((header & 0xffff) === id) return at;
    at = (header >>> 20) & 0xffc;
  }
  return undefined;
}
