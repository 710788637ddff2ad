import { EngineTimeout } from '../engine/connect.ts';
import { HostError } from '../host/errors.ts';
import { CliError, sentenceOf } from './outcome.ts';

/** Gives an error that is not the CLI's own an outcome and a next step. */
export function explainError(error: unknown): CliError {
  const sentence = sentenceOf(error);
  if (error instanceof CliError) return error;
  if (error instanceof HostError) {
    const { code } = error;
    return new CliError('failed', sentence, hostNext(error), { code, cause: error });
  }
  if (error instanceof EngineTimeout) {
    return new CliError('no-engine', sentence, 'vfleet list shows where things stand', {
      code: 'engine.silent',
      cause: error,
    });
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new CliError('failed', 'Stopped.', '', { code: 'vfleet.stopped' });
  }
  if (isUnwritable(error)) {
    const code = 'vfleet.unwritable';
    return new CliError('failed', sentence, UNWRITABLE_NEXT, { code, cause: error });
  }
  if (hasCode(error, 'ENOENT') || hasCode(error, 'EACCES') || hasCode(error, 'EISDIR')) {
    return new CliError('usage', sentence, 'check the path', { cause: error });
  }
  return new CliError('failed', sentence, 'VFLEET_LOG=debug vfleet ... shows where it came from', {
    code: 'vfleet.bug',
    cause: error,
  });
}

function hostNext(error: HostError): string {
  if (error.code.startsWith('ssh.host-key'))
    return 'compare the key with the machine, then mend the known_hosts file';
  if (error.code === 'ssh.auth' || error.code === 'ssh.key-file')
    return 'check user and identityFile in the inventory';
  if (error.code === 'host.no-sudo') return 'allow `sudo -n` for the user on the host';
  return error.transient ? 'try again; ssh to the host by hand if it stays so' : 'see the message';
}

const UNWRITABLE_NEXT =
  'make that folder writable, or set XDG_STATE_HOME to one that is: plans and the embedded engine live there';

/** A folder that could not be made, or a file system that takes no writes: here that is always the state folder. */
function isUnwritable(error: unknown): boolean {
  if (hasCode(error, 'EROFS') || hasCode(error, 'ENOSPC')) return true;
  return error instanceof Error && 'syscall' in error && error.syscall === 'mkdir';
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
