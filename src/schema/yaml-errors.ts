import type { YAMLError } from 'yaml';

/**
 * What is wrong with a text that is not YAML, for somebody who does not know the library's words. `text` is the whole
 * of it: the library says where it gave up, which is often not where the mistake is.
 */
export function yamlErrorMessage(error: YAMLError, text: string): string {
  if (error.code === 'MULTIPLE_DOCS') return 'a second document starts here; write one per file';
  const words = plainWords(error, text.slice(error.pos[0]));
  if (words !== undefined) return `is not YAML: ${words}${hashHint(error, text)}`;
  const message = error.message.replace(/\s+at line \d+[\s\S]*$/, '');
  return `is not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

const WORDS: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  TAB_AS_INDENT: 'the line is indented with a tab; use spaces',
  BLOCK_AS_IMPLICIT_KEY:
    'there is a second ": " in one line; put the text in quotes, or the inner key on a line of its own',
  BLOCK_IN_FLOW: 'a comma is missing from here on, or hyphens stand inside of brackets',
  MULTILINE_IMPLICIT_KEY: 'a line has no ": "; write key: value, with a space after the colon',
};

function plainWords(error: YAMLError, rest: string): string | undefined {
  switch (error.code) {
    case 'BAD_SCALAR_START':
      return `a text cannot begin with ${rest.charAt(0)}; put it in quotes`;
    case 'TAG_RESOLVE_FAILED':
      return `what begins with ! is a tag; put the text ${wordOf(rest)} in quotes`;
    case 'MISSING_CHAR':
      return error.message.endsWith('quote')
        ? 'a quote is opened and never closed'
        : bracket(error);
    case 'BAD_INDENT':
      return bracket(error) ?? 'the line is indented otherwise than those it belongs to';
    default:
      return WORDS[error.code];
  }
}

function bracket(error: YAMLError): string | undefined {
  const closing = /([}\]])\s*$/.exec(error.message.replace(/\s+at line \d+[\s\S]*$/, ''))?.[1];
  if (closing === undefined) return undefined;
  return `a ${closing === '}' ? '{' : '['} is opened and never closed`;
}

function wordOf(rest: string): string {
  return /^[^\s,{}[\]]{1,60}/.exec(rest)?.[0] ?? '';
}

/** `{ contact: #netplat }`: all from the `#` on is a comment, the bracket too. */
function hashHint(error: YAMLError, text: string): string {
  if (error.code !== 'MISSING_CHAR' && error.code !== 'BAD_INDENT') return '';
  const isLikely = /[[{][^\n]*[:,[]\s+#\S[^\n]*[}\]]/.test(text.slice(0, error.pos[0]));
  return isLikely ? '; what follows a # is a comment: put a text that holds one in quotes' : '';
}
