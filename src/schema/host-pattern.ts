import { isIPv6 } from 'node:net';
import { RE2JS } from 're2js';
import type { HostEntry } from '../domain/host-entry.ts';
import { nearest } from './nearest.ts';
import { readPythonRegExp } from './python-regexp.ts';

/** The hosts of an inventory with its groups; a group lists the names of its hosts and of all below it. */
export interface Inventory {
  readonly hosts: readonly HostEntry[];
  /** Also `all` and `ungrouped`. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

/** One term of a host pattern: hosts to take, to keep (`&`) or to leave out (`!`). */
interface Term {
  readonly mode: 'take' | 'keep' | 'leave';
  /** Name, glob or `~` regular expression of groups and hosts. */
  readonly expression: string;
  /** Whether a name matches the expression. */
  readonly test: (name: string) => boolean;
  /** Position in what the expression matches, or first and last position; negative counts from the end. */
  readonly slice?: { readonly from: number; readonly to: number };
}

type Terms =
  | { readonly ok: true; readonly terms: readonly Term[] }
  | { readonly ok: false; readonly message: string };

/** What is wrong with the text of a host pattern, or `undefined`; needs no inventory. */
export function hostPatternProblem(pattern: string): string | undefined {
  const terms = parseTerms(pattern);
  return terms.ok ? undefined : terms.message;
}

/** The hosts that a pattern selects, in the inventory's order; or why it selects none. */
export type Selection =
  | { readonly ok: true; readonly hosts: readonly HostEntry[] }
  | { readonly ok: false; readonly messages: readonly string[] };

/**
 * Selects hosts as Ansible does (inventory/manager.py): terms are separated by `,` or else by `:`; plain ones
 * add, then `&` ones intersect, then `!` ones exclude, whatever their order; without a plain one all hosts are
 * meant. A term is the name of a host or group, a glob of them, a slice of either, as in `web[0:4]`, or `~` and a
 * regular expression. Stricter than Ansible: a term that names nothing is an error, since a mistyped `!retired` would select
 * the very hosts it was to leave out; so is a pattern that selects no host.
 */
export function selectHosts(inventory: Inventory, pattern: string): Selection {
  const parsed = parseTerms(pattern);
  if (!parsed.ok) return { ok: false, messages: [parsed.message] };
  const messages: string[] = [];
  const matched = parsed.terms.map((term) => {
    const names = matchTerm(inventory, term);
    if (typeof names !== 'string') return { mode: term.mode, names: new Set(names) };
    messages.push(names);
    return { mode: term.mode, names: new Set<string>() };
  });
  if (messages.length > 0) return { ok: false, messages };
  const of = (mode: Term['mode']): Set<string>[] =>
    matched.filter((term) => term.mode === mode).map((term) => term.names);
  const [take, keep, leave] = [of('take'), of('keep'), of('leave')];
  const hosts = inventory.hosts.filter(
    ({ name }) =>
      (take.length === 0 || take.some((names) => names.has(name))) &&
      keep.every((names) => names.has(name)) &&
      !leave.some((names) => names.has(name)),
  );
  if (hosts.length === 0) return { ok: false, messages: [`"${pattern}" selects no host`] };
  return { ok: true, hosts };
}

function parseTerms(pattern: string): Terms {
  const texts = splitPattern(pattern).map((text) => text.trim());
  const terms: Term[] = [];
  for (const text of texts.filter((piece) => piece !== '')) {
    const term = parseTerm(text);
    if (typeof term === 'string') return { ok: false, message: term };
    terms.push(term);
  }
  if (terms.length === 0) return { ok: false, message: 'names no host; write all for every host' };
  return { ok: true, terms };
}

/** At commas; without one, at colons outside of brackets, unless the whole is one address or has a port. */
function splitPattern(pattern: string): string[] {
  if (pattern.includes(',')) return pattern.split(',');
  if (isIPv6(pattern.trim()) || /^[^:[\]&!]+:\d+$/.test(pattern.trim())) return [pattern];
  return pattern.split(/:(?![^[]*\])/);
}

function parseTerm(text: string): Term | string {
  const mode = text.startsWith('!') ? 'leave' : text.startsWith('&') ? 'keep' : 'take';
  const bare = mode === 'take' ? text : text.slice(1).trim();
  if (bare === '') return `"${text}" names nothing`;
  if (/\s/.test(bare)) return `"${bare}" holds white space; separate terms by : or ,`;
  if (bare.startsWith('~')) return regExpTerm(mode, bare);
  if (/^[&!]/.test(bare)) return `"${text}" has two signs; write one & or !`;
  const slice = SLICE.exec(bare);
  if (slice === null) return globTerm(mode, bare);
  return parseSlice(mode, slice);
}

function globTerm(mode: Term['mode'], expression: string): Term {
  return { mode, expression, test: globTest(expression) };
}

/** Brackets at its end are part of the expression, never a slice. */
function regExpTerm(mode: Term['mode'], expression: string): Term | string {
  const read = readPythonRegExp(expression.slice(1));
  if (read.ok) return { mode, expression, test: read.test };
  return `"${expression}" is no regular expression that can be read here: ${read.message}`;
}

/** As Ansible's PATTERN_WITH_SUBSCRIPT: any expression, then `[n]`, `[from:to]`, `[from:]`. */
const SLICE = /^(.+)\[(?:(-?\d{1,9})|(\d{1,9})([:-])(\d{0,9}))\]$/;

function parseSlice(mode: Term['mode'], slice: RegExpExecArray): Term | string {
  const [whole, expression = '', index, first, separator, last] = slice;
  const term = globTerm(mode, expression);
  if (index !== undefined) return { ...term, slice: { from: Number(index), to: Number(index) } };
  if (separator === '-')
    return `"${whole}" is read as a slice; write [${first ?? ''}:${last ?? ''}]`;
  const [from, to] = [Number(first), last === '' ? -1 : Number(last)];
  if (to !== -1 && to < from) return `"${whole}" ends before it begins`;
  return { ...term, slice: { from, to } };
}

function matchTerm(inventory: Inventory, term: Term): readonly string[] | string {
  const whole = matchExpression(inventory, term);
  if (typeof whole === 'string' || term.slice === undefined) return whole;
  const at = (position: number): number => (position < 0 ? whole.length + position : position);
  const part = whole.slice(at(term.slice.from), at(term.slice.to) + 1);
  if (part.length > 0 && at(term.slice.from) >= 0) return part;
  return `"${term.expression}" has ${whole.length} hosts, none at the place asked for`;
}

/** Names in the order that a slice counts; as with Ansible, a host of two groups that a glob names counts twice. */
function matchExpression(
  inventory: Inventory,
  { mode, expression, test }: Term,
): readonly string[] | string {
  const hosts = inventory.hosts.map((host) => host.name);
  const isPlain = !/^~|[.?*[]/.test(expression);
  if (mode === 'take' && hosts.includes(expression)) return [expression];
  const groups = [...inventory.groups.keys()].filter(test);
  const names = groups.flatMap((group) => inventory.groups.get(group) ?? []);
  if (groups.length === 0 || !isPlain) names.push(...hosts.filter(test));
  if (names.length + groups.length > 0) return names;
  return unknownName(inventory, expression);
}

function unknownName(inventory: Inventory, expression: string): string {
  if (expression.startsWith('~')) {
    const comma = /\{\d*$/.test(expression) ? '; a comma ends a term, also the one in {1,2}' : '';
    return `no host or group matches "${expression}"${comma}`;
  }
  const names = [...inventory.groups.keys(), ...inventory.hosts.map((host) => host.name)];
  const near = nearest(expression, names);
  const groups = [...inventory.groups.keys()].slice(0, 20).join(', ');
  const hint = near === undefined ? `groups are: ${groups}` : `did you mean "${near}"?`;
  const mixed = expression.includes(':') ? '; where there is a comma, : does not separate' : '';
  return `no host or group is named "${expression}"; ${hint}${mixed}`;
}

/**
 * As Python's fnmatch.translate: `*` any text, `?` one character, `[abc]`, `[!abc]`; case counts. By RE2, in linear time:
 * with four stars and a long name, an expression of JavaScript took 49 s.
 */
function globTest(glob: string): Term['test'] {
  const source = glob.replace(GLOB_PARTS, (part: string) => {
    if (part.startsWith('*')) return '.*';
    if (part === '?') return '.';
    if (part.length < 3) return part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    const inner = part.slice(1, -1).replace(/[\\\][^]/g, '\\$&');
    return `[${inner.replace(/^!/, '^')}]`;
  });
  try {
    const compiled = RE2JS.compile(source, RE2JS.DOTALL);
    return (name) => compiled.matcher(name).matches();
  } catch {
    // A class such as [z-a] is empty in Python and an error here; neither matches anything.
    return () => false;
  }
}

const GLOB_PARTS = /\*+|\?|\[!?\]?[^\]]*\]|[^]/gu;
