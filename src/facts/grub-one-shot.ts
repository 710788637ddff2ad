import type { BootLoaderFacts, LoaderFacts } from '../domain/facts.ts';
import type { QueryName, Snapshot } from './snapshot.ts';

/**
 * Where GRUB reads `next_entry` but cannot clear it, so that a panicking trial would repeat for ever:
 * the list of 00_header (GRUB 2.06), seen on LVM and btrfs with a real GRUB (host.md §3).
 */
const UNWRITABLE_ABSTRACTIONS = ['diskfilter', 'lvm'];
const UNWRITABLE_FILE_SYSTEMS = [
  'btrfs',
  'cpiofs',
  'newc',
  'odc',
  'romfs',
  'squash4',
  'tarfs',
  'zfs',
];

/**
 * Longest kernel line that is driven, in characters. Far above the 2048 that an x86 kernel reads (COMMAND_LINE_SIZE,
 * asm/setup.h), and far below what the engine can keep several times over in a host's history.
 */
const LINE_LENGTH_MAX = 32 * 1024;

export const unsupported = (reason: string): BootLoaderFacts => ({ supported: false, reason });

/** Why a default entry with these arguments is not driven, or `undefined`. */
export function tooLong(args: readonly string[]): BootLoaderFacts | undefined {
  const { length } = args.join(' ');
  if (length <= LINE_LENGTH_MAX) return undefined;
  return unsupported(
    `the kernel line of the default entry has ${length} characters, more than any kernel reads`,
  );
}

/** Whether GRUB with this grub.cfg can boot an entry once and clear that by itself. */
export function oneShotOf(snapshot: Snapshot, cfg: string): LoaderFacts['oneShot'] {
  const unsafe = (reason: string) => ({ safe: false, reason }) as const;
  if (!cfg.includes('${next_entry}')) return unsafe('grub.cfg does not look at next_entry');
  const fs = answer(snapshot, 'grub-probe-fs');
  const abstraction = answer(snapshot, 'grub-probe-abstraction');
  if (fs === undefined || abstraction === undefined) {
    return unsafe('grub-probe did not say what its folder in /boot lies on');
  }
  const words = abstraction.split(/\s+/);
  const bad = [
    ...UNWRITABLE_ABSTRACTIONS.filter((name) => words.includes(name)),
    ...UNWRITABLE_FILE_SYSTEMS.filter((name) => name === fs),
  ];
  if (bad.length === 0) return { safe: true };
  return unsafe(`/boot lies on ${bad.join(' and ')}, where GRUB cannot clear a one-shot entry`);
}

/** What a query printed, trimmed; empty output is an answer, a failed or missing query is not. */
function answer(snapshot: Snapshot, query: QueryName): string | undefined {
  const found = snapshot.queries.get(query);
  return found?.code === 0 ? found.output.trim() : undefined;
}
