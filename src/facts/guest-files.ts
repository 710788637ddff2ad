import { createHash } from 'node:crypto';
import type { AttachChange } from '../domain/changes.ts';
import { STATE_DIR } from './probe.ts';

/** Where libvirt keeps the guest's configuration. It may hold passwords, so it never leaves the host (law 10). */
export const GUEST_CONFIG_FOLDER = '/etc/libvirt/qemu';
/** Where libvirt keeps how a guest runs, by its name, and its process id beside that. */
export const GUEST_LIVE_FOLDER = '/run/libvirt/qemu';

/**
 * The copy of a guest's configuration from before a change, root's alone. It is named by the whole change, so that each of
 * two rollouts that both changed a guest has its own way back.
 */
export function guestCopyPath(change: AttachChange): string {
  const digest = createHash('sha256').update(JSON.stringify(change)).digest('hex');
  return `${STATE_DIR}/guest-${change.domain}.${digest.slice(0, 12)}.xml`;
}

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
