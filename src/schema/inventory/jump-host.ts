import { isIPv6 } from 'node:net';
import { readPort } from './connection-rules.ts';
import { shlexSplit } from './shlex.ts';
import { isTemplate } from './template.ts';

/** A jump host as it is written: `[user@]host[:port]`. */
export interface JumpHost {
  readonly user?: string;
  readonly address: string;
  readonly port: number;
}

/** What SSH arguments amount to: the jump host (`null`: none is wanted), what is not used, or what is wrong. */
export type SshArguments =
  | { readonly ok: true; readonly jump?: JumpHost | null; readonly unused: readonly string[] }
  | { readonly ok: false; readonly message: string };

/** Options that lead elsewhere or change who is asked: dropping one would reach another host, or none. */
const REFUSED = new Set(
  'proxycommand port user hostname identityfile hostkeyalias bindaddress bindinterface include'.split(
    ' ',
  ),
);
const REFUSED_FLAGS = /^-[piloFbWBSwDLR]/;

/**
 * Reads `ansible_ssh_common_args` and its like. Of all that ssh knows, one jump host is used (`-J`, `-o ProxyJump=`);
 * options that only tune a connection are named as unused; those that lead elsewhere are refused.
 */
export function readSshArguments(text: string): SshArguments {
  const words = shlexSplit(text);
  if (!words.ok) return { ok: false, message: words.message };
  const unused: string[] = [];
  let jump: JumpHost | null | undefined;
  const rest = [...words.words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const option = readOption(word, rest);
    if (option === undefined) {
      if (REFUSED_FLAGS.test(word)) return refused(word);
      unused.push(word);
      continue;
    }
    if (REFUSED.has(option.name)) return refused(option.text);
    if (option.name !== 'proxyjump') {
      unused.push(option.text);
      continue;
    }
    // ssh takes the first value that it obtains for an option.
    if (jump !== undefined) continue;
    const parsed = readJumpHost(option.value);
    if (typeof parsed === 'string') return { ok: false, message: parsed };
    jump = parsed;
  }
  return { ok: true, unused, ...(jump === undefined ? {} : { jump }) };
}

function refused(option: string): SshArguments {
  return {
    ok: false,
    message: `"${option}" is not supported; use ansible_host, ansible_port, ansible_user, ansible_ssh_private_key_file, or -J for a jump host`,
  };
}

/** `-J x`, `-Jx`, `-o Name=x`, `-oName x`: the option's lower-case name and value. Takes words from the rest. */
function readOption(
  word: string,
  rest: string[],
): { name: string; value: string; text: string } | undefined {
  const flag = word.slice(0, 2);
  if (flag !== '-J' && flag !== '-o') return undefined;
  const text = word.length > 2 ? word.slice(2) : (rest.shift() ?? '');
  if (flag === '-J') return { name: 'proxyjump', value: text, text: `-J ${text}` };
  const match = /^\s*([A-Za-z]+)\s*(?:=|\s)\s*(.*)$/s.exec(text);
  const [, name = text, value = ''] = match ?? [];
  return { name: name.toLowerCase(), value, text };
}

/** Reads `[user@]host[:port]` or `ssh://[user@]host[:port]`; `null` for `none`; a message when it is neither. */
export function readJumpHost(text: string): JumpHost | null | string {
  const value = text.trim();
  if (value.toLowerCase() === 'none') return null;
  if (value.includes(',')) {
    return `not yet: more than one jump host ("${value}") is not built in this release; name one`;
  }
  if (isTemplate(value))
    return `"${value}" is a template, which vfleet does not evaluate; write the value`;
  return matchJumpHost(value) ?? `"${value}" is no jump host; write user@host or user@host:port`;
}

function matchJumpHost(text: string): JumpHost | undefined {
  const match = JUMP.exec(text);
  if (match === null) return undefined;
  const [, user, bracketed = '::', plain, portText = '22'] = match;
  const port = readPort(portText);
  if (port === undefined || !isIPv6(bracketed)) return undefined;
  const address = plain ?? bracketed;
  return {
    address,
    ...(user === undefined ? {} : { user }),
    port,
  };
}

const JUMP =
  /^(?:ssh:\/\/)?(?:([A-Za-z0-9_][A-Za-z0-9_.@-]*)@)?(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9_][A-Za-z0-9_.-]*))(?::([0-9]{1,5}))?\/?$/;
