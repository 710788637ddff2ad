import type { Code } from '../codes.ts';
import type { PciFunction, Temperature } from '../device-facts.ts';
import { isBridge, nameOf, slotOf } from '../devices/device-index.ts';
import { plainLine } from '../plain-line.ts';
import { shortText } from '../short-text.ts';
import type { Proof, Rule, Symptoms } from './finding.ts';
import { logLines, proofOf } from './proof.ts';
import type { Found } from './rule-parts.ts';
import { ruleOf } from './rule-parts.ts';

const rule = (
  code: Code,
  severity: Rule['severity'],
  find: Rule['find'],
  explains?: readonly Code[],
): Rule => ruleOf('hardware', code, severity, find, explains);

/** How the machine and its cards do. */
export const HARDWARE_RULES: readonly Rule[] = [
  rule('health.too-hot', 'critical', tooHot),
  rule('health.many-errors', 'warning', manyErrors),
  rule('health.link-below', 'note', linkBelow, ['fault.aer-corrected', 'health.many-errors']),
];

/**
 * What a sensor may say at most, in degrees Celsius: a drive without a limit names 65,261 (drivers/nvme/host/hwmon.c), and a
 * sensor that is not wired 255 or 127.
 */
const CELSIUS_MAX = 126;

const isSound = ({ celsius, limit }: Temperature): boolean =>
  limit !== undefined && limit > 0 && limit <= CELSIUS_MAX && celsius <= CELSIUS_MAX;

/** At or above the limit that the sensor itself names; one without a limit says nothing. */
function tooHot({ facts: { devices }, hwmon = {} }: Symptoms): readonly Found[] {
  const places = [
    ...devices.functions.flatMap((fn) =>
      (fn.temperatures ?? []).map((reading) => ({
        name: nameOf(fn),
        source: `/sys/bus/pci/devices/${fn.address}/hwmon`,
        reading,
      })),
    ),
    ...Object.entries(hwmon).flatMap(([chip, readings]) =>
      readings.map((reading) => ({
        name: shortText(plainLine(chip), 60),
        source: `/sys/class/hwmon (${chip})`,
        reading,
      })),
    ),
  ];
  return places.flatMap(({ name, source, reading }) => {
    const { label, celsius, limit } = reading;
    if (limit === undefined || !isSound(reading) || celsius < limit) return [];
    const sensor = shortText(plainLine(label), 60);
    return [
      {
        sentence: `${name} is at ${celsius} C (${sensor}), and its limit is ${limit} C: it slows down, switches itself off or breaks`,
        proof: [proofOf(source, `${sensor}: ${celsius} C, limit ${limit} C`)],
        next: 'see to fans, filters and the air before the rack; the rest of the sensors: sensors, ipmitool sdr type temperature',
      },
    ];
  });
}

/**
 * Totals since boot (sysfs-bus-pci-devices-aer_stats), which one reading cannot tell to be rising: so only numbers count that no
 * few incidents make. Our own choice, not a standard's: a link that is trained makes some corrected errors, a card that is
 * reset or looked for a few others.
 */
const ERRORS_MAX = { correctable: 1_000, nonfatal: 10, fatal: 0 } as const;

function manyErrors({ facts: { devices } }: Symptoms): readonly Found[] {
  return devices.functions.flatMap((fn) => {
    const { aer } = fn;
    if (aer === undefined) return [];
    const kinds = (['fatal', 'nonfatal', 'correctable'] as const).filter(
      (kind) => aer[kind] > ERRORS_MAX[kind],
    );
    if (kinds.length === 0) return [];
    return [
      {
        sentence: `${nameOf(fn)} has counted ${kinds.map((kind) => `${aer[kind]} ${kind}`).join(', ')} errors of PCI Express since the host booted; one reading does not say whether they still come`,
        proof: kinds.map((kind) =>
          proofOf(`/sys/bus/pci/devices/${fn.address}/aer_dev_${kind}`, `total ${aer[kind]}`),
        ),
        next: `read it again after a while: grep TOTAL /sys/bus/pci/devices/${fn.address}/aer_dev_*; if it grows, seat the card again or change slot or riser`,
      },
    ];
  });
}

