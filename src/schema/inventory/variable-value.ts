import { VAULTED } from './ansible-tags.ts';

/** Only scalars can be used; of the others it is enough to know what they are. */
export type VariableValue =
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'structured' | 'vaulted' | 'null' };

/** A mapping of a document; its keys are text. */
export type Mapping = Readonly<Record<string, unknown>>;

/** Whether a value of a document is a mapping. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && value !== VAULTED;
}

/** What a value of a document, YAML or JSON, is to an inventory. */
export function readVariableValue(value: unknown): VariableValue {
  if (value === VAULTED) return { kind: 'vaulted' };
  if (value === null || value === undefined) return { kind: 'null' };
  switch (typeof value) {
    case 'string':
      return { kind: 'scalar', text: value };
    case 'number':
    case 'bigint':
    case 'boolean':
      return { kind: 'scalar', text: String(value) };
    default:
      return { kind: 'structured' };
  }
}
