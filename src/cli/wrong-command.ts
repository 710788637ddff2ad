import type { Command as Commander } from 'commander';
import { nearest } from '../schema/nearest.ts';
import { CliError } from './outcome.ts';

/** What people of other tools type, and what it is here. No aliases: one word per idea, also in tomorrow's runbook. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  apply: 'start',
  approve: 'promote',
  cancel: 'abort',
  continue: 'resume',
  describe: 'host',
  diff: 'plan',
  get: 'status',
  halt: 'pause',
  hosts: 'inventory',
  ignore: 'skip',
  kill: 'abort',
  ls: 'list',
  ps: 'list',
  restart: 'retry',
  revert: 'rollback',
  run: 'start',
  show: 'status',
  stop: 'pause',
  terminate: 'abort',
  undo: 'rollback',
  unpause: 'resume',
  validate: 'check',
  watch: 'status',
};

/** Words of the design that no release has yet, and what does the most of it now. */
const NOT_BUILT: Readonly<Record<string, string>> = {
  amend: 'a spec is frozen at its start: vfleet abort NAME, mend the spec, vfleet start SPEC',
  audit: 'vfleet status NAME --json holds the last 200 verbs, each with who and why',
  console: 'vfleet status NAME --watch follows a rollout',
  extend: 'vfleet retry NAME HOST waits once more from the step that failed',
  report: 'vfleet status NAME --json and vfleet host NAME HOST --json hold what is known',
};

/**
 * Throws a CliError for a first word that is no command: says the nearest one, the one of another tool's word, or that
 * name and command are the wrong way round. Options, and a command line without words, are the parser's business.
 */
export function checkCommand(program: Commander, argv: readonly string[]): void {
  const [first, second] = argv;
  if (first === undefined || first.startsWith('-')) return;
  const known = program.commands.map((command) => command.name());
  if (known.includes(first) || first === 'help') return;
  const instead = NOT_BUILT[first];
  if (instead !== undefined) {
    throw new CliError('usage', `not yet: "${first}" is not built in this release.`, instead);
  }
  const rest = argv.slice(2).join(' ');
  if (second !== undefined && known.includes(second)) {
    const right = `vfleet ${second} ${first} ${rest}`.trimEnd();
    throw wrong(`"${first}" is no command; the command comes first: ${right}`, second);
  }
  const meant = ELSEWHERE[first] ?? nearest(first, known);
  if (meant !== undefined) throw wrong(`"${first}" is no command. Did you mean ${meant}?`, meant);
  throw new CliError('usage', `"${first}" is no command.`, 'vfleet --help lists the commands');
}

function wrong(message: string, meant: string): CliError {
  return new CliError('usage', message, `vfleet ${meant} --help has examples`);
}
