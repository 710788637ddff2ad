import type { Code } from '../codes.ts';
import type { IommuGroup, PciFunction } from '../device-facts.ts';
import type { DeviceIndex } from '../devices/device-index.ts';
import { indexDevices, isBridge, listed, nameOf, slotOf } from '../devices/device-index.ts';
import { sharedGroupProblem } from '../devices/group-owners.ts';
import { groupProblem } from '../devices/groups.ts';
import { kernelArgName } from '../kernel-args.ts';
import type { Proof, Rule, Symptoms } from './finding.ts';
import { wantedByGuests } from './for-guests.ts';
import { logLines, logProofs, proofOf } from './proof.ts';
import type { Found } from './rule-parts.ts';
import { fromProblem, ruleOf } from './rule-parts.ts';

const rule = (
  code: Code,
  severity: Rule['severity'],
  find: Rule['find'],
  explains?: readonly Code[],
): Rule => ruleOf('isolation', code, severity, find, explains);

/** Whether devices of guests are apart from all others: groups, what makes them, and what only pretends to. */
export const ISOLATION_RULES: readonly Rule[] = [
  rule('devices.acs-override', 'warning', acsOverride),
  rule('devices.no-acs', 'warning', withoutAcs, ['devices.group-not-viable', 'guest.group-split']),
  rule('devices.group-not-viable', 'critical', notViable),
  rule('bind.no-group', 'critical', withoutGroup),
  rule('guest.group-split', 'warning', splitGroups),
];

/** A group that VFIO refuses, with why, and the function that asks for it. */
interface RefusedGroup {
  readonly group: IommuGroup;
  readonly problem: ReturnType<typeof groupProblem>;
}

/** The rule that holds a host at iommu, put to each group of which a guest has or is to have a member. */
function refusedGroups(index: DeviceIndex): readonly RefusedGroup[] {
  const wanted = wantedByGuests(index.facts);
  return index.facts.groups.flatMap((group) => {
    const mine = group.members.filter((address) => wanted.has(address));
    if (mine.length === 0) return [];
    const problem = groupProblem(index, new Set(mine));
    return problem?.code === 'devices.group-not-viable' ? [{ group, problem }] : [];
  });
}

function notViable(symptoms: Symptoms): readonly Found[] {
  const index = indexDevices(symptoms.facts.devices);
  return refusedGroups(index).flatMap(({ group, problem }) =>
    fromProblem('devices.group-not-viable', problem, {
      proof: [membersProof(index, group), ...refusals(symptoms, group)],
      next: 'give every member of the group to vfio-pci (`functions: all` in the entry of the spec), or move the card to another slot',
    }),
  );
}

function membersProof({ byAddress }: DeviceIndex, { id, members }: IommuGroup): Proof {
  const drivers = members.map((address) => {
    const fn = byAddress.get(address);
    return `${address} ${fn === undefined ? 'unknown' : (fn.driver ?? 'no driver')}`;
  });
  return proofOf(`/sys/kernel/iommu_groups/${id}/devices`, listed(drivers));
}

/** Where QEMU said so: `vfio 0000:65:00.0: group 30 is not viable` (hw/vfio/container-legacy.c, before 9.1 common.c). */
function refusals({ guestLogs }: Symptoms, { id }: IommuGroup): readonly Proof[] {
  return Object.entries(guestLogs).flatMap(([guest, lines]) => {
    const line = lines.findLast((text) => text.includes(`group ${id} is not viable`));
    return line === undefined ? [] : [proofOf(`/var/log/libvirt/qemu/${guest}.log`, line)];
  });
}

/** Only one that leads to a group of several cards of which one cannot be given away: most bridges without it do no harm. */
function withoutAcs({ facts: { devices } }: Symptoms): readonly Found[] {
  const index = indexDevices(devices);
  const groups = new Set([
    ...refusedGroups(index).map(({ group }) => group),
    ...splits(index).map(({ group }) => group),
  ]);
  return [...groups].flatMap((group) => {
    const cards = membersOf(index, group).filter((fn) => !isBridge(fn));
    if (new Set(cards.map(slotOf)).size < 2) return [];
    const bridges = bridgesWithout(index, cards);
    if (bridges.length === 0) return [];
    const one = bridges.length === 1;
    return [
      {
        sentence:
          `IOMMU group ${group.id} holds several cards (${listed(cards.map(nameOf))}), since ${listed(bridges.map(nameOf))} above them ` +
          `${one ? 'does' : 'do'} not keep them apart: Access Control Services (ACS) are not there, or off`,
        proof: [
          ...bridges.map(({ address }) =>
            proofOf(`/sys/bus/pci/devices/${address}/config`, 'no ACS that isolates what is below'),
          ),
          membersProof(index, group),
        ],
        next: 'turn ACS on in the setup of the firmware where it has it, or move the card below another bridge (lspci -tv)',
      },
    ];
  });
}

