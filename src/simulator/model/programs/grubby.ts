import { putValue, valueOf } from '../bls/edit.ts';
import { readEntries, type BlsFile } from '../bls/entries.ts';
import { DiskError } from '../disk.ts';
import { GRUB2ENV } from '../grub/grubenv.ts';
import type { ModelHost } from '../model-host.ts';
import { editEnvironment, variablesOf } from './grub-environment.ts';
import { grubbyArgs } from './grubby-args.ts';
import { exit, type ProgramResult } from './result.ts';

const ACTIONS = ['--info', '--update-kernel', '--set-default'];
const WITH_VALUE = [...ACTIONS, '--args', '--remove-args'];
const ALONE = ['--default-kernel', '--default-index', '--default-title'];

/**
 * `grubby` of entry files (grubby(8); grubby-bls of Fedora's package: fedora-riscv/grubby): `--info`, `--default-kernel`, `-index`
 * and `-title`, `--set-default`, and `--update-kernel` with `--args` and `--remove-args`. Unlike vfleet it edits the
 * rescue entry too. That it edits GRUB_CMDLINE_LINUX and /etc/kernel/cmdline from release 9 on is from memory.
 */
export function grubby(args: readonly string[], host: ModelHost): ProgramResult {
  const options = parse(args);
  if (options === undefined) {
    host.complain(`the model does not know grubby ${args.join(' ')}`);
    return exit(1, '', `grubby: the model does not know: grubby ${args.join(' ')}\n`);
  }
  try {
    return carryOut(options, host);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return exit(4, '', `sed: couldn't open temporary file: ${error.message}\n`);
  }
}

function carryOut(options: Options, host: ModelHost): ProgramResult {
  const entries = readEntries(host.tree);
  const at = defaultIndex(entries, host);
  const shown = ALONE.find((name) => options.has(name));
  if (shown !== undefined) return exit(0, `${defaultValue(entries, at, shown)}\n`);
  const [action, target = ''] = [...options].find(([name]) => ACTIONS.includes(name)) ?? [];
  const chosen = choose(entries, target, at);
  if (chosen.length === 0) return exit(1, '', `The param ${target} is incorrect\n`);
  if (action === '--info') return exit(0, chosen.map((it) => info(it, entries, host)).join(''));
  if (action === '--set-default') return setDefault(host, chosen, entries);
  return update(host, chosen, { all: target === 'ALL', options });
}

type Options = ReadonlyMap<string, string>;

function parse(args: readonly string[]): Options | undefined {
  const options = new Map<string, string>();
  const rest = [...args];
  while (rest.length > 0) {
    const [, name = '', , value] = /^(--[a-z-]+)(=([\s\S]*))?$/.exec(rest.shift() ?? '') ?? [];
    if (ALONE.includes(name)) options.set(name, '');
    else if (WITH_VALUE.includes(name)) options.set(name, value ?? rest.shift() ?? '');
    else return undefined;
  }
  return options.size === 0 ? undefined : options;
}

/** `get_default_index`; -1 when it leads nowhere. */
function defaultIndex(entries: readonly BlsFile[], host: ModelHost): number {
  const saved = variablesOf(host, GRUB2ENV).get('saved_entry') ?? '';
  if (saved === '') return 0;
  if (/^\d+$/.test(saved)) return Number(saved);
  return entries.findIndex(({ id, keys }) => id === saved || keys.get('title') === saved);
}

function defaultValue(entries: readonly BlsFile[], at: number, option: string): string {
  if (option === '--default-index') return at === -1 ? '' : String(at);
  const keys = entries[at]?.keys;
  return option === '--default-title'
    ? (keys?.get('title') ?? '')
    : `/boot${keys?.get('linux') ?? ''}`;
}

function choose(entries: readonly BlsFile[], target: string, at: number): readonly BlsFile[] {
  if (target === 'ALL') return entries;
  const [found] = entries.slice(at, at + 1);
  if (target === 'DEFAULT') return at === -1 || found === undefined ? [] : [found];
  return entries.filter(
    ({ keys }, index) =>
      `/${target.slice(target.lastIndexOf('/') + 1)}` === keys.get('linux') ||
      target === `TITLE=${keys.get('title') ?? ''}` ||
      target === String(index),
  );
}

