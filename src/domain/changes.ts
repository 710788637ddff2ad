import type { DeviceReading, VfSettings } from './device-facts.ts';
import type { DriverTarget } from './spec.ts';

/** One typed, reversible difference on one host. `before` is what was found, `after` what is asked. */
export type Change =
  CmdlineChange | ModulesChange | HugepagesChange | VfsChange | BindChange | AttachChange;

/**
 * The kernel command line through the boot loader. Applied in two parts: a trial entry that is booted once,
 * and, after proof, the files that make it the default.
 */
export type CmdlineChange = GrubDebianChange | GrubBlsChange;

/** `before` and `after` are the default entry's arguments. */
interface LineChange {
  readonly kind: 'cmdline';
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly before: readonly string[];
  readonly after: readonly string[];
}

export interface GrubDebianChange extends LineChange {
  readonly loader: 'grub-debian';
  /** The drop-in's text before (`null`: absent) and after. */
  readonly dropIn: { readonly before: string | null; readonly after: string };
  /** /etc/default/grub.d did not exist, so undo removes it when it is empty. */
  readonly createsFolder: boolean;
}

export interface GrubBlsChange extends LineChange {
  readonly loader: 'grub-bls';
  /** The entries of all kernels but the rescue one, /etc/default/grub, and /etc/kernel/cmdline where it is; whole. */
  readonly files: readonly FileChange[];
  /** grubenv's `kernelopts`, where entries refer to it; `null`: none does. */
  readonly kernelopts: { readonly before: string; readonly after: string } | null;
}

/** A file that is vfleet's, or one that it edits, whole: `null` when it is absent. */
export interface FileChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** modprobe.d and modules-load.d. They act from the next boot on, and in the initramfs only once it was made again. */
export interface ModulesChange {
  readonly kind: 'modules';
  readonly files: readonly FileChange[];
  /** The initramfs is made again, of every installed kernel, when it does not hold `files` as they are. */
  readonly initramfs: boolean;
}

/** Hugepages by sysfs, at run time; those of boot time are kernel arguments. */
export interface HugepagesChange {
  readonly kind: 'hugepages';
  readonly pages: readonly {
    readonly sizeKiB: 2048 | 1048576;
    /** `null`: the file for the whole machine. */
    readonly node: number | null;
    readonly before: number;
    readonly after: number;
  }[];
  /** tmpfiles.d writes them again at each boot. */
  readonly file: FileChange;
}

/** The VFs of one PF: how many, what the PF says of each, and each one's driver; by index, since addresses come with them. */
export interface VfsChange {
  readonly kind: 'vfs';
  readonly pf: string;
  /** Network interface of the PF; `null` for a PF that is no network card. */
  readonly netdev: string | null;
  readonly before: VfsState;
  readonly after: VfsState;
  /** The udev rule that makes them again at each boot, and the script that it runs. */
  readonly files: readonly FileChange[];
}

export interface VfsState {
  readonly count: number;
  readonly autoprobe: boolean;
  /** `null`: not a network card, or left as found. */
  readonly mtu: number | null;
  /** By index; in `after`, settings that are absent are left as the driver makes them. */
  readonly vfs: readonly VfState[];
}

export interface VfState extends VfSettings {
  /** Before: the driver that was bound (`null`: none). After: `vfio-pci`, or `native` for the kernel's own choice. */
  readonly driver: string | null;
  /** driver_override. */
  readonly override: string | null;
}

/** The driver of one function that is no VF of ours. */
export interface BindChange {
  readonly kind: 'bind';
  readonly address: string;
  /** By which modprobe loads the native driver again. */
  readonly modalias: string | null;
  readonly before: {
    readonly driver: string | null;
    readonly override: string | null;
    /** Names of its network interfaces, which go with its driver: by them `match.netdev` finds it afterwards. */
    readonly net?: readonly string[];
  };
  /** `native` in `driver`: whichever the kernel picks, with no override. */
  readonly after: { readonly driver: DriverTarget; readonly override: string | null };
  /**
   * `override`: our udev rule keeps it; `ids`: the modules change does; `driverctl`: the operator's own tool, told by
   * `driverctl set-override`.
   */
  readonly by: 'override' | 'ids' | 'driverctl';
  readonly files: readonly FileChange[];
}

