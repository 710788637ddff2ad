import type { HostPort } from '../../../src/host/port.ts';

/** A program that a contract test puts on the host; every implementation can act it out. */
export interface ContractProgram {
  readonly stdout?: string;
  readonly stderr?: string;
  /** Exit code, 0 when absent. */
  readonly code?: number;
  /** Prints each argument as `<argument>` on a line of its own. */
  readonly printsArguments?: boolean;
  /** Never ends by itself. */
  readonly hangs?: boolean;
}

/**
 * What a host may be short of. Each comes ready: with the lease, and for `etc-*` with `old\\n` as the drop-in.
 */
export type ContractFault = 'etc-full' | 'etc-read-only' | 'state-full';

/** A command that has reached the host and has not begun there. */
export interface StalledCommand {
  /** Resolves when the host has the command. */
  readonly arrived: Promise<void>;
  /** Cuts the caller's connection; the command stays. */
  cut(): Promise<void>;
  /** Lets it go on; resolves when it has ended on the host. */
  release(): Promise<void>;
}

/** A throw-away host, seen from both sides: through the port, and as root there. */
export interface ContractHost {
  readonly port: HostPort;
  /** What the host's /proc/sys/kernel/random/boot_id holds. */
  readonly bootId: string;
  /** Puts a file there, with the folders above it. */
  put(path: string, content: string | Uint8Array): Promise<void>;
  link(path: string, target: string): Promise<void>;
  /** A file's bytes, or `undefined` when it is absent. */
  get(path: string): Promise<Buffer | undefined>;
  /** Names in a folder, sorted; an absent one has none. */
  names(folder: string): Promise<string[]>;
  /** Permission bits; `undefined` where the implementation keeps none. */
  mode(path: string): Promise<number | undefined>;
  program(name: string, behaviour: ContractProgram): Promise<void>;
  stallNext(): Promise<StalledCommand>;
  /** What the host prints in front of every answer from now on; absent where there is no wire. */
  readonly noise?: (bytes: Uint8Array) => Promise<void>;
  /** Makes a write to this kernel file hang until it is released; absent where nothing can hang. */
  readonly hangPoke?: (path: string) => Promise<{ release(): Promise<void> }>;
  dispose(): Promise<void>;
}

export interface ContractOptions {
  readonly fault?: ContractFault;
}

/** Makes a fresh host; `undefined` when the implementation has no such fault. */
export type MakeContractHost = (options: ContractOptions) => Promise<ContractHost | undefined>;

export const LEASE_ID = 'enable-sriov#3/kvm-07';
export const LEASE = '/var/lib/vfleet/lease';
export const DROP_IN = '/etc/default/grub.d/zz-vfleet.cfg';
export const RECORD = '/var/lib/vfleet/record.json';
export const DEADLINE_MS = 20_000;
/** Kernel files that a poke may write. */
export const ATTRIBUTE = '/sys/bus/pci/devices/0000:7f:00.0/driver_override';
export const SLOW_ATTRIBUTE = '/sys/bus/pci/devices/0000:7f:00.0/sriov_numvfs';
export const PAGES = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages';

/** The guard of the rollout that holds the lease. */
export const guardOf = (
  seq: number,
  attempt = 1,
  more: { lease?: string; bootId?: string } = {},
): { lease: string; seq: number; attempt: number; bootId?: string } => ({
  lease: LEASE_ID,
  seq,
  attempt,
  ...more,
});

/** Puts the lease on the host, as the first mutation of a run does. */
export async function takeLease(host: ContractHost): Promise<void> {
  await host.put(LEASE, `id=${LEASE_ID}\nwho=test\n`);
}
