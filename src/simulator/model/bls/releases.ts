import { SECTIONS, type Grub2Settings } from './grub2-cfg.ts';

/** A value of an os-release file. */
export function osValue(osRelease: string, name: string): string {
  const line = osRelease.split('\n').find((candidate) => candidate.startsWith(`${name}=`)) ?? '';
  return line.slice(name.length + 1).replace(/^"(.*)"$/, '$1');
}

/** Which GRUB package a release has: Fedora's of 42 is close to that of RHEL 10 (both GRUB 2.12). */
export function majorOf(osRelease: string): Grub2Settings['major'] {
  const version = Number.parseInt(osValue(osRelease, 'VERSION_ID'), 10);
  if (version === 8 || version === 9) return version;
  return 10;
}

/** Scripts that a release installs in /etc/grub.d, in order, beside 40_custom, 41_custom and tuned's. */
export function packagedSections(major: Grub2Settings['major']): readonly string[] {
  return [...SECTIONS.keys()].filter(
    (name) =>
      name !== '00_tuned' &&
      (major !== 8 || name !== '14_menu_show_once') &&
      (major === 10 || name !== '25_bli'),
  );
}
