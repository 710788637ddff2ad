import { putValue } from '../bls/edit.ts';
import { entryPaths } from '../bls/entries.ts';
import { generateGrub2Cfg } from '../bls/mkconfig.ts';
import { DiskError } from '../disk.ts';
import { CannotInterpret } from '../grub/defaults.ts';
import { GRUB2ENV } from '../grub/grubenv.ts';
import type { ModelHost } from '../model-host.ts';
import { editEnvironment } from './grub-environment.ts';
import { exit, type ProgramResult } from './result.ts';

const MESSAGES = 'Generating grub configuration file ...\n';
const FIRMWARE = 'Adding boot menu entry for UEFI Firmware Settings ...\n';

interface Request {
  readonly output: string | undefined;
  readonly updates: boolean;
  readonly strange: string | undefined;
}

/**
 * `grub2-mkconfig [-o FILE] [--update-bls-cmdline]` (util/grub-mkconfig.in, util/grub.d/10_linux.in of rhboot/grub2). Beside
 * grub.cfg it writes what its release has for kernels: see `Mkconfig`. Any file but the grub.cfg that GRUB reads the
 * model refuses loudly, as it would break the host: a stub on the EFI partition is written over with a whole one.
 */
export function grub2Mkconfig(args: readonly string[], host: ModelHost): ProgramResult {
  const { output, updates, strange } = parse(args, host);
  if (strange !== undefined) return exit(1, '', `Unrecognized option \`${strange}'\n`);
  const { tree } = host;
  const target = tree.real('/etc/grub2-efi.cfg');
  const real = output === undefined ? undefined : tree.real(output);
  if (real !== undefined && real !== target) {
    host.complain(`grub2-mkconfig is to write ${real}, which is not the grub.cfg that GRUB reads`);
    return exit(1, '', `grub2-mkconfig: the model does not write ${real}\n`);
  }
  try {
    return write(host, { path: real, updates });
  } catch (error) {
    if (error instanceof CannotInterpret) {
      host.complain(error.message);
      return exit(1, MESSAGES, `grub2-mkconfig: ${error.message}\n`);
    }
    if (!(error instanceof DiskError)) throw error;
    return exit(1, '', `${MESSAGES}cat: write error: ${error.message}\n`);
  }
}

function parse(args: readonly string[], { machine }: ModelHost): Request {
  let output: string | undefined;
  let updates = false;
  const rest = [...args];
  while (rest.length > 0) {
    const option = rest.shift() ?? '';
    if (option === '-o') output = rest.shift() ?? '';
    else if (option.startsWith('--output=')) output = option.slice('--output='.length);
    else if (option === '--update-bls-cmdline' && machine.mkconfig === 'on-request') updates = true;
    else return { output, updates, strange: option };
  }
  return { output, updates, strange: undefined };
}

function write(
  host: ModelHost,
  { path, updates }: { readonly path: string | undefined; readonly updates: boolean },
): ProgramResult {
  const { machine, tree, disk } = host;
  const { text, line } = generateGrub2Cfg(tree, machine);
  let changed = false;
  if (machine.mkconfig === 'kernelopts') {
    const set = editEnvironment(host, { name: 'grub2-editenv', path: GRUB2ENV }, (variables) =>
      variables.set('kernelopts', line),
    );
    if (set.code !== 0) return set;
    changed = set.changed;
  } else if (updates || machine.mkconfig === 'rewrites') changed = rewrite(host, line);
  if (path === undefined) return exit(0, text, `${MESSAGES}${FIRMWARE}done\n`, changed);
  changed ||= tree.text(path) !== text;
  disk.put(path, text);
  return exit(0, '', `${MESSAGES}${FIRMWARE}done\n`, changed);
}

/**
 * `update_bls_cmdline`: every entry gets the same line, the rescue entry and tuned's variables or not; the line of the next
 * kernel too, where its file is missing or older than /etc/default/grub.
 */
function rewrite(host: ModelHost, line: string): boolean {
  const { tree, disk } = host;
  let changed = false;
  const cmdline = '/etc/kernel/cmdline';
  if (tree.text(cmdline) === undefined || tree.isOlder(cmdline, '/etc/default/grub')) {
    changed = tree.text(cmdline) !== `${line}\n`;
    disk.put(cmdline, `${line}\n`);
  }
  for (const path of entryPaths(tree))
    changed = putValue(host, { path }, 'options', line) || changed;
  return changed;
}
