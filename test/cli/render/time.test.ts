import { expect, it } from 'vitest';
import { localTimes } from '../../../src/cli/render/time.ts';
import { NOW, at } from './samples.ts';

it('puts the moments of a sentence on the clock of its reader', () => {
  expect(localTimes(`Wave canary is watched until ${at(3, 10)}; then it goes on.`, NOW)).toBe(
    'Wave canary is watched until 03:10; then it goes on.',
  );
  expect(localTimes(`the last one was seen ${at(22, 4)}.`, NOW)).toBe(
    'the last one was seen Sun 22:04.',
  );
});

it('leaves a moment that is part of a name or a path', () => {
  const path = `captures/hv1-${at(3, 10)}/proc and /tmp/${at(3, 10)}`;
  expect(localTimes(path, NOW)).toBe(path);
});
