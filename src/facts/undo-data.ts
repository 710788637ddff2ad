import { createHash } from 'node:crypto';
import type { AttachChange, Change, FileChange, VfsChange } from '../domain/changes.ts';
import { ofKind } from '../domain/changes.ts';
import { compact } from '../domain/compact.ts';
import type { VfSettings } from '../domain/device-facts.ts';
import { settingWords } from '../domain/udev-files.ts';
import { guestCopyPath, LEFT_LINES } from './guest-files.ts';
import { quoted, quotedText } from './undo/quoted.ts';

/** Lower-case hex SHA-256, or `absent` for no file, as the shell compares it. */
export function digestOf(text: string | null): string {
  return text === null ? 'absent' : createHash('sha256').update(text).digest('hex');
}

/** Every file of vfleet's own that changes brought, rules before the scripts that they run: what acts at a boot goes first. */
export function filesOf(changes: readonly Change[]): readonly FileChange[] {
  const files = changes.flatMap((change) => {
    switch (change.kind) {
      case 'hugepages':
        return [change.file];
      case 'modules':
      case 'vfs':
      case 'bind':
        return change.files;
      default:
        return [];
    }
  });
  const isRule = ({ path }: FileChange) => path.endsWith('.rules');
  return [...files.filter(isRule), ...files.filter((file) => !isRule(file))];
}

/** What changes are, in a line each, for whoever reads the file before running it. */
export function changeLines(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) => {
    switch (change.kind) {
      case 'modules':
        return [`options of modules: ${change.files.map(({ path }) => path).join(' ')}`];
      case 'hugepages':
        return [`huge pages at run time: ${change.file.path}`];
      case 'vfs':
        return [`VFs of ${change.pf}: ${change.before.count} before, ${change.after.count} after`];
      case 'bind':
        return [
          `driver of ${change.address}: ${change.before.driver ?? 'none'} before, ${change.after.driver} after`,
        ];
      case 'attach':
        return [`guest ${change.domain}: ${change.devices.length} PCI devices`];
      default:
        return [];
    }
  });
}

const call = (name: string, ...words: readonly string[]): string =>
  [name, ...words.map(quoted)].join(' ');

/** A shell function with some lines; one without any does nothing. */
function shellFunction(name: string, lines: readonly string[]): string {
  return `${name}() {\n${lines.map((line) => `  ${line}\n`).join('')}  :\n}\n`;
}

/** The functions that hand the data of devices to the fixed parts: each calls its first argument, once for each thing. */
export function deviceData(changes: readonly Change[]): string {
  const left = LEFT_LINES.map((line) => `-I ${quoted(line)}`).join(' ');
  return [
    fileFunctions('files', filesOf(changes)),
    shellFunction('old_vfs', ofKind(changes, 'vfs').flatMap(oldVfs)),
    shellFunction('pins', ofKind(changes, 'attach').flatMap(pinCalls)),
    copyFunction(ofKind(changes, 'attach')),
    `differs() { diff -q ${left} "$1" "$2" >/dev/null; }\n`,
  ].join('');
}

/** A function that calls its first argument for each file, with path, digests and the function that prints it as it was. */
export function fileFunctions(name: string, files: readonly FileChange[]): string {
  const printer = (at: number) => `print_${name}_${at}`;
  const printers = files.map(({ before }, at) =>
    shellFunction(printer(at), before === null ? [] : [`printf %s ${quotedText(before)}`]),
  );
  const listed = files.map(({ path, before, after }, at) =>
    call('"$1"', path, digestOf(before), digestOf(after), printer(at)),
  );
  return [...printers, shellFunction(name, listed)].join('');
}

function oldVfs({ pf, before, after }: VfsChange): string[] {
  return before.vfs.map((vf, index) => {
    const words = settingWords(
      before.count === after.count ? changedSettings(vf, after.vfs[index]) : madeAnew(vf),
    );
    return call('"$1"', pf, String(index), vf.driver ?? '', vf.override ?? '', ...words);
  });
}

const SETTINGS = ['mac', 'vlan', 'trust', 'spoofCheck', 'maxRate'] as const;

/** VFs that stay keep what was not asked otherwise. */
function changedSettings(before: VfSettings, after: VfSettings = {}): VfSettings {
  const names = SETTINGS.filter(
    (name) => after[name] !== undefined && after[name] !== before[name],
  );
  return Object.fromEntries(names.map((name) => [name, before[name]]));
}

