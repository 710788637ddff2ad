import type { BlsVariables } from '../domain/boot-loader/bls-entry.ts';
import {
  BLS_FOLDER,
  blsId,
  expandOptions,
  parseBlsEntry,
} from '../domain/boot-loader/bls-entry.ts';
import { DEFAULT_GRUB_PATH } from '../domain/boot-loader/default-grub.ts';
import { KERNEL_CMDLINE_PATH } from '../domain/boot-loader/line-change.ts';
import { compact } from '../domain/compact.ts';
import type { BootLoaderFacts, GrubEntry } from '../domain/facts.ts';
import { oneShotOf, tooLong, unsupported } from './grub-one-shot.ts';
import { parseGrubCfg, parseGrubenv } from './grub.ts';
import { BLS_TRIAL_PATH, GRUB2_CFG_PATH, GRUB2ENV_PATH } from './probe.ts';
import type { Snapshot } from './snapshot.ts';
import { textOf } from './snapshot.ts';

/** Most entries that are driven, and longest text of one, in characters; a kernel has one of some 500. */
const ENTRIES_MAX = 64;
const ENTRY_LENGTH_MAX = 32 * 1024;

/** Files of entries in a snapshot, by name. */
export function blsFiles(
  snapshot: Snapshot,
): readonly { readonly path: string; readonly text: string }[] {
  return [...snapshot.files.keys()]
    .filter((path) => path.startsWith(`${BLS_FOLDER}/`) && path.endsWith('.conf'))
    .sort()
    .map((path) => ({ path, text: textOf(snapshot, path) ?? '' }));
}

/**
 * GRUB with entries in files. The default must be named by its id: GRUB sorts entries by name, so where the default is a
 * place in the menu, or none, a new entry could become it (blscfg of rhboot/grub2; grubby's get_default_index).
 */
export function parseGrubBls(snapshot: Snapshot): BootLoaderFacts {
  const cfg = grubCfg(snapshot);
  if (cfg === undefined) {
    return unsupported(
      `it has entries in ${BLS_FOLDER}, and no grub.cfg that reads them (blscfg) was found`,
    );
  }
  const environment = parseGrubenv(textOf(snapshot, GRUB2ENV_PATH) ?? '');
  const files = blsFiles(snapshot);
  const saved = environment.get('saved_entry') ?? '';
  const isDefault = ({ path }: { readonly path: string }) => blsId(path) === saved;
  const found = files.find((file) => file.path !== BLS_TRIAL_PATH && isDefault(file));
  const menu = parseGrubCfg(cfg);
  if (!menu.defaultRef.includes('saved_entry')) {
    return unsupported(
      `grub.cfg boots "${menu.defaultRef}" whatever is saved; set GRUB_DEFAULT=saved and run grub2-mkconfig -o ${GRUB2_CFG_PATH}`,
    );
  }
  if (found === undefined) {
    return unsupported(
      `grubenv names no entry by its id (saved_entry is "${saved.slice(0, 80)}"), so a new entry could become the default; name one: grubby --set-default=/boot/vmlinuz-$(uname -r)`,
    );
  }
  return understood(snapshot, { environment, files, found, cfg });
}

function understood(
  snapshot: Snapshot,
  {
    environment,
    files,
    found,
    cfg,
  }: {
    readonly environment: ReadonlyMap<string, string>;
    readonly files: ReturnType<typeof blsFiles>;
    readonly found: { readonly path: string; readonly text: string };
    readonly cfg: string;
  },
): BootLoaderFacts {
  const variables: BlsVariables = compact({
    kernelopts: nonEmpty(environment.get('kernelopts')) ?? setIn(cfg, 'kernelopts'),
    // 00_tuned sets it after the environment was read.
    tuned_params: setIn(cfg, 'tuned_params') ?? environment.get('tuned_params'),
  });
  const defaultEntry = entryOf(found.text, variables);
  const defaultGrub = textOf(snapshot, DEFAULT_GRUB_PATH);
  const trial = files.find(({ path }) => path === BLS_TRIAL_PATH);
  if (defaultEntry === undefined) return unsupported(`${found.path} loads no Linux kernel`);
  if (defaultGrub === undefined) {
    return unsupported(`${DEFAULT_GRUB_PATH} is missing or unreadable`);
  }
  if (files.length > ENTRIES_MAX || files.some(({ text }) => text.length > ENTRY_LENGTH_MAX)) {
    return unsupported(`${BLS_FOLDER} has more than the entries of ${ENTRIES_MAX} kernels`);
  }
  return (
    tooLong(defaultEntry.args) ??
    compact({
      supported: true as const,
      kind: 'grub-bls' as const,
      defaultEntry,
      defaultPath: found.path,
      nextEntry: nonEmpty(environment.get('next_entry')),
      trialEntry: trial && entryOf(trial.text, variables),
      trialText: trial?.text,
      entries: files.filter((file) => file !== trial),
      variables,
      defaultGrub,
      kernelCmdline: textOf(snapshot, KERNEL_CMDLINE_PATH),
      oneShot: oneShotOf(snapshot, cfg),
    })
  );
}

function entryOf(text: string, variables: BlsVariables): GrubEntry | undefined {
  const entry = parseBlsEntry(text);
  return (
    entry && {
      title: entry.title,
      kernel: entry.linux,
      args: expandOptions(entry.options, variables),
    }
  );
}

/** The one that GRUB runs: on EFI machines up to release 8 there is none in /boot/grub2, later the one there is a stub. */
function grubCfg(snapshot: Snapshot): string | undefined {
  const own = textOf(snapshot, GRUB2_CFG_PATH);
  const efi = [...snapshot.files.keys()].filter((path) =>
    /^\/boot\/efi\/EFI\/[^/]+\/grub\.cfg$/.test(path),
  );
  const texts = [own, ...efi.map((path) => textOf(snapshot, path))];
  return texts.find((text) => text !== undefined && /^[ \t]*blscfg\b/m.test(text));
}

/** What grub.cfg sets a variable to: 10_linux `kernelopts` where grubenv has none, 00_tuned `tuned_params`. */
function setIn(cfg: string, name: 'kernelopts' | 'tuned_params'): string | undefined {
  return new RegExp(`^[ \\t]*set ${name}="([^"\\n]*)"`, 'm').exec(cfg)?.[1];
}

const nonEmpty = (text: string | undefined) => (text === '' ? undefined : text);
