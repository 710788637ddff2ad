import type { ModelHost } from '../model-host.ts';

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it changed the host. */
  readonly changed: boolean;
}

/** A program of the model: its effect comes at the end of `takesMs`. */
export interface Program {
  takesMs?(args: readonly string[], host: ModelHost): number;
  run(args: readonly string[], host: ModelHost): ProgramResult;
  /** What it has said when it is ended at its deadline. */
  said?: { readonly stdout: string; readonly stderr: string };
}

export const exit = (code: number, stdout = '', stderr = '', changed = false): ProgramResult => ({
  code,
  stdout,
  stderr,
  changed,
});
