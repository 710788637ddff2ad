import { z } from 'zod';
import type { Share } from '../domain/spec.ts';
import { formatDuration, readDuration, readShare } from './quantities.ts';

/** A whole number within bounds, both included. */
export function wholeNumber(min: number, max: number): z.ZodType<number, number> {
  return z.number().refine((value) => Number.isInteger(value) && value >= min && value <= max, {
    error: (issue) => `expected a whole number from ${min} to ${max}, found ${String(issue.input)}`,
  });
}

/** A time as people write it, in milliseconds, within bounds in milliseconds. */
export function duration(minMs: number, maxMs: number): z.ZodType<number, string | number> {
  return z
    .union([z.string(), z.number()], { error: 'expected a time such as 90s, 30m or 1h30m' })
    .transform((input, context) => {
      const read = readDuration(String(input));
      // No check compares times, so those of the mapping around it still run: all problems come at once.
      const report = (message: string): number => {
        context.addIssue({ code: 'custom', message, continue: true });
        return minMs;
      };
      if (!read.ok) return report(read.message);
      if (read.value >= minMs && read.value <= maxMs) return read.value;
      const bounds = `from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
      return report(`expected a time ${bounds}, found ${input}`);
    });
}

/** A number or share of hosts; `none` says why 0 makes no sense, when it makes none. */
export function share(none?: string): z.ZodType<Share, string | number> {
  return z
    .union([z.string(), z.number()], {
      error: 'expected a number of hosts such as 2, or a share such as 5%',
    })
    .transform((input, context) => {
      const read = readShare(input);
      if (!read.ok) {
        context.addIssue({ code: 'custom', message: read.message });
        return z.NEVER;
      }
      const { value } = read;
      const amount = value.kind === 'count' ? value.count : value.percent;
      if (none !== undefined && amount === 0) context.addIssue({ code: 'custom', message: none });
      return value;
    });
}

/** One line of text for people, at most 200 characters. */
export function line(): z.ZodType<string, string> {
  return z.string().refine((text) => /^[^\p{C}]{1,200}$/u.test(text), {
    error: 'expected one line of 1 to 200 characters',
  });
}

/** A name that stands in ids: lower-case letters, digits and hyphens, at most 63. */
export function idName(): z.ZodType<string, string> {
  return z.string().refine((text) => /^[a-z0-9][a-z0-9-]{0,62}$/.test(text), {
    error: (issue) =>
      `expected at most 63 lower-case letters, digits and hyphens, the first no hyphen, found "${String(issue.input)}"`,
  });
}
