import { z } from 'zod';
import type { Share } from '../domain/spec.ts';
import { hostPatternProblem } from './host-pattern.ts';
import { asGuess } from './meant.ts';
import { formatDuration, formatSize, readDuration, readShare, readSize } from './quantities.ts';

/** A whole number within bounds, both included. */
export function wholeNumber(min: number, max: number): z.ZodType<number, number> {
  const expected = `expected a whole number from ${min} to ${max}`;
  return z
    .number({ error: expected })
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, {
      error: (issue) => `${expected}, found ${String(issue.input)}`,
    })
    .meta({ type: 'integer', minimum: min, maximum: max });
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
    })
    .meta({ anyOf: [{ type: 'string', pattern: TIME }, { const: 0 }] });
}

/** What `readDuration` reads, for editors. */
const TIME = '^(0|(?=\\d)(\\d{1,9}d)?(\\d{1,9}h)?(\\d{1,9}m)?(\\d{1,9}s)?)$';
/** What `readShare` reads as text, for editors. */
const SHARE = '^\\d{1,9}((\\.\\d{1,9})? ?%)?$';

/** A size of memory as people write it, in KiB, within bounds in KiB. */
export function size(minKiB: number, maxKiB: number): z.ZodType<number, string | number> {
  return z
    .union([z.string(), z.number()], { error: 'expected a size such as 512M or 8G' })
    .transform((input, context) => {
      const read = readSize(String(input));
      const report = (message: string): number => {
        context.addIssue({ code: 'custom', message, continue: true });
        return minKiB;
      };
      if (!read.ok) return report(read.message);
      if (read.value >= minKiB && read.value <= maxKiB) return read.value;
      const bounds = `from ${formatSize(minKiB)} to ${formatSize(maxKiB)}`;
      return report(`expected a size ${bounds}, found ${input}`);
    })
    .meta({ anyOf: [{ type: 'string', pattern: '^\\d{1,6}[MGT]$' }] });
}

/** A form of text: the pattern for editors too, without flags; and how it reads in a message. */
interface Form {
  readonly pattern: RegExp;
  /** After "expected". */
  readonly expected: string;
  /** What somebody who wrote something else probably meant; asked only when it has the form. */
  readonly guess?: (text: string) => string;
}

/** Text of one form, in small letters. */
export function formed({ pattern, expected, guess }: Form): z.ZodType<string, string> {
  return z
    .string()
    .transform((text, context) => {
      if (pattern.test(text)) return text.toLowerCase();
      const meant = guess?.(text.trim());
      const question = asGuess(meant !== undefined && pattern.test(meant) ? meant : undefined);
      const message = `expected ${expected}, found ${JSON.stringify(text)}${question}`;
      context.addIssue({ code: 'custom', message, continue: true });
      return text;
    })
    .meta({ pattern: pattern.source });
}

/** A host pattern as Ansible reads it. */
export function hostPattern(): z.ZodType<string, string> {
  return z
    .string()
    .superRefine((pattern, context) => {
      const message = hostPatternProblem(pattern);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .meta({ minLength: 1 });
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
    })
    .meta({
      anyOf: [
        { type: 'string', pattern: SHARE },
        { type: 'integer', minimum: none === undefined ? 0 : 1 },
      ],
    });
}

/** One line of text for people, at most 200 characters. */
export function line(): z.ZodType<string, string> {
  return z
    .string()
    .refine((text) => /^[^\p{C}]{1,200}$/u.test(text), {
      error: 'expected one line of 1 to 200 characters',
    })
    .meta({ pattern: '^[^\\n\\r]{1,200}$' });
}

const ID_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** A name that stands in ids: lower-case letters, digits and hyphens, at most 63. */
export function idName(): z.ZodType<string, string> {
  return z
    .string()
    .refine((text) => ID_NAME.test(text), {
      error: (issue) => {
        const expected =
          'expected at most 63 lower-case letters, digits and hyphens, the first no hyphen';
        const meant = meantName(String(issue.input));
        const guess = asGuess(ID_NAME.test(meant) ? meant : undefined);
        return `${expected}, found "${String(issue.input)}"${guess}`;
      },
    })
    .meta({ pattern: ID_NAME.source });
}

/** `Enable IOMMU` → `enable-iommu`. */
function meantName(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
}
