import {
  LineCounter,
  type Node,
  type YAMLMap,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml';
import type { Document, Pair, Scalar, Tags, ToJSOptions } from 'yaml';
import type { Problem } from './problem.ts';
import { yamlErrorMessage } from './yaml-errors.ts';

/** Longest text read as YAML, in UTF-16 code units; 10,000 hosts with a dozen variables each are 4 million. */
export const YAML_LENGTH_MAX = 16 * 1024 * 1024;

/** Steps from the root of a document to a value in it. */
export type Path = readonly PropertyKey[];

/** A YAML text as plain values, with the places they came from. */
export interface YamlText {
  /** Mappings as plain objects, lists as arrays. Absent when the text could not be read at all. */
  readonly value?: unknown;
  readonly document?: Document.Parsed;
  readonly problems: readonly Problem[];
  /** The problem of one value; `at: 'key'` points to its key instead. */
  readonly problemAt: (path: Path, message: string, at?: 'key' | 'value') => Problem;
  /** The whole text, without a byte order mark. */
  readonly text: string;
}

/** How to read: ours is YAML 1.2 (`no` and `on` are text); Ansible reads 1.1 with tags of its own. */
export interface YamlOptions {
  readonly version: '1.1' | '1.2';
  /** Changes the list of known tags. */
  readonly tags?: (known: Tags) => Tags;
}

/**
 * Reads one YAML document. Never throws: syntax errors, repeated keys, unknown tags, keys that are not plain,
 * aliases without anchor or that grow beyond measure, and further documents all come back as problems.
 */
export function readYaml(source: string, file: string, options: YamlOptions): YamlText {
  // Editors on Windows put a byte order mark first; places are counted without it.
  const text = source.startsWith('\ufeff') ? source.slice(1) : source;
  const lines = new LineCounter();
  const at = (offset: number, path: string, message: string): Problem => {
    const place = lines.linePos(offset);
    return { file, line: Math.max(place.line, 1), col: Math.max(place.col, 1), path, message };
  };
  const unread = (message: string): YamlText => ({
    problems: [at(0, '', message)],
    problemAt: (path, why) => at(0, path.join('.'), why),
    text,
  });
  if (text.length > YAML_LENGTH_MAX) {
    return unread(`is longer than ${YAML_LENGTH_MAX} characters, which is no file of a person's`);
  }
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter: lines,
      version: options.version,
      prettyErrors: false,
      uniqueKeys: false,
      ...(options.tags === undefined ? {} : { customTags: options.tags }),
    });
  } catch {
    // The library recurses into nested values, so a text of nothing but brackets ends its stack.
    return unread(TOO_DEEP);
  }
  if (document.errors.some((error) => error.message.includes('call stack')))
    return unread(TOO_DEEP);
  const { unreadable, repeated } = nodeProblems(document);
  const fatal = [...documentProblems(document, text), ...unreadable];
  const problems = [...fatal, ...repeated].map(([offset, message]) => at(offset, '', message));
  const problemAt: YamlText['problemAt'] = (path, message, where = 'value') =>
    at(offsetOf(document, path, where), path.map(String).join('.'), message);
  const read = { document, problems, problemAt, text };
  return fatal.length > 0 ? read : toPlain(document, read);
}

function toPlain(document: Document.Parsed, read: YamlText): YamlText {
  const bounds: ToJSOptions = { maxAliasCount: 100 };
  try {
    return { ...read, value: document.toJS(bounds) };
  } catch (error) {
    const message =
      error instanceof ReferenceError && error.message.startsWith('Excessive alias')
        ? 'repeats itself through aliases (*name) too often; write the values out'
        : `cannot be read: ${error instanceof Error ? error.message : 'unknown error'}`;
    return { ...read, problems: [...read.problems, read.problemAt([], message)] };
  }
}

type Found = readonly [offset: number, message: string];

/** The library's errors and warnings; of several at one place, the first: the others come of it. */
function documentProblems(document: Document.Parsed, text: string): Found[] {
  const found = new Map<number, string>();
  for (const error of [...document.errors, ...document.warnings]) {
    const [offset] = error.pos;
    if (!found.has(offset)) found.set(offset, yamlErrorMessage(error, text));
  }
  return [...found];
}

const TOO_DEEP = 'is nested too deeply to be read';

interface NodeProblems {
  /** Aliases of nothing; keys that are lists or mappings, which would come out as text that nobody wrote. */
  readonly unreadable: readonly Found[];
  /** Keys that stand twice in one mapping: the rest can be judged all the same. */
  readonly repeated: readonly Found[];
}

function nodeProblems(document: Document.Parsed): NodeProblems {
  const unreadable: Found[] = [];
  const repeated: Found[] = [];
  try {
    visit(document, {
      Alias: (_, alias) => {
        if (alias.resolve(document) !== undefined) return;
        const message = `*${alias.source} names no anchor (&${alias.source}) before it; put a text that begins with * in quotes`;
        unreadable.push([startOf(alias) ?? 0, message]);
      },
      Map: (_, map) => void repeated.push(...repeatedKeys(map)),
      Pair: (_, pair) => {
        const key = isAlias(pair.key) ? pair.key.resolve(document) : pair.key;
        if (!isScalar(key)) unreadable.push([startOf(pair.key) ?? 0, 'a key must be plain text']);
      },
    });
  } catch {
    unreadable.push([0, TOO_DEEP]);
  }
  return { unreadable, repeated };
}

/** The library compares every key with every other one, which takes seconds for 10,000 hosts. */
function repeatedKeys(map: YAMLMap): Found[] {
  const seen = new Set<string>();
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key)) return [];
    const name = String(key.value);
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [[startOf(key) ?? 0, `"${name}" stands here twice; which one counts?`] as const];
  });
}

/** Where a value stands; for one that is not there, where the nearest mapping or list around it stands. */
function offsetOf(document: Document.Parsed, path: Path, where: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, segment] of path.entries()) {
    const step = childOf(document, node, segment);
    if (step === undefined) return offset;
    const isLast = index === path.length - 1;
    const key = step.key === undefined ? undefined : startOf(step.key);
    // An empty value has no place of its own worth showing; for what is missing in a mapping, its key serves.
    const wantsKey = where === 'key' || isEmpty(step.value) || !isLast;
    offset = (wantsKey ? key : undefined) ?? startOf(step.value) ?? offset;
    node = step.value;
  }
  return offset;
}

function childOf(
  document: Document.Parsed,
  parent: unknown,
  segment: PropertyKey,
): { key?: unknown; value: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node)) {
    const value = node.items[Number(segment)];
    return value === undefined ? undefined : { value };
  }
  if (!isMap(node)) return undefined;
  const pair = pairOf(node, String(segment));
  return pair === undefined ? undefined : { key: pair.key, value: pair.value };
}

/** Keys of mappings met before: a mapping may hold 10,000 hosts, each of which is looked up. */
const INDEXES = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

function pairOf(map: YAMLMap, name: string): Pair | undefined {
  const index = INDEXES.get(map) ?? indexOf(map);
  INDEXES.set(map, index);
  return index.get(name);
}

function indexOf(map: YAMLMap): ReadonlyMap<string, Pair> {
  const named = map.items.filter((item) => isScalar(item.key));
  // Of a key that stands there twice the first place is shown, so the first must be set last.
  return new Map(named.reverse().map((item) => [String((item.key as Scalar).value), item]));
}

function startOf(node: unknown): number | undefined {
  return (node as Partial<Node> | null | undefined)?.range?.[0];
}

function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && node.source === '');
}
