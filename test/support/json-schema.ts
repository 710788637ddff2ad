import { Ajv, type ErrorObject } from 'ajv';

/** A JSON Schema, draft 7. */
export type Schema = Readonly<Record<string, unknown>>;

/** What a value breaks of a schema, as Ajv says it; empty for a valid one. */
export type Check = (value: unknown) => readonly string[];

/** A check by a schema, which must be lawful in Ajv's strict mode. */
export function checkBy(schema: Schema): Check {
  const ajv = new Ajv({
    strict: true,
    allErrors: true,
    allowUnionTypes: true,
    // "One word, and then as many as there are" is lawful: { items: [word], additionalItems: word }.
    strictTuples: false,
    // So is "either hosts or upTo", which names both beside the place where they are described.
    strictRequired: false,
    // Times come from `Date.toJSON`, so that their form is no question; Ajv would only want to be told what it is.
    formats: { 'date-time': true },
  });
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(sentence));
}

function sentence({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`;
}
