import { parse } from 'yaml';
import { formatProblem } from '../../src/schema/problem.ts';
import { parseSpec } from '../../src/schema/spec.ts';
import { checkBy } from '../support/json-schema.ts';
import { EDITOR_SCHEMAS } from './editor-schemas.ts';

/** What a spec cannot do without, on three lines; a mistake after it stands on line 4. */
export const HEAD = `name: a
hosts: { inventory: hosts.ini }
target: { iommu: enabled }
`;

/** Every problem of a spec, as `vfleet check` prints them; empty for a good one. */
export function problemsOf(text: string): string[] {
  const parsed = parseSpec(text, 's.yaml');
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

const check = checkBy(EDITOR_SCHEMAS.get('docs/schemas/spec.schema.json') ?? {});

/** Whether an editor with our schema underlines something in it. */
export function isUnderlined(text: string): boolean {
  return check(parse(text)).length > 0;
}
