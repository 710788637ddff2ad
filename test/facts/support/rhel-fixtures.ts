import { readdirSync, readFileSync } from 'node:fs';
import type { HostTreeOptions } from '../../../src/simulator/model/make-host-tree.ts';

/** Hosts of the RHEL family whose boot files stand in test/fixtures/rhel, and how the model makes each of them. */
export const RHEL_HOSTS: Readonly<Record<string, Omit<HostTreeOptions, 'name'>>> = {
  '8.10': {
    os: 'rhel-8.10',
    kernelArgs: ['rhgb', 'quiet', 'console=tty0', 'console=ttyS0,115200n8'],
  },
  '9.2': {
    os: 'almalinux-9.2',
    kernelArgs: ['hugepagesz=1G', 'hugepages=4', 'hugepagesz=2M', 'hugepages=512'],
  },
  '9.4': {
    os: 'rocky-9.4',
    kernelArgs: ['rhgb', 'quiet'],
    tuned: ['skew_tick=1', 'tsc=reliable', 'rcupdate.rcu_normal_after_boot=1', 'nohz=on'],
  },
  '10': { os: 'centos-10', defaultArgs: ['mitigations=auto,nosmt'], tuned: false },
  'fedora-42': { os: 'fedora-42', kernelArgs: ['rhgb', 'quiet', 'intel_iommu=off'] },
};

export const RHEL_NAMES: readonly string[] = Object.keys(RHEL_HOSTS);

const FOLDER = new URL('../../fixtures/rhel/', import.meta.url);

/** Where a fixture's files belong on its host. */
export function pathOnHost(host: string, file: string, efiFolder: string): string {
  // On UEFI machines of release 8 GRUB's files lie on the EFI partition.
  const grub = host === '8.10' ? `/boot/efi/EFI/${efiFolder}` : '/boot/grub2';
  const places: Readonly<Record<string, string>> = {
    'os-release': '/etc/os-release',
    'machine-id': '/etc/machine-id',
    'default-grub': '/etc/default/grub',
    'kernel-cmdline': '/etc/kernel/cmdline',
    grubenv: `${grub}/grubenv`,
    'grub.cfg': `${grub}/grub.cfg`,
    'efi-grub.cfg': `/boot/efi/EFI/${efiFolder}/grub.cfg`,
  };
  return places[file] ?? `/boot/${file}`;
}

/** The files of a fixture by their names in its folder; entries as `loader/entries/ID.conf`. */
export function rhelFixture(host: string): ReadonlyMap<string, string> {
  const base = new URL(`${host}/`, FOLDER);
  const names = readdirSync(base, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => `${found.parentPath}/${found.name}`.slice(base.pathname.length))
    .map((name) => name.replace(/^\//, ''));
  return new Map(names.sort().map((name) => [name, readFileSync(new URL(name, base), 'latin1')]));
}

/** The absolute path of a fixture's file. */
export const fixturePath = (host: string, file: string): string =>
  new URL(`${host}/${file}`, FOLDER).pathname;

/** Names of its entries' files. */
export const entriesOf = (files: ReadonlyMap<string, string>): readonly string[] =>
  [...files.keys()].filter((name) => name.startsWith('loader/entries/'));
