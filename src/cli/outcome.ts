import type { Code } from '../domain/codes.ts';

/** How a command ended. Only main.ts turns it into the exit code of the process. */
export type Outcome = 'done' | 'failed' | 'usage' | 'waiting' | 'no-engine' | 'refused';

/** The exit codes of DESIGN.md: scripts depend on them, so they never change meaning. */
export const EXIT_CODES: Readonly<Record<Outcome, number>> = {
  done: 0,
  failed: 1,
  usage: 2,
  waiting: 3,
  'no-engine': 4,
  refused: 5,
};

/**
 * A command could not do what was asked. `message` says what is wrong in one sentence (more lines for lists);
 * `next` says what to do about it; `code` is what `vfleet explain` knows more about. A failure and a refusal must have
 * one; a usage error has none: its sentence is all there is to say.
 */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly outcome: Exclude<Outcome, 'done'>;
  readonly next: string;
  readonly code: Code | undefined;

  constructor(outcome: 'usage' | 'waiting', message: string, next: string, options?: ErrorOptions);
  constructor(
    outcome: 'failed' | 'no-engine' | 'refused',
    message: string,
    next: string,
    options: ErrorOptions & { readonly code: Code },
  );
  constructor(
    outcome: Exclude<Outcome, 'done'>,
    message: string,
    next: string,
    options?: ErrorOptions & { readonly code?: Code },
  ) {
    super(message, options);
    this.outcome = outcome;
    this.next = next;
    this.code = options?.code;
  }
}

/** The sentence of anything that was thrown. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
