import type { Code } from '../codes.ts';
import { rmrrProblem } from '../devices/groups.ts';
import { iommuProblem, iommuVendor } from '../iommu.ts';
import { kernelArgName } from '../kernel-args.ts';
import { tableProblem, virtualizationProblem } from '../prerequisites.ts';
import { isForGuests } from './device-named.ts';
import type { Proof, Rule, Symptoms } from './finding.ts';
import { logLines, logProofs, proofOf } from './proof.ts';
import { FOR_GUESTS, WITHOUT_IOMMU, fromProblem, ruleOf, type Found } from './rule-parts.ts';
import { TABLE_ODDITIES, TABLE_REFUSED } from './table-lines.ts';

const rule = (
  code: Code,
  severity: Rule['severity'],
  find: Rule['find'],
  explains?: readonly Code[],
): Rule => ruleOf('firmware', code, severity, find, explains);

/** What the firmware says of the IOMMU, and what the kernel makes of it. */
export const FIRMWARE_RULES: readonly Rule[] = [
  rule('firmware.no-dmar', 'critical', (it) => noTable('firmware.no-dmar', it), WITHOUT_IOMMU),
  rule('firmware.no-ivrs', 'critical', (it) => noTable('firmware.no-ivrs', it), WITHOUT_IOMMU),
  rule('firmware.no-virtualization', 'critical', noVirtualization, ['host.no-kvm']),
  rule('firmware.table-refused', 'critical', tableRefused, [
    ...WITHOUT_IOMMU,
    'cmdline.iommu-not-asked',
  ]),
  rule('iommu.no-units', 'critical', (it) => notInUse('iommu.no-units', it), WITHOUT_IOMMU),
  rule('iommu.no-groups', 'critical', (it) => notInUse('iommu.no-groups', it), ['bind.no-group']),
  rule('firmware.table-odd', 'note', tableOdd, ['iommu.no-interrupt-remapping']),
  rule('devices.rmrr', 'warning', reservedMemory, ['guest.vfio-refused']),
];

const SETUP = 'systemctl reboot --firmware-setup leads there';

function noTable(code: Code, symptoms: Symptoms): readonly Found[] {
  const { vendor } = symptoms.facts.cpu;
  return fromProblem(code, tableProblem(symptoms.facts, FOR_GUESTS), {
    proof: [
      proofOf('/sys/firmware/acpi/tables', 'neither DMAR nor IVRS is there'),
      ...logProofs(logLines(symptoms, NOT_FOUND)),
    ],
    next:
      vendor === 'amd'
        ? `turn on AMD-Vi (IOMMU) in the setup of the firmware, not on Auto; ${SETUP}`
        : `turn on VT-d in the setup of the firmware; ${SETUP}`,
  });
}

/** What a kernel or a hypervisor below it says when it finds no unit. */
const NOT_FOUND = /IOMMU: Not found|No DMAR devices found|No IOMMU(?:s| hardware)? found/i;

function noVirtualization(symptoms: Symptoms): readonly Found[] {
  const amd = symptoms.facts.cpu.vendor === 'amd';
  const name = amd ? 'SVM' : 'VT-x (VMX)';
  const problem = virtualizationProblem(symptoms.facts, FOR_GUESTS);
  return fromProblem('firmware.no-virtualization', problem, {
    proof: [
      proofOf('/sys/devices/system/cpu/modalias', `has no ${amd ? '00C2 (SVM)' : '0085 (VMX)'}`),
      ...logProofs(logLines(symptoms, /disabled.{0,8}\bbios|\(by BIOS\)|disabled by firmware/i)),
    ],
    next: `turn on ${name} in the setup of the firmware; ${SETUP}`,
  });
}

/** A table that is there and that the kernel does not use. */
function tableRefused(symptoms: Symptoms): readonly Found[] {
  const { facts } = symptoms;
  const lines = logLines(symptoms, TABLE_REFUSED);
  if (facts.iommu.units.length > 0 || lines.length === 0) return [];
  return [
    {
      sentence: `the kernel found the ${tableName(symptoms)} table of the firmware damaged and uses no IOMMU`,
      proof: logProofs(lines),
      next: 'update the firmware of the board; until then no guest can be given a device here',
    },
  ];
}

const tableName = ({ facts }: Symptoms): string => (iommuVendor(facts) === 'amd' ? 'IVRS' : 'DMAR');

/** The rule of the iommu step: only /sys/class/iommu and the groups count, whatever the log says (host.md §8). */
function notInUse(code: Code, symptoms: Symptoms): readonly Found[] {
  const { iommu, runningArgs } = symptoms.facts;
  const args = runningArgs.filter((arg) => kernelArgName(arg).includes('iommu'));
  const proof: readonly Proof[] = [
    code === 'iommu.no-units'
      ? proofOf('/sys/class/iommu', 'empty')
      : proofOf('/sys/kernel/iommu_groups', `empty, with ${iommu.units.join(' ')} in use`),
    proofOf('/proc/cmdline', args.length === 0 ? 'no argument about the IOMMU' : args.join(' ')),
    ...logProofs(
      logLines(symptoms, /IOMMU disabled|: Not found|DMAR: .*[Ff]ail|AMD-Vi: .*[Ff]ail/),
    ),
  ];
  return fromProblem(code, iommuProblem(iommu, FOR_GUESTS), {
    proof,
    next: "see what the kernel says of it, on the host: dmesg | grep -iE 'dmar|amd-vi|iommu'",
  });
}

/** One finding for each kind of oddity, since each has its own consequence. */
function tableOdd(symptoms: Symptoms): readonly Found[] {
  const isRefused = tableRefused(symptoms).length > 0;
  const lines = logLines(symptoms, /./).filter((line) => !(isRefused && TABLE_REFUSED.test(line)));
  return TABLE_ODDITIES.flatMap(({ pattern, sentence, next }, at) => {
    const earlier = TABLE_ODDITIES.slice(0, at);
    const mine = lines.filter(
      (line) => pattern.test(line) && !earlier.some((other) => other.pattern.test(line)),
    );
    return mine.length === 0 ? [] : [{ sentence, proof: logProofs(mine), next }];
  });
}

/** Reserved memory matters only for what a guest has or is to have: nearly every board has some, for USB and graphics. */
function reservedMemory(symptoms: Symptoms): readonly Found[] {
  const { functions, groups } = symptoms.facts.devices;
  const refused = new Map(
    logLines(symptoms, INELIGIBLE).flatMap((line) => {
      const address = INELIGIBLE.exec(line)?.[1];
      return address === undefined ? [] : [[address, line] as const];
    }),
  );
  return functions.flatMap((fn) => {
    const line = refused.get(fn.address);
    if (line === undefined && !isForGuests(fn)) return [];
    const group = groups.find(({ id }) => id === fn.group);
    if (group === undefined) return [];
    const problem = rmrrProblem(fn, line === undefined ? group : { ...group, rmrr: true });
    return fromProblem('devices.rmrr', problem, {
      proof: [
        ...(line === undefined ? [] : logProofs([line])),
        ...(group.rmrr
          ? [
              proofOf(
                `/sys/kernel/iommu_groups/${group.id}/reserved_regions`,
                'a region of type direct',
              ),
            ]
          : []),
      ],
      next: 'turn off in the setup of the firmware what shares the device (HPE: shared memory features per slot), or use another slot',
    });
  });
}

/** intel_iommu_attach_device (drivers/iommu/intel/iommu.c). */
const INELIGIBLE =
  /\b([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): (?:Device is ineligible for IOMMU domain attach|Firmware has requested this device have a 1:1 IOMMU mapping)/;
