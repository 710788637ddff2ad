import type { Code } from './codes.ts';

/** What stands against a change: a stable code, and a sentence that says what, why, and the way out. */
export interface Problem {
  readonly code: Code;
  readonly sentence: string;
}

/** Why a host cannot be planned for. */
export interface Blocked extends Problem {
  readonly kind: 'blocked';
}

export const blocked = (code: Code, sentence: string): Blocked => ({
  kind: 'blocked',
  code,
  sentence,
});

/** Whether something is a block, and no plan. */
export function isBlocked(value: object): value is Blocked {
  return 'kind' in value && value.kind === 'blocked';
}
