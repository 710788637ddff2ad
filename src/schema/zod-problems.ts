import type { z } from 'zod';
import { asGuess, meantBoolean, meantList, meantValue } from './meant.ts';
import { nearest } from './nearest.ts';
import { notYetKey, notYetValue } from './not-yet.ts';
import type { Problem } from './problem.ts';
import { exampleAt, keyPlaces, knownKeys } from './schema-walk.ts';
import type { YamlText } from './yaml-text.ts';

/** Every issue that zod found in a YAML text, as problems with places and words for the person who wrote it. */
export function zodProblems(
  yaml: YamlText,
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  return issues
    .filter((issue) => !isMoot(issue, issues))
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(yaml, schema, issue.path, key))
        : [problemOf(yaml, schema, issue)],
    );
}

function problemOf(yaml: YamlText, schema: z.ZodType, issue: z.core.$ZodIssue): Problem {
  const found = valueAt(yaml.value, issue.path);
  const problem = yaml.problemAt(issue.path, message(issue, found, schema));
  const line = yaml.text.split('\n', problem.line).at(-1) ?? '';
  if (found !== null || !/:\s+#\S/.test(line)) return problem;
  const why = 'is empty, since a # begins a comment; put a text that holds one in quotes';
  return { ...problem, message: why };
}

/** Marks an issue that says nothing new when something inside of the same mapping is wrong as well. */
export const UNLESS_INSIDE = { unlessInside: true } as const;

function isMoot(issue: z.core.$ZodIssue, issues: readonly z.core.$ZodIssue[]): boolean {
  if (issue.code !== 'custom' || issue.params?.['unlessInside'] !== true) return false;
  return issues.some(
    (other) => other !== issue && issue.path.every((part, index) => other.path[index] === part),
  );
}

function unknownKey(
  yaml: YamlText,
  schema: z.ZodType,
  parent: readonly PropertyKey[],
  key: string,
): Problem {
  const text = notYetKey(parent, key) ?? unknown(schema, parent, key);
  return yaml.problemAt([...parent, key], text, 'key');
}

function unknown(schema: z.ZodType, parent: readonly PropertyKey[], key: string): string {
  if (key === '<<')
    return 'merge keys are not read; write the values out, or an alias (*name) for all of them';
  const known = knownKeys(schema, parent);
  const alike = known.find((one) => spelling(one) === spelling(key));
  const near = alike ?? nearest(key, known);
  if (near !== undefined) return `"${key}" is not known; did you mean "${near}"?`;
  const elsewhere = keyPlaces(schema, spelling, key);
  if (elsewhere.length > 0) {
    return `"${key}" is not known here; did you mean ${elsewhere.join(' or ')}?`;
  }
  return `"${key}" is not known; known here: ${known.join(', ')}`;
}

/** `max_failures`, `max-failures` and `MaxFailures` are one word to those who write them. */
function spelling(key: string): string {
  return key.toLowerCase().replaceAll(/[-_ ]/g, '');
}

function message(issue: z.core.$ZodIssue, found: unknown, schema: z.ZodType): string {
  if (found === undefined) return `is missing${choices(issue)}${example(schema, issue.path)}`;
  if (found === null) return 'is empty; give it a value, or take the line out';
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue, found, schema);
    case 'invalid_union':
      return `${issue.message}, found ${describe(found)}`;
    case 'invalid_value':
      return wrongValue(issue, found);
    case 'too_big':
      return issue.origin === 'array' ? `has more than ${issue.maximum} entries` : issue.message;
    default:
      return issue.message;
  }
}

function choices(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_value' ? `; one of ${issue.values.map(String).join(', ')}` : '';
}

function example(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const text = exampleAt(schema, path);
  return text === undefined ? '' : `; for example ${text}`;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a mapping (key: value)',
  array: 'a list',
  tuple: 'a list',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
};

function wrongType(issue: z.core.$ZodIssueInvalidType, found: unknown, schema: z.ZodType): string {
  const { expected } = issue;
  const own = issue.message.startsWith('Invalid input') ? undefined : issue.message;
  const words = `${own ?? `expected ${TYPE_WORDS[expected] ?? expected}`}, found ${describe(found)}`;
  return words + remedy(expected, String(issue.path.at(-1)), found, example(schema, issue.path));
}

/** What to write instead: a guess where there is one, else an example of the part. */
function remedy(expected: string, key: string, found: unknown, sample: string): string {
  switch (expected) {
    case 'string':
      return typeof found === 'object' ? sample : '; put it in quotes';
    case 'number':
      return numberRemedy(key, found);
    case 'boolean':
      return asGuess(meantBoolean(found));
    case 'array':
    case 'tuple': {
      const meant = meantList(found);
      return meant === undefined ? sample : asGuess(meant);
    }
    default:
      return sample;
  }
}

function numberRemedy(key: string, found: unknown): string {
  if (typeof found !== 'string') return '';
  if (/^\d{1,9}$/.test(found)) return '; take the quotes out';
  return asGuess(key === 'hosts' && found.endsWith('%') ? `upTo: ${found}` : undefined);
}

function wrongValue(issue: z.core.$ZodIssueInvalidValue, found: unknown): string {
  const later = notYetValue(issue.path, found);
  if (later !== undefined) return later;
  if (issue.values.length === 1) return `${issue.message}, found ${describe(found)}`;
  const allowed = issue.values.map(String);
  const meant = meantValue(String(issue.path.at(-1)), found, allowed);
  return `expected one of ${allowed.join(', ')}, found ${describe(found)}${asGuess(meant)}`;
}

function describe(found: unknown): string {
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'number' || typeof found === 'boolean') return String(found);
  if (typeof found !== 'string') return 'a mapping';
  return `"${found.length > 60 ? `${found.slice(0, 60)}...` : found}"`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    if (!Object.hasOwn(current, part)) return undefined;
    current = (current as Record<PropertyKey, unknown>)[part];
  }
  return current;
}
