import { z } from 'zod';
import { formed } from './scalars.ts';

const DATE = /^(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;

/** `target.firmware`: what DMI must say of a host's firmware; an older one is blocked, since vfleet updates none. */
export const firmwareSchema = z
  .strictObject({
    minVersion: z
      .string()
      .refine((text) => /^(?=.*\d)[\w .()+-]{1,64}$/.test(text), {
        error: 'expected a version with a number in it, such as "2.10.2"',
      })
      .optional()
      .meta({
        description: 'Oldest version of the firmware, compared number by number.',
        pattern: '^(?=.*\\d)[\\w .()+-]{1,64}$',
        examples: ['2.10.2'],
      }),
    minDate: formed({ pattern: DATE, expected: 'a date such as 2023-05-01' })
      // Text of another form was told as that already.
      .refine((text) => !DATE.test(text) || isOnCalendar(text), {
        error: 'is no day of the calendar',
      })
      .optional()
      .meta({ description: 'Oldest date of the firmware.', examples: ['2023-05-01'] }),
  })
  .meta({ minProperties: 1, examples: [{ minDate: '2023-05-01' }] });

/** A day that no month has comes back as none, or as one of the next month. */
function isOnCalendar(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}
