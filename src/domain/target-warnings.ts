import type { Change } from './changes.ts';
import type { Target } from './spec.ts';

/**
 * Without interrupt remapping a device can write any interrupt by DMA, and with `allow_unsafe_interrupts` VFIO hands it to
 * a guest all the same (kernel, drivers/vfio/vfio_iommu_type1.c).
 */
export const UNSAFE_INTERRUPTS =
  'unsafe interrupts: a guest that owns a device can send interrupts to the host and to other guests (allow_unsafe_interrupts)';

/** What a target does that everybody who looks at its rollout has to see, in sentences. */
export function targetWarnings({ modules }: Pick<Target, 'modules'>): readonly string[] {
  return modules.unsafeInterrupts ? [UNSAFE_INTERRUPTS] : [];
}

/** The same of changes: those that one host gets. */
export function changeWarnings(changes: readonly Change[]): readonly string[] {
  const isUnsafe = changes.some(
    (change) =>
      change.kind === 'modules' &&
      change.files.some(({ after }) => /\ballow_unsafe_interrupts\s*=\s*[1yY]/.test(after ?? '')),
  );
  return isUnsafe ? [UNSAFE_INTERRUPTS] : [];
}
