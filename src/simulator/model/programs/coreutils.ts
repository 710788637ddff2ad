import { DiskError } from '../disk.ts';
import type { ModelHost } from '../model-host.ts';
import { exit, type ProgramResult } from './result.ts';

const operands = (args: readonly string[]): readonly string[] => {
  const at = args.indexOf('--');
  return at === -1 ? args.filter((arg) => !arg.startsWith('-')) : args.slice(at + 1);
};
const absent = (program: string, path: string): string =>
  `${program}: ${path}: No such file or directory\n`;

/** `cp [--preserve=all] [-T] [--] FROM TO`, of one file. */
export function cp(args: readonly string[], { tree, disk }: ModelHost): ProgramResult {
  const [from = '', to = ''] = operands(args);
  const node = tree.at(from);
  if (node?.kind !== 'file') {
    return exit(1, '', `cp: cannot stat '${from}': No such file or directory\n`);
  }
  return guarded('cp', () => {
    const old = tree.bytes(to);
    disk.put(to, node.bytes, node.mode);
    return exit(0, '', '', old === undefined || !Buffer.from(old).equals(node.bytes));
  });
}

/** `mv [-n] [-T] [--] FROM TO`, of one file; with `-n` one that is there stays, and the exit code is 0 all the same (coreutils 9.1). */
export function mv(args: readonly string[], { tree, disk }: ModelHost): ProgramResult {
  const [from = '', to = ''] = operands(args);
  const node = tree.at(from);
  if (node?.kind !== 'file') {
    return exit(1, '', `mv: cannot stat '${from}': No such file or directory\n`);
  }
  if (args.includes('-n') && tree.at(to, false) !== undefined) return exit(0);
  return guarded('mv', () => {
    // A rename needs no room.
    disk.needWritable(to);
    tree.put(to, node.bytes, node.mode);
    disk.remove(from);
    return exit(0, '', '', true);
  });
}

/** `rm [-f] [--] FILE...`. */
export function rm(args: readonly string[], host: ModelHost): ProgramResult {
  const paths = operands(args);
  if (args.some((arg) => /^-[a-z]*r/i.test(arg))) {
    host.complain(`the model does not remove whole folders: rm ${args.join(' ')}`);
    return exit(1, '', 'rm: the model does not remove whole folders\n');
  }
  const force = args.includes('-f');
  const missing = paths.find((path) => host.tree.at(path, false) === undefined);
  if (missing !== undefined && !force) {
    return exit(1, '', `rm: cannot remove '${missing}': No such file or directory\n`);
  }
  const there = paths.filter((path) => host.tree.at(path, false) !== undefined);
  return guarded('rm', () => {
    for (const path of there) host.disk.remove(path);
    return exit(0, '', '', there.length > 0);
  });
}

function guarded(program: string, act: () => ProgramResult): ProgramResult {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    return exit(1, '', `${program}: ${error.message}\n`);
  }
}

/** `test -e PATH` and `test -f PATH`. */
export function testFile(
  [flag = '', path = '']: readonly string[],
  host: ModelHost,
): ProgramResult {
  const node = host.tree.at(path);
  if (flag === '-e') return exit(node === undefined ? 1 : 0);
  if (flag === '-f') return exit(node?.kind === 'file' ? 0 : 1);
  host.complain(`the model does not know test ${flag}`);
  return exit(2, '', 'test: the model does not know this\n');
}

/** `cmp -s [--] A B`. */
export function cmp(args: readonly string[], { tree }: ModelHost): ProgramResult {
  const [a = '', b = ''] = operands(args);
  const [one, other] = [tree.bytes(a), tree.bytes(b)];
  if (one === undefined || other === undefined) {
    return exit(2, '', absent('cmp', one === undefined ? a : b));
  }
  return exit(Buffer.from(one).equals(other) ? 0 : 1);
}

/** `diff -q [-I PATTERN]... [--] A B`: a difference of which every line matches a pattern is none (GNU diff). */
export function diff(args: readonly string[], { tree }: ModelHost): ProgramResult {
  const patterns = args.flatMap((arg, at) => (args[at - 1] === '-I' ? [basicPattern(arg)] : []));
  const dashes = args.indexOf('--');
  const [a = '', b = ''] = dashes === -1 ? args.slice(-2) : args.slice(dashes + 1);
  const [one, other] = [tree.text(a), tree.text(b)];
  if (one === undefined || other === undefined) {
    return exit(2, '', absent('diff', one === undefined ? a : b));
  }
  const counts = hunks(one.split('\n'), other.split('\n')).some((lines) =>
    lines.some((line) => !patterns.some((pattern) => pattern.test(line))),
  );
  return counts ? exit(1, `Files ${a} and ${b} differ\n`) : exit(0);
}

/** In a basic regular expression braces, brackets of groups, `+`, `?` and `|` mean themselves. */
const basicPattern = (source: string): RegExp => new RegExp(source.replace(/[(){}+?|]/g, '\\$&'));

/** Lines that only one of two texts has, as runs between lines that both have (longest common subsequence). */
function hunks(a: readonly string[], b: readonly string[]): readonly (readonly string[])[] {
  const common = commonLengths(a, b);
  const at = (i: number, j: number): number => common[i]?.[j] ?? -1;
  const found: string[][] = [[]];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [one, other] = [a[i], b[j]];
    if (one === other) {
      [i, j] = [i + 1, j + 1];
      found.push([]);
    } else if (one !== undefined && at(i + 1, j) >= at(i, j + 1)) {
      found.at(-1)?.push(one);
      i += 1;
    } else {
      found.at(-1)?.push(other ?? '');
      j += 1;
    }
  }
  return found.filter((lines) => lines.length > 0);
}

/** How many lines the rests of two texts have in common, by where each rest begins. */
function commonLengths(a: readonly string[], b: readonly string[]): readonly (readonly number[])[] {
  const rows: number[][] = [[...b.map(() => 0), 0]];
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const below = rows[0] ?? [];
    const row: number[] = [...b.map(() => 0), 0];
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
    rows.unshift(row);
  }
  return rows;
}

/** `stat -c FORMAT PATH...` with `%n`, `%U` and `%G`: all is root's, but for VFIO's nodes in a guest's own /dev (lab). */
export function stat(args: readonly string[], { tree }: ModelHost): ProgramResult {
  const format = args[args.indexOf('-c') + 1] ?? '';
  const paths = args.filter((arg, at) => !arg.startsWith('-') && args[at - 1] !== '-c');
  const rows = paths.map((path) => {
    const inside = /^\/proc\/\d+\/root(\/dev\/vfio\/\d+)$/.exec(path)?.[1];
    if (tree.at(inside ?? path) === undefined) return { path };
    return { path, owner: inside === undefined ? 'root' : 'libvirt-qemu' };
  });
  const stdout = rows.flatMap(({ path, owner }) =>
    owner === undefined
      ? []
      : [`${format.replace('%n', path).replace('%U', owner).replace('%G', owner)}\n`],
  );
  const missing = rows.filter(({ owner }) => owner === undefined);
  const stderr = missing.map(
    ({ path }) => `stat: cannot statx '${path}': No such file or directory\n`,
  );
  return exit(missing.length > 0 ? 1 : 0, stdout.join(''), stderr.join(''));
}
