import { stringify } from 'yaml';
import type { z } from 'zod';

/** The parts of zod's definitions that hold other schemas; each kind of schema has some of them. */
interface Nesting {
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly element?: z.core.$ZodType;
  readonly items?: readonly z.core.$ZodType[];
  readonly innerType?: z.core.$ZodType;
}

/** The keys that a mapping at this place may have, read from the schema itself. */
export function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  return Object.keys(shapeOf(schemaAt(schema, path)));
}

/** How the part at this place may be written, as YAML on one line; `undefined` when the schema gives no example. */
export function exampleAt(schema: z.ZodType, path: readonly PropertyKey[]): string | undefined {
  // Defaults wrap the schema that was described.
  for (let at: z.core.$ZodType | undefined = schemaAt(schema, path); at !== undefined;) {
    const examples: unknown = (at as z.ZodType).meta()?.['examples'];
    if (Array.isArray(examples)) return inFlow(examples[0]);
    at = nestingOf(at).innerType;
  }
  return undefined;
}

function inFlow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}

/** Where else a key is known, as paths (`waves.N.bake`): at most four, those nearest to the root first. */
export function keyPlaces(
  schema: z.ZodType,
  spelling: (key: string) => string,
  key: string,
): string[] {
  const found: string[] = [];
  let level: (readonly [path: string, schema: z.core.$ZodType])[] = [['', schema]];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const [path, at] of level) {
      const { element } = nestingOf(unwrap(at));
      if (element !== undefined) next.push([`${path}N.`, element]);
      for (const [name, child] of Object.entries(shapeOf(at))) {
        if (spelling(name) === spelling(key)) found.push(path + name);
        next.push([`${path}${name}.`, child]);
      }
    }
    level = next;
  }
  return found.slice(0, 4);
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.core.$ZodType {
  let current: z.core.$ZodType = schema;
  for (const part of path) current = childSchema(unwrap(current), part) ?? current;
  return current;
}

function childSchema(schema: z.core.$ZodType, part: PropertyKey): z.core.$ZodType | undefined {
  const nesting = nestingOf(schema);
  if (typeof part !== 'number') return nesting.shape?.[String(part)];
  return nesting.element ?? nesting.items?.[part];
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  return nestingOf(unwrap(schema)).shape ?? {};
}

/** Defaults and optional parts wrap the schema that has the shape. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const { innerType } = nestingOf(schema);
  return innerType === undefined ? schema : unwrap(innerType);
}

function nestingOf(schema: z.core.$ZodType): Nesting {
  return schema._zod.def as Nesting;
}
