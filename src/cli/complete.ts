import type { Argument, Command as Commander } from 'commander';
import { CODES } from '../domain/codes.ts';
import { parseRolloutId } from '../domain/ids.ts';
import type { KnownNames } from './known-names.ts';

/** One word that may stand next, with what it means. */
export interface Candidate {
  readonly word: string;
  readonly about: string;
}

/** What may stand next: words, or a path, which the shell completes by itself. */
export type Completion = readonly Candidate[] | 'path';

/**
 * What may stand in place of the last word, made from the commands themselves, so that it cannot fall behind them.
 * `words` is the line after `vfleet`, up to the cursor; the last one may be empty.
 */
export function complete(
  program: Commander,
  words: readonly string[],
  names: KnownNames,
): Completion {
  const current = words.at(-1) ?? '';
  const found = words.length < 2 ? firstWords(program, current) : laterWords(program, words, names);
  return found === 'path' ? found : found.filter(({ word }) => word.startsWith(current));
}

function firstWords(program: Commander, current: string): Completion {
  return current.startsWith('-') ? optionsOf(program) : commandsOf(program);
}

function laterWords(program: Commander, words: readonly string[], names: KnownNames): Completion {
  const command = program.commands.find((one) => one.name() === words[0]);
  if (command === undefined) return [];
  const option = words.length < 3 ? undefined : optionOf(command, words.at(-2));
  if (option?.required === true) return isPath(option.flags) ? 'path' : [];
  if (words.at(-1)?.startsWith('-') === true) return optionsOf(command);
  const given = positionals(command, words.slice(1, -1));
  const args = command.registeredArguments;
  const argument = args[given.length] ?? args.findLast(({ variadic }) => variadic);
  return argument === undefined ? [] : valuesOf(argument, given, names);
}

function commandsOf(program: Commander): readonly Candidate[] {
  const visible = program.createHelp().visibleCommands(program);
  return visible.map((command) => ({ word: command.name(), about: command.description() }));
}

function optionsOf(command: Commander): readonly Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) => (long ? [{ word: long, about: description }] : []));
}

function optionOf(command: Commander, word = ''): Commander['options'][number] | undefined {
  return command.options.find(({ long, short }) => word === long || word === short);
}

/** The words that are neither options nor their values. */
function positionals(command: Commander, words: readonly string[]): readonly string[] {
  return words.filter(
    (word, at) => !word.startsWith('-') && optionOf(command, words[at - 1])?.required !== true,
  );
}

function isPath(flags: string): boolean {
  return /<(?:path|dir|file)>/.test(flags);
}

function valuesOf(argument: Argument, given: readonly string[], names: KnownNames): Completion {
  const [rollout = ''] = given;
  switch (argument.name()) {
    case 'spec':
    case 'dir':
      return 'path';
    case 'name':
      return rolloutNames(names);
    case 'host':
    case 'hosts':
      return hostNames(rollout, given, names);
    case 'code':
      return [...CODES].map(([word, { sentence }]) => ({ word, about: sentence }));
    case 'shell':
      return ['bash', 'zsh', 'fish'].map((word) => ({ word, about: '' }));
    default:
      return [];
  }
}

/** Specs first, then each rollout. */
function rolloutNames(names: KnownNames): readonly Candidate[] {
  const ids = names.map(({ rollout }) => rollout);
  const specs = new Set(ids.map((id) => parseRolloutId(id)?.name ?? id));
  return [
    ...[...specs].map((word) => ({ word, about: 'its newest rollout' })),
    ...ids.map((word) => ({ word, about: 'a rollout' })),
  ];
}

function hostNames(
  rollout: string,
  given: readonly string[],
  names: KnownNames,
): readonly Candidate[] {
  const known =
    names.find((one) => one.rollout === rollout) ??
    names
      .filter((one) => parseRolloutId(one.rollout)?.name === rollout)
      .sort((a, b) => numberOf(b.rollout) - numberOf(a.rollout))[0];
  const hosts = known?.hosts ?? names.flatMap((one) => one.hosts);
  return [...new Set(hosts)]
    .filter((host) => !given.includes(host))
    .map((word) => ({ word, about: '' }));
}

function numberOf(id: string): number {
  return parseRolloutId(id)?.number ?? 0;
}
