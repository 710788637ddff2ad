/** Checks of values that were read from JSON of a host, which may be anything. */
export type Check = (value: unknown) => boolean;

export const isText = (value: unknown): value is string => typeof value === 'string';

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isListOf<T>(value: unknown, is: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every((item) => is(item));
}

/** A text that matches a pattern whole and is not longer. */
export const text =
  (pattern: RegExp, lengthMax: number): Check =>
  (value) =>
    isText(value) && value.length <= lengthMax && pattern.test(value);

export const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);

export const orNull =
  (is: Check): Check =>
  (value) =>
    value === null || is(value);

export const flag: Check = (value) => typeof value === 'boolean';

/** A whole number from 0. */
export const count =
  (max: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;

export const list =
  (is: Check, lengthMax: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= lengthMax && value.every(is);

/** An object with all of these parts, any of the others, and nothing else. */
export const parts =
  (needed: Readonly<Record<string, Check>>, others: Readonly<Record<string, Check>> = {}): Check =>
  (value) =>
    isObject(value) &&
    Object.keys(needed).every((name) => Object.hasOwn(value, name)) &&
    Object.entries(value).every(([name, part]) => {
      const is = Object.hasOwn(needed, name)
        ? needed[name]
        : Object.hasOwn(others, name)
          ? others[name]
          : undefined;
      return is?.(part) === true;
    });

/** An object whose names match a pattern, with values of one form. */
export const dictionary =
  (name: RegExp, is: Check): Check =>
  (value) =>
    isObject(value) && Object.entries(value).every(([key, part]) => name.test(key) && is(part));
