import type { FileTree } from './file-tree.ts';
import { readGrubenv, writeGrubenv } from './grub/grubenv.ts';
import { chooseEntry, defaultReference, parseMenu } from './grub/menu.ts';
import { grubCanWrite, type Machine } from './machine.ts';

const GRUBENV = '/boot/grub/grubenv';

/** How a boot goes, from the loader's choice on. */
export type BootOutcome =
  | { readonly kind: 'up'; readonly title: string; readonly words: readonly string[] }
  /** The kernel gave up; with `panic=N` it reboots after N seconds, else it stands still. */
  | {
      readonly kind: 'panic';
      readonly title: string;
      readonly why: string;
      readonly rebootAfterS: number | undefined;
    }
  /** The loader stands still: nothing to boot. */
  | { readonly kind: 'stuck'; readonly why: string };

/**
 * Plays the loader: takes the one-shot entry (and clears it, where GRUB can write) or the default one.
 *
 * @param panics whether a kernel with these arguments is to crash, beside what the model knows to crash.
 */
export function bootLoader(
  tree: FileTree,
  machine: Machine,
  panics: (args: readonly string[]) => boolean,
): BootOutcome {
  const cfg = tree.text('/boot/grub/grub.cfg');
  if (cfg === undefined) return { kind: 'stuck', why: 'GRUB found no grub.cfg' };
  const entry = chooseEntry(parseMenu(cfg), takeReference(tree, machine, cfg));
  const [kernel, ...args] = entry?.linux ?? [];
  if (entry === undefined || kernel === undefined) {
    return { kind: 'stuck', why: 'GRUB stands in its menu: the entry loads no kernel' };
  }
  if (tree.at(kernel) === undefined) {
    return { kind: 'stuck', why: `GRUB: error: file \`${kernel}' not found` };
  }
  const { title } = entry;
  const why = crashReason(args, machine) ?? (panics(args) ? 'the kernel panicked' : undefined);
  if (why === undefined) return { kind: 'up', title, words: [`BOOT_IMAGE=${kernel}`, ...args] };
  return { kind: 'panic', title, why, rebootAfterS: panicSeconds(args) };
}

/** What `default` is when the menu opens (00_header): the one-shot, else the configured entry. */
function takeReference(tree: FileTree, machine: Machine, cfg: string): string {
  const environment =
    readGrubenv(tree.bytes(GRUBENV) ?? new Uint8Array()) ?? new Map<string, string>();
  const next = environment.get('next_entry') ?? '';
  if (next !== '' && cfg.includes('${next_entry}')) {
    if (grubCanWrite(machine)) {
      // save_env writes the variable with an empty value; it stays in the list.
      environment.set('next_entry', '');
      const block = writeGrubenv(environment);
      if (block !== undefined) tree.put(GRUBENV, block);
    }
    return next;
  }
  const reference = defaultReference(cfg);
  return reference === '${saved_entry}' ? (environment.get('saved_entry') ?? '0') : reference;
}

/** Lines of which it is known that they do not come up (tried in the lab: README, "Bad cases"; host.md §3). */
function crashReason(args: readonly string[], machine: Machine): string | undefined {
  if (args.includes('initcall_blacklist=populate_rootfs')) {
    return 'Kernel panic - not syncing: VFS: Unable to mount root fs';
  }
  const last = (name: string) => args.filter((arg) => arg.startsWith(`${name}=`)).at(-1);
  const rdinit = last('rdinit');
  if (rdinit !== undefined && rdinit !== 'rdinit=/init') {
    return 'Kernel panic - not syncing: VFS: Unable to mount root fs';
  }
  const root = last('root');
  if (root !== `root=UUID=${machine.rootUuid}`) {
    return `initramfs: ${root ?? 'root='} does not exist`;
  }
  return undefined;
}

/** `panic=N`: seconds until the reboot; 0 and none mean never, a negative number means at once. */
function panicSeconds(args: readonly string[]): number | undefined {
  const text = args
    .filter((arg) => arg.startsWith('panic='))
    .at(-1)
    ?.slice('panic='.length);
  const seconds = Number.parseInt(text ?? '0', 10);
  return Number.isNaN(seconds) || seconds === 0 ? undefined : Math.max(0, seconds);
}
