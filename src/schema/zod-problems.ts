import type { z } from 'zod';
import { didYouMean } from './nearest.ts';
import { notYetKey, notYetValue } from './not-yet.ts';
import type { Problem } from './problem.ts';
import type { YamlText } from './yaml-text.ts';

/** Every issue that zod found in a YAML text, as problems with places and words for the person who wrote it. */
export function zodProblems(
  yaml: YamlText,
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  return issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey(yaml, schema, issue.path, key))
      : [yaml.problemAt(issue.path, message(issue, valueAt(yaml.value, issue.path)))],
  );
}

function unknownKey(
  yaml: YamlText,
  schema: z.ZodType,
  parent: readonly PropertyKey[],
  key: string,
): Problem {
  const text =
    notYetKey(parent, key) ??
    `"${key}" is not known; ${didYouMean(key, knownKeys(schema, parent))}`;
  return yaml.problemAt([...parent, key], text, 'key');
}

function message(issue: z.core.$ZodIssue, found: unknown): string {
  if (found === undefined) return 'is missing';
  if (found === null) return 'is empty; give it a value, or take the line out';
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('not yet:')
        ? issue.message
        : wrongType(issue.expected, found);
    case 'invalid_union':
      return `${issue.message}, found ${describe(found)}`;
    case 'invalid_value':
      return wrongValue(issue, found);
    case 'too_big':
      return issue.origin === 'array' ? `has more than ${issue.maximum} entries` : issue.message;
    case 'too_small':
      return issue.message;
    default:
      return issue.message;
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a mapping (key: value)',
  array: 'a list',
  tuple: 'a list',
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
};

function wrongType(expected: string, found: unknown): string {
  const quotes = expected === 'string' && typeof found !== 'object' ? '; put it in quotes' : '';
  return `expected ${TYPE_WORDS[expected] ?? expected}, found ${describe(found)}${quotes}`;
}

function wrongValue(issue: z.core.$ZodIssueInvalidValue, found: unknown): string {
  const later = notYetValue(issue.path, found);
  if (later !== undefined) return later;
  if (issue.values.length === 1) return `${issue.message}, found ${describe(found)}`;
  return `expected one of ${issue.values.map(String).join(', ')}, found ${describe(found)}`;
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

/** The keys that a mapping at this place may have, read from the schema itself. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let current: z.core.$ZodType = schema;
  for (const part of path) current = childSchema(unwrap(current), part) ?? current;
  const object = unwrap(current)._zod.def as Nesting;
  return Object.keys(object.shape ?? {});
}

/** The parts of zod's definitions that hold other schemas; each kind of schema has some of them. */
interface Nesting {
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly innerType?: z.core.$ZodType;
}

function childSchema(schema: z.core.$ZodType, part: PropertyKey): z.core.$ZodType | undefined {
  const nesting = schema._zod.def as Nesting;
  return typeof part === 'number' ? nesting.element : nesting.shape?.[String(part)];
}

/** Defaults and optional parts wrap the schema that has the shape. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const { innerType } = schema._zod.def as Nesting;
  return innerType === undefined ? schema : unwrap(innerType);
}
