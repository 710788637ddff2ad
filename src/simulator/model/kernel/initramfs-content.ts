import type { FileTree } from '../file-tree.ts';
import type { Initramfs } from './initramfs.ts';
import { moduleName, parseModprobeConfig } from './modprobe-config.ts';

type Complain = (message: string) => void;

/** Drivers that are in no image unless asked for; all that vfio_pci needs comes with it. */
export const NOT_MOST = /^vfio|^irqbypass$|^snd_|^i2c_|^lpc_|^nouveau$|^ast$/;

/** What update-initramfs would put in now: `*.rules`, modprobe.d, and modules that a softdep or initramfs-tools asks for. */
export function initramfsToolsContent(tree: FileTree, complain: Complain): Initramfs {
  const modprobe = texts(tree, tree.glob('/etc/modprobe.d/*.conf'));
  const own = (tree.text('/etc/initramfs-tools/modules') ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s/)[0] ?? '')
    .filter((name) => name !== '' && !name.startsWith('#'))
    .map(moduleName);
  const rules = texts(tree, tree.glob('/etc/udev/rules.d/*.rules'));
  return {
    files: new Map([...rules, ...modprobe]),
    modules: withSoftdeps(own, modprobe, complain),
    forced: [],
  };
}

/**
 * What dracut 059 would put in now (dracut.conf(5); tried on Debian 12). With `hostonly`, modprobe.d of /etc
 * (90kernel-modules) and modules-load.d with the modules in it (00systemd); without, neither. udev's rules of /etc are in
 * no image, since 01systemd-udevd is left out unless asked for. Softdeps are followed with the host's own modprobe.d.
 */
export function dracutContent(tree: FileTree, complain: Complain): Initramfs {
  const settings = dracutSettings(tree, complain);
  const words = (name: string) =>
    (settings.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
  const hostonly = settings.get('hostonly')?.trim() === 'yes';
  const modprobe = texts(tree, tree.glob('/etc/modprobe.d/*.conf'));
  const load = texts(tree, tree.glob('/etc/modules-load.d/*.conf'));
  const asked = [...words('install_items'), ...words('install_optional_items')];
  const forced = words('force_drivers').map(moduleName);
  const loaded = load.flatMap(([, text]) => text.split('\n').map((line) => line.trim()));
  const own = [
    ...words('add_drivers').map(moduleName),
    ...forced,
    ...(hostonly
      ? loaded.filter((name) => name !== '' && !/^[#;]/.test(name)).map(moduleName)
      : []),
  ];
  return {
    files: new Map([...(hostonly ? [...modprobe, ...load] : []), ...texts(tree, asked)]),
    modules: withSoftdeps(own, modprobe, complain),
    forced,
  };
}

/** Variables of the configuration, by files in their order: `name="value"` and `name+=" value "`, which bash sources. */
function dracutSettings(tree: FileTree, complain: Complain): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  const folders = ['/usr/lib/dracut/dracut.conf.d', '/etc/dracut.conf.d'];
  const paths = ['/etc/dracut.conf', ...folders.flatMap((folder) => tree.glob(`${folder}/*.conf`))];
  for (const line of paths.flatMap((path) => (tree.text(path) ?? '').split('\n'))) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue;
    const [, name = '', add, value = ''] = /^([a-z_]+)(\+?)="([^"$`\\]*)"$/.exec(line) ?? [];
    if (name === '') complain(`the model does not know this line of dracut.conf: ${line}`);
    else settings.set(name, add === '+' ? `${settings.get(name) ?? ''}${value}` : value);
  }
  return settings;
}

/** A module brings its softdeps along, if it is in itself. */
function withSoftdeps(
  own: readonly string[],
  modprobe: readonly (readonly [string, string])[],
  complain: Complain,
): readonly string[] {
  const { softdeps } = parseModprobeConfig(new Map(modprobe), complain);
  const soft = [...softdeps].flatMap(([name, { pre, post }]) =>
    NOT_MOST.test(name) && !own.includes(name) ? [] : [...pre, ...post],
  );
  return [...new Set([...own, ...soft])].sort();
}

function texts(tree: FileTree, paths: readonly string[]): readonly (readonly [string, string])[] {
  return paths.flatMap((path) => {
    const content = tree.text(path);
    return content === undefined ? [] : [[path, content] as const];
  });
}
