import { readFileSync } from 'node:fs';

/** The verbs of the host port; each has one fixed script. */
export const VERBS = ['read', 'write', 'poke', 'run'] as const;
export type Verb = (typeof VERBS)[number];

/** Version in the name that each script runs under; it grows when what a script takes or answers changes. */
export const SCRIPT_VERSION = 4;

const load = (name: string): string =>
  readFileSync(new URL(`${name}.sh`, import.meta.url), 'utf8')
    // Comments are for readers here; sudo and process listings show the rest on the host.
    .replace(/^\s*#.*\n/gm, '');

const TEXTS: Readonly<Record<Verb, string>> = {
  read: load('prelude') + load('devices') + load('diagnose') + load('read'),
  write: load('prelude') + load('guard') + load('write'),
  poke: load('prelude') + load('guard') + load('poke'),
  run: load('prelude') + load('guard') + load('run'),
};

/** The fixed POSIX shell text of a verb, as it is sent to every host. */
export function scriptText(verb: Verb): string {
  return TEXTS[verb];
}
