import type { Code } from '../codes.ts';
import type { Rule, Symptoms } from './finding.ts';
import { kernelProblem, kvmProblem, qemuProblem } from '../prerequisites.ts';
import { iommuNotAsked, iommuOff, offInFile, overruled } from './iommu-args.ts';
import { interruptsOff, pendingDiffers, unknownOptions } from './line-parts.ts';
import { logLines, logProofs, proofOf } from './proof.ts';
import { WITHOUT_IOMMU, fromProblem, ruleOf, type Found } from './rule-parts.ts';

const rule = (
  code: Code,
  severity: Rule['severity'],
  find: Rule['find'],
  explains?: readonly Code[],
): Rule => ruleOf('kernel', code, severity, find, explains);

/** The kernel, its line, and its modules. */
export const KERNEL_RULES: readonly Rule[] = [
  rule('cmdline.iommu-off', 'critical', iommuOff, WITHOUT_IOMMU),
  rule('cmdline.iommu-not-asked', 'critical', iommuNotAsked, WITHOUT_IOMMU),
  rule('cmdline.interrupts-off', 'critical', interruptsOff, ['iommu.no-interrupt-remapping']),
  rule('kernel.too-old', 'critical', tooOld, ['bind.no-vfio']),
  rule('host.no-kvm', 'critical', noKvm),
  rule('bind.no-vfio', 'critical', noVfio),
  rule('cmdline.off-in-file', 'warning', offInFile),
  rule('cmdline.pending-differs', 'warning', pendingDiffers),
  rule('cmdline.overruled', 'note', overruled),
  rule('cmdline.unknown-option', 'note', unknownOptions),
  ruleOf('guests', 'host.no-qemu', 'warning', noQemu),
];

function tooOld({ facts }: Symptoms): readonly Found[] {
  return fromProblem('kernel.too-old', kernelProblem(facts), {
    proof: [proofOf('uname -r', facts.kernelRelease)],
    next: 'install and boot a newer kernel of the distribution',
  });
}

function noKvm(symptoms: Symptoms): readonly Found[] {
  const { facts } = symptoms;
  const module = facts.cpu.vendor === 'amd' ? 'kvm_amd' : 'kvm_intel';
  return fromProblem('host.no-kvm', kvmProblem(facts), {
    proof: [
      proofOf('/sys/class/misc/kvm', 'not there'),
      ...logProofs(logLines(symptoms, /\bkvm(?:_intel|_amd)?: .*(?:disabled|support)|\bVMX|\bSVM/)),
    ],
    next: `modprobe ${module} on the host, and see in dmesg why it fails`,
  });
}

function noQemu({ facts }: Symptoms): readonly Found[] {
  return fromProblem('host.no-qemu', qemuProblem(facts), {
    proof: [proofOf('/usr/share/qemu', 'empty or not there')],
    next: 'install QEMU on the host: apt install qemu-system-x86, or dnf install qemu-kvm',
  });
}

/** What binds a device for a guest and what gives it to one. Without the list of the kernel's modules nothing is said. */
const NEEDED = ['vfio_pci', 'vfio_iommu_type1'] as const;

function noVfio(symptoms: Symptoms): readonly Found[] {
  return [...modulesMissing(symptoms), ...modulesBlocked(symptoms)];
}

function modulesMissing({ facts, moduleFiles }: Symptoms): readonly Found[] {
  if (moduleFiles === undefined) return [];
  const known = new Set([...moduleFiles, ...facts.devices.modules]);
  const missing = NEEDED.filter((name) => !known.has(name));
  if (missing.length === 0) return [];
  const has = moduleFiles.length === 0 ? 'nothing' : moduleFiles.join(' ');
  return [
    {
      sentence: `kernel ${facts.kernelRelease} has no ${missing.join(' and no ')}`,
      proof: [proofOf(`/lib/modules/${facts.kernelRelease}`, `of VFIO and KVM there is ${has}`)],
      next: 'install and boot a kernel with VFIO (not a small cloud kernel), or the package with the rest of its modules',
    },
  ];
}

/** `install vfio-pci /bin/false` keeps modprobe from loading it; a plain `blacklist` does not (modprobe.d(5)). */
function modulesBlocked({ configLines }: Symptoms): readonly Found[] {
  const lines = (configLines ?? []).filter(({ text }) =>
    /^\s*install\s+vfio[-_]pci\s+\/(?:usr\/)?bin\/(?:false|true)\b/.test(text),
  );
  if (lines.length === 0) return [];
  return [
    {
      sentence: 'a file of modprobe.d keeps vfio-pci from being loaded',
      proof: lines.map(({ path, text }) => proofOf(path, text)),
      next: 'take the line out, then modprobe vfio-pci on the host',
    },
  ];
}
