import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CODES } from '../../src/domain/codes.ts';
import { REPOSITORY, filesUnder } from '../support/repository.ts';

/** Names of kernel arguments look like codes. */
const NO_CODES = /kernel-args\.ts$|src\/domain\/codes\.ts$|src\/host\/scripts\//;
const CODE = /'((?:[a-z]+(?:-[a-z]+)*\.[a-z]+(?:-[a-z]+)+|[a-z]+\.[a-z]+)|drift)'/g;
/** What the guard of a script refuses with becomes `host.<refusal>`. */
const REFUSAL = /refuse ([a-z]+(?:-[a-z]+)*)/g;

function raised(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const file of filesUnder('src/domain', 'src/host', 'activities', 'workflows')) {
    const text = readFileSync(new URL(file, REPOSITORY), 'utf8');
    if (file.endsWith('.sh')) {
      for (const [, refusal] of text.matchAll(REFUSAL)) found.add(`host.${refusal}`);
    } else if (!NO_CODES.test(file)) {
      for (const [, code] of text.matchAll(CODE)) found.add(code!);
    }
  }
  return found;
}

/** The page that people read. */
function page(): string {
  const rows = Object.entries(CODES).map(([code, meaning]) => `- \`${code}\`: ${meaning}\n`);
  return (
    '# Codes\n\nWhy a host is held, blocked or unreachable. What leads out of a hold is what `vfleet host` shows.\n\n' +
    'This page is made from `src/domain/codes.ts` by `npx vitest run test/docs -u`.\n\n' +
    rows.join('')
  );
}

describe('the table of codes', () => {
  it('names each code that the source raises, and no other', () => {
    expect(Object.keys(CODES).sort()).toEqual([...raised()].sort());
  });

  it('is in order, and each meaning is one sentence', () => {
    const codes = Object.keys(CODES);
    expect(codes).toEqual(codes.toSorted());
    for (const meaning of Object.values(CODES)) expect(meaning).toMatch(/^\S.*\.$/);
  });

  it('is what docs/codes.md shows', async () => {
    await expect(page()).toMatchFileSnapshot('../../docs/codes.md');
  });
});
