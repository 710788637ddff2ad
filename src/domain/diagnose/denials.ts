/** One access of a guest's process that AppArmor or SELinux refused. */
export interface Denial {
  readonly by: 'AppArmor' | 'SELinux';
  /** What was refused: a path, or SELinux's type of it where only that is said. */
  readonly what: string;
  /** The profile, or the type of the process. */
  readonly profile: string;
  readonly line: string;
}

/**
 * What passthrough needs: the group and the container, the files of the function, huge pages, a ROM. QEMU asks for much else
 * that it can do without (/run/udev/data, /proc, the NUMA nodes), and is refused on healthy hosts too.
 */
const NEEDED =
  /^\/dev\/(?:vfio\/|iommu$|hugepages)|^\/run\/hugepages|^\/sys\/(?:devices\/pci|bus\/pci|kernel\/iommu_groups)|\.rom$/;
/** Types of the reference policy for the same. */
const NEEDED_TYPES = /^(?:vfio_device_t|iommu_device_t|hugetlbfs_t)$/;

/** The denials among lines of a log that keep a device from a guest. */
export function denials(lines: readonly string[]): readonly Denial[] {
  return lines.flatMap((line) => appArmor(line) ?? seLinux(line) ?? []);
}

/**
 * `apparmor="DENIED" operation="open" profile="libvirt-UUID" name="/dev/vfio/12" ... requested_mask="wr"`; profiles of guests
 * are `libvirt-` and their UUID (libvirt, security_apparmor.c), since 5.1 with `class="file"` in between.
 */
function appArmor(line: string): Denial | undefined {
  if (!line.includes('apparmor="DENIED"')) return undefined;
  const profile = /\bprofile="(libvirt-[^"]{1,100})"/.exec(line)?.[1];
  const what = /\bname="(\/[^"]{1,200})"/.exec(line)?.[1];
  if (profile === undefined || what === undefined || !NEEDED.test(what)) return undefined;
  return { by: 'AppArmor', what, profile, line };
}

/**
 * `avc:  denied  { read write } for  pid=1 comm="qemu-kvm" path="/dev/vfio/12" ... scontext=...:svirt_t:s0:c1,c2
 * tcontext=system_u:object_r:vfio_device_t:s0 tclass=chr_file permissive=0`; by `permissive=1` it was let pass.
 */
function seLinux(line: string): Denial | undefined {
  if (!/avc: {1,3}denied/.test(line) || line.includes('permissive=1')) return undefined;
  const profile = first(SCONTEXT, line);
  const type = first(TCONTEXT, line);
  const path = first(PATH, line);
  const isNeeded = NEEDED_TYPES.test(type) || NEEDED.test(path);
  if (profile === '' || !isNeeded) return undefined;
  return { by: 'SELinux', what: path === '' ? type : path, profile, line };
}

const first = (pattern: RegExp, line: string): string => pattern.exec(line)?.[1] ?? '';

/** A context is `user:role:type:level`; processes of guests are svirt_t and its kin, or the daemon that starts them. */
const SCONTEXT = /\bscontext=[^: ]{1,40}:[^: ]{1,40}:(svirt[a-z_]{0,20}|virt[a-z_]{0,20}_t)\b/;
const TCONTEXT = /\btcontext=[^: ]{1,40}:[^: ]{1,40}:([^: ]{1,60})/;
const PATH = /\bpath="?(\/[^" ]{1,200})/;
