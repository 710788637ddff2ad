import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Evidence } from '../../src/domain/changes.ts';
import type { Code } from '../../src/domain/codes.ts';
import type { RunOutcome, WriteOutcome } from '../../src/host/port.ts';

/** A step that saw what it should. */
export const ok = (evidence: Evidence): StepOutcome => ({ kind: 'ok', evidence });

/** A step that needs a person. */
export const hold = (code: Code, sentence: string, evidence: Evidence = {}): StepOutcome => ({
  kind: 'hold',
  code,
  sentence,
  evidence,
});

const EVIDENCE_CHARS_MAX = 600;

/** The end of a program's output, where the reason stands, short enough for the engine's history. */
export function tail(output: string): string {
  const text = output.trim();
  return text.length > EVIDENCE_CHARS_MAX ? `...${text.slice(-EVIDENCE_CHARS_MAX)}` : text;
}

const WRITE_FAILURES = {
  'no-space': ['host.disk-full', 'the disk is full; make room, then retry'],
  'read-only': ['host.read-only', 'the file system is read-only; see dmesg for why, then retry'],
  denied: ['host.write-denied', 'root may not write there; see SELinux, AppArmor and chattr'],
  other: ['host.write-failed', 'the write failed'],
} as const;

/** The hold for the first file that was not written as asked, or `undefined` when all were. */
export function writeProblem(outcomes: readonly WriteOutcome[]): StepOutcome | undefined {
  for (const outcome of outcomes) {
    if (outcome.kind === 'conflict') {
      return hold('drift', `${outcome.path} was changed by someone else`, {
        path: outcome.path,
        found: outcome.digest ?? 'absent',
        content: tail(new TextDecoder().decode(outcome.content)),
      });
    }
    if (outcome.kind === 'failed') {
      const [code, sentence] = WRITE_FAILURES[outcome.reason];
      return hold(code, `${outcome.path}: ${sentence}`, { message: tail(outcome.message) });
    }
  }
  return undefined;
}

/** The hold for a program that did not exit with 0, or `undefined`. */
export function runProblem(
  code: Code,
  program: string,
  outcome: RunOutcome,
): StepOutcome | undefined {
  if (outcome.kind === 'exited' && outcome.code === 0) return undefined;
  const how = {
    exited: `exited with ${outcome.code}`,
    'timed-out': 'did not end in time and was stopped',
    'not-found': 'is not installed',
  }[outcome.kind];
  return hold(code, `${program} ${how}`, {
    stderr: tail(outcome.stderr),
    stdout: tail(outcome.stdout),
  });
}
