import { isIPv6 } from 'node:net';

/** Most hosts that one inventory may hold. */
export const INVENTORY_HOSTS_MAX = 100_000;

/** The hosts that one entry stands for, with the port written behind it; or what is wrong with it. */
export type ExpandedHosts =
  | { readonly ok: true; readonly names: readonly string[]; readonly port?: number }
  | { readonly ok: false; readonly message: string };

const RANGE = String.raw`\[(?:[a-zA-Z]:[a-zA-Z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]`;
const LABEL = String.raw`(?:[\p{L}\p{N}_]|${RANGE})(?:[\p{L}\p{N}_-]|${RANGE})*(?<![_-])`;
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'u');

/**
 * Expands an inventory entry as Ansible does: `web[01:50]`, `db-[a:f]`, `n[0:9:3]`, several ranges in one name,
 * and a port as in `web1:2222` or `[::1]:2222` (parsing/utils/addresses.py, plugins/inventory/__init__.py).
 * Stricter: a range that ends before it begins is an error, where Ansible sees no host.
 */
export function expandHosts(entry: string): ExpandedHosts {
  const { pattern, port } = splitPort(entry);
  if (entry.endsWith(':') && port === undefined) {
    return { ok: false, message: `"${entry}" ends with : but names no port` };
  }
  const names = isIPv6(pattern) ? [pattern] : expandRanges(pattern);
  if (typeof names === 'string') return { ok: false, message: `"${entry}": ${names}` };
  return { ok: true, names, ...(port === undefined ? {} : { port }) };
}

function splitPort(entry: string): { pattern: string; port?: number } {
  const match =
    /^\[(.+)\]:([0-9]+)$/.exec(entry) ?? /^((?:[^:[\]]|\[[^\]]*\])*):([0-9]+)$/.exec(entry);
  if (match === null) return { pattern: entry };
  const [, host = '', port] = match;
  return isIPv6(host) || HOSTNAME.test(host)
    ? { pattern: host, port: Number(port) }
    : { pattern: entry };
}

/** All names, or a message. The number of names is known before any is made. */
function expandRanges(pattern: string): string[] | string {
  const parts = pattern.split(/(\[[^\]]*\])/);
  const choices: string[][] = [];
  for (const part of parts) {
    const choice = part.startsWith('[') && part.endsWith(']') ? expandRange(part) : [part];
    if (typeof choice === 'string') return choice;
    choices.push(choice);
  }
  const count = choices.reduce((product, choice) => product * choice.length, 1);
  if (count > INVENTORY_HOSTS_MAX) return `stands for more than ${INVENTORY_HOSTS_MAX} hosts`;
  return choices.reduce<string[]>(
    (names, choice) => names.flatMap((name) => choice.map((part) => name + part)),
    [''],
  );
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function expandRange(range: string): string[] | string {
  const match = /^\[([^:]*):([^:]*)(?::([^:]*))?\]$/.exec(range);
  if (match === null) return `${range} is no range; write [01:50], [a:f] or [0:9:3]`;
  const [, begin = '', end = '', stepText = '1'] = match;
  if (!/^0*[1-9][0-9]{0,8}$/.test(stepText)) return `${range} has no valid step`;
  if (end === '') return `${range} names no end`;
  const step = Number(stepText);
  const bounds = `${begin}:${end}`;
  if (/^[a-zA-Z]:[a-zA-Z]$/.test(bounds)) return expandLetters(range, begin, end, step);
  if (!/^[0-9]{0,9}:[0-9]{1,9}$/.test(bounds)) return `${range} is no range`;
  return expandNumbers(range, begin === '' ? '0' : begin, end, step);
}

function expandLetters(range: string, begin: string, end: string, step: number): string[] | string {
  const [first, last] = [LETTERS.indexOf(begin), LETTERS.indexOf(end)];
  if (first > last) return `${range} ends before it begins`;
  const letters = LETTERS.slice(first, last + 1).split('');
  return letters.filter((_, index) => index % step === 0);
}

function expandNumbers(range: string, begin: string, end: string, step: number): string[] | string {
  const padded = begin.startsWith('0') && begin.length > 1;
  if (padded && begin.length !== end.length) return `${range} must have ends of equal length`;
  const [first, last] = [Number(begin), Number(end)];
  if (first > last) return `${range} ends before it begins`;
  const count = Math.floor((last - first) / step) + 1;
  if (count > INVENTORY_HOSTS_MAX) return `stands for more than ${INVENTORY_HOSTS_MAX} hosts`;
  return Array.from({ length: count }, (_, index) =>
    String(first + index * step).padStart(padded ? begin.length : 0, '0'),
  );
}
