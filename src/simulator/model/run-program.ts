import { OUTPUT_BYTES_MAX, type RunOutcome, type RunRequest } from '../../host/port.ts';
import { HostDown } from './host-down.ts';
import type { ModelHost } from './model-host.ts';
import type { Program } from './programs/result.ts';

const PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Runs a program of the model, as src/host/scripts/run.sh does; what the model does not have is not found. */
export async function runProgram(
  host: ModelHost,
  { argv, deadlineMs }: RunRequest,
): Promise<RunOutcome> {
  const [name, ...args] = argv;
  const program = find(host, name);
  if (program === undefined) {
    host.complain(`the model has no program ${argv.join(' ')}`);
    logRun(host, argv, 'not found', false);
    return { kind: 'not-found', code: 127, stdout: '', stderr: '' };
  }
  const takesMs = program.takesMs?.(args, host) ?? 0;
  await host.wait(Math.min(takesMs, deadlineMs));
  if (takesMs > deadlineMs) {
    logRun(host, argv, 'timed out', false);
    const { stdout, stderr } = program.said ?? { stdout: '', stderr: '' };
    return { kind: 'timed-out', code: 124, stdout, stderr };
  }
  const { code, stdout, stderr, changed } = program.run(args, host);
  logRun(host, argv, `exit ${code}`, changed);
  if (changed && host.faults.takeWrite()) throw new HostDown();
  return { kind: 'exited', code, stdout: tail(stdout), stderr: tail(stderr) };
}

function find(host: ModelHost, name: string): Program | undefined {
  const cut = name.lastIndexOf('/');
  if (cut !== -1 && !PATH.includes(name.slice(0, cut))) return undefined;
  return host.programs.get(name.slice(cut + 1));
}

function logRun(host: ModelHost, argv: readonly string[], effect: string, changed: boolean): void {
  host.log.add({ verb: 'run', what: argv.join(' '), effect, changed });
}

function tail(text: string): string {
  return Buffer.from(text).subarray(-OUTPUT_BYTES_MAX).toString('utf8');
}
