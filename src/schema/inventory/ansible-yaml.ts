import type { Problem } from '../problem.ts';
import type { Path, YamlText } from '../yaml-text.ts';
import { asCommand } from './as-command.ts';
import { expandHosts } from './host-range.ts';
import type { InventoryTree, Place } from './inventory-tree.ts';
import { isMapping, readVariableValue } from './variable-value.ts';

/** Deepest nesting of groups; an alias that holds itself would have no end. */
const DEPTH_MAX = 50;

interface Reader {
  readonly yaml: YamlText;
  readonly tree: InventoryTree;
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** What is wrong with a text, and what is lawful but surprising in it. */
export interface Findings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Puts an inventory in Ansible's YAML form into a tree (plugins/inventory/yaml.py), from a document read with `ansibleTags`:
 * groups at the top, each with `hosts`, `children` and `vars`. What Ansible skips with a warning is a warning here.
 */
export function parseAnsibleYaml(yaml: YamlText, tree: InventoryTree): Findings {
  const reader: Reader = { yaml, tree, problems: [], warnings: [] };
  if (!isMapping(yaml.value)) {
    reader.problems.push(
      yaml.problemAt([], 'expected groups (a mapping), as in all: { hosts: ... }'),
    );
  } else if (yaml.value['plugin'] !== undefined) {
    reader.problems.push(yaml.problemAt(['plugin'], asCommand('configures a plugin'), 'key'));
  } else {
    for (const [name, data] of Object.entries(yaml.value)) readGroup(reader, name, data, [name]);
  }
  const { problems, warnings } = reader;
  return { problems, warnings };
}

function readGroup(reader: Reader, name: string, data: unknown, path: Path): boolean {
  if (path.length > DEPTH_MAX) {
    reader.problems.push(reader.yaml.problemAt(path, 'groups are nested too deeply'));
    return false;
  }
  if (data !== null && !isMapping(data)) {
    const message = `is skipped: "${name}" is no group; a group is a mapping with hosts, children or vars`;
    reader.warnings.push(reader.yaml.problemAt(path, message, 'key'));
    return false;
  }
  reader.tree.addGroup(name);
  for (const [section, content] of Object.entries(data ?? {})) {
    readSection(reader, name, section, content, [...path, section]);
  }
  return true;
}

function readSection(
  reader: Reader,
  group: string,
  section: string,
  content: unknown,
  path: Path,
): void {
  if (content === null) return;
  if (section !== 'hosts' && section !== 'children' && section !== 'vars') {
    const message = `is skipped: "${section}" is not known in a group; known here: hosts, children, vars`;
    reader.warnings.push(reader.yaml.problemAt(path, message, 'key'));
    return;
  }
  const entries = typeof content === 'string' ? { [content]: null } : content;
  if (!isMapping(entries)) {
    const found = Array.isArray(content) ? 'a list' : 'a number or the like';
    const message = `expected a mapping, found ${found}; write name: for each`;
    reader.problems.push(reader.yaml.problemAt(path, message));
    return;
  }
  const read = { hosts: readHosts, children: readChild, vars: readGroupVar }[section];
  for (const [key, value] of Object.entries(entries)) {
    read(reader, group, key, value, [...path, key]);
  }
}

function readGroupVar(
  reader: Reader,
  owner: string,
  name: string,
  data: unknown,
  path: Path,
): void {
  const value = readVariableValue(data);
  reader.tree.setGroupVar({ owner, name, value, place: placeOf(reader, path) });
}

function readChild(reader: Reader, group: string, child: string, data: unknown, path: Path): void {
  if (!readGroup(reader, child, data, path)) return;
  const message = reader.tree.addChild(group, child);
  if (message !== undefined) reader.problems.push(reader.yaml.problemAt(path, message, 'key'));
}

function readHosts(reader: Reader, group: string, entry: string, vars: unknown, path: Path): void {
  const hosts = expandHosts(entry);
  if (!hosts.ok) {
    reader.problems.push(reader.yaml.problemAt(path, hosts.message, 'key'));
    return;
  }
  if (vars !== null && !isMapping(vars)) {
    const message = 'expected variables (a mapping), or nothing, after the name of a host';
    reader.problems.push(reader.yaml.problemAt(path, message));
    return;
  }
  const place = placeOf(reader, path, 'key');
  const variables = Object.entries(vars ?? {}).map(([name, value]) => ({
    name,
    value: readVariableValue(value),
    place: placeOf(reader, [...path, name]),
  }));
  if (hosts.port !== undefined) {
    const value = { kind: 'scalar' as const, text: String(hosts.port) };
    variables.unshift({ name: 'ansible_port', value, place });
  }
  for (const owner of hosts.names) {
    const message = reader.tree.addHost(owner, group, place);
    if (message !== undefined) {
      reader.problems.push(reader.yaml.problemAt(path, message, 'key'));
      return;
    }
    for (const variable of variables) reader.tree.setHostVar({ owner, ...variable });
  }
}

function placeOf(reader: Reader, path: Path, at: 'key' | 'value' = 'value'): Place {
  const { file, line, col } = reader.yaml.problemAt(path, '', at);
  return { file, line, col };
}
