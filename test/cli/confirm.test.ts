import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/cli/config.ts';
import { createContext } from '../../src/cli/context.ts';

/** Terminals at both ends, one of them with a person who types. */
let typed: PassThrough & { isTTY: boolean };
const real = { stdin: process.stdin, isTTY: process.stdout.isTTY };
const set = (stdin: unknown, isTTY: boolean): void => {
  Object.defineProperty(process, 'stdin', { value: stdin, configurable: true });
  process.stdout.isTTY = isTTY;
};

beforeEach(() => {
  typed = Object.assign(new PassThrough(), { isTTY: true });
  set(typed, true);
});
afterEach(() => {
  set(real.stdin, real.isTTY);
});

const ask = (json = false): Promise<void> => {
  const { signal } = new AbortController();
  const context = createContext({ config: readConfig(), json, signal });
  return context.confirm('Reboot hv1?', { yes: false });
};

describe('a question before something is done', () => {
  it.each(['y', 'yes', ' Y '])('goes on at %j', async (answer) => {
    const asked = ask();
    typed.write(`${answer}\n`);
    await expect(asked).resolves.toBeUndefined();
  });

  it.each(['', 'n', 'no', 'yep'])('does nothing at %j', async (answer) => {
    const asked = ask();
    typed.write(`${answer}\n`);
    await expect(asked).rejects.toMatchObject({ outcome: 'refused', code: 'confirm.declined' });
  });

  it('is not asked for JSON: a script has nobody to answer', async () => {
    await expect(ask(true)).rejects.toMatchObject({ outcome: 'refused', code: 'confirm.nobody' });
  });
});
