import { amdViEvents, type AmdViKind } from './amd-vi-events.ts';
import { deviceNamed, isForGuests, type NamedDevice } from './device-named.ts';
import { dmarFaults, isUnknownDevice } from './dmar-faults.ts';
import type { Symptoms } from './finding.ts';
import { groupedBy, logLines, logProofs, proofOf, timesText } from './proof.ts';
import type { Found } from './rule-parts.ts';

/** A fault of either vendor's IOMMU, as far as both say the same. */
interface IommuFault {
  readonly kind: AmdViKind;
  readonly device?: string;
  readonly access?: 'read' | 'write';
  /** Hex digits of the first address. */
  readonly address?: string;
  readonly meaning: string;
  /** The IOMMU was never told of such a device. */
  readonly isUnknown: boolean;
  readonly line: string;
}

function faultsOf(symptoms: Symptoms): readonly IommuFault[] {
  const lines = symptoms.kernelLog ?? [];
  return [
    ...dmarFaults(lines).map((fault) => ({
      ...fault,
      address: fault.at,
      isUnknown: isUnknownDevice(fault),
    })),
    ...amdViEvents(lines).map((event) => ({ ...event, isUnknown: false })),
  ];
}

/** Faults of the kinds, together for each device, access and reason. */
function alike(
  symptoms: Symptoms,
  kinds: readonly AmdViKind[],
): readonly (readonly IommuFault[])[] {
  const mine = faultsOf(symptoms).filter(({ kind }) => kinds.includes(kind));
  const keyOf = ({ device, access, meaning }: IommuFault): string =>
    [device, access, meaning].join('|');
  return [...groupedBy(mine, keyOf).values()];
}

const nameIn = (symptoms: Symptoms, device: string | undefined): NamedDevice =>
  device === undefined
    ? { address: '', text: 'a device' }
    : deviceNamed(symptoms.facts.devices, device);

/** DMA that the IOMMU did not let through: the very thing that it is there for, and a sign that something is wrong. */
export function blockedDma(symptoms: Symptoms): readonly Found[] {
  return alike(symptoms, ['dma']).map((faults) => {
    const [first] = faults;
    const device = nameIn(symptoms, first?.device);
    return {
      sentence: `${device.text} was kept ${timesText(faults.length)} from ${accessText(first)}${addressText(first)}: ${first?.meaning ?? ''}`,
      proof: [...logProofs(faults.map(({ line }) => line)), ...passthroughProof(symptoms, first)],
      next: nextOf(symptoms, device, first),
    };
  });
}

const accessText = (fault: IommuFault | undefined): string =>
  fault?.access === undefined
    ? 'memory'
    : fault.access === 'read'
      ? 'reading memory'
      : 'writing to memory';

const addressText = (fault: IommuFault | undefined): string =>
  fault?.address === undefined ? '' : ` at 0x${fault.address}`;

/** With iommu=pt a device of the host may touch all memory, so a fault is of one that the kernel does not know. */
function passthroughProof(symptoms: Symptoms, fault: IommuFault | undefined): Found['proof'] {
  const types = new Set(symptoms.facts.iommu.groups.map(({ type }) => type));
  return fault?.isUnknown === true && types.has('identity')
    ? [proofOf('/sys/kernel/iommu_groups/*/type', [...types].join(' '))]
    : [];
}

function nextOf(symptoms: Symptoms, device: NamedDevice, fault: IommuFault | undefined): string {
  const isKnownHere = symptoms.facts.devices.functions.length > 0;
  if (device.found === undefined && isKnownHere) {
    return 'no such function is there: a card in that slot does DMA under the number of another one (some SATA and RAID cards do), so give it to no guest and move it to the host';
  }
  if (fault?.isUnknown === true) {
    return 'see with lspci which card does DMA under this number; one whose functions share a number goes to a guest only as a whole';
  }
  if (device.found !== undefined && isForGuests(device.found)) {
    return "look at the guest that has it: its driver went wrong, or the guest was ended while the device was at work; the host's memory is safe";
  }
  return 'update the driver and the firmware of the device; a device that firmware still drives (RAID, BMC, USB) needs its reserved memory in the table (RMRR)';
}

/** Interrupts that were not let through. */
export function blockedInterrupts(symptoms: Symptoms): readonly Found[] {
  return alike(symptoms, ['interrupt']).map((faults) => {
    const [first] = faults;
    const device = nameIn(symptoms, first?.device);
    return {
      sentence: `${device.text} sent an interrupt that was not let through ${timesText(faults.length)}: ${first?.meaning ?? ''}`,
      proof: logProofs(faults.map(({ line }) => line)),
      next:
        device.found === undefined
          ? 'no such function is there: an interrupt controller or timer of the chipset sends it (often f0:1f); update the firmware'
          : 'update the driver and the firmware of the device; VMD and some BMCs are known for it',
    };
  });
}

/** Requests of a form that a device may not make; a host bridge does so at each reset of a graphics card, harmlessly. */
export function refusedRequests(symptoms: Symptoms): readonly Found[] {
  return alike(symptoms, ['request'])
    .filter(([first]) => !HOST_BRIDGE.test(first?.device ?? ''))
    .map((faults) => {
      const [first] = faults;
      const device = nameIn(symptoms, first?.device);
      return {
        sentence: `${device.text} was refused ${timesText(faults.length)}: ${first?.meaning ?? ''}`,
        proof: logProofs(faults.map(({ line }) => line)),
        next: 'update the driver and the firmware of the device; once at a reset it means nothing',
      };
    });
}

const HOST_BRIDGE = /^(?:[0-9a-f]{4,8}:)?00:00\.0$/;

/** The IOMMU itself, or a device that does not answer it: all DMA behind it may stand still. */
export function iommuErrors(symptoms: Symptoms): readonly Found[] {
  const events = alike(symptoms, ['iommu', 'no-answer']).map((faults) => {
    const [first] = faults;
    const device = nameIn(symptoms, first?.device);
    return {
      sentence: `the IOMMU logged an error of ${device.text} ${timesText(faults.length)}: ${first?.meaning ?? ''}`,
      proof: logProofs(faults.map(({ line }) => line)),
      next: errorNext(first),
    };
  });
  const stuck = logLines(symptoms, STUCK);
  if (stuck.length === 0) return events;
  return [
    ...events,
    {
      sentence: `the IOMMU did not end what it was told to do, ${timesText(stuck.length)}: a device behind it hangs or is gone`,
      proof: logProofs(stuck),
      next: 'see which device went away just before; reset or reseat it, then reboot the host: what waits for the IOMMU waits for ever',
    },
  ];
}

/** qi_check_fault (drivers/iommu/intel/dmar.c), wait_on_sem (drivers/iommu/amd/iommu.c). */
const STUCK =
  /VT-d detected Invalidation (?:Queue|Time-out|Completion) Error|AMD-Vi: .{0,40}Completion-Wait loop timed out/;

const errorNext = (fault: IommuFault | undefined): string =>
  fault?.kind === 'no-answer'
    ? 'take the device out of use, reset or reseat it; pci=noats on the kernel line keeps it from caching translations'
    : 'look for errors of memory and bus (mcelog, ras-mc-ctl, the BMC), and update the firmware';
