import type { DebianDistribution } from '../distribution-types.ts';
import type { FileTree } from '../file-tree.ts';

/** Scripts of Debian's grub-common that the model knows; its own templates stand for what they hold. */
const PACKAGED = [
  '00_header',
  '05_debian_theme',
  '10_linux',
  '20_linux_xen',
  '30_os-prober',
  '30_uefi-firmware',
];

/** The two scripts that administrators may edit. */
export const CUSTOM_40 = `#!/bin/sh
exec tail -n +3 $0
# This file provides an easy way to add custom menu entries.  Simply type the
# menu entries you want to add after this comment.  Be careful not to change
# the 'exec tail' line above.
`;

export const CUSTOM_41 = `#!/bin/sh
cat <<EOF
if [ -f  \\\${config_directory}/custom.cfg ]; then
  source \\\${config_directory}/custom.cfg
elif [ -z "\\\${config_directory}" -a -f  \\$prefix/custom.cfg ]; then
  source \\$prefix/custom.cfg
fi
EOF
`;

/** Stands for a script of the package: the model does what it does. */
export const PACKAGED_SCRIPT = '#!/bin/sh\n# The model does what the packaged script does.\n';

export interface GrubInstallation {
  readonly distribution: DebianDistribution;
  /** GRUB_CMDLINE_LINUX. */
  readonly kernelArgs: readonly string[];
  /** GRUB_CMDLINE_LINUX_DEFAULT. */
  readonly defaultArgs: readonly string[];
  readonly grubDefault: string;
}

/** Debian's boot loader settings and kernel, as its installer leaves them; grub.cfg is update-grub's. */
export function installGrub(tree: FileTree, host: GrubInstallation): void {
  const { distribution, kernelArgs, defaultArgs, grubDefault } = host;
  for (const name of PACKAGED) tree.put(`/etc/grub.d/${name}`, PACKAGED_SCRIPT, 0o755);
  tree.put('/etc/grub.d/40_custom', CUSTOM_40, 0o755);
  tree.put('/etc/grub.d/41_custom', CUSTOM_41, 0o755);
  tree.put('/etc/grub.d/README', 'All executable files in this directory are processed.\n');
  const head = distribution.grubHead.replace('GRUB_DEFAULT=0', `GRUB_DEFAULT=${grubDefault}`);
  tree.put(
    '/etc/default/grub',
    `${head}GRUB_CMDLINE_LINUX_DEFAULT="${defaultArgs.join(' ')}"\nGRUB_CMDLINE_LINUX="${kernelArgs.join(' ')}"\nGRUB_TERMINAL=console\n`,
  );
  tree.mkdir('/etc/default/grub.d');
  for (const part of ['vmlinuz', 'initrd.img', 'config', 'System.map']) {
    tree.put(`/boot/${part}-${distribution.kernel}`, '');
  }
}
