import type { VerbName, VerbOptions } from './commands/verb.ts';
import type { CommandContext } from './context.ts';
import { CliError } from './outcome.ts';
import { FLAGS } from './verb-selection.ts';

/** What takes something from somebody says why: whoever finds the host tomorrow reads it in the trail. */
export const NEEDS_REASON: ReadonlySet<VerbName> = new Set(['abort', 'skip', 'rollback']);

/** Refuses at once, before anything is looked up, where nobody could be asked for a reason. */
export function checkReason(
  context: CommandContext,
  name: VerbName,
  words: readonly string[],
  options: VerbOptions,
): void {
  const given = (options.reason ?? '').trim() !== '';
  if (given || !NEEDS_REASON.has(name)) return;
  if (context.interactive && options.yes !== true) return;
  throw new CliError(
    'usage',
    `${name} needs a reason; it is kept in the trail.`,
    `vfleet ${name} ${words.join(' ')}${flagsOf(options)} --reason "${EXAMPLE_REASONS[name] ?? ''}"`,
  );
}

const EXAMPLE_REASONS: Readonly<Partial<Record<VerbName, string>>> = {
  abort: 'wrong spec',
  skip: 'broken board, ticket 4711',
  rollback: 'guests lost their network',
};

function flagsOf(options: VerbOptions): string {
  const flags = [
    ...FLAGS.filter(([flag]) => options[flag] === true).map(([, all]) =>
      all === 'hosts' ? '--all' : `--${all}`,
    ),
    ...(options.rollback === true ? ['--rollback'] : []),
    ...(options.yes === true ? ['--yes'] : []),
  ];
  return flags.map((flag) => ` ${flag}`).join('');
}

/** The reason that was given, or that a person types now when the verb needs one. */
export async function reasonFor(
  context: CommandContext,
  name: VerbName,
  options: Pick<VerbOptions, 'reason'>,
): Promise<{ readonly reason?: string }> {
  const given = options.reason?.trim();
  if (given !== undefined && given !== '') return { reason: given };
  if (!NEEDS_REASON.has(name)) return {};
  const reason = await context.ask('Why? It is kept in the trail:');
  if (reason !== '') return { reason };
  throw new CliError(
    'usage',
    `${name} needs a reason; nothing was done.`,
    'say why in a few words',
  );
}
