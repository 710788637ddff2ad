import type { FileTree } from '../file-tree.ts';
import { GRUB2ENV, readGrubenv } from '../grub/grubenv.ts';
import { parseMenu } from '../grub/menu.ts';
import { expand, readEntries } from './entries.ts';

const GRUB2_CFG = '/boot/grub2/grub.cfg';

/** What a loader decided to boot. */
export interface LoaderChoice {
  readonly title: string;
  /** The kernel's path on the host. */
  readonly kernel: string;
  /** What `BOOT_IMAGE=` says. */
  readonly image: string;
  readonly args: readonly string[];
}

/**
 * The grub.cfg that GRUB runs, by its path: on UEFI machines the one on the EFI partition, which since release 9 is a stub
 * that goes on to the other ("Considerations in adopting RHEL 9", ch. 12.4).
 */
export function grubCfgPath(tree: FileTree): string {
  const [efi] = tree.glob('/boot/efi/EFI/*/grub.cfg').filter((path) => tree.at(path) !== undefined);
  const stub = efi === undefined ? undefined : tree.text(efi);
  return efi === undefined || stub === undefined || /^configfile /m.test(stub) ? GRUB2_CFG : efi;
}

/** The entry that a reference names, by GRUB with `blscfg`; `undefined`: one that loads no kernel, or an empty menu. */
export function chooseBls(
  tree: FileTree,
  cfg: string,
  reference: string,
): LoaderChoice | undefined {
  const entries = /^[ \t]*blscfg\b/m.test(cfg) ? readEntries(tree) : [];
  const variables = loaderVariables(tree, cfg);
  const menu = [
    ...entries.map(({ id, keys }) => ({
      id,
      title: keys.get('title') ?? keys.get('linux') ?? '',
      linux: [
        keys.get('linux') ?? '',
        // An entry without options gets those that 10_linux of older releases put there.
        ...expand(keys.get('options') ?? variables.get('default_kernelopts') ?? '', variables),
      ],
    })),
    ...parseMenu(cfg),
  ];
  const { title, linux } = find(menu, reference) ?? {};
  const [image, ...args] = linux ?? [];
  if (title === undefined || image === undefined) return undefined;
  return { title, args, kernel: onHost(tree, image), image: `(hd0,gpt2)${image}` };
}

/**
 * By id, else by title, else by a number that is all of it; what leads nowhere is the first one (`get_entry_number_helper` and
 * `run_menu` of grub-core/normal/menu.c in rhboot/grub2). So an id that begins with a digit is no number.
 */
function find<T extends { readonly id: string; readonly title: string }>(
  menu: readonly T[],
  reference: string,
): T | undefined {
  const named =
    menu.find(({ id }) => id === reference) ?? menu.find(({ title }) => title === reference);
  if (named !== undefined) return named;
  return (/^\d+$/.test(reference) ? menu[Number(reference)] : undefined) ?? menu[0];
}

/** grubenv, and what grub.cfg sets after it was loaded: tuned's variables, and fallbacks for `kernelopts`. */
export function loaderVariables(tree: FileTree, cfg: string): ReadonlyMap<string, string> {
  const variables = new Map(readGrubenv(tree.bytes(GRUB2ENV))?.variables);
  for (const name of ['tuned_params', 'default_kernelopts']) {
    const value = new RegExp(`^set ${name}="([^"\\n]*)"`, 'm').exec(cfg)?.[1];
    if (value !== undefined) variables.set(name, value);
  }
  const fallback = /^ {2}set kernelopts="([^"\n]*)"/m.exec(cfg)?.[1];
  if ((variables.get('kernelopts') ?? '') === '' && fallback !== undefined) {
    variables.set('kernelopts', fallback);
  }
  return variables;
}

/** Paths of entries begin at the file system of /boot, which is one of its own there. */
const onHost = (tree: FileTree, path: string): string =>
  tree.at(`/boot${path}`) === undefined ? path : `/boot${path}`;
