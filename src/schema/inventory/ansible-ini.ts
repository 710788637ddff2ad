import { type Problem } from '../problem.ts';
import { expandHosts } from './host-range.ts';
import type { InventoryTree, Place } from './inventory-tree.ts';
import { readPythonLiteral } from './python-literal.ts';
import { shlexSplit } from './shlex.ts';
import type { VariableValue } from './variable-value.ts';

type Section = 'hosts' | 'children' | 'vars';

/** The state of reading a file line by line. */
interface Reader {
  readonly tree: InventoryTree;
  readonly report: (message: string, place: Place) => void;
  group: string;
  section: Section | undefined;
  /** Groups that `:vars` or `:children` speak of and that no section has declared so far. */
  readonly awaited: Map<string, { place: Place; message: string; parents: string[] }>;
}

/**
 * Puts an inventory in Ansible's INI form into a tree (plugins/inventory/ini.py): sections `[group]`, `[group:children]` and
 * `[group:vars]`, hosts with ranges, ports and variables in the same line. Where Ansible stops at the first
 * mistake, all of them are returned.
 */
export function parseAnsibleIni(text: string, file: string, tree: InventoryTree): Problem[] {
  const problems: Problem[] = [];
  const reader: Reader = {
    tree,
    report: (message, place) => problems.push({ ...place, path: '', message }),
    group: 'ungrouped',
    section: 'hosts',
    awaited: new Map(),
  };
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|[\n\r]/)
    .entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#') || content.startsWith(';')) continue;
    const at = { file, line: index + 1, col: raw.length - raw.trimStart().length + 1 };
    readLine(reader, content, at);
  }
  for (const { place, message } of reader.awaited.values()) reader.report(message, place);
  return problems;
}

function readLine(reader: Reader, content: string, at: Place): void {
  const header = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(content);
  if (header !== null) {
    beginSection(reader, header[1] ?? '', header[2] ?? 'hosts', at);
  } else if (content.startsWith('[') && content.endsWith(']')) {
    reader.report(`${content} is no section; write [group], [group:children] or [group:vars]`, at);
    reader.section = undefined;
  } else if (reader.section === 'hosts') readHosts(reader, content, at);
  else if (reader.section === 'vars') readGroupVar(reader, content, at);
  else if (reader.section === 'children') readChild(reader, content, at);
}

function beginSection(reader: Reader, group: string, section: string, at: Place): void {
  reader.group = group;
  reader.section = undefined;
  if (section !== 'hosts' && section !== 'children' && section !== 'vars') {
    reader.report(`:${section} is not known; write [${group}:children] or [${group}:vars]`, at);
    return;
  }
  reader.section = section;
  const { tree, awaited } = reader;
  if (section === 'vars') {
    if (tree.hasGroup(group) || awaited.has(group)) return;
    const message = `[${group}:vars] is given for a group that is declared nowhere`;
    awaited.set(group, { place: at, message, parents: [] });
    return;
  }
  tree.addGroup(group);
  const awaitedBy = awaited.get(group)?.parents ?? [];
  awaited.delete(group);
  for (const parent of awaitedBy) addChild(reader, parent, group, at);
}

function addChild(reader: Reader, parent: string, child: string, at: Place): void {
  const message = reader.tree.addChild(parent, child);
  if (message !== undefined) reader.report(message, at);
}

function readHosts(reader: Reader, content: string, at: Place): void {
  const words = shlexSplit(content);
  if (!words.ok) {
    reader.report(words.message, at);
    return;
  }
  const [entry, ...assignments] = words.words;
  if (entry === undefined) return;
  const hosts = entry === '---' ? YAML_START : expandHosts(entry);
  if (!hosts.ok) {
    reader.report(hosts.message, at);
    return;
  }
  for (const name of hosts.names) {
    const message = reader.tree.addHost(name, reader.group, at);
    if (message !== undefined) {
      reader.report(`"${entry}" ${message}`, at);
      return;
    }
    const port = hosts.port === undefined ? [] : [`ansible_port=${hosts.port}`];
    for (const text of [...port, ...assignments]) readHostVar(reader, name, text, at);
  }
}

const YAML_START = { ok: false, message: '--- begins a YAML file; name it .yaml' } as const;

function readHostVar(reader: Reader, owner: string, text: string, place: Place): void {
  const equals = text.indexOf('=');
  if (equals === -1) {
    reader.report(`"${text}" is no variable; write name=value`, place);
    return;
  }
  const name = text.slice(0, equals);
  const value = readValue(text.slice(equals + 1));
  reader.tree.setHostVar({ owner, name, value, place });
}

function readGroupVar(reader: Reader, content: string, place: Place): void {
  const equals = content.indexOf('=');
  if (equals === -1) {
    reader.report(`"${content}" is no variable; write name=value`, place);
    return;
  }
  // The group of a :vars section may be declared further below; its variables must not be lost.
  if (!reader.tree.hasGroup(reader.group)) reader.tree.addGroup(reader.group);
  const name = content.slice(0, equals).trim();
  const value = readValue(content.slice(equals + 1).trim());
  reader.tree.setGroupVar({ owner: reader.group, name, value, place });
}

function readChild(reader: Reader, content: string, at: Place): void {
  const child = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(content)?.[1];
  if (child === undefined) {
    reader.report(`"${content}" is no name of a group`, at);
    return;
  }
  if (reader.tree.hasGroup(child) && !reader.awaited.has(child)) {
    addChild(reader, reader.group, child, at);
    return;
  }
  const parents = [...(reader.awaited.get(child)?.parents ?? []), reader.group];
  const message = `[${reader.group}:children] names ${child}, which is declared nowhere`;
  reader.awaited.set(child, { place: at, message, parents });
}

function readValue(text: string): VariableValue {
  const literal = readPythonLiteral(text);
  if (literal === undefined) return { kind: 'scalar', text };
  if (literal === null) return { kind: 'null' };
  if (typeof literal === 'object') return { kind: 'structured' };
  return { kind: 'scalar', text: String(literal) };
}
