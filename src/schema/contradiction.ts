import type { z } from 'zod';
import { UNLESS_INSIDE } from './zod-problems.ts';

/** A place below the part that is judged, and why what stands there contradicts the rest. */
export interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** It says nothing new when something inside of the same mapping is wrong as well. */
  readonly unlessInside?: true;
}

/** Adds contradictions to what zod found, each at its place. */
export function reportAll(context: z.RefinementCtx, found: readonly Contradiction[]): void {
  for (const { path, message, unlessInside } of found) {
    const params = unlessInside === true ? { params: UNLESS_INSIDE } : {};
    context.addIssue({ code: 'custom', path: [...path], message, ...params });
  }
}

/** Where a key stands that an earlier entry of the list has too; `undefined` keys are never alike. */
export function twins(keys: readonly (string | undefined)[]): { at: number; first: number }[] {
  const seen = new Map<string, number>();
  return keys.flatMap((key, at) => {
    if (key === undefined) return [];
    const first = seen.get(key);
    if (first !== undefined) return [{ at, first }];
    seen.set(key, at);
    return [];
  });
}
