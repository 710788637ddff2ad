import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { checkBy } from '../support/json-schema.ts';
import { REPOSITORY, filesUnder } from '../support/repository.ts';
import { EDITOR_SCHEMAS } from './editor-schemas.ts';

const SPEC = 'docs/schemas/spec.schema.json';
const check = checkBy(EDITOR_SCHEMAS.get(SPEC) ?? {});
const read = (path: string): string => readFileSync(new URL(path, REPOSITORY), 'utf8');

describe('the schemas for editors', () => {
  // Made by `npx vitest run test/schema/editor -u`.
  it.each([...EDITOR_SCHEMAS])('%s is what the parser reads', async (path, schema) => {
    const text = `${JSON.stringify(schema, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(`../../${path}`);
    expect(checkBy(schema)('no such file')).not.toEqual([]);
  });

  const specs = filesUnder('examples').filter((path) => path.endsWith('.yaml'));
  it.each(specs)('%s is valid, and tells its editor so', (path) => {
    expect(check(parse(read(path)))).toEqual([]);
    expect(read(path)).toContain(
      '# yaml-language-server: $schema=../docs/schemas/spec.schema.json',
    );
  });

  it('names each part with a sentence', () => {
    const { properties } = EDITOR_SCHEMAS.get(SPEC) as { properties: Record<string, object> };
    const silent = Object.entries(properties).filter(([, part]) => !('description' in part));
    expect(silent.map(([name]) => name)).toEqual([]);
  });
});