const membersOf = ({ byAddress }: DeviceIndex, { members }: IommuGroup): readonly PciFunction[] =>
  members.flatMap((address) => byAddress.get(address) ?? []);

function bridgesWithout(
  { byAddress }: DeviceIndex,
  cards: readonly PciFunction[],
): readonly PciFunction[] {
  const above = new Set(cards.flatMap(({ parents }) => parents));
  return [...above].flatMap((address) => {
    const bridge = byAddress.get(address);
    return bridge?.acs === false ? [bridge] : [];
  });
}

/** Functions of a guest for which groups exist, and none holds it. */
function withoutGroup({ facts: { devices } }: Symptoms): readonly Found[] {
  const index = indexDevices(devices);
  return [...wantedByGuests(devices)].flatMap((address) =>
    fromProblem('bind.no-group', groupProblem(index, new Set([address])), {
      proof: [proofOf(`/sys/bus/pci/devices/${address}/iommu_group`, 'not there')],
      next: 'move the card to a slot that an IOMMU covers: dmesg | grep -E "DRHD|ivhd" names the units',
    }),
  );
}

interface Split {
  readonly group: IommuGroup;
  readonly problem: ReturnType<typeof sharedGroupProblem>;
}

/**
 * A guest that cannot start, since another one runs with a member of its group. Two that are off may well take turns, and
 * so may two that have the very same device.
 */
function splits(index: DeviceIndex): readonly Split[] {
  const found = new Map<IommuGroup, Split>();
  for (const guest of index.guests.values()) {
    const own = new Set(guest.hostdevs.map(({ address }) => address));
    for (const { address } of guest.running ? [] : guest.hostdevs) {
      const group = index.groupOf.get(address);
      if (group === undefined || found.has(group)) continue;
      const isTaken = (member: string) => !own.has(member) && index.runningOn.has(member);
      if (!group.members.some(isTaken)) continue;
      const problem = sharedGroupProblem(index, guest, [{ address }], new Map());
      found.set(group, { group, problem });
    }
  }
  return [...found.values()];
}

function splitGroups({ facts: { devices } }: Symptoms): readonly Found[] {
  const index = indexDevices(devices);
  return splits(index).flatMap(({ group, problem }) =>
    fromProblem('guest.group-split', problem, {
      proof: [membersProof(index, group)],
      next: 'give all members of the group to one guest, or start only one of the two at a time',
    }),
  );
}

/**
 * The patch that some distributions carry: it tells the kernel to believe that ports isolate, whatever they do. It is no
 * part of Linux; a kernel without it takes the argument and does nothing, and then no line stands in the log.
 */
function acsOverride(symptoms: Symptoms): readonly Found[] {
  const args = symptoms.facts.runningArgs.filter(
    (arg) => kernelArgName(arg) === 'pcie_acs_override',
  );
  const lines = logLines(symptoms, OVERRIDE);
  if (args.length === 0 && lines.length === 0) return [];
  const isKnown = lines.length > 0 || symptoms.kernelLog === undefined;
  return [
    {
      sentence: isKnown
        ? 'an ACS override is in use: groups look smaller than they are, and a guest may reach devices of the host and of other guests by DMA between devices, past the IOMMU'
        : `${args.join(' ')} is on the kernel line and this kernel does not say that it knows it: groups are as the hardware makes them, until a kernel comes that believes it`,
      proof: [
        ...(args.length === 0 ? [] : [proofOf('/proc/cmdline', args.join(' '))]),
        ...logProofs(lines),
      ],
      next: 'take pcie_acs_override off the kernel line, reboot, and see which groups are left: find /sys/kernel/iommu_groups -type l',
    },
  ];
}

const OVERRIDE = /PCIe ACS overrides enabled/;
