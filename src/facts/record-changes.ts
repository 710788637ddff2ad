import type { Change } from '../domain/changes.ts';
import { isLinePath } from '../domain/boot-loader/line-change.ts';
import { isOwnDeviceFile, isPciAddress } from '../domain/own-files.ts';
import type { Check } from './value-checks.ts';
import {
  count,
  dictionary,
  flag,
  isListOf,
  isObject,
  isText,
  list,
  oneOf,
  orNull,
  parts,
  text,
} from './value-checks.ts';

/**
 * Whether a value of a host's record is a change as the planner makes it. No stricter than what the planner can make, since a
 * record with one change that is not read is not read at all; and it holds no path, name or number that is not of its kind.
 */
export function isChange(value: unknown): value is Change {
  if (!isObject(value) || !isText(value['kind'])) return false;
  return CHECKS.get(value['kind'])?.(value) === true;
}

function isCmdline(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { add, drop, before, after } = value;
  if (![add, drop, before, after].every((args) => isListOf(args, isText))) return false;
  return value['loader'] === 'grub-bls' ? isBls(value) : isDebian(value);
}

/** Earlier releases wrote only these: nothing in them is stricter than it was. */
function isDebian(value: Readonly<Record<string, unknown>>): boolean {
  const { loader, dropIn, createsFolder } = value;
  return (
    loader === 'grub-debian' &&
    isObject(dropIn) &&
    (dropIn['before'] === null || isText(dropIn['before'])) &&
    isText(dropIn['after']) &&
    typeof createsFolder === 'boolean'
  );
}

const address: Check = (value) => isText(value) && value.length <= 20 && isPciAddress(value);
const ownPath: Check = (value) => isText(value) && value.length <= 100 && isOwnDeviceFile(value);
/** A name of the kernel's, of a driver or of an interface: one line that is no path. */
const name = text(/^[^\p{Cc}/]+$/u, 300);
/** All that vfleet writes is plain text in lines. */
const fileText = text(/^[\t\n\x20-\x7e]*$/, 256 * 1024);
/** CPUs as libvirt and the kernel write them; a machine with every second one has a long list. */
const cpus = text(/^[0-9,^-]*$/, 8192);

const file = parts({ path: ownPath, before: orNull(fileText), after: orNull(fileText) });
const files = list(file, 8);

const pages = parts({
  sizeKiB: oneOf(2048, 1048576),
  node: orNull(count(9999)),
  before: count(1e12),
  after: count(1e12),
});

/** Files that vfleet edits and has not made: their comments may be in any language. */
const editedText = text(/^(?:[^\p{Cc}]|[\t\n])*$/u, 256 * 1024);
const editedPath: Check = (value) => isText(value) && isLinePath(value);
const isEdited = list(parts({ path: editedPath, before: editedText, after: editedText }), 128);
const isKernelopts = orNull(parts({ before: editedText, after: editedText }));

function isBls({ files: edited, kernelopts }: Readonly<Record<string, unknown>>): boolean {
  return isEdited(edited) && isKernelopts(kernelopts);
}

/** As many as one PF can have at most (SriovFacts). */
const VFS_MAX = 65_536;

const settings = {
  mac: text(/^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}$/, 17),
  vlan: count(4095),
  trust: flag,
  spoofCheck: flag,
  maxRate: count(2 ** 32),
};
const vfBefore = parts({ driver: orNull(name), override: orNull(name) }, settings);
const vfAfter = parts(
  { driver: oneOf('vfio-pci', 'native'), override: oneOf(null, 'vfio-pci') },
  settings,
);

const vfsState = (vf: Check): Check => {
  const isState = parts({
    count: count(VFS_MAX),
    autoprobe: flag,
    mtu: orNull(count(2 ** 31)),
    vfs: list(vf, VFS_MAX),
  });
  return (value) => isState(value) && hasRoom(value);
};
const hasRoom = (value: unknown): boolean => {
  const { vfs, count: most } = value as { vfs: readonly unknown[]; count: number };
  return vfs.length <= most;
};

const driver = oneOf('vfio-pci', 'native');

const pins = parts({
  before: dictionary(/^\d{1,4}$/, cpus),
  after: dictionary(/^\d{1,4}$/, cpus),
  all: cpus,
});

/** The names that a spec may have (src/schema/guest-domain.ts): never a path, never an option. */
const guest = text(/^[\p{L}\p{N}_][\p{L}\p{N}_.:@+ -]*$/u, 128);

const attached: Check = (value) =>
  parts({ address })(value) || parts({ pf: address, vf: count(VFS_MAX) })(value);

const CHECKS: ReadonlyMap<string, Check> = new Map<Change['kind'], Check>([
  ['cmdline', isCmdline],
  ['modules', parts({ kind: oneOf('modules'), files, initramfs: flag })],
  ['hugepages', parts({ kind: oneOf('hugepages'), pages: list(pages, 4096), file })],
  [
    'vfs',
    parts({
      kind: oneOf('vfs'),
      pf: address,
      netdev: orNull(name),
      before: vfsState(vfBefore),
      after: vfsState(vfAfter),
      files,
    }),
  ],
  [
    'bind',
    parts({
      kind: oneOf('bind'),
      address,
      modalias: orNull(text(/^pci:[0-9A-Za-z]+$/, 104)),
      before: parts({ driver: orNull(name), override: orNull(name) }, { net: list(name, 1024) }),
      after: parts({ driver, override: oneOf(null, 'vfio-pci') }),
      by: oneOf('override', 'ids', 'driverctl'),
      files,
    }),
  ],
  [
    'attach',
    parts({
      kind: oneOf('attach'),
      domain: guest,
      devices: list(attached, 1024),
      managed: flag,
      confined: oneOf('required', 'recorded'),
      pins: orNull(pins),
    }),
  ],
]);
