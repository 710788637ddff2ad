import type { PciFunction } from '../device-facts.ts';
import { moduleOf } from '../devices/module-names.ts';
import { kernelArgName, kernelArgValue } from '../kernel-args.ts';
import type { ConfigLine, Symptoms } from './finding.ts';

/** One id that vfio-pci is told to take, and where that stands. */
export interface VfioId {
  /** `vvvv:dddd`, or `vvvv:dddd:ssss:ssss` with the subsystem. */
  readonly id: string;
  /** The file with its line, or `/proc/cmdline` with the argument. */
  readonly from: ConfigLine;
}

const OPTION = /^\s{0,20}options\s{1,20}vfio[-_]pci\s.{0,300}?\bids=([0-9a-fA-Fx:,]{9,300})/;
/** Vendor, device, and both of the subsystem if it is named; `ffffffff` stands for any (drivers/vfio/pci/vfio_pci.c). */
const ID = /^[0-9a-f]{4}:[0-9a-f]{4}(?::(?:[0-9a-f]{4}|ffffffff):(?:[0-9a-f]{4}|ffffffff))?$/;
const IDS_MAX = 256;

/** The ids of modprobe.d and of the running kernel line. One with a class behind it is left out: it means fewer functions. */
export function vfioIds({ facts, configLines }: Symptoms): readonly VfioId[] {
  const lines = [
    ...(configLines ?? []).map((from) => ({ from, ids: OPTION.exec(from.text)?.[1] })),
    ...facts.runningArgs.map((arg) => ({
      from: { path: '/proc/cmdline', text: arg },
      ids: /^vfio[-_]pci\.ids$/.test(kernelArgName(arg)) ? kernelArgValue(arg) : undefined,
    })),
  ];
  return lines
    .flatMap(({ from, ids = '' }) => ids.split(',').map((id) => ({ id: id.toLowerCase(), from })))
    .filter(({ id }) => ID.test(id))
    .slice(0, IDS_MAX);
}

/** Whether vfio-pci takes a function for an id, unless its override names another driver. */
export function matchesId(fn: PciFunction, id: string): boolean {
  const [vendor, device, subVendor = ANY, subDevice = ANY] = id.split(':');
  const [ownVendor, ownDevice] = fn.subsystem?.split(':') ?? [];
  return (
    fn.vendor === vendor &&
    fn.device === device &&
    (subVendor === ANY || subVendor === ownVendor) &&
    (subDevice === ANY || subDevice === ownDevice)
  );
}

const ANY = 'ffffffff';

/** Lines that keep a native driver from coming before vfio-pci: blacklists, `install MODULE /bin/false`, softdep. */
export function keptBack({ configLines }: Symptoms, driver: string): readonly ConfigLine[] {
  const name = moduleOf(driver);
  return (configLines ?? []).filter(({ text }) => {
    const [word = '', module = '', ...rest] = text.trim().slice(0, 400).split(/\s+/);
    if (module.replaceAll('-', '_') !== name) return false;
    if (word === 'blacklist') return true;
    if (word === 'install') return /^\/(?:usr\/)?bin\/(?:false|true)$/.test(rest[0] ?? '');
    return word === 'softdep' && rest[0] === 'pre:' && rest.some((it) => /^vfio[-_]pci$/.test(it));
  });
}
