import { TRIAL_SNIPPET } from '../../../domain/drop-in.ts';
import type { FileTree } from '../file-tree.ts';
import { CannotInterpret, source, type Variables } from './defaults.ts';
import type { GrubFlavour } from './grub-flavour.ts';
import { isGarbage, scriptText } from './grub-scripts.ts';
import { GENERATED_NOTICE, headerText, THEME_TEXT, UEFI_TEXT } from './header-text.ts';
import { linuxText } from './linux-text.ts';
import { trialText } from './trial-text.ts';

/** Variables that the model's templates heed or may pass over; any other is refused. */
const KNOWN: ReadonlySet<string> = new Set([
  'GRUB_DEFAULT',
  'GRUB_TIMEOUT',
  'GRUB_TIMEOUT_STYLE',
  'GRUB_RECORDFAIL_TIMEOUT',
  'GRUB_DISTRIBUTOR',
  'GRUB_CMDLINE_LINUX_DEFAULT',
  'GRUB_CMDLINE_LINUX',
  'GRUB_DISABLE_OS_PROBER',
  'GRUB_DISABLE_RECOVERY',
  'GRUB_TERMINAL',
]);

/** What the machine's disks and packages say, beside the files. */
export interface GrubMachine {
  readonly flavour: GrubFlavour;
  readonly rootUuid: string;
  readonly searchHints: boolean;
}

export interface GeneratedMenu {
  readonly text: string;
  /** What the program says on stderr. */
  readonly messages: string;
}

/**
 * What `update-grub` would write to /boot/grub/grub.cfg: /etc/default/grub and the drop-ins, then each executable
 * script of /etc/grub.d in order.
 *
 * @throws CannotInterpret for shell, a variable or a script that the model does not know.
 */
export function generateGrubCfg(tree: FileTree, machine: GrubMachine): GeneratedMenu {
  const variables = readDefaults(tree);
  const kernels = installedKernels(tree);
  let text = GENERATED_NOTICE;
  for (const name of tree.names('/etc/grub.d') ?? []) {
    const path = `/etc/grub.d/${name}`;
    const node = tree.at(path);
    if (node?.kind !== 'file' || (node.mode & 0o111) === 0 || isGarbage(name)) continue;
    const output = scriptOutput(name, { tree, machine, variables, kernels, soFar: text });
    text += `\n### BEGIN ${path} ###\n${output}### END ${path} ###\n`;
  }
  return { text, messages: messages(tree, kernels) };
}

function readDefaults(tree: FileTree): Variables {
  const variables: Variables = new Map();
  for (const path of ['/etc/default/grub', ...tree.glob('/etc/default/grub.d/*.cfg')]) {
    const text = tree.text(path);
    if (text !== undefined) source(path, text, variables);
  }
  const unknown = [...variables.keys()].find(
    (name) => name.startsWith('GRUB_') && !KNOWN.has(name),
  );
  if (unknown !== undefined) throw new CannotInterpret(`the model does not know ${unknown}`);
  if (variables.get('GRUB_TERMINAL') !== 'console') {
    throw new CannotInterpret('the model knows GRUB_TERMINAL=console only');
  }
  return variables;
}

/** Newest first, by version numbers. */
function installedKernels(tree: FileTree): readonly string[] {
  const prefix = 'vmlinuz-';
  const versions = (tree.names('/boot') ?? [])
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  return versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
}

interface ScriptRun {
  readonly tree: FileTree;
  readonly machine: GrubMachine;
  readonly variables: Variables;
  readonly kernels: readonly string[];
  /** The menu under construction, which our trial snippet reads. */
  readonly soFar: string;
}

function scriptOutput(name: string, run: ScriptRun): string {
  const script = SCRIPTS.get(name);
  if (script === undefined) throw new CannotInterpret(`the model cannot run /etc/grub.d/${name}`);
  return script(run);
}

const SCRIPTS: ReadonlyMap<string, (run: ScriptRun) => string> = new Map([
  ['00_header', header],
  ['05_debian_theme', ({ machine }) => THEME_TEXT[machine.flavour]],
  ['10_linux', linux],
  ['20_linux_xen', () => '\n'],
  ['30_os-prober', () => ''],
  ['30_uefi-firmware', ({ tree }) => (hasEfi(tree) ? UEFI_TEXT : '')],
  ['40_custom', ({ tree }) => customText(tree.text('/etc/grub.d/40_custom') ?? '')],
  ['41_custom', ({ tree }) => customText(tree.text('/etc/grub.d/41_custom') ?? '')],
  ['42_vfleet_trial', trial],
]);

function hasEfi(tree: FileTree): boolean {
  return tree.at('/sys/firmware/efi') !== undefined;
}

function header({ machine, variables }: ScriptRun): string {
  const wanted = variables.get('GRUB_DEFAULT') ?? '0';
  return headerText({
    flavour: machine.flavour,
    defaultEntry: wanted === 'saved' ? '${saved_entry}' : wanted,
    timeout: variables.get('GRUB_TIMEOUT') ?? '5',
    timeoutStyle: variables.get('GRUB_TIMEOUT_STYLE') ?? 'menu',
    recordfailTimeout: variables.get('GRUB_RECORDFAIL_TIMEOUT') ?? '30',
  });
}

function linux({ machine, variables, kernels }: ScriptRun): string {
  return linuxText({
    ...machine,
    kernels,
    distributor: variables.get('GRUB_DISTRIBUTOR') ?? 'Debian',
    always: variables.get('GRUB_CMDLINE_LINUX') ?? '',
    normal: variables.get('GRUB_CMDLINE_LINUX_DEFAULT') ?? '',
    recovery: variables.get('GRUB_DISABLE_RECOVERY') !== 'true',
  });
}

function customText(script: string): string {
  const text = scriptText(script);
  if (text === undefined) throw new CannotInterpret('the model cannot run this custom script');
  return text;
}

function trial({ tree, soFar }: ScriptRun): string {
  if (tree.text('/etc/grub.d/42_vfleet_trial') !== TRIAL_SNIPPET) {
    throw new CannotInterpret(
      '/etc/grub.d/42_vfleet_trial is not the one of this release, and the model knows no other',
    );
  }
  const args = tree.text('/var/lib/vfleet/trial.args');
  const id = tree.text('/var/lib/vfleet/trial.id');
  return args === undefined || id === undefined ? '' : trialText(soFar, args, id.trimEnd());
}

function messages(tree: FileTree, kernels: readonly string[]): string {
  const found = kernels.flatMap((version) => [
    `Found linux image: /boot/vmlinuz-${version}`,
    `Found initrd image: /boot/initrd.img-${version}`,
  ]);
  const uefi = hasEfi(tree) ? [UEFI_MESSAGE] : [];
  return ['Generating grub configuration file ...', ...found, ...uefi, 'done', ''].join('\n');
}

const UEFI_MESSAGE = 'Adding boot menu entry for UEFI Firmware Settings ...';
