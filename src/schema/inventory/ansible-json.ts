import type { Problem } from '../problem.ts';
import { type Path, type YamlText, readYaml } from '../yaml-text.ts';
import { VAULTED } from './ansible-tags.ts';
import type { Findings } from './ansible-yaml.ts';
import type { InventoryTree, Place } from './inventory-tree.ts';
import {
  type Mapping,
  type VariableValue,
  isMapping,
  readVariableValue,
} from './variable-value.ts';

/** Where a value stands in a text; read only when somebody asks, since 10,000 hosts take seconds to read with places. */
type PlaceAt = (path: Path, at?: 'key' | 'value') => Place;

interface Reader {
  readonly tree: InventoryTree;
  readonly placeAt: PlaceAt;
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** The value of a text that looks like what `ansible-inventory --list` prints: a JSON object with `_meta`. */
export function readListOutput(text: string): Mapping | undefined {
  if (!/^\s*\{/.test(text) || !text.includes('"_meta"')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isMapping(value) && Object.hasOwn(value, '_meta') ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Puts the output of `ansible-inventory --list`, or of an inventory script, into a tree (plugins/inventory/script.py):
 * groups with `hosts`, `children` and `vars`, and each host's variables below `_meta.hostvars`. A group may be a bare
 * list of hosts. `text` is where `output` came from. Stricter: an empty group has no host, where Ansible makes one of its name.
 */
export function parseListOutput(
  output: Mapping,
  text: string,
  file: string,
  tree: InventoryTree,
): Findings {
  const reader: Reader = { tree, placeAt: lazyPlaces(text, file), problems: [], warnings: [] };
  const { _meta: meta, ...groups } = output;
  for (const [name, group] of Object.entries(groups)) readGroup(reader, name, group);
  const variables = isMapping(meta) ? meta['hostvars'] : undefined;
  if (isMapping(variables)) readHostVars(reader, variables);
  else {
    const message =
      'is no mapping of hosts to their variables, which ansible-inventory --list prints there';
    report(reader, ['_meta', 'hostvars'], message);
  }
  const { problems, warnings } = reader;
  return { problems, warnings };
}

function readGroup(reader: Reader, name: string, data: unknown): void {
  reader.tree.addGroup(name);
  if (Array.isArray(data)) {
    readNames(reader, [name], data, addHost);
    return;
  }
  if (!isMapping(data)) {
    report(reader, [name], 'is no group; a group is a mapping with hosts, children or vars');
    return;
  }
  for (const [section, content] of Object.entries(data)) {
    const path = [name, section] as const;
    if (section === 'hosts') readNames(reader, path, content, addHost);
    else if (section === 'children') readNames(reader, path, content, addChild);
    else if (section === 'vars') readGroupVars(reader, name, content);
    else
      report(
        reader,
        path,
        `"${section}" is not known in a group; known here: hosts, children, vars`,
      );
  }
}

type Add = (tree: InventoryTree, group: string, name: string, place: Place) => string | undefined;

const addHost: Add = (tree, group, name, place) => tree.addHost(name, group, place);

const addChild: Add = (tree, group, name) => {
  tree.addGroup(name);
  return tree.addChild(group, name);
};

function readNames(
  reader: Reader,
  path: readonly [group: string, ...section: string[]],
  content: unknown,
  add: Add,
): void {
  if (!Array.isArray(content)) {
    report(reader, path, 'expected a list of names');
    return;
  }
  for (const [index, name] of content.entries()) {
    const at = [...path, index];
    const message =
      typeof name === 'string'
        ? add(reader.tree, path[0], name, reader.placeAt(at))
        : 'expected a name (text)';
    if (message !== undefined) report(reader, at, message);
  }
}

function readGroupVars(reader: Reader, owner: string, content: unknown): void {
  if (!isMapping(content)) {
    report(reader, [owner, 'vars'], 'expected variables (a mapping)');
    return;
  }
  for (const [name, data] of Object.entries(content)) {
    const place = reader.placeAt([owner, 'vars', name]);
    reader.tree.setGroupVar({ owner, name, value: readValue(data), place });
  }
}

function readHostVars(reader: Reader, hosts: Mapping): void {
  const known = new Set(reader.tree.namesFor('host_vars'));
  for (const [owner, variables] of Object.entries(hosts)) {
    const path = ['_meta', 'hostvars', owner];
    if (!known.has(owner)) {
      const message = 'is skipped: the host is in no group';
      reader.warnings.push({ ...reader.placeAt(path, 'key'), path: owner, message });
    } else if (!isMapping(variables)) report(reader, path, 'expected variables (a mapping)');
    else {
      for (const [name, data] of Object.entries(variables)) {
        const place = reader.placeAt([...path, name]);
        reader.tree.setHostVar({ owner, name, value: readValue(data), place });
      }
    }
  }
}

/** In JSON, Ansible writes `!vault` and `!unsafe` as mappings (module_utils/_internal/_json/_profiles). */
function readValue(data: unknown): VariableValue {
  if (isMapping(data) && Object.hasOwn(data, '__ansible_vault')) return readVariableValue(VAULTED);
  if (isMapping(data) && Object.hasOwn(data, '__ansible_unsafe')) {
    return readVariableValue(data['__ansible_unsafe']);
  }
  return readVariableValue(data);
}

function report(reader: Reader, path: Path, message: string): void {
  reader.problems.push({ ...reader.placeAt(path), path: path.join('.'), message });
}

function lazyPlaces(text: string, file: string): PlaceAt {
  let document: YamlText | undefined;
  const find = (path: Path, at: 'key' | 'value'): Problem => {
    document ??= readYaml(text, file, { version: '1.2' });
    return document.problemAt(path, '', at);
  };
  return (path, at = 'value') => ({
    file,
    get line() {
      return find(path, at).line;
    },
    get col() {
      return find(path, at).col;
    },
  });
}
