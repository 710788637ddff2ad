import type { Blocked, Problem } from './blocked.ts';
import { firmwareVersionProblem } from './devices/firmware.ts';
import type { Facts } from './facts.ts';
import { iommuVendor } from './iommu.ts';
import { kernelIsAtLeast } from './kernel-version.ts';
import type { Target } from './spec.ts';

/** Least free space for the files of the boot loader and the record, in KiB: a grub.cfg is some 20 KiB, written beside the old. */
const FREE_KIB_MIN = 1024;

/** VFIO and `driver_override` as used here need 4.10 (DESIGN: the inspect step). */
const KERNEL_MIN: readonly [number, number] = [4, 10];

/** The first prerequisite that a host lacks; each has its own code and says what to do. Nothing was written. */
export function findPrerequisiteProblem(facts: Facts, target: Target): Blocked | undefined {
  for (const check of [
    rootProblem,
    kernelProblem,
    tableProblem,
    virtualizationProblem,
    oldFirmwareProblem,
    kvmProblem,
    qemuProblem,
    spaceProblem,
  ]) {
    const problem = check(facts, target);
    if (problem !== undefined) return { kind: 'blocked', ...problem };
  }
  return undefined;
}

function rootProblem(facts: Facts): Problem | undefined {
  if (facts.root) return undefined;
  return {
    code: 'host.no-sudo',
    sentence: 'commands do not run as root; allow sudo -n for the user',
  };
}

/** Also what `diagnose` finds; so are those below that are exported. */
export function kernelProblem(facts: Facts): Problem | undefined {
  if (kernelIsAtLeast(facts, KERNEL_MIN)) return undefined;
  return {
    code: 'kernel.too-old',
    sentence: `kernel "${facts.kernelRelease}" is older than ${KERNEL_MIN.join('.')}`,
  };
}

/** What of a target decides whether the IOMMU is needed. */
type IommuTarget = Pick<Target, 'iommu' | 'hostDma'>;

const needsIommu = ({ iommu, hostDma }: IommuTarget): boolean =>
  iommu === 'enabled' || hostDma !== undefined;

/** Missing tables mean firmware, empty groups with tables mean the kernel (field.md, virt-host-validate). */
export function tableProblem(facts: Facts, target: IommuTarget): Problem | undefined {
  if (!needsIommu(target) || iommuVendor(facts) !== undefined) return undefined;
  return facts.cpu.vendor === 'amd'
    ? {
        code: 'firmware.no-ivrs',
        sentence: 'firmware has no IVRS table: turn on AMD-Vi (IOMMU) in setup',
      }
    : { code: 'firmware.no-dmar', sentence: 'firmware has no DMAR table: turn on VT-d in setup' };
}

export function virtualizationProblem(facts: Facts, target: IommuTarget): Problem | undefined {
  if (!needsIommu(target) || facts.cpu.virtualization) return undefined;
  const name = facts.cpu.vendor === 'amd' ? 'SVM' : 'VT-x (VMX)';
  return { code: 'firmware.no-virtualization', sentence: `${name} is off: turn it on in setup` };
}

function oldFirmwareProblem(facts: Facts, target: Target): Problem | undefined {
  return firmwareVersionProblem(facts, target.firmware);
}

export function kvmProblem(facts: Facts): Problem | undefined {
  if (facts.kvm) return undefined;
  return { code: 'host.no-kvm', sentence: 'KVM is not there: load kvm_intel or kvm_amd' };
}

export function qemuProblem(facts: Facts): Problem | undefined {
  if (facts.qemu) return undefined;
  return { code: 'host.no-qemu', sentence: 'QEMU is not installed: install qemu-system-x86' };
}

function spaceProblem(facts: Facts): Problem | undefined {
  if (facts.freeKiB === undefined || facts.freeKiB >= FREE_KIB_MIN) return undefined;
  return {
    code: 'host.no-space',
    sentence: `only ${facts.freeKiB} KiB are free on /boot, /etc or /var/lib; make room`,
  };
}
