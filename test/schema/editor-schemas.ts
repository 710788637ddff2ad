import { z } from 'zod';
import { ownInventorySchema } from '../../src/schema/inventory/own-inventory.ts';
import { specSchema } from '../../src/schema/spec-schema.ts';
import type { Schema } from '../support/json-schema.ts';

/** The schemas for editors by their paths from the root of the repository, made from what the parser reads. */
export const EDITOR_SCHEMAS: ReadonlyMap<string, Schema> = new Map([
  ['docs/schemas/spec.schema.json', editorSchema(specSchema, 'A spec of vfleet')],
  [
    'docs/schemas/inventory.schema.json',
    editorSchema(ownInventorySchema, "An inventory of vfleet's own form"),
  ],
]);

/** As a person writes it, so what goes in: `30m`, not milliseconds. Draft 7 is what editors know best. */
function editorSchema(schema: z.ZodType, title: string): Schema {
  const json: Schema = { ...z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) };
  return { $schema: json['$schema'], title, ...json };
}
