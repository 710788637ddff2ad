import { dirname, extname } from 'node:path';
import { inFileOrder } from '../problem.ts';
import { type YamlText, readYaml } from '../yaml-text.ts';
import { parseAnsibleIni } from './ansible-ini.ts';
import { parseListOutput, readListOutput } from './ansible-json.ts';
import { ANSIBLE_YAML } from './ansible-tags.ts';
import { type Findings, parseAnsibleYaml } from './ansible-yaml.ts';
import { asCommand } from './as-command.ts';
import { filesBelow } from './files-below.ts';
import { type LoadedInventory, toInventory } from './host-entries.ts';
import { InventoryTree } from './inventory-tree.ts';
import { isOwnInventory, parseOwnInventory } from './own-inventory.ts';
import { readTextFile } from './read-text-file.ts';
import { isMapping } from './variable-value.ts';
import { readVarsFolders } from './vars-folders.ts';
import { isVaulted, wholeFile } from './whole-file.ts';

/**
 * Loads an inventory: a file of ours, of Ansible's (YAML, INI) or with the output of `ansible-inventory --list`, told
 * apart by what is in it; or a folder of Ansible's files. `group_vars` and `host_vars` beside a file or in a folder
 * count, as they do for Ansible. Never throws: what cannot be read is a problem like any other. Stricter than
 * Ansible, which goes on with a warning: a file that is no inventory is an error, since its hosts would be missing.
 */
export async function loadInventory(path: string): Promise<LoadedInventory> {
  const { isFolder, files, problems } = await filesBelow(path, (name) => !IGNORED.test(name));
  const tree = new InventoryTree();
  const found: Findings[] = [{ problems, warnings: [] }];
  if (isFolder && files.length + problems.length === 0)
    found.push(nothingButProblem(path, NO_FILES));
  for (const file of files) {
    const read = await readInventoryFile(file, tree, !isFolder);
    if ('own' in read && !isFolder) return inOrder(read.own);
    found.push('own' in read ? nothingButProblem(file, NOT_IN_FOLDER) : read);
  }
  found.push(await readVarsFolders(isFolder ? path : dirname(path), tree));
  return inOrder(toInventory(tree, merged(found)));
}

/** What is no inventory in a folder (IGNORED in inventory/manager.py; since ansible-core 2.18 `.ini` is none of them). */
const IGNORED =
  /^\.|^(?:host_vars|group_vars|vars_plugins)$|(?:~|\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry))$/;

const NO_FILES = 'holds no inventory; hidden files and such as .md, .txt and .cfg are skipped';

async function readInventoryFile(
  file: string,
  tree: InventoryTree,
  pipe: boolean,
): Promise<ReturnType<typeof readText>> {
  const read = await readTextFile(file, { pipe });
  return read.ok ? readText(read.text, file, tree) : { problems: [read.problem], warnings: [] };
}

/** Parses the text of an inventory; the file's name tells YAML from INI where the text does not. */
export function parseInventory(text: string, fileName: string): LoadedInventory {
  const tree = new InventoryTree();
  const read = readText(text, fileName, tree);
  return inOrder('own' in read ? read.own : toInventory(tree, read));
}

const SCRIPT = 'is a script; in a spec write inventory: { command: [PATH, --list] }';

const NOT_IN_FOLDER =
  "is of vfleet's own form, which stands alone; name this file as the inventory";

function merged(found: readonly Findings[]): Findings {
  return {
    problems: found.flatMap(({ problems }) => problems),
    warnings: found.flatMap(({ warnings }) => warnings),
  };
}

function inOrder(loaded: LoadedInventory): LoadedInventory {
  if (loaded.ok) return { ...loaded, warnings: inFileOrder(loaded.warnings) };
  return { ok: false, problems: inFileOrder(loaded.problems) };
}

/** Puts a text of Ansible's into the tree; one of ours is an inventory of its own. */
function readText(
  text: string,
  file: string,
  tree: InventoryTree,
): Findings | { readonly own: LoadedInventory } {
  const extension = extname(file).toLowerCase();
  if (text.startsWith('#!')) return nothingButProblem(file, SCRIPT);
  if (isVaulted(text)) return nothingButProblem(file, asCommand('is vaulted'));
  if (extension === '.toml') return nothingButProblem(file, asCommand('is TOML'));
  const output = readListOutput(text);
  if (output !== undefined) return parseListOutput(output, text, file, tree);
  const isYaml = ['.yaml', '.yml', '.json'].includes(extension);
  // As Ansible does: a file without a telling name is YAML if it can be read as such.
  const yaml = isYaml || extension === '' ? readEitherYaml(text, file) : undefined;
  if (yaml === undefined || !(isYaml || isMapping(yaml.value))) {
    return { problems: parseAnsibleIni(text, file, tree), warnings: [] };
  }
  return readDocument(yaml, file, tree);
}

/** Ours is YAML 1.2, where `no` and `on` are text, as they are in a spec; Ansible's is 1.1. */
function readEitherYaml(text: string, file: string): YamlText {
  if (/^[ {"']*hosts["']?\s*:/m.test(text)) {
    const own = readYaml(text, file, { version: '1.2' });
    if (isOwnInventory(own.value)) return own;
  }
  return readYaml(text, file, ANSIBLE_YAML);
}

function readDocument(
  yaml: YamlText,
  file: string,
  tree: InventoryTree,
): Findings | { readonly own: LoadedInventory } {
  const { problems, value } = yaml;
  if (isOwnInventory(value)) {
    const own = parseOwnInventory(yaml);
    const all = own.ok ? problems : [...problems, ...own.problems];
    return { own: all.length === 0 ? own : { ok: false, problems: all } };
  }
  if (value === undefined) return { problems, warnings: [] };
  if (value === null) return nothingButProblem(file, 'is empty; an inventory names hosts');
  const read = parseAnsibleYaml(yaml, tree);
  return { problems: [...problems, ...read.problems], warnings: read.warnings };
}

function nothingButProblem(file: string, message: string): Findings {
  return { problems: [wholeFile(file, message)], warnings: [] };
}
