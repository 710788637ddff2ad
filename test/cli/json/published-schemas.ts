import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createGenerator } from 'ts-json-schema-generator';
import { checkBy, type Check, type Schema } from '../../support/json-schema.ts';
import { REPOSITORY } from '../../support/repository.ts';

const REF = '#/definitions/';

/** A schema for each command and for `error`, made from the types of src/cli/json/outputs.ts. */
export function schemasFromTypes(): ReadonlyMap<string, Schema> {
  const generator = createGenerator({
    path: fileURLToPath(new URL('src/cli/json/outputs.ts', REPOSITORY)),
    tsconfig: fileURLToPath(new URL('tsconfig.json', REPOSITORY)),
    // The types are checked by `npm run check:types`, under the project's own compiler.
    skipTypeCheck: true,
    topRef: false,
    expose: 'export',
    jsDoc: 'extended',
    additionalProperties: false,
  });
  // The generator's own type of a schema has no index, and is JSON like any other.
  const outputs = generator.createSchema('Outputs') as unknown as Readonly<
    Record<'properties' | 'definitions', Readonly<Record<string, Schema>>>
  >;
  const error = generator.createSchema('ErrorOutput') as Schema;
  const schemas = Object.entries(outputs.properties).map(([command, schema]): [string, Schema] => {
    const definitions = reachable(schema, outputs.definitions);
    const title = `What vfleet ${command} --json prints`;
    return [command, { $schema: DRAFT, title, ...schema, ...definitions }];
  });
  return new Map([...schemas, ['error', error]]);
}

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** The definitions that a schema needs, and those that they need, in the order of their names. */
function reachable(schema: Schema, all: Readonly<Record<string, Schema>>): Schema {
  const found = new Map<string, Schema>();
  const queue: Schema[] = [schema];
  for (const one of queue) {
    for (const name of referencesIn(one)) {
      const definition = all[name];
      if (definition === undefined || found.has(name)) continue;
      found.set(name, definition);
      queue.push(definition);
    }
  }
  if (found.size === 0) return {};
  return { definitions: Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function referencesIn(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) =>
    key === '$ref' && typeof value === 'string'
      ? [decodeURIComponent(value.slice(REF.length))]
      : referencesIn(value),
  );
}

/** Where the schema of a command's output is published, from the root of the repository. */
export function publishedPath(command: string): string {
  return `docs/schemas/output/${command}.schema.json`;
}

/** A check by the published schema of a command, or of `error`. */
export function publishedCheck(command: string): Check {
  const text = readFileSync(new URL(publishedPath(command), REPOSITORY), 'utf8');
  return checkBy(JSON.parse(text) as Schema);
}
