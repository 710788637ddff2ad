import type { FileTree } from '../file-tree.ts';
import { dracutContent, initramfsToolsContent, NOT_MOST } from './initramfs-content.ts';
import { parseModprobeConfig, withKernelLine } from './modprobe-config.ts';
import type { ModuleSource } from './modules.ts';

/**
 * What an installed initramfs holds of the files that the model knows, by their path on the host when it was made. An image
 * of which nothing was said is as the distribution makes it.
 */
export interface Initramfs {
  /** udev rules, modprobe.d, and with dracut modules-load.d. */
  readonly files: ReadonlyMap<string, string>;
  /** Modules beside those of disks and network cards, which are always in (`MODULES=most`; dracut's 90kernel-modules). */
  readonly modules: readonly string[];
  /** dracut's `force_drivers`: loaded before udev begins (98dracut-systemd, dracut-pre-udev.sh). */
  readonly forced: readonly string[];
}

const EMPTY: Initramfs = { files: new Map(), modules: [], forced: [] };
const HEAD = 'vfleet model initramfs\n';

/** Where the image of a kernel is: by the name that Debian gives it with either maker, or by the RHEL family's. */
export function imagePath(tree: FileTree, release: string): string {
  const red = `/boot/initramfs-${release}.img`;
  return tree.text(red) === undefined ? `/boot/initrd.img-${release}` : red;
}

/** The release in an image's name. */
export const releaseOfImage = (path: string): string =>
  path.replace(/^.*\/(?:initrd\.img-|initramfs-)/, '').replace(/\.img$/, '');

/** All images but those of kdump and rescue boots. */
export function installedImages(tree: FileTree): readonly string[] {
  return [...tree.glob('/boot/initrd.img-*'), ...tree.glob('/boot/initramfs-*.img')].filter(
    (path) => !path.endsWith('kdump.img') && !path.includes('-rescue-'),
  );
}

/** What makes images here: dracut where it is installed, as vfleet finds it. */
export const usesDracut = (tree: FileTree): boolean => tree.text('/usr/bin/dracut') !== undefined;

/** The image as the model keeps it in its file; any other content is one with nothing of interest in it. */
export function readInitramfs(content: string | undefined): Initramfs {
  if (content?.startsWith(HEAD) !== true) return EMPTY;
  const { files, modules, forced } = JSON.parse(content.slice(HEAD.length)) as {
    files: [string, string][];
    modules: string[];
    forced?: string[];
  };
  return { files: new Map(files), modules, forced: forced ?? [] };
}

/** The file of the image that the host's maker would make now. */
export function initramfsText(tree: FileTree, complain: (message: string) => void): string {
  const { files, modules, forced } = usesDracut(tree)
    ? dracutContent(tree, complain)
    : initramfsToolsContent(tree, complain);
  if (files.size + modules.length + forced.length === 0) return '';
  const told = forced.length === 0 ? {} : { forced };
  return HEAD + JSON.stringify({ files: [...files], modules, ...told });
}

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

/** Names in an image without the leading slash; udev's rules lie elsewhere than on the host (lab). */
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
