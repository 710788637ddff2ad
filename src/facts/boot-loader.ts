import type { BootLoaderFacts, GrubEntry } from '../domain/facts.ts';
import { TRIAL_ENTRY_ID } from '../domain/boot-loader/tools.ts';
import { compact } from '../domain/compact.ts';
import { blsFiles, parseGrubBls } from './grub-bls.ts';
import { oneShotOf, tooLong, unsupported } from './grub-one-shot.ts';
import { parseGrubCfg, parseGrubenv, resolveEntry } from './grub.ts';
import {
  DROP_IN_FOLDER,
  DROP_IN_PATH,
  GRUB_CFG_PATH,
  GRUBENV_PATH,
  TRIAL_SNIPPET_PATH,
} from './probe.ts';
import type { Snapshot } from './snapshot.ts';
import { textOf } from './snapshot.ts';

/**
 * The boot loader of a host, or why it cannot be driven. Which one it is, its own files say, and not the distribution: the
 * first of these that finds its files.
 */
export function parseBootLoader(snapshot: Snapshot): BootLoaderFacts {
  if (blsFiles(snapshot).length > 0) return parseGrubBls(snapshot);
  return parseGrubDebian(snapshot);
}

function parseGrubDebian(snapshot: Snapshot): BootLoaderFacts {
  const cfg = textOf(snapshot, GRUB_CFG_PATH);
  const main = textOf(snapshot, '/etc/default/grub');
  if (cfg === undefined || main === undefined) {
    const missing = cfg === undefined ? GRUB_CFG_PATH : '/etc/default/grub';
    return unsupported(
      `${missing} is missing or unreadable, and there are no entries in /boot/loader/entries; only GRUB as Debian or the RHEL family set it up is supported yet`,
    );
  }
  const menu = parseGrubCfg(cfg);
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
  return (
    tooLong(entry.args) ??
    compact({
      supported: true as const,
      kind: 'grub-debian' as const,
      defaultEntry: plainEntry(entry),
      // grub-editenv unset leaves no line, but GRUB itself saves an empty value when it clears the one-shot.
      nextEntry: nonEmpty(environment.get('next_entry')),
      trialEntry: plainEntry(menu.entries.find((candidate) => candidate.id === TRIAL_ENTRY_ID)),
      dropIn: textOf(snapshot, DROP_IN_PATH),
      dropInFolder: snapshot.dirs.has(DROP_IN_FOLDER),
      trialSnippet: textOf(snapshot, TRIAL_SNIPPET_PATH),
      oneShot: oneShotOf(snapshot, cfg),
    })
  );
}

const nonEmpty = (text: string | undefined) => (text === '' ? undefined : text);

function plainEntry<E extends GrubEntry | undefined>(
  entry: E,
): E extends GrubEntry ? GrubEntry : undefined;
function plainEntry(entry: GrubEntry | undefined): GrubEntry | undefined {
  return entry && { title: entry.title, kernel: entry.kernel, args: entry.args };
}
