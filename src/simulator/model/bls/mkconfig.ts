import { CannotInterpret, source, type Variables } from '../grub/defaults.ts';
import { isGarbage, scriptText } from '../grub/grub-scripts.ts';
import type { FileTree } from '../file-tree.ts';
import type { Machine } from '../machine.ts';
import { GRUB2_NOTICE, SECTIONS, type Grub2Settings } from './grub2-cfg.ts';
import { majorOf } from './releases.ts';

/** Variables that the model's sections heed or may pass over; any other is refused. */
const KNOWN: ReadonlySet<string> = new Set([
  'GRUB_DEFAULT',
  'GRUB_TIMEOUT',
  'GRUB_TIMEOUT_STYLE',
  'GRUB_DISTRIBUTOR',
  'GRUB_DISABLE_SUBMENU',
  'GRUB_TERMINAL_OUTPUT',
  'GRUB_CMDLINE_LINUX',
  'GRUB_CMDLINE_LINUX_DEFAULT',
  'GRUB_DISABLE_RECOVERY',
  'GRUB_DISABLE_OS_PROBER',
  'GRUB_ENABLE_BLSCFG',
]);

/** The only command substitution in the packaged file; with BLS nothing depends on it. */
const DISTRIBUTOR = /^GRUB_DISTRIBUTOR="\$\(sed 's, release \.\*\$,,g' \/etc\/system-release\)"$/m;

/** What grub2-mkconfig makes of /etc/default/grub. */
export interface Grub2Config {
  readonly text: string;
  /** The line that it gives to kernels: `root=... ro`, GRUB_CMDLINE_LINUX, GRUB_CMDLINE_LINUX_DEFAULT, by single spaces. */
  readonly line: string;
}

/**
 * The grub.cfg that grub2-mkconfig would write (util/grub-mkconfig.in of rhboot/grub2): /etc/default/grub, then each executable
 * script of /etc/grub.d in order. Unlike Debian's it sources no drop-ins.
 *
 * @throws CannotInterpret for shell, a variable or a script that the model does not know.
 */
export function generateGrub2Cfg(tree: FileTree, machine: Machine): Grub2Config {
  const variables = readDefaults(tree);
  const value = (name: string) => variables.get(name) ?? '';
  const root = `root=${machine.rootDevice} ro`;
  const line = `${root} ${value('GRUB_CMDLINE_LINUX')} ${value('GRUB_CMDLINE_LINUX_DEFAULT')}`;
  const wanted = value('GRUB_DEFAULT') || '0';
  const settings: Grub2Settings = {
    major: majorOf(tree.text('/etc/os-release') ?? ''),
    defaultEntry: wanted === 'saved' ? '${saved_entry}' : wanted,
    timeout: value('GRUB_TIMEOUT') || '5',
    timeoutStyle: value('GRUB_TIMEOUT_STYLE') || 'menu',
    bootUuid: machine.bootUuid,
    efiUuid: machine.bootUuid
      .slice(0, 9)
      .toUpperCase()
      .replace(/^(.{4})(.{4}).*$/, '$1-$2'),
    kernelopts: line,
    tuned: tunedLine(tree),
  };
  const sections = (tree.names('/etc/grub.d') ?? []).flatMap((name) => {
    const path = `/etc/grub.d/${name}`;
    const node = tree.at(path);
    if (node?.kind !== 'file' || (node.mode & 0o111) === 0 || isGarbage(name)) return [];
    return [`\n### BEGIN ${path} ###\n${section(tree, path, settings)}### END ${path} ###\n`];
  });
  return { line, text: GRUB2_NOTICE + sections.join('') };
}

function readDefaults(tree: FileTree): Variables {
  const variables: Variables = new Map();
  const path = '/etc/default/grub';
  source(path, (tree.text(path) ?? '').replace(DISTRIBUTOR, ''), variables);
  const unknown = [...variables.keys()].find(
    (name) => name.startsWith('GRUB_') && !KNOWN.has(name),
  );
  if (unknown !== undefined) throw new CannotInterpret(`the model does not know ${unknown}`);
  if (variables.get('GRUB_ENABLE_BLSCFG') !== 'true') {
    throw new CannotInterpret('the model knows GRUB_ENABLE_BLSCFG=true only');
  }
  return variables;
}

function section(tree: FileTree, path: string, settings: Grub2Settings): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const known = SECTIONS.get(name);
  if (known !== undefined) return known(settings);
  const text = scriptText(tree.text(path) ?? '');
  if (text === undefined) throw new CannotInterpret(`the model cannot run ${path}`);
  return text;
}

function tunedLine(tree: FileTree): string | undefined {
  const text = tree.text('/etc/tuned/bootcmdline');
  return text === undefined ? undefined : (/^TUNED_BOOT_CMDLINE="([^"]*)"/m.exec(text)?.[1] ?? '');
}
