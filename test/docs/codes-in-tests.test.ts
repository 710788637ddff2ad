import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { CODES } from '../../src/domain/codes.ts';
import { REPOSITORY, filesUnder } from '../support/repository.ts';

/** Contracts are tests that several test files run. The tests of the table itself name codes that nothing has raised. */
const TESTS = filesUnder('test').filter((file) =>
  /^test\/(?!docs\/).*(\.test|-contract)\.ts$/.test(file),
);

/**
 * Text that a test compares with what the code did: what stands in the arguments of a matcher (`toMatchObject`, ...) or of
 * a test's own function that expects (`expectRefusal`), and in the rows of a table that `each` runs. A code elsewhere, in
 * a fake or a sample, proves nothing.
 */
function expectedTexts(text: string): readonly string[] {
  const source = ts.createSourceFile('test.ts', text, ts.ScriptTarget.Latest, true);
  const tables = tablesOf(source);
  const found: string[] = [];
  const visit = (node: ts.Node, isExpected: boolean): void => {
    if (isExpected && isText(node)) found.push(node.text);
    const within = isExpected || isTable(node, tables);
    if (!ts.isCallExpression(node)) {
      ts.forEachChild(node, (child) => {
        visit(child, within);
      });
      return;
    }
    visit(node.expression, isExpected);
    const expects = isExpected || /^(expect.+|to[A-Z].*|each)$/.test(nameOf(node.expression));
    for (const argument of node.arguments) visit(argument, expects);
  };
  visit(source, false);
  return found;
}

const isText = (node: ts.Node): node is ts.LiteralLikeNode =>
  ts.isStringLiteralLike(node) || ts.isRegularExpressionLiteral(node) || ts.isTemplateHead(node);

const nameOf = (called: ts.Expression): string =>
  ts.isPropertyAccessExpression(called)
    ? called.name.text
    : ts.isIdentifier(called)
      ? called.text
      : '';

/** Names of the constants that are handed to `each`. */
function tablesOf(source: ts.SourceFile): ReadonlySet<string> {
  return new Set([...source.text.matchAll(/\.each\((\w+)\)/g)].map(([, name]) => name!));
}

const isTable = (node: ts.Node, tables: ReadonlySet<string>): boolean =>
  ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && tables.has(node.name.text);

describe('the tests', () => {
  it('see every code of the table', () => {
    const texts = TESTS.flatMap((file) =>
      expectedTexts(readFileSync(new URL(file, REPOSITORY), 'utf8')),
    ).map((text) => text.replaceAll('\\.', '.'));
    const unseen = [...CODES.keys()].filter((code) => {
      const word = new RegExp(`(?<![\\w.-])${code.replace('.', '\\.')}(?![\\w-])`);
      return !texts.some((text) => word.test(text));
    });
    expect(unseen).toEqual([]);
  });

  it('are read right: what is expected counts, what is only given does not', () => {
    const text = `
      const CASES = [['a.table']];
      const SAMPLE = [{ code: 'a.sample' }];
      it.each(CASES)('x', () => expect(f({ code: 'a.given' })).toMatchObject({ code: 'a.matched' }));
      it('y', () => expectRefusal('an.own', /a\\.regexp/));
    `;
    expect(expectedTexts(text)).toEqual(['a.table', 'a.matched', 'an.own', '/a\\.regexp/']);
  });
});
