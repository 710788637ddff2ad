import { DiskError } from '../disk.ts';
import { emptyGrubenv, readGrubenv, writeGrubenv } from '../grub/grubenv.ts';
import type { ModelHost } from '../model-host.ts';
import { exit, type Program, type ProgramResult } from './result.ts';

const VERBS = ['list', 'create', 'set', 'unset', 'incr'];

/** `grub-editenv`, and in the RHEL family `grub2-editenv`, of one host's block: grub-editenv(1). */
export function grubEditenv(name: string, path: string): Program {
  return {
    run: (args, host) => {
      // Without a file it takes the usual one, as with `-`.
      const [file, verb, ...rest] = VERBS.includes(args[0] ?? '') ? ['-', ...args] : args;
      if (file !== '-' && host.tree.real(file ?? '') !== host.tree.real(path)) {
        host.complain(`the model's ${name} does not know the file ${file ?? ''}`);
        return exit(1, '', `${name}: the model does not know the file ${file ?? ''}\n`);
      }
      return editenv(host, { name, path, verb, rest });
    },
  };
}

function editenv(
  host: ModelHost,
  {
    name,
    path,
    verb,
    rest,
  }: {
    readonly name: string;
    readonly path: string;
    readonly verb: string | undefined;
    readonly rest: readonly string[];
  },
): ProgramResult {
  const edit = (change: Edit) => editEnvironment(host, { name, path }, change);
  switch (verb) {
    case 'list':
      return exit(
        0,
        [...variablesOf(host, path)].map(([key, value]) => `${key}=${value}\n`).join(''),
      );
    case 'create':
      return edit((variables) => variables.clear());
    case 'set':
      return edit((variables) => {
        for (const pair of rest) {
          const at = pair.indexOf('=');
          variables.set(pair.slice(0, at), pair.slice(at + 1));
        }
      });
    case 'unset':
      return edit((variables) => {
        for (const key of rest) variables.delete(key);
      });
    default:
      return exit(1, '', `Unknown command \`${verb ?? ''}'.\n`);
  }
}

/** `grub-reboot ENTRY`: sets the one-shot; it does not look whether the entry exists, as the real one does not. */
export function grubReboot(name: string, path: string): Program {
  return setsEntry(name, path, (variables, entry) => variables.set('next_entry', entry));
}

/** `grub2-set-default ENTRY` (util/grub-set-default.in): the default, and no one-shot any more. */
export function grubSetDefault(name: string, path: string): Program {
  return setsEntry(name, path, (variables, entry) => {
    variables.delete('prev_saved_entry');
    variables.delete('next_entry');
    variables.set('saved_entry', entry);
  });
}

function setsEntry(
  name: string,
  path: string,
  set: (variables: Map<string, string>, entry: string) => unknown,
): Program {
  return {
    run: ([entry, ...rest], host) => {
      if (entry === undefined || entry.startsWith('-') || rest.length > 0) {
        return exit(1, '', 'Menu entry not specified.\n');
      }
      return editEnvironment(host, { name, path }, (variables) => set(variables, entry));
    },
  };
}

export const variablesOf = ({ tree }: ModelHost, path: string): ReadonlyMap<string, string> =>
  readGrubenv(tree.bytes(path))?.variables ?? new Map<string, string>();

type Edit = (variables: Map<string, string>) => unknown;

/** Edits a block in place; the real program creates it when there is none: a fresh Debian 12 has none (lab). */
export function editEnvironment(
  host: ModelHost,
  { name, path }: { readonly name: string; readonly path: string },
  edit: Edit,
): ProgramResult {
  const old = host.tree.bytes(path);
  const environment = readGrubenv(old) ?? emptyGrubenv();
  edit(environment.variables);
  const block = writeGrubenv(environment);
  if (block === undefined) return exit(1, '', `${name}: error: environment block too small.\n`);
  try {
    if (old === undefined) host.disk.put(path, block);
    else host.disk.overwrite(path, block);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return exit(1, '', `${name}: error: cannot open \`${path}': ${error.message}.\n`);
  }
  return exit(0, '', '', old === undefined || !Buffer.from(old).equals(block));
}
