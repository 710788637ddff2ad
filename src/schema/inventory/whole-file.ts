import type { Problem } from '../problem.ts';

/** A problem of a file or folder as a whole. */
export function wholeFile(file: string, message: string): Problem {
  return { file, line: 1, col: 1, path: '', message };
}

/** The problem of a file or folder that the system does not let us read. */
export function unreadable(file: string, error: unknown): Problem {
  const code = codeOf(error);
  const sentence = error instanceof Error ? error.message : 'unknown error';
  const reason = code === 'ENOENT' ? 'there is no such file' : (code ?? sentence);
  return wholeFile(file, `cannot be read: ${reason}`);
}

/** The system's code of an error, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Whether a whole file is encrypted by Ansible's vault (parsing/vault). */
export function isVaulted(text: string): boolean {
  return text.startsWith('$ANSIBLE_VAULT;');
}