/** One end's state and what it can, as numbers: `8.0 GT/s` is 8. */
interface LinkEnd {
  readonly speed: number | undefined;
  readonly width: number | undefined;
  readonly maxSpeed: number | undefined;
  readonly maxWidth: number | undefined;
}

const speedOf = (text: string | undefined): number | undefined => {
  const found = /^(\d{1,3}(?:\.\d{1,2})?) GT\/s/.exec(text ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
};

const endOf = ({ link = {} }: PciFunction): LinkEnd => ({
  speed: speedOf(link.speed),
  width: link.width,
  maxSpeed: speedOf(link.maxSpeed),
  maxWidth: link.maxWidth,
});

/**
 * Below what both ends can: a card in a slot with fewer lanes is as it should be. One finding a card, by its first function;
 * a display controller lowers its speed while it idles, and a bridge shows the link below it or above it, which cannot be told.
 */
function linkBelow(symptoms: Symptoms): readonly Found[] {
  const { functions } = symptoms.facts.devices;
  const byAddress = new Map(functions.map((fn) => [fn.address, fn]));
  const displays = new Set(functions.filter(isDisplay).map(slotOf));
  return functions.flatMap((fn) => {
    const port = byAddress.get(fn.parents.at(-1) ?? '');
    if (port === undefined || !fn.address.endsWith('.0')) return [];
    if (isBridge(fn) || fn.physfn !== undefined) return [];
    const what = below(endOf(fn), endOf(port), { idles: displays.has(slotOf(fn)) });
    if (what.length === 0) return [];
    return [
      {
        sentence: `the link of ${nameOf(fn)} to ${port.address} is at ${what.join(' and ')}, though both ends can do more`,
        proof: [linkProof(fn), linkProof(port), ...bandwidth(symptoms, fn)],
        next: `look at both ends: lspci -vv -s ${fn.address} | grep -E "LnkCap|LnkSta"; seat the card again, or change slot or riser; some firmware limits the speed of a slot`,
      },
    ];
  });
}

const isDisplay = ({ class: pciClass }: PciFunction): boolean => pciClass.startsWith('03');

function below(card: LinkEnd, port: LinkEnd, { idles }: { readonly idles: boolean }): string[] {
  const lanes = smaller(card.maxWidth, port.maxWidth);
  const speed = smaller(card.maxSpeed, port.maxSpeed);
  return [
    ...(card.width !== undefined && lanes !== undefined && card.width < lanes
      ? [`x${card.width} in place of x${lanes}`]
      : []),
    ...(!idles && card.width !== undefined && isBelow(card.speed, speed)
      ? [`${String(card.speed)} GT/s in place of ${String(speed)} GT/s`]
      : []),
  ];
}

const smaller = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? undefined : Math.min(one, other);

const isBelow = (is: number | undefined, can: number | undefined): boolean =>
  is !== undefined && can !== undefined && is < can;

function linkProof({ address, link = {} }: PciFunction): Proof {
  const { speed = '?', width, maxSpeed = '?', maxWidth } = link;
  return proofOf(
    `/sys/bus/pci/devices/${address}`,
    `current_link ${speed} x${String(width ?? '?')}, max_link ${maxSpeed} x${String(maxWidth ?? '?')}`,
  );
}

/** `pci 0000:3b:00.0: 63.008 Gb/s available PCIe bandwidth, limited by ...` (drivers/pci/pci.c, __pcie_print_link_status). */
const bandwidth = (symptoms: Symptoms, { address }: PciFunction): readonly Proof[] =>
  logLines(symptoms, /available PCIe bandwidth, limited by/)
    .filter((line) => line.includes(` ${address}: `))
    .slice(0, 1)
    .map((line) => proofOf('dmesg', line));
