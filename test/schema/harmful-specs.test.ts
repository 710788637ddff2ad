import { describe, expect, it } from 'vitest';
import { problemsOf } from './problems-of.ts';

describe('texts made to do harm', () => {
  it('refuses aliases that grow without measure', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (let level = 0; level < 8; level += 1) {
      const [from, to] = [String.fromCharCode(97 + level), String.fromCharCode(98 + level)];
      bomb.push(`${to}: &${to} [${`*${from},`.repeat(9)}]`);
    }
    expect(problemsOf(bomb.join('\n'))).toEqual([
      's.yaml:1:1: repeats itself through aliases (*name) too often; write the values out',
    ]);
  });

  it('refuses what is nested too deeply', () => {
    expect(problemsOf('['.repeat(200_000))).toEqual([
      's.yaml:1:1: is nested too deeply to be read',
    ]);
  });

  it('refuses what is too long', () => {
    expect(problemsOf('#'.repeat(17 * 1024 * 1024))).toEqual([
      "s.yaml:1:1: is longer than 16777216 characters, which is no file of a person's",
    ]);
  });

  it('does not take __proto__ for anything but an unknown key', () => {
    expect(
      problemsOf(
        `name: a\nhosts: { inventory: i }\ntarget: { iommu: enabled }\n__proto__: { limits: {} }`,
      ),
    ).toEqual([
      's.yaml:4:1 __proto__: "__proto__" is not known; known here: version, name, owner, hosts, target, waves, limits, hooks, reboot, onHostFailure, onBudgetSpent, allow',
    ]);
  });
});
