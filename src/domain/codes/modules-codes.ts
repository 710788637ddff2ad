import type { CodeEntries } from './code-entry.ts';

const BACK = 'or take the changes back: `vfleet rollback NAME HOST --reason TEXT`';

/** Hugepages, options of modules, and the initramfs that holds them. */
export const MODULES_CODES = {
  'hugepages.fewer-than-asked': {
    sentence: 'The kernel took fewer hugepages than asked, and said that all went well.',
    symptom:
      'The host is blocked before anything is written, or held at modules or iommu, up; the evidence has the number on each node.',
    causes: [
      'memory is in pieces: a host that has run for long has few free blocks of 1 GiB',
      'a node has too little memory for what is asked there',
      'guests or the page cache hold it',
    ],
    exits: [
      'take them at boot: `at: boot` for the size in target.hugepages of the spec, then `vfleet plan SPEC`',
      'or free memory on the host (shut guests down, `sysctl vm.compact_memory=1`), then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'hugepages.hung': {
    sentence: 'The kernel still looks for memory for the hugepages after two minutes.',
    symptom:
      'The host is held at modules, up; the write goes on in the kernel and holds the lock of vfleet there until it returns.',
    causes: ['memory is full and in pieces, so the kernel moves a lot of it about'],
    exits: [
      'see how far it is on the host: `grep Huge /proc/meminfo`',
      'when it has ended: `vfleet retry NAME HOST` goes on from the number that is there then',
      'or take them at boot: `at: boot` in target.hugepages of the spec',
    ],
  },
  'hugepages.in-use': {
    sentence: 'Hugepages that are to be given back are in use.',
    symptom:
      'A rollback is held, or a host whose spec asks for fewer pages than it has; nothing is lost.',
    causes: ['a guest or a database still runs on them'],
    exits: [
      'see who has them on the host: `grep -l hugepages /proc/*/numa_maps`',
      'shut it down, then `vfleet retry NAME HOST`',
    ],
  },
  'hugepages.refused': {
    sentence: 'The kernel has no hugepages of that size there, or refused the number.',
    symptom: 'The host is blocked before anything is written, or held at modules, up.',
    causes: [
      'the CPU has no pages of 1 GiB (flag pdpe1gb), or the kernel was built without hugepages',
      'there is no NUMA node of that number',
    ],
    exits: [
      'see what it has on the host: `ls /sys/kernel/mm/hugepages /sys/devices/system/node`',
      'change target.hugepages of the spec, then `vfleet plan SPEC`',
      BACK,
    ],
  },
  'initramfs.failed': {
    sentence: 'update-initramfs or dracut failed, or is not there; its output is in the evidence.',
    symptom:
      'The host is held, up; the files of vfleet are written, and the next boot may still act as the old initramfs says.',
    causes: [
      '/boot is full',
      'a hook or a module of another package fails',
      'an image in /boot is of a kernel whose modules are gone from /lib/modules',
    ],
    exits: [
      'see its output on the host: `update-initramfs -u -k all` or `dracut --force IMAGE VERSION`, and `df /boot`',
      'then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'initramfs.no-maker': {
    sentence: 'The host has initramfs images, and neither update-initramfs nor dracut makes them.',
    symptom:
      'The host is held, up; the evidence names the images. Before modules are changed nothing is written; on the way back a file of vfleet may still be in an image.',
    causes: [
      'the host makes its images with another tool (mkinitcpio, booster)',
      'the tool was removed, and its images were left',
    ],
    exits: [
      'install initramfs-tools or dracut, let it make the images, then `vfleet retry NAME HOST`',
      'on the way back: `sudo sh /var/lib/vfleet/UNDO.txt` on the host, make the images with its own tool, then `vfleet skip NAME HOST --reason TEXT`',
    ],
  },
  'initramfs.readback': {
    sentence: 'An installed initramfs does not hold what the files on the disk say.',
    symptom:
      'The host is held, up; the evidence names the images. The next boot from one of them would not be as asked.',
    causes: [
      'update-initramfs is diverted, or told to leave a kernel alone (update_initramfs=no)',
      'an image of a kernel that was removed is still in /boot',
      'an image cannot be listed, so it may hold anything',
    ],
    exits: [
      'see it on the host: `lsinitramfs IMAGE | grep vfleet` or `lsinitrd IMAGE | grep vfleet`, `cat /etc/initramfs-tools/update-initramfs.conf`',
      'make it again, or remove the image of a kernel that is gone; then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'initramfs.unlisted': {
    sentence: 'The host does not tell which initramfs images it has.',
    symptom: 'The host is held, up. What the next boot would do is not known.',
    causes: [
      'listing the images took too long: a slow disk, or many kernels',
      'the host has an older vfleet script (a hardened host with its own copy)',
    ],
    exits: [
      'see how long it takes on the host: `lsinitramfs IMAGE` or `lsinitrd IMAGE` for each image in /boot',
      'remove kernels that nobody boots, then `vfleet retry NAME HOST`',
      BACK,
    ],
  },
  'modules.not-loaded': {
    sentence: 'A module of target.modules.load is not loaded, and is no part of the kernel.',
    symptom:
      'The host is held at iommu, up, after the boot that should have loaded it; or it is blocked before anything is written, when the files of an earlier rollout say so already.',
    causes: [
      'the kernel of this host has no module of that name: a typing error, an alias, or a package that is missing',
      'the module refuses to load: no such hardware, or Secure Boot wants a signature',
      'somebody has taken it out of the kernel, or the host was not rebooted since the file was written',
    ],
    exits: [
      'see it on the host: `systemctl status systemd-modules-load`, `modinfo MODULE`, `modprobe MODULE`',
      'once it is loaded, `vfleet retry NAME HOST`',
      'or mend target.modules.load of the spec, then `vfleet plan SPEC`',
      BACK,
    ],
  },
} as const satisfies CodeEntries;
