import { readFile, readdir, stat } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { type Problem, inFileOrder } from '../problem.ts';
import { type YamlText, readYaml } from '../yaml-text.ts';
import { parseAnsibleIni } from './ansible-ini.ts';
import { ansibleTags } from './ansible-tags.ts';
import { parseAnsibleYaml } from './ansible-yaml.ts';
import { type LoadedInventory, toInventory } from './host-entries.ts';
import { isOwnInventory, parseOwnInventory } from './own-inventory.ts';

/**
 * Loads an inventory file: ours, Ansible's YAML or Ansible's INI, told apart by what is in it. Never throws: a file
 * that cannot be read is a problem like any other. Refused with "not yet": folders, scripts, plugins, TOML, and an
 * Ansible inventory with `group_vars` or `host_vars` beside it, whose variables would otherwise be missing.
 */
export async function loadInventory(path: string): Promise<LoadedInventory> {
  let text: string;
  try {
    if ((await stat(path)).isDirectory()) {
      return refuse(
        path,
        'not yet: a folder as inventory is not built in this release; name a file',
      );
    }
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    const reason = code === 'ENOENT' ? 'there is no such file' : code;
    return refuse(path, `cannot be read: ${reason}`);
  }
  const { form, loaded } = parseAny(text, path);
  const beside = form === 'ansible' ? await varsFolders(dirname(path)) : [];
  if (beside.length === 0) return inOrder(loaded);
  const message = `not yet: ${beside.join(' and ')} beside the inventory cannot be read in this release; write the variables into the file`;
  return refuse(path, message);
}

/** Parses the text of an inventory; the file's name tells YAML from INI where the text does not. */
export function parseInventory(text: string, fileName: string): LoadedInventory {
  return inOrder(parseAny(text, fileName).loaded);
}

function inOrder(loaded: LoadedInventory): LoadedInventory {
  if (loaded.ok) return { ...loaded, warnings: inFileOrder(loaded.warnings) };
  return { ok: false, problems: inFileOrder(loaded.problems) };
}

interface Parsed {
  readonly form: 'ours' | 'ansible' | 'neither';
  readonly loaded: LoadedInventory;
}

function parseAny(text: string, file: string): Parsed {
  if (text.startsWith('#!')) {
    return neither(
      file,
      'not yet: inventory scripts are not built in this release; write a file of hosts',
    );
  }
  const extension = extname(file).toLowerCase();
  if (extension === '.toml') {
    return neither(
      file,
      'not yet: TOML inventories are not built in this release; write YAML or INI',
    );
  }
  const isYaml = ['.yaml', '.yml', '.json'].includes(extension);
  // As Ansible does: a file without a telling name is YAML if it can be read as such.
  const yaml = isYaml || extension === '' ? readEitherYaml(text, file) : undefined;
  if (yaml !== undefined && (isYaml || isMapping(yaml.value))) return fromYaml(file, yaml);
  return { form: 'ansible', loaded: toInventory(parseAnsibleIni(text, file), file) };
}

const ANSIBLE_YAML = { version: '1.1', tags: ansibleTags } as const;

/** Ours is YAML 1.2, where `no` and `on` are text, as they are in a spec; Ansible's is 1.1. */
function readEitherYaml(text: string, file: string): YamlText {
  if (/^[ {"']*hosts["']?\s*:/m.test(text)) {
    const own = readYaml(text, file, { version: '1.2' });
    if (isOwnInventory(own.value)) return own;
  }
  return readYaml(text, file, ANSIBLE_YAML);
}

function fromYaml(file: string, yaml: YamlText): Parsed {
  if (isOwnInventory(yaml.value)) {
    return { form: 'ours', loaded: withProblems(yaml.problems, parseOwnInventory(yaml)) };
  }
  if (yaml.value === undefined)
    return { form: 'neither', loaded: { ok: false, problems: yaml.problems } };
  if (yaml.value === null) return neither(file, 'is empty; an inventory names hosts');
  if (isMapping(yaml.value) && Object.hasOwn(yaml.value, '_meta')) {
    return neither(
      file,
      'not yet: output of ansible-inventory is not built in this release; name the inventory itself',
    );
  }
  const loaded = toInventory(parseAnsibleYaml(yaml), file);
  return { form: 'ansible', loaded: withProblems(yaml.problems, loaded) };
}

function withProblems(problems: readonly Problem[], loaded: LoadedInventory): LoadedInventory {
  if (problems.length === 0) return loaded;
  return { ok: false, problems: loaded.ok ? problems : [...problems, ...loaded.problems] };
}

function neither(file: string, message: string): Parsed {
  return { form: 'neither', loaded: refuse(file, message) };
}

async function varsFolders(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name === 'group_vars' || name === 'host_vars');
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(file: string, message: string): LoadedInventory {
  return { ok: false, problems: [{ file, line: 1, col: 1, path: '', message }] };
}
