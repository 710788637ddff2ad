import { describe, expect, it } from 'vitest';
import { sameArgs } from '../../../src/domain/kernel-args.ts';
import { fileWrite } from '../../../activities/steps/file-writes.ts';
import { runProblem, tail, writeProblem } from '../../../activities/steps/outcomes.ts';

const failed = (reason: 'no-space' | 'read-only' | 'denied' | 'other') =>
  ({ path: '/etc/x', kind: 'failed', reason, message: 'what the host said' }) as const;

describe('writeProblem', () => {
  it('is nothing when each file is as asked', () => {
    const outcomes = [
      { path: '/a', kind: 'written' },
      { path: '/b', kind: 'unchanged' },
    ] as const;
    expect(writeProblem(outcomes)).toBeUndefined();
  });

  it.each([
    ['no-space', 'host.disk-full'],
    ['read-only', 'host.read-only'],
    ['denied', 'host.write-denied'],
    ['other', 'host.write-failed'],
  ] as const)('tells %s as %s, with the path and what the host said', (reason, code) => {
    const problem = writeProblem([{ path: '/a', kind: 'written' }, failed(reason)]);
    expect(problem).toMatchObject({ code, evidence: { message: 'what the host said' } });
    expect(problem?.kind === 'hold' && problem.sentence).toMatch(/^\/etc\/x: /);
  });

  it('shows what stands where someone else wrote', () => {
    const content = new TextEncoder().encode('theirs\n');
    expect(
      writeProblem([{ path: '/etc/x', kind: 'conflict', digest: 'abc', content }]),
    ).toMatchObject({ code: 'drift', evidence: { found: 'abc', content: 'theirs' } });
  });
});

describe('runProblem', () => {
  const run = { stdout: 'out', stderr: 'err' };

  it('is nothing for exit 0 only', () => {
    expect(runProblem('reboot.refused', 'x', { ...run, kind: 'exited', code: 0 })).toBeUndefined();
    for (const [outcome, how] of [
      [{ ...run, kind: 'exited', code: 3 }, 'x exited with 3'],
      [{ ...run, kind: 'timed-out', code: 0 }, 'x did not end in time and was stopped'],
      [{ ...run, kind: 'not-found', code: 127 }, 'x is not installed'],
    ] as const) {
      expect(runProblem('reboot.refused', 'x', outcome)).toMatchObject({
        code: 'reboot.refused',
        sentence: how,
        evidence: { stderr: 'err', stdout: 'out' },
      });
    }
  });
});

describe('what goes into history and onto the wire', () => {
  it('keeps the end of an output, where the reason stands', () => {
    expect(tail(' short \n')).toBe('short');
    expect(tail(`${'x'.repeat(2_000)}the reason`)).toMatch(/^\.\.\.x+the reason$/);
    expect(tail('x'.repeat(2_000)).length).toBeLessThan(700);
  });

  it('expects what was there: nothing, or its digest', () => {
    expect(fileWrite('/a', null, 'new')).toMatchObject({ expect: null });
    expect(fileWrite('/a', 'old', null)).toEqual({
      path: '/a',
      // printf old | sha256sum
      expect: 'cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4',
      content: null,
    });
  });

  it('takes two kernel lines for the same only in the same order', () => {
    expect(sameArgs(['a', 'b'], ['a', 'b'])).toBe(true);
    expect(sameArgs(['a', 'b'], ['b', 'a'])).toBe(false);
    expect(sameArgs(['a'], ['a', 'a'])).toBe(false);
  });
});