/** PCI devices of one libvirt guest, in its configuration and, while it runs, live. */
export interface AttachChange {
  readonly kind: 'attach';
  readonly domain: string;
  readonly devices: readonly AttachedDevice[];
  readonly managed: boolean;
  readonly confined: 'required' | 'recorded';
  /** vCPU pins by vCPU, in the configuration and live; `null`: left as found. A vCPU that was not pinned is absent in `before`. */
  readonly pins: {
    readonly before: Readonly<Record<string, string>>;
    readonly after: Readonly<Record<string, string>>;
    /** All CPUs of the host, as a list: what an unpinned vCPU may use. */
    readonly all: string;
  } | null;
}

/** A function by address, or a VF by its PF and index. */
export type AttachedDevice =
  { readonly address: string } | { readonly pf: string; readonly vf: number };

export type ChangeKind = Change['kind'];

/**
 * Most that a run's changes may be as JSON, in characters: the host's record holds all of them before the first is made
 * (law 2), and a rollback carries them through the engine's history.
 */
export const CHANGES_LENGTH_MAX = 256 * 1024;

/** The change of the kernel line, of which a plan has at most one. */
export function cmdlineOf(changes: readonly Change[]): CmdlineChange | undefined {
  return changes.find((change) => change.kind === 'cmdline');
}

/** How many reboots changes need: what a device does changes while the host runs (law 13). */
export function rebootsOf(changes: readonly Change[]): 0 | 1 {
  return changes.some(({ kind }) => kind === 'cmdline' || kind === 'modules') ? 1 : 0;
}

/** The functions that changes touch: PFs and functions by address; VFs by their PF. */
export function touchedFunctions(changes: readonly Change[]): readonly string[] {
  const addresses = changes.flatMap((change) => {
    if (change.kind === 'vfs') return [change.pf];
    return change.kind === 'bind' ? [change.address] : [];
  });
  return [...new Set(addresses)];
}

/** Those of one kind, in their order. */
export function ofKind<K extends ChangeKind>(
  changes: readonly Change[],
  kind: K,
): Extract<Change, { kind: K }>[] {
  return changes.filter((change): change is Extract<Change, { kind: K }> => change.kind === kind);
}

/** What a change is about: two of one rollout about the same are the same step of it, planned at two times. */
export function subjectOf(change: Change): string {
  switch (change.kind) {
    case 'vfs':
      return `vfs ${change.pf}`;
    case 'bind':
      return `bind ${change.address}`;
    case 'attach':
      return `attach ${change.domain}`;
    default:
      return change.kind;
  }
}

/** Whether two changes are the same to the letter; both were made by the planner or read from what it made. */
export function sameChange(a: Change, b: Change): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What one host needs, or why nothing can be done. Made by the planner from facts and the target. */
export type HostPlan =
  | { readonly kind: 'compliant'; readonly evidence: Evidence }
  | {
      readonly kind: 'changes';
      /** In the order in which they are applied. */
      readonly changes: readonly Change[];
      readonly reboots: number;
      /** Hex digest of the changes and of what they rest on; a plan that came out differently has another. */
      readonly digest: string;
      /** Hosts with the same hardware and the same changes share it; a few words for people, e.g. `Intel, Debian 12`. */
      readonly hardware: string;
      readonly warnings: readonly string[];
      readonly bootId: string;
      readonly machineId: string;
      /** How the devices did that the changes touch; absent when there are none. */
      readonly readings?: readonly DeviceReading[];
    }
  | { readonly kind: 'blocked'; readonly code: string; readonly sentence: string }
  | { readonly kind: 'held'; readonly code: string; readonly sentence: string };

/** What a verified step saw (law 12): short names and values, at most a few hundred bytes. */
export type Evidence = Readonly<Record<string, string>>;
