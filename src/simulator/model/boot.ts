import { chooseBls, grubCfgPath, type LoaderChoice } from './bls/choose.ts';
import type { FileTree } from './file-tree.ts';
import { emptyGrubenv, GRUB2ENV, GRUBENV, readGrubenv, writeGrubenv } from './grub/grubenv.ts';
import { chooseEntry, defaultReference, parseMenu } from './grub/menu.ts';
import { grubCanWrite, type Machine } from './machine.ts';

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
  const rhel = machine.family === 'rhel';
  const cfg = tree.text(rhel ? grubCfgPath(tree) : '/boot/grub/grub.cfg');
  if (cfg === undefined) return { kind: 'stuck', why: 'GRUB found no grub.cfg' };
  const reference = takeReference(tree, machine, cfg);
  const choice = rhel ? chooseBls(tree, cfg, reference) : chooseFromMenu(cfg, reference);
  if (choice === undefined) {
    return { kind: 'stuck', why: 'GRUB stands in its menu: the entry loads no kernel' };
  }
  const { title, image, args } = choice;
  if (tree.at(choice.kernel) === undefined) {
    return { kind: 'stuck', why: `GRUB: error: file \`${image.replace(/^\(.*\)/, '')}' not found` };
  }
  const crash = crashOf(args, machine, panics);
  return crash === undefined
    ? { kind: 'up', title, words: [`BOOT_IMAGE=${image}`, ...args] }
    : { kind: 'panic', title, ...crash };
}

function chooseFromMenu(cfg: string, reference: string): LoaderChoice | undefined {
  const { title, linux } = chooseEntry(parseMenu(cfg), reference) ?? {};
  const [kernel, ...args] = linux ?? [];
  return title === undefined || kernel === undefined
    ? undefined
    : { title, kernel, image: kernel, args };
}

const ENVIRONMENTS = { debian: GRUBENV, rhel: GRUB2ENV } as const;

/** What `default` is when the menu opens (00_header): the one-shot, else the configured entry. */
function takeReference(tree: FileTree, machine: Machine, cfg: string): string {
  const path = ENVIRONMENTS[machine.family];
  const environment = readGrubenv(tree.bytes(path)) ?? emptyGrubenv();
  const { variables } = environment;
  const next = cfg.includes('${next_entry}') ? (variables.get('next_entry') ?? '') : '';
  const takes = next !== '';
  const reference = takes ? next : savedReference(variables, cfg);
  // save_env writes the variable with an empty value; it stays in the list.
  if (takes) variables.set('next_entry', '');
  const notes = noteBoot(variables, cfg);
  const block = takes || notes ? writeGrubenv(environment) : undefined;
  if (block !== undefined && grubCanWrite(machine)) tree.put(path, block);
  return reference;
}

function savedReference(variables: ReadonlyMap<string, string>, cfg: string): string {
  const reference = defaultReference(cfg);
  return reference === '${saved_entry}' ? (variables.get('saved_entry') ?? '0') : reference;
}

/** The RHEL family's 10_reset_boot_success: each boot counts as failed until somebody in user space says otherwise. */
function noteBoot(variables: Map<string, string>, cfg: string): boolean {
  if (!cfg.includes('save_env boot_success boot_indeterminate')) return false;
  if (variables.get('boot_success') === '1') variables.set('boot_indeterminate', '0');
  else if (variables.get('boot_indeterminate') === '1') variables.set('boot_indeterminate', '2');
  variables.set('boot_success', '0');
  return true;
}

interface Crash {
  readonly why: string;
  readonly rebootAfterS: number | undefined;
}

/** What does not come up, and whether it comes back by itself. */
function crashOf(
  args: readonly string[],
  machine: Machine,
  panics: (args: readonly string[]) => boolean,
): Crash | undefined {
  const panic = panicReason(args) ?? (panics(args) ? 'the kernel panicked' : undefined);
  if (panic !== undefined) return { why: panic, rebootAfterS: panicSeconds(args) };
  const root = args.filter((arg) => arg.startsWith('root=')).at(-1);
  if (root === `root=${machine.rootDevice}`) return undefined;
  const why = `initramfs: ${root ?? 'root='} does not exist`;
  if (machine.family === 'debian') return { why, rebootAfterS: panicSeconds(args) };
  // dracut heeds no panic=: it opens a shell, or reboots when told both (dracut.cmdline(7); 98systemd, dracut-emergency.sh).
  const reboots = args.includes('rd.shell=0') && args.includes('rd.emergency=reboot');
  return { why, rebootAfterS: reboots ? DRACUT_GIVES_UP_S : undefined };
}

/** dracut waits as long for the root device before it gives up (rd.retry's default, dracut.cmdline(7)). */
const DRACUT_GIVES_UP_S = 180;

/** Lines of which it is known that they do not come up (tried in the lab: README, "Bad cases"; host.md §3). */
function panicReason(args: readonly string[]): string | undefined {
  if (args.includes('initcall_blacklist=populate_rootfs')) {
    return 'Kernel panic - not syncing: VFS: Unable to mount root fs';
  }
  const last = (name: string) => args.filter((arg) => arg.startsWith(`${name}=`)).at(-1);
  const rdinit = last('rdinit');
  if (rdinit !== undefined && rdinit !== 'rdinit=/init') {
    return 'Kernel panic - not syncing: VFS: Unable to mount root fs';
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
