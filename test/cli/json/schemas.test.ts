import { describe, expect, it } from 'vitest';
import { commandsWithJson } from './commands.ts';
import { checkBy } from '../../support/json-schema.ts';
import { publishedPath, schemasFromTypes } from './published-schemas.ts';

/** Made from the types by `npx vitest run test/cli/json -u`. */
const schemas = schemasFromTypes();

describe('the published schemas of --json', () => {
  it('are there for each command that has --json, and for errors', () => {
    const commands = commandsWithJson();
    expect([...schemas.keys()].sort()).toEqual([...commands, 'error'].sort());
  });

  it.each([...schemas])(
    '%s is what the types say, and lawful in strict mode',
    async (name, schema) => {
      const text = `${JSON.stringify(schema, null, 2)}\n`;
      await expect(text).toMatchFileSnapshot(`../../../${publishedPath(name)}`);
      expect(checkBy(schema)('no such output')).not.toEqual([]);
    },
  );

  // The generator loses the properties of a mapped type that stands in its own definition.
  it('leaves no object without properties', () => {
    expect(JSON.stringify([...schemas])).not.toContain(
      '"type":"object","additionalProperties":false,"description"',
    );
    expect(JSON.stringify([...schemas])).not.toContain(
      '"type":"object","additionalProperties":false}',
    );
  });

  it('refuses what is not in them', () => {
    const check = checkBy(schemas.get('capture') ?? {});
    expect(check({ host: 'a', dir: 'b', files: 1 })).toEqual([]);
    expect(check({ host: 'a', dir: 'b', files: 1, more: 1 })).toHaveLength(1);
    expect(check({ host: 'a', files: '1' })).toHaveLength(2);
  });
});
