import type { Family } from './distribution-types.ts';
import type { FileTree } from './file-tree.ts';
import type { PciSpec } from './pci/pci-spec.ts';

/** Debian's: the root disk is partition 2 of nvme0n1, swap a file on it. Shared by all hosts. */
const MOUNTINFO =
  Buffer.from(`22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
23 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
24 27 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=975416k,mode=755
26 27 0:23 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,mode=755
27 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
42 27 259:1 / /boot/efi rw,relatime shared:30 - vfat /dev/nvme0n1p1 rw,fmask=0077
`);
const SWAPS = swaps('/swap.img', 'file');

/** The RHEL family's: /boot is partition 2, root and swap are logical volumes on partition 3. */
const mountinfo = (
  volumes: string,
): string => `22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw,seclabel
23 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
24 27 0:5 / /dev rw,nosuid shared:2 - devtmpfs devtmpfs rw,seclabel,size=4096k,mode=755
26 27 0:23 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,seclabel,mode=755
27 1 253:0 / / rw,relatime shared:1 - xfs /dev/mapper/${volumes}-root rw,seclabel,attr2,inode64,logbufs=8,logbsize=32k,noquota
31 22 0:19 / /sys/fs/selinux rw,nosuid,noexec,relatime shared:8 - selinuxfs selinuxfs rw
41 27 259:2 / /boot rw,relatime shared:29 - xfs /dev/nvme0n1p2 rw,seclabel,attr2,inode64,logbufs=8,logbsize=32k,noquota
42 41 259:1 / /boot/efi rw,relatime shared:30 - vfat /dev/nvme0n1p1 rw,fmask=0077,dmask=0077
`;

function swaps(name: string, type: string): Uint8Array {
  const row = `${name.padEnd(40)}${type}\t${type === 'file' ? '\t' : ''}8388604\t\t0\t\t-2\n`;
  return Buffer.from(`Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n${row}`);
}

/** Writes what the kernel says of mounted file systems and swap; the disk's own files are its PCI function's. */
export function showStorage(tree: FileTree, family: Family, volumes: string): void {
  if (family === 'debian') {
    tree.put('/proc/self/mountinfo', MOUNTINFO, 0o444);
    tree.put('/proc/swaps', SWAPS, 0o444);
    return;
  }
  tree.put('/proc/self/mountinfo', mountinfo(volumes), 0o444);
  tree.put('/proc/swaps', swaps('/dev/dm-1', 'partition'), 0o444);
  for (const [at, name] of ['root', 'swap'].entries()) {
    const folder = `/sys/devices/virtual/block/dm-${at}`;
    tree.put(`${folder}/dev`, `253:${at}\n`, 0o444);
    tree.put(`${folder}/dm/name`, `${volumes}-${name}\n`, 0o444);
    tree.link(`${folder}/slaves/nvme0n1p3`, '../../../../../class/block/nvme0n1p3');
    tree.link(`/sys/class/block/dm-${at}`, `../../devices/virtual/block/dm-${at}`);
  }
}

/** The root disk with the partition on which the logical volumes lie. */
export function withVolumes(functions: readonly PciSpec[]): readonly PciSpec[] {
  return functions.map((spec) => {
    const { disk } = spec;
    if (disk?.numbers['nvme0n1p2'] === undefined) return spec;
    return { ...spec, disk: { ...disk, numbers: { ...disk.numbers, nvme0n1p3: '259:4' } } };
  });
}