/** VFs that are made anew have no address, VLAN, trust or limit; drivers differ on the spoof check. */
function madeAnew({ mac, vlan, trust, spoofCheck, maxRate }: VfSettings): VfSettings {
  return compact({
    mac: mac === '00:00:00:00:00:00' ? undefined : mac,
    vlan: vlan === 0 ? undefined : vlan,
    trust: trust === false ? undefined : trust,
    spoofCheck,
    maxRate: maxRate === 0 ? undefined : maxRate,
  });
}

/** `copy_of GUEST`: where the configuration from before is. */
function copyFunction(changes: readonly AttachChange[]): string {
  const cases = changes.map(
    (change) => `${quoted(change.domain)}) say ${quoted(guestCopyPath(change))} ;;`,
  );
  return shellFunction('copy_of', ['case $1 in', ...cases, 'esac']);
}

/** GUEST VCPU CPUS BEFORE AFTER: CPUS is what libvirt is told, which knows no unpinning. */
function pinCalls({ domain, pins }: AttachChange): string[] {
  return Object.entries(pins?.after ?? {}).map(([vcpu, after]) => {
    const before = pins?.before[vcpu] ?? '';
    // `r` stands for all CPUs (virsh(1), vcpupin).
    const all = pins?.all === '' ? 'r' : (pins?.all ?? 'r');
    return call('"$1"', domain, vcpu, before === '' ? all : before, before, after);
  });
}

/** The guests from which devices are to be taken, so that their use of them is none that stands in the way. */
const NOBODY_GIVEN = ["given='' given_groups=''"];

/** What is looked at before anything is changed. */
export function deviceChecks(changes: readonly Change[]): readonly string[] {
  return [
    'files check_file',
    ...NOBODY_GIVEN,
    ...ofKind(changes, 'attach').map((change) => call('check_guest', ...guestWords(change))),
    'look_for_users',
    ...ofKind(changes, 'bind').map(({ address, modalias, by, before, after }) =>
      call(
        'check_function',
        address,
        modalias ?? '',
        by,
        ...driverWords(before),
        ...driverWords(after),
      ),
    ),
    ...ofKind(changes, 'vfs').map((change) => call('check_pf', ...pfWords(change), vfioOf(change))),
    'pins check_pin',
  ];
}

/** What takes devices back, in the order of a rollback. */
export function deviceUndo(changes: readonly Change[]): readonly string[] {
  const back = changes.toReversed();
  const guests = ofKind(back, 'attach');
  return [
    ...guests.map((change) => call('undo_guest', ...guestWords(change))),
    'pins undo_pin',
    ...guests.map(({ domain }) => call('restore_guest', domain)),
    'files undo_file',
    'undo_initramfs',
    // Guests have let go by now, and others may have been started meanwhile.
    ...NOBODY_GIVEN,
    'look_for_users',
    ...ofKind(back, 'bind').map(({ address, modalias, by, before }) =>
      call('undo_function', address, modalias ?? '', by, ...driverWords(before)),
    ),
    ...ofKind(back, 'vfs').map((change) => call('undo_pf', ...pfWords(change))),
    ...ofKind(back, 'hugepages').flatMap(({ pages }) =>
      pages.map((page) =>
        call('undo_pages', pagesPath(page), String(page.before), String(page.after)),
      ),
    ),
    'say_modules',
  ];
}

function guestWords({ domain, managed, devices }: AttachChange): string[] {
  const named = devices.map((device) =>
    'address' in device ? device.address : `${device.pf}/${device.vf}`,
  );
  return [domain, managed ? 'yes' : 'no', ...named];
}

function driverWords(state: { readonly driver: string | null; readonly override: string | null }) {
  return [state.driver ?? '', state.override ?? ''];
}

function pfWords({ pf, before, after }: VfsChange): string[] {
  const mtu = (value: number | null) => (value === null ? '' : String(value));
  const autoprobe = before.autoprobe ? '1' : '0';
  return [
    pf,
    String(before.count),
    String(after.count),
    autoprobe,
    mtu(before.mtu),
    mtu(after.mtu),
  ];
}

/** Indices of the VFs that went to vfio-pci. */
function vfioOf({ after }: VfsChange): string {
  return after.vfs.flatMap((vf, index) => (vf.driver === 'vfio-pci' ? [index] : [])).join(' ');
}

function pagesPath({ sizeKiB, node }: { readonly sizeKiB: number; readonly node: number | null }) {
  const folder = node === null ? '/sys/kernel/mm' : `/sys/devices/system/node/node${node}`;
  return `${folder}/hugepages/hugepages-${sizeKiB}kB/nr_hugepages`;
}
