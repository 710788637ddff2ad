import { STATE_DIR } from './probe.ts';

/** Where libvirt keeps the guest's configuration. It may hold passwords, so it never leaves the host (law 10). */
export const GUEST_CONFIG_FOLDER = '/etc/libvirt/qemu';
/** Where libvirt keeps how a guest runs, by its name, and its process id beside that. */
export const GUEST_LIVE_FOLDER = '/run/libvirt/qemu';
/** The copy of the configuration from before the first change is this with the guest's name and `.xml`; root's alone. */
export const GUEST_COPY_PREFIX = `${STATE_DIR}/guest-`;

/**
 * Lines of what libvirt adds and does not take back: PCI controllers for a device (libvirt 9, tried), and pins, of which
 * there is no unpinning.
 */
export const LEFT_LINES = [
  "^ *<controller type='pci'",
  "^ *<model name='pcie-",
  "^ *<target chassis='",
  "^ *<address type='pci'",
  '^ *</controller>',
  '^ *</*cputune>',
  "^ *<vcpupin vcpu='",
] as const;
