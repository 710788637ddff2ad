import type { Code } from '../codes.ts';
import { UNSAFE_INTERRUPTS } from '../target-warnings.ts';
import { aerEvents, type AerEvent } from './aer-events.ts';
import { deviceNamed } from './device-named.ts';
import type { Rule, Symptoms } from './finding.ts';
import { blockedDma, blockedInterrupts, iommuErrors, refusedRequests } from './iommu-faults.ts';
import { groupedBy, logLines, logProofs, proofOf, timesText } from './proof.ts';
import { ruleOf, type Found } from './rule-parts.ts';
import { VFIO_ERRORS, vfioErrors } from './vfio-errors.ts';

const rule = (
  code: Code,
  severity: Rule['severity'],
  find: Rule['find'],
  explains?: readonly Code[],
): Rule => ruleOf('faults', code, severity, find, explains);

/** What went wrong in this boot, as the kernel logged it. */
export const FAULTS_RULES: readonly Rule[] = [
  rule('iommu.no-interrupt-remapping', 'critical', noRemapping, [
    'vfio.unsafe-interrupts',
    'guest.vfio-refused',
  ]),
  rule('fault.iommu-error', 'critical', iommuErrors, ['fault.dma-blocked']),
  rule('fault.dma-blocked', 'warning', blockedDma),
  rule('fault.interrupt-blocked', 'warning', blockedInterrupts),
  rule('fault.aer-uncorrected', 'warning', (it) => busErrors(it, false), ['vfio.device-stuck']),
  rule('vfio.unsafe-interrupts', 'warning', unsafeInterrupts),
  ...VFIO_ERRORS.map(({ code, severity }) =>
    rule(code, severity, (symptoms) => vfioErrors(symptoms, code)),
  ),
  rule('fault.aer-corrected', 'note', (it) => busErrors(it, true)),
  rule('fault.request-refused', 'note', refusedRequests),
];

/**
 * The chips of the first interrupts say whether they are remapped; the log says so in too many ways (host.md §8). Only with an
 * IOMMU in use: without one nothing is given to a guest anyhow.
 */
function noRemapping(symptoms: Symptoms): readonly Found[] {
  const { iommu } = symptoms.facts;
  const chips = Object.entries(symptoms.irqChips ?? {});
  if (iommu.units.length === 0 || chips.length === 0 || iommu.interruptRemapping) return [];
  const shown = chips.find(([, chip]) => chip.includes('IO-APIC')) ?? chips[0];
  return [
    {
      sentence:
        'interrupts are not remapped, so VFIO gives no device to a guest: it could send interrupts to the host and to other guests',
      proof: [
        ...(shown === undefined
          ? []
          : [
              proofOf(
                `/sys/kernel/irq/${shown[0]}/chip_name`,
                `${shown[1]}, and not IR-${shown[1]}`,
              ),
            ]),
        ...logProofs(logLines(symptoms, REMAPPING)),
      ],
      next: 'turn interrupt remapping (x2APIC) on in the setup of the firmware; do not write allow_unsafe_interrupts, which only hides it',
    },
  ];
}

/** Of drivers/iommu/intel/irq_remapping.c, amd/init.c, drivers/vfio/vfio_iommu_type1.c and drivers/iommu/iommufd/device.c. */
const REMAPPING =
  /[Ff]ailed to enable irq remapping|Not enabling interrupt remapping|Disabling interrupt remapping|No interrupt remapping support|MSI interrupts are not secure|doesn't support X2APIC mode/;

function unsafeInterrupts({ facts, configLines }: Symptoms): readonly Found[] {
  if (facts.devices.unsafeInterrupts !== true) return [];
  const files = (configLines ?? []).filter(({ text }) => text.includes('allow_unsafe_interrupts'));
  return [
    {
      sentence: UNSAFE_INTERRUPTS,
      proof: [
        proofOf('/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts', 'Y'),
        ...files.slice(0, 3).map(({ path, text }) => proofOf(path, text)),
      ],
      next: facts.iommu.interruptRemapping
        ? 'interrupts are remapped here, so nothing needs it: take the option out and reload vfio_iommu_type1'
        : 'turn interrupt remapping on in the setup of the firmware, then take the option out',
    },
  ];
}

/** Fewer corrected errors than these in the log of a boot say nothing: a link that is trained makes some. */
const CORRECTED_MIN = 10;

function busErrors(symptoms: Symptoms, corrected: boolean): readonly Found[] {
  const events = aerEvents(logLines(symptoms, /PCIe Bus Error/)).filter(
    ({ severity }) => (severity === 'corrected') === corrected,
  );
  return [...groupedBy(events, ({ device }) => device)].flatMap(([address, mine]) =>
    corrected && mine.length < CORRECTED_MIN ? [] : [busError(symptoms, address, mine)],
  );
}

function busError(symptoms: Symptoms, address: string, mine: readonly AerEvent[]): Found {
  const { text } = deviceNamed(symptoms.facts.devices, address);
  const layers = new Set(mine.flatMap(({ layer }) => layer ?? []));
  const isFatal = mine.some(({ severity }) => severity === 'fatal');
  const kind = mine[0]?.severity === 'corrected' ? 'corrected' : isFatal ? 'fatal' : 'non-fatal';
  const where = layers.size === 0 ? '' : ` (${[...layers].join(', ')})`;
  const port = logLines(symptoms, PORT).filter((line) => line.includes(address));
  return {
    sentence: `${text} logged ${kind} errors of PCI Express${where} ${timesText(mine.length)} in this boot`,
    proof: logProofs([...mine.map(({ line }) => line), ...port]),
    next: layers.has('Transaction Layer')
      ? 'look at what its driver, or its guest, did at that time; if it repeats, update its firmware'
      : 'seat the card again or change the slot or the riser: errors below the transaction layer come from the link itself',
  };
}

/** What the port above did about it. */
const PORT =
  /DPC: containment event|AER: (?:can't recover|device recovery failed|subordinate device reset failed)/;
