import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Problem } from '../problem.ts';
import { readYaml } from '../yaml-text.ts';
import { ANSIBLE_YAML } from './ansible-tags.ts';
import type { Findings } from './ansible-yaml.ts';
import { filesBelow } from './files-below.ts';
import type { InventoryTree, VarsFolder } from './inventory-tree.ts';
import { readTextFile } from './read-text-file.ts';
import { isMapping, readVariableValue } from './variable-value.ts';
import { codeOf, isVaulted, unreadable, wholeFile } from './whole-file.ts';

/** In the order in which they are looked for; the first that is there counts, and may be a folder of such files. */
const EXTENSIONS = ['', '.yml', '.yaml', '.json'];

interface Reader {
  readonly tree: InventoryTree;
  readonly problems: Problem[];
  readonly warnings: Problem[];
  readonly vaulted: string[];
}

/**
 * Reads `group_vars` and `host_vars` of a folder into a tree, for the groups and hosts that it has (plugins/vars/host_group_vars.py,
 * parsing/dataloader.py). Vaulted files are not opened; a warning names them, since they could say how a host is reached.
 * Those beside a playbook are not read: vfleet knows no playbook.
 */
export async function readVarsFolders(folder: string, tree: InventoryTree): Promise<Findings> {
  const reader: Reader = { tree, problems: [], warnings: [], vaulted: [] };
  for (const kind of ['group_vars', 'host_vars'] as const) {
    await readVarsFolder(reader, kind, join(folder, kind));
  }
  const [file, ...others] = reader.vaulted;
  if (file !== undefined) {
    const more = `, nor ${others.length === 1 ? 'is' : 'are'} ${others.length} more`;
    const message = `is vaulted and not read${others.length === 0 ? '' : more}; what it says of connections has no effect`;
    reader.warnings.push(wholeFile(file, message));
  }
  const { problems, warnings } = reader;
  return { problems, warnings };
}

async function readVarsFolder(reader: Reader, kind: VarsFolder, folder: string): Promise<void> {
  const names = await namesIn(reader, folder);
  for (const owner of names.size === 0 ? [] : reader.tree.namesFor(kind)) {
    const entry = EXTENSIONS.map((extension) => owner + extension).find((name) => names.has(name));
    if (entry === undefined) continue;
    const { files, problems } = await filesBelow(join(folder, entry), isWanted);
    reader.problems.push(...problems);
    for (const file of files) await readVarsFile(reader, kind, owner, file);
  }
}

async function namesIn(reader: Reader, folder: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(await readdir(folder));
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOTDIR') reader.warnings.push(wholeFile(folder, 'is skipped: it is no folder'));
    else if (code !== 'ENOENT') reader.problems.push(unreadable(folder, error));
    return new Set();
  }
}

/** What Ansible reads of a folder of variables. */
function isWanted(name: string, isFolder: boolean): boolean {
  if (name.startsWith('.') || name.endsWith('~')) return false;
  const extension = extname(name);
  return isFolder ? extension === '' : EXTENSIONS.includes(extension);
}

async function readVarsFile(
  reader: Reader,
  kind: VarsFolder,
  owner: string,
  file: string,
): Promise<void> {
  const read = await readTextFile(file);
  if (!read.ok) {
    reader.problems.push(read.problem);
    return;
  }
  if (isVaulted(read.text)) {
    reader.vaulted.push(file);
    return;
  }
  const yaml = readYaml(read.text, file, ANSIBLE_YAML);
  reader.problems.push(...yaml.problems);
  if (yaml.value === undefined || yaml.value === null) return;
  if (!isMapping(yaml.value)) {
    reader.problems.push(yaml.problemAt([], 'expected variables (a mapping)'));
    return;
  }
  for (const [name, data] of Object.entries(yaml.value)) {
    const { line, col } = yaml.problemAt([name], '');
    const value = readVariableValue(data);
    reader.tree.setFolderVar(kind, { owner, name, value, place: { file, line, col } });
  }
}
