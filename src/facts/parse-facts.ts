import { compact } from '../domain/compact.ts';
import type { Facts, IommuFacts, Lease } from '../domain/facts.ts';
import { isBootId, isMachineId } from '../domain/boot-id.ts';
import { tokenise } from '../domain/kernel-args.ts';
import { parseBootLoader } from './boot-loader.ts';
import { parseDevices } from './devices/parse-devices.ts';
import { BOOT_ID_PATH, CMDLINE_PATH, LEASE_PATH, RECORD_PATH, UNDONE_PATH } from './probe.ts';
import type { Snapshot } from './snapshot.ts';
import { lineOf, namesIn, textOf } from './snapshot.ts';

/** Facts from what was read of a host. What is not there stays absent; nothing is guessed. */
export function parseFacts(snapshot: Snapshot): Facts {
  const line = (path: string) => lineOf(snapshot, path) ?? '';
  const valid = (text: string, is: (text: string) => boolean) => (is(text) ? text : undefined);
  const leaseFile = textOf(snapshot, LEASE_PATH);
  const tables = namesIn(snapshot, '/sys/firmware/acpi/tables');
  return compact({
    hostname: line('/proc/sys/kernel/hostname'),
    machineId: valid(line('/etc/machine-id'), isMachineId),
    bootId: valid(line(BOOT_ID_PATH), isBootId),
    os: parseOsRelease(textOf(snapshot, '/etc/os-release') ?? ''),
    kernelRelease: line('/proc/sys/kernel/osrelease'),
    runningArgs: parseRunningArgs(snapshot),
    cpu: parseCpu(line('/sys/devices/system/cpu/modalias')),
    firmware: { dmar: tables.includes('DMAR'), ivrs: tables.includes('IVRS') },
    iommu: parseIommu(snapshot),
    root: snapshot.queries.get('uid')?.output.trim() === '0',
    kvm: snapshot.files.has('/sys/class/misc/kvm/dev'),
    qemu: QEMU_FOLDERS.some((folder) => namesIn(snapshot, folder).length > 0),
    memTotalKiB: Number(/^MemTotal:\s{1,40}(\d{1,15}) kB/.exec(line('/proc/meminfo'))?.[1] ?? 0),
    runningGuests: parseRunningGuests(snapshot),
    selinux: selinuxMode(line('/sys/fs/selinux/enforce')),
    crashKernel: line('/sys/kernel/kexec_crash_loaded') === '1',
    bootLoader: parseBootLoader(snapshot),
    devices: parseDevices(snapshot),
    freeKiB: parseSpace(snapshot.queries.get('space')?.output ?? ''),
    lease: leaseFile === undefined ? undefined : parseLease(leaseFile),
    record: textOf(snapshot, RECORD_PATH),
    undone: textOf(snapshot, UNDONE_PATH),
  });
}

/** Debian's and Fedora's, and RHEL's. */
const QEMU_FOLDERS = ['/usr/share/qemu', '/usr/share/qemu-kvm'] as const;

/** selinuxfs is only mounted while SELinux is on. */
function selinuxMode(enforce: string): Facts['selinux'] {
  return enforce === '1' ? 'enforcing' : enforce === '0' ? 'permissive' : undefined;
}

/** The running kernel's arguments, without those that GRUB itself adds: BOOT_IMAGE= and Ubuntu's vt.handoff=. */
export function parseRunningArgs(snapshot: Snapshot): readonly string[] {
  return tokenise(textOf(snapshot, CMDLINE_PATH) ?? '').filter(
    (arg) => !arg.startsWith('BOOT_IMAGE=') && !arg.startsWith('vt.handoff='),
  );
}

/** IOMMU units and groups; a group's `type` is what its devices use now. */
export function parseIommu(snapshot: Snapshot): IommuFacts {
  const groups = [...snapshot.files.keys()].flatMap((path) => {
    const id = /^\/sys\/kernel\/iommu_groups\/(\d+)\/type$/.exec(path)?.[1];
    return id === undefined ? [] : [{ id, type: lineOf(snapshot, path) ?? '' }];
  });
  groups.sort((a, b) => Number(a.id) - Number(b.id));
  const remapped = [...snapshot.files.keys()].some(
    (path) => path.startsWith('/sys/kernel/irq/') && lineOf(snapshot, path)?.startsWith('IR-'),
  );
  return { units: namesIn(snapshot, '/sys/class/iommu'), groups, interruptRemapping: remapped };
}

/** libvirt keeps one `<name>.xml` in /run/libvirt/qemu for each guest that runs (libvirt qemu driver's stateDir). */
export function parseRunningGuests(snapshot: Snapshot): readonly string[] {
  return namesIn(snapshot, '/run/libvirt/qemu')
    .filter((name) => name.endsWith('.xml'))
    .map((name) => name.slice(0, -'.xml'.length));
}

/** The lease file: `key=value` lines, the id first, as src/facts/lease.ts writes it. */
export function parseLease(text: string): Lease {
  const values = keyValues(text);
  return {
    id: values.get('id') ?? '',
    rollout: values.get('rollout') ?? 'unknown',
    engine: values.get('engine') ?? 'unknown',
    who: values.get('who') ?? 'unknown',
    since: values.get('since') ?? 'unknown',
  };
}

function parseOsRelease(text: string): Facts['os'] {
  const values = keyValues(text);
  const value = (key: string) => (values.get(key) ?? '').replace(/^(["'])(.*)\1$/, '$2');
  return { id: value('ID'), versionId: value('VERSION_ID'), prettyName: value('PRETTY_NAME') };
}

/** The values of a file of `key=value` lines; other lines are left out. */
export function keyValues(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  return values;
}

/**
 * The CPU's modalias, `cpu:type:x86,venVVVVfamFFFFmodMMMM:feature:,0000,...`: vendor 0 is Intel, 2 is AMD
 * (arch/x86/include/asm/processor.h), feature 0085 is VMX, 00C2 is SVM (asm/cpufeatures.h: word*32+bit).
 * The kernel clears the bit when firmware has switched it off.
 */
function parseCpu(modalias: string): Facts['cpu'] {
  const vendorId = /ven([0-9A-Fa-f]{4})/.exec(modalias)?.[1];
  const features = new Set(modalias.split(':feature:')[1]?.toUpperCase().split(',') ?? []);
  const vendor = vendorId === '0000' ? 'intel' : vendorId === '0002' ? 'amd' : 'other';
  return { vendor, virtualization: features.has('0085') || features.has('00C2') };
}

/** The smallest free space in KiB that `df -Pk` printed, over the file systems that vfleet writes to. */
function parseSpace(output: string): number | undefined {
  const free = output
    .split('\n')
    .map((row) => /\s(\d+)\s+\d+%\s/.exec(row)?.[1])
    .filter((value) => value !== undefined)
    .map(Number);
  return free.length === 0 ? undefined : Math.min(...free);
}
