import type { BootLoaderFacts, GrubDebianFacts, GrubEntry } from '../domain/facts.ts';
import { compact } from '../domain/compact.ts';
import type { GrubMenu } from './grub.ts';
import { parseGrubCfg, parseGrubenv, resolveEntry } from './grub.ts';
import {
  DROP_IN_FOLDER,
  DROP_IN_PATH,
  GRUB_CFG_PATH,
  GRUBENV_PATH,
  TRIAL_SNIPPET_PATH,
} from './probe.ts';
import type { QueryName, Snapshot } from './snapshot.ts';
import { namesIn, textOf } from './snapshot.ts';

/** Id of our trial entry in grub.cfg; `grub-reboot` names it. */
export const TRIAL_ENTRY_ID = 'vfleet-trial';

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

const unsupported = (reason: string): BootLoaderFacts => ({ supported: false, reason });

/** The boot loader of a host, or why it cannot be driven. Only Debian's GRUB is known so far. */
export function parseBootLoader(snapshot: Snapshot): BootLoaderFacts {
  if (namesIn(snapshot, '/boot/loader/entries').some((name) => name.endsWith('.conf'))) {
    return unsupported(
      'it boots from BLS entries in /boot/loader/entries, which are not yet built',
    );
  }
  const cfg = textOf(snapshot, GRUB_CFG_PATH);
  const main = textOf(snapshot, '/etc/default/grub');
  if (cfg === undefined || main === undefined) {
    const missing = cfg === undefined ? GRUB_CFG_PATH : '/etc/default/grub';
    return unsupported(`${missing} is missing or unreadable; only Debian's GRUB is supported yet`);
  }
  return grubDebian(snapshot, parseGrubCfg(cfg));
}

function grubDebian(snapshot: Snapshot, menu: GrubMenu): BootLoaderFacts {
  const environment = parseGrubenv(textOf(snapshot, GRUBENV_PATH) ?? '');
  const ref = menu.defaultRef.includes('saved_entry')
    ? (environment.get('saved_entry') ?? '0')
    : menu.defaultRef;
  const entry = resolveEntry(menu, ref);
  if (entry === undefined) {
    return unsupported(`the default entry "${ref}" of ${GRUB_CFG_PATH} is not a plain menu entry`);
  }
  if (entry.topLevelIndex !== 0) {
    return unsupported(
      `the default entry "${ref}" is not the first of the menu; set GRUB_DEFAULT=0 and run update-grub`,
    );
  }
  const length = entry.args.join(' ').length;
  if (length > LINE_LENGTH_MAX) {
    return unsupported(
      `the kernel line of the default entry has ${length} characters, more than any kernel reads`,
    );
  }
  return compact({
    supported: true as const,
    kind: 'grub-debian' as const,
    defaultEntry: plainEntry(entry),
    // grub-editenv unset leaves no line, but GRUB itself saves an empty value when it clears the one-shot.
    nextEntry: nonEmpty(environment.get('next_entry')),
    trialEntry: plainEntry(menu.entries.find((candidate) => candidate.id === TRIAL_ENTRY_ID)),
    dropIn: textOf(snapshot, DROP_IN_PATH),
    dropInFolder: snapshot.dirs.has(DROP_IN_FOLDER),
    trialSnippet: textOf(snapshot, TRIAL_SNIPPET_PATH),
    oneShot: oneShot(snapshot, menu),
  });
}

const nonEmpty = (text: string | undefined) => (text === '' ? undefined : text);

function plainEntry<E extends GrubEntry | undefined>(
  entry: E,
): E extends GrubEntry ? GrubEntry : undefined;
function plainEntry(entry: GrubEntry | undefined): GrubEntry | undefined {
  return entry && { title: entry.title, kernel: entry.kernel, args: entry.args };
}

function oneShot(snapshot: Snapshot, menu: GrubMenu): GrubDebianFacts['oneShot'] {
  const unsafe = (reason: string) => ({ safe: false, reason }) as const;
  if (!menu.oneShot) return unsafe(`${GRUB_CFG_PATH} does not look at next_entry`);
  const fs = answer(snapshot, 'grub-probe-fs');
  const abstraction = answer(snapshot, 'grub-probe-abstraction');
  if (fs === undefined || abstraction === undefined) {
    return unsafe('grub-probe did not say what /boot/grub lies on');
  }
  const words = abstraction.split(/\s+/);
  const bad = [
    ...UNWRITABLE_ABSTRACTIONS.filter((name) => words.includes(name)),
    ...UNWRITABLE_FILE_SYSTEMS.filter((name) => name === fs),
  ];
  if (bad.length === 0) return { safe: true };
  return unsafe(
    `/boot/grub lies on ${bad.join(' and ')}, where GRUB cannot clear a one-shot entry`,
  );
}

/** What a query printed, trimmed; empty output is an answer, a failed or missing query is not. */
function answer(snapshot: Snapshot, query: QueryName): string | undefined {
  const found = snapshot.queries.get(query);
  return found?.code === 0 ? found.output.trim() : undefined;
}
