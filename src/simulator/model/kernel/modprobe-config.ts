/** What modprobe.d says, of the commands that the model knows (modprobe.d(5)). */
export interface ModprobeConfig {
  readonly blacklist: ReadonlySet<string>;
  /** Parameters by module: `ids=8086:1592`. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** Modules to be loaded before and after one. */
  readonly softdeps: ReadonlyMap<
    string,
    { readonly pre: readonly string[]; readonly post: readonly string[] }
  >;
}

/** As modules are called in /proc/modules. */
export const moduleName = (name: string): string => name.replaceAll('-', '_');

/** Files of modprobe.d by path. A command that the model does not know is complained about: it might have mattered. */
export function parseModprobeConfig(
  files: ReadonlyMap<string, string>,
  complain: (message: string) => void,
): ModprobeConfig {
  const blacklist = new Set<string>();
  const options = new Map<string, string[]>();
  const softdeps = new Map<string, { pre: string[]; post: string[] }>();
  const commands: Readonly<Record<string, (module: string, rest: readonly string[]) => void>> = {
    blacklist: (module) => void blacklist.add(module),
    options: (module, rest) => {
      options.set(module, [...(options.get(module) ?? []), ...rest]);
    },
    softdep: (module, rest) => {
      softdeps.set(module, parseSoftdep(rest));
    },
  };
  for (const [path, text] of files) {
    for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
      const [command = '', name = '', ...rest] = line.trim().split(/\s+/);
      if (command === '' || command.startsWith('#')) continue;
      const take = commands[command];
      if (take === undefined) complain(`the model does not know \`${line.trim()}' in ${path}`);
      else take(moduleName(name), rest);
    }
  }
  return { blacklist, options, softdeps };
}

function parseSoftdep(words: readonly string[]): { pre: string[]; post: string[] } {
  const lists: { pre: string[]; post: string[] } = { pre: [], post: [] };
  let list: string[] | undefined;
  for (const word of words) {
    if (word === 'pre:') list = lists.pre;
    else if (word === 'post:') list = lists.post;
    else list?.push(moduleName(word));
  }
  return lists;
}

/** The kernel line's part in it: `modprobe.blacklist=` and `MODULE.PARAMETER=VALUE`, which libkmod reads too. */
export function withKernelLine(config: ModprobeConfig, args: readonly string[]): ModprobeConfig {
  const lists = args.flatMap(
    (arg) => /^modprobe\.blacklist=(.+)$/.exec(arg)?.[1]?.split(',') ?? [],
  );
  const options = new Map(config.options);
  for (const arg of args) {
    const [, module, parameter] = /^(?!modprobe\.)([\w-]+)\.(\w+=.*)$/.exec(arg) ?? [];
    if (module === undefined || parameter === undefined) continue;
    const name = moduleName(module);
    options.set(name, [...(options.get(name) ?? []), parameter]);
  }
  const blacklist = new Set([...config.blacklist, ...lists.map(moduleName)]);
  return { blacklist, options, softdeps: config.softdeps };
}
