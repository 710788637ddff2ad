import { MODPROBE_PATH } from '../own-files.ts';

/** What our files of modprobe.d and modules-load.d say. */
export interface ModprobeSettings {
  /** `vvvv:dddd` or `vvvv:dddd:ssss:ssss` (vendor, device, subsystem) that vfio-pci takes whole. */
  readonly ids: readonly string[];
  /** Native modules that must not be loaded before vfio-pci, which would then come too late. */
  readonly after: readonly string[];
  readonly blacklist: readonly string[];
  readonly disableIdleD3: boolean;
  readonly unsafeInterrupts: boolean;
}

export const NO_MODPROBE: ModprobeSettings = {
  ids: [],
  after: [],
  blacklist: [],
  disableIdleD3: false,
  unsafeInterrupts: false,
};

const HEADER = '# Written by vfleet; do not edit. To take it back: /var/lib/vfleet/UNDO.txt';
/** Longest text that is read back, in characters. */
const LENGTH_MAX = 64 * 1024;

const sorted = (names: readonly string[]): readonly string[] => [...new Set(names)].sort();

/** /etc/modprobe.d/vfleet.conf (modprobe.d(5)), or `null` when there is nothing to say: then there is no file. */
export function modprobeText(settings: ModprobeSettings): string | null {
  const { ids, after, blacklist, disableIdleD3, unsafeInterrupts } = settings;
  const lines = [
    ...sorted(blacklist).map((name) => `blacklist ${name}`),
    ...(ids.length === 0 ? [] : [`options vfio-pci ids=${sorted(ids).join(',')}`]),
    ...(disableIdleD3 ? [IDLE_D3] : []),
    ...(unsafeInterrupts ? [UNSAFE] : []),
    ...sorted(after).map((name) => `softdep ${name} pre: vfio-pci`),
  ];
  return lines.length === 0 ? null : [HEADER, ...lines, ''].join('\n');
}

const IDLE_D3 = 'options vfio-pci disable_idle_d3=1';
const UNSAFE = 'options vfio_iommu_type1 allow_unsafe_interrupts=1';
const ID = '[0-9a-f]{4}:[0-9a-f]{4}(?::[0-9a-f]{4}:[0-9a-f]{4})?';
const NAME = '([A-Za-z0-9][A-Za-z0-9_]{0,54})';
const BLACKLIST_LINE = new RegExp(`^blacklist ${NAME}$`);
const SOFTDEP_LINE = new RegExp(`^softdep ${NAME} pre: vfio-pci$`);
const IDS_LINE = new RegExp(`^options vfio-pci ids=(${ID}(?:,${ID})*)$`);

/** What a text says; `undefined` when it is not, to the last byte, as `modprobeText` makes it. */
export function parseModprobe(text: string): ModprobeSettings | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  const lines = text.split('\n');
  const first = (pattern: RegExp) => lines.flatMap((line) => pattern.exec(line)?.[1] ?? []);
  const settings = {
    ids: first(IDS_LINE).flatMap((ids) => ids.split(',')),
    after: first(SOFTDEP_LINE),
    blacklist: first(BLACKLIST_LINE),
    disableIdleD3: lines.includes(IDLE_D3),
    unsafeInterrupts: lines.includes(UNSAFE),
  };
  return modprobeText(settings) === text ? settings : undefined;
}

/**
 * /etc/dracut.conf.d/vfleet.conf (dracut.conf(5)), or `null` when modprobe.d says nothing. An image that is not made for
 * this host alone (`hostonly="no"`: Debian's default, and dracut-config-generic of the RHEL family) holds no modprobe.d of
 * /etc and no vfio-pci; so both are asked for. A forced driver is loaded before udev brings any other (rd.driver.pre).
 */
export function dracutText(settings: ModprobeSettings): string | null {
  if (modprobeText(settings) === null) return null;
  const early = settings.ids.length === 0 ? [] : [FORCE_VFIO];
  return [HEADER, INSTALL_MODPROBE, ...early, ''].join('\n');
}

/** Whether a text is, to the last byte, one that `dracutText` makes. */
export function isDracutText(text: string): boolean {
  return [NO_MODPROBE.ids, ['8086:1572']].some((ids) => {
    return dracutText({ ...NO_MODPROBE, ids, disableIdleD3: true }) === text;
  });
}

// The blanks inside the quotes part the words of several files (dracut.conf(5)).
const INSTALL_MODPROBE = `install_optional_items+=" ${MODPROBE_PATH} "`;
const FORCE_VFIO = 'force_drivers+=" vfio-pci "';

/** /etc/modules-load.d/vfleet.conf (modules-load.d(5)), or `null` for no modules. */
export function modulesLoadText(names: readonly string[]): string | null {
  return names.length === 0 ? null : [HEADER, ...sorted(names), ''].join('\n');
}

/** The modules of a text; `undefined` when it is not, to the last byte, as `modulesLoadText` makes it. */
export function parseModulesLoad(text: string): readonly string[] | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  const names = text.split('\n').slice(1, -1);
  const plain = names.every((name) => new RegExp(`^${NAME}$`).test(name));
  return plain && modulesLoadText(names) === text ? names : undefined;
}
