import type { FileTree } from '../file-tree.ts';
import { moduleName, parseModprobeConfig, withKernelLine } from './modprobe-config.ts';
import type { ModuleSource } from './modules.ts';

/**
 * What an installed initramfs holds of the files that the model knows, by their path on the host when it was made. An image
 * of which nothing was said is as the distribution makes it.
 */
export interface Initramfs {
  /** udev rules and modprobe.d. */
  readonly files: ReadonlyMap<string, string>;
  /** Modules beside those of disks and network cards, which are always in (`MODULES=most`). */
  readonly modules: readonly string[];
}

const EMPTY: Initramfs = { files: new Map(), modules: [] };
const HEAD = 'vfleet model initramfs\n';

export const imagePath = (release: string): string => `/boot/initrd.img-${release}`;

/** The image as the model keeps it in its file; any other content is one with nothing of interest in it. */
export function readInitramfs(content: string | undefined): Initramfs {
  if (content?.startsWith(HEAD) !== true) return EMPTY;
  const { files, modules } = JSON.parse(content.slice(HEAD.length)) as {
    files: [string, string][];
    modules: string[];
  };
  return { files: new Map(files), modules };
}

/** What update-initramfs would put in now: `*.rules`, modprobe.d, and modules that a softdep or initramfs-tools asks for. */
export function initramfsText(tree: FileTree, complain: (message: string) => void): string {
  const rules = tree.glob('/etc/udev/rules.d/*.rules');
  const modprobe = tree.glob('/etc/modprobe.d/*.conf');
  const texts = (paths: readonly string[]) =>
    paths.flatMap((path): [string, string][] => {
      const content = tree.text(path);
      return content === undefined ? [] : [[path, content]];
    });
  const config = parseModprobeConfig(new Map(texts(modprobe)), complain);
  const listed = (tree.text('/etc/initramfs-tools/modules') ?? '')
    .split('\n')
    .map((line) => line.trim().split(/\s/)[0] ?? '')
    .filter((name) => name !== '' && !name.startsWith('#'));
  const own = listed.map(moduleName);
  // A module brings its softdeps along, if it is in itself.
  const soft = [...config.softdeps].flatMap(([name, { pre, post }]) =>
    NOT_MOST.test(name) && !own.includes(name) ? [] : [...pre, ...post],
  );
  const modules = [...new Set([...own, ...soft])].sort();
  const files = texts([...rules, ...modprobe]);
  return files.length + modules.length === 0 ? '' : HEAD + JSON.stringify({ files, modules });
}

/** VFIO's own modules come only when asked for; all that vfio_pci needs comes with it. */
const NOT_MOST = /^vfio|^irqbypass$|^snd_|^i2c_|^lpc_|^nouveau$|^ast$/;

/** Modules as modprobe finds them inside an image. */
export function imageModules(
  image: Initramfs,
  args: readonly string[],
  complain: (message: string) => void,
): ModuleSource {
  const modprobe = [...image.files].filter(([path]) => path.startsWith('/etc/modprobe.d/'));
  const vfio = image.modules.some((name) => name.startsWith('vfio'));
  return {
    config: withKernelLine(parseModprobeConfig(new Map(modprobe), complain), args),
    has: (module) =>
      image.modules.includes(module) ||
      (NOT_MOST.test(module) ? vfio && /^vfio|^irqbypass$/.test(module) : true),
  };
}

/** What lsinitramfs prints of an image: names without the leading slash; udev's rules lie elsewhere than on the host (lab). */
export function listInitramfs({ files, modules }: Initramfs, release: string): readonly string[] {
  const places = [...files.keys()].map((path) =>
    path.replace(/^\/etc\/udev\/rules\.d\//, '/usr/lib/udev/rules.d/').slice(1),
  );
  const vfio = modules.some((name) => name.startsWith('vfio'))
    ? ['pci/vfio-pci', 'pci/vfio-pci-core', 'vfio', 'vfio_iommu_type1', 'vfio_virqfd'].map(
        (name) => `usr/lib/modules/${release}/kernel/drivers/vfio/${name}.ko`,
      )
    : [];
  return ['init', 'usr/bin/udevadm', ...places, ...vfio].sort();
}