/** The entry's line with what grubenv has for its variables; others stay as they stand. */
function lineOf({ path }: BlsFile, host: ModelHost): string {
  const variables = variablesOf(host, GRUB2ENV);
  return valueOf(host.tree.text(path) ?? '', 'options')
    .split(/\s+/)
    .map((word) => {
      const value = word.startsWith('$') ? (variables.get(word.slice(1)) ?? '') : '';
      return value === '' ? word : value;
    })
    .join(' ')
    .trim();
}

function info(entry: BlsFile, entries: readonly BlsFile[], host: ModelHost): string {
  const { id, keys } = entry;
  const args = lineOf(entry, host).split(' ');
  const root = args.find((arg) => arg.startsWith('root='));
  const rest = root === undefined ? args : args.toSpliced(args.indexOf(root), 1);
  const lines = [
    `index=${entries.indexOf(entry)}`,
    `kernel="/boot${keys.get('linux') ?? ''}"`,
    `args="${rest.join(' ')}"`,
    ...(root === undefined ? [] : [`root="${root.slice('root='.length)}"`]),
    `initrd="/boot${keys.get('initrd') ?? ''}"`,
    `title="${keys.get('title') ?? ''}"`,
    `id="${id}"`,
  ];
  return `${lines.join('\n')}\n`;
}

function setDefault(
  host: ModelHost,
  [entry]: readonly BlsFile[],
  entries: readonly BlsFile[],
): ProgramResult {
  if (entry === undefined) return exit(1);
  const { code, stderr, changed } = editEnvironment(
    host,
    { name: 'grub2-editenv', path: GRUB2ENV },
    (variables) => variables.set('saved_entry', entry.id),
  );
  const told = `The default is ${entry.path} with index ${entries.indexOf(entry)} and kernel /boot${entry.keys.get('linux') ?? ''}\n`;
  return exit(code, '', code === 0 ? told : stderr, changed);
}

/** `update_bls_fragment`. */
function update(
  host: ModelHost,
  chosen: readonly BlsFile[],
  { all, options }: { readonly all: boolean; readonly options: Options },
): ProgramResult {
  const remove = options.get('--remove-args') ?? '';
  const add = options.get('--args') ?? '';
  if (`${remove}${add}` === '') return exit(0);
  // Read before grubenv changes.
  const lines = chosen.map(
    (entry) => [entry, grubbyArgs(lineOf(entry, host), remove, add)] as const,
  );
  const sharedChanged = all && updateShared(host, remove, add);
  const changed = lines.filter(([entry, line]) => updateEntry(host, entry, { line, all }));
  return exit(0, '', '', sharedChanged || changed.length > 0);
}

function updateEntry(
  host: ModelHost,
  entry: BlsFile,
  { line, all }: { readonly line: string; readonly all: boolean },
): boolean {
  const uses = usesShared(entry, host);
  if (all && uses) return false;
  const shared = variablesOf(host, GRUB2ENV).get('kernelopts');
  // A line that is the shared one again names it again.
  return putValue(host, entry, 'options', !uses && line === shared ? '$kernelopts' : line);
}

const usesShared = ({ path }: BlsFile, { tree }: ModelHost): boolean =>
  valueOf(tree.text(path) ?? '', 'options')
    .split(/\s+/)
    .includes('$kernelopts');

/** What all kernels share: kernelopts of grubenv where it is set, else the two files for kernels to come. */
function updateShared(host: ModelHost, remove: string, add: string): boolean {
  const { tree, disk } = host;
  const shared = variablesOf(host, GRUB2ENV).get('kernelopts');
  if (shared !== undefined) {
    const block = { name: 'grub2-editenv', path: GRUB2ENV };
    const line = grubbyArgs(shared, remove, add);
    return editEnvironment(host, block, (variables) => variables.set('kernelopts', line)).changed;
  }
  const defaults = '/etc/default/grub';
  const text = tree.text(defaults) ?? '';
  const edited = text.replace(
    /^GRUB_CMDLINE_LINUX="([^"\n]*)"/m,
    (_all, line: string) => `GRUB_CMDLINE_LINUX="${grubbyArgs(line, remove, add)}"`,
  );
  disk.put(defaults, edited);
  const cmdline = '/etc/kernel/cmdline';
  const line = tree.text(cmdline);
  if (line !== undefined) disk.put(cmdline, `${grubbyArgs(line, remove, add)}\n`);
  return true;
}
