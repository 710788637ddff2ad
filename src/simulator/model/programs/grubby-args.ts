const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

/**
 * What grubby makes of a line (`update_args` of grubby-bls, as Fedora's package has it: fedora-riscv/grubby). First arguments
 * go: `NAME=VALUE` only as it stands and once, `NAME` with any value and every time. Then every argument goes that has the
 * name of one that is to be added, then all of these are appended: of two `console=` only those asked for are left.
 */
export function grubbyArgs(line: string, remove: string, add: string): string {
  let args = words(line);
  for (const arg of words(remove)) {
    args = arg.includes('=') ? withoutFirst(args, arg) : args.filter((it) => !hasName(it, arg));
  }
  for (const arg of words(add)) {
    // Up to the last `=`, so that of root=UUID=... the name is `root=UUID`.
    const name = arg.replace(/=[^=]*$/, '');
    args = args.filter((it) => !hasName(it, name));
  }
  return [...args, ...words(add)].join(' ');
}

const hasName = (arg: string, name: string): boolean => arg === name || arg.startsWith(`${name}=`);

function withoutFirst(args: readonly string[], arg: string): readonly string[] {
  const at = args.indexOf(arg);
  return at === -1 ? args : args.toSpliced(at, 1);
}
