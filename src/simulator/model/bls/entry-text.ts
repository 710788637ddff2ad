import { osValue } from './releases.ts';

export { ENTRIES } from './entries.ts';

export interface KernelEntry {
  readonly osRelease: string;
  readonly version: string;
  /** Absent: the entry names `$kernelopts`, as those of release 8 do. */
  readonly options: string | undefined;
  /** Whether tuned's variables are appended. */
  readonly tuned: boolean;
  /** When the kernel was built, `YYYYMMDDhhmmss`. */
  readonly built: string;
}

/**
 * The entry of a kernel: `mkbls` of 20-grub.install and what tuned's 92-tuned.install appends; on release 8 the kernel
 * package's own bls.conf, which has an `id` that GRUB does not use, and another class.
 */
export function entryText({ osRelease, version, options, tuned, built }: KernelEntry): string {
  const id = osValue(osRelease, 'ID');
  const old = options === undefined;
  const inside = version.replace(/^(0-rescue)-.*$/, '$1');
  const lines = [
    `title ${osValue(osRelease, 'NAME')} (${version}) ${osValue(osRelease, 'VERSION')}`,
    `version ${version}`,
    `linux /vmlinuz-${version}`,
    `initrd /initramfs-${version}.img${tuned ? ' $tuned_initrd' : ''}`,
    `options ${options ?? '$kernelopts'}${tuned ? ' $tuned_params' : ''}`,
    ...(old ? [`id ${id}-${built}-${inside}`] : []),
    'grub_users $grub_users',
    'grub_arg --unrestricted',
    `grub_class ${old ? 'kernel' : id}`,
  ];
  return `${lines.join('\n')}\n`;
}
