import type { Problem } from '../blocked.ts';
import type { VfsChange, VfsState, VfState } from '../changes.ts';
import { compact } from '../compact.ts';
import type { PciFunction, SriovFacts, VfSettings } from '../device-facts.ts';
import { rulePath, scriptPath } from '../own-files.ts';
import type { VfsTarget, VfTarget } from '../spec.ts';
import { isRuleAt, parseVfsScript, vfsRule, vfsScript } from '../udev-files.ts';
import type { DeviceIndex } from './device-index.ts';
import { nameOf, vfsOf } from './device-index.ts';
import { hasDriver } from './has-driver.ts';
import { fileChange, fileChanges } from './own-text.ts';

/** The change of one PF's VFs, and which of those that are there now it would disturb. */
export interface PlannedVfs {
  readonly change: VfsChange;
  /** False: only what keeps them over a boot is missing. */
  readonly live: boolean;
  readonly disturbed: readonly PciFunction[];
}

/** What an entry makes of one PF's VFs: nothing where count, drivers, settings and files are as asked. */
export function planVfs(
  index: DeviceIndex,
  pf: PciFunction,
  target: VfsTarget,
): PlannedVfs | Problem | undefined {
  const { sriov } = pf;
  if (sriov === undefined || sriov.total === 0) return noSriov(pf);
  const vfs = vfsOf(index, pf);
  const after = stateAfter(target);
  const files = fileChanges(vfsFiles(index, pf, target));
  if ('code' in files) return files;
  const isAsAsked = isState(sriov, vfs, after);
  if (isAsAsked && files.length === 0) return undefined;
  const problem = pfProblem(index, pf, sriov, target);
  if (problem !== undefined) return problem;
  const change: VfsChange = {
    kind: 'vfs',
    pf: pf.address,
    netdev: pf.net[0] ?? null,
    before: stateBefore(sriov, vfs, target),
    after,
    files,
  };
  const disturbed = disturbedVfs(sriov, vfs, after);
  return usedByGuest(index, pf, disturbed) ?? { change, live: !isAsAsked, disturbed };
}

/** Why this PF cannot have the VFs, whatever it is used for. */
function pfProblem(
  index: DeviceIndex,
  pf: PciFunction,
  sriov: SriovFacts,
  target: VfsTarget,
): Problem | undefined {
  return (
    countProblem(pf, sriov, target) ??
    ownerProblem(index, pf) ??
    driverProblem(pf) ??
    interfaceProblem(pf, target)
  );
}

function stateAfter({ count, mtu, vfs }: VfsTarget): VfsState {
  return {
    count,
    // A VF with no override is bound by itself only while it is on; those of guests are bound by their override.
    autoprobe: vfs.some(({ driver }) => driver === 'native'),
    mtu: mtu ?? null,
    vfs: vfs.map(({ driver, ...settings }) => ({
      driver,
      override: driver === 'vfio-pci' ? 'vfio-pci' : null,
      ...settings,
    })),
  };
}

function stateBefore(sriov: SriovFacts, vfs: readonly PciFunction[], { mtu }: VfsTarget): VfsState {
  return {
    count: sriov.count,
    autoprobe: sriov.autoprobe,
    mtu: mtu === undefined ? null : (sriov.mtu ?? null),
    vfs: vfs.map(({ driver, override }, at): VfState => ({
      driver,
      override,
      ...compact(pickSettings(sriov.settings[at] ?? {})),
    })),
  };
}

const SETTINGS = ['mac', 'vlan', 'trust', 'spoofCheck', 'maxRate'] as const;

const pickSettings = ({ mac, vlan, trust, spoofCheck, maxRate }: VfSettings) => ({
  mac,
  vlan,
  trust,
  spoofCheck,
  maxRate,
});

/** Whether the VFs stand as asked. A setting of which the driver says nothing cannot be held against it. */
function isState(sriov: SriovFacts, vfs: readonly PciFunction[], asked: VfsState): boolean {
  return (
    sriov.count === asked.count &&
    vfs.length === asked.count &&
    sriov.autoprobe === asked.autoprobe &&
    (asked.mtu === null || sriov.mtu === asked.mtu) &&
    asked.vfs.every((vf, at) => isVf(sriov, at, vfs[at], vf))
  );
}

function isVf(
  { settings }: SriovFacts,
  at: number,
  found: PciFunction | undefined,
  asked: VfState,
): boolean {
  const known = settings[at] ?? {};
  return (
    found !== undefined &&
    hasAskedDriver(found, asked) &&
    SETTINGS.every((name) => {
      const [wanted, is] = [asked[name], known[name]];
      return wanted === undefined || is === undefined || wanted === is;
    })
  );
}

const hasAskedDriver = ({ driver, override }: PciFunction, asked: VfState): boolean =>
  hasDriver(asked.driver === 'vfio-pci' ? 'vfio-pci' : 'native', driver) &&
  override === asked.override;

/** All of them when the count changes: there is no way from one count to another but over none (drivers/pci/iov.c). */
function disturbedVfs(
  sriov: SriovFacts,
  vfs: readonly PciFunction[],
  asked: VfsState,
): readonly PciFunction[] {
  if (sriov.count !== asked.count) return vfs;
  return vfs.filter((vf, at) => {
    const wanted = asked.vfs[at];
    return wanted === undefined || !isVf(sriov, at, vf, wanted);
  });
}

function vfsFiles(index: DeviceIndex, pf: PciFunction, target: VfsTarget) {
  const { address } = pf;
  const { count, mtu, vfs } = target;
  const script = vfsScript(compact({ pf: address, count, mtu, vfs: vfs.map(inScript) }));
  const isScript = (text: string) => parseVfsScript(text) !== undefined;
  return [
    fileChange(index.facts, scriptPath(address), script, isScript),
    fileChange(index.facts, rulePath(address), vfsRule(pf), (text) => isRuleAt(text, address)),
  ];
}

const inScript = ({ driver, ...settings }: VfTarget) => ({
  driver,
  ...compact(pickSettings(settings)),
});

function noSriov(pf: PciFunction): Problem {
  const why =
    pf.physfn === undefined
      ? 'it has no SR-IOV, or its firmware has turned it off (SR-IOV in the setup, SRIOV_EN on Mellanox cards)'
      : 'it is a VF itself';
  return {
    code: 'vfs.no-sriov',
    sentence: `${nameOf(pf)} can make no VFs: ${why}; turn it on, or take vfs out of its entry`,
  };
}

function countProblem(
  pf: PciFunction,
  { total }: SriovFacts,
  { count }: VfsTarget,
): Problem | undefined {
  if (count <= total) return undefined;
  return {
    code: 'vfs.over-total',
    sentence: `${nameOf(pf)} can make ${total} VFs (sriov_totalvfs) and the spec asks for ${count}; ask for fewer, or raise the limit in the firmware of the card`,
  };
}

/** Whoever sets a count of their own would take ours back at their next start (networkmanager.dev, settings-sriov). */
function ownerProblem({ facts }: DeviceIndex, pf: PciFunction): Problem | undefined {
  const owner = facts.vfCountOwners.find(
    ({ names }) => names === undefined || names === pf.address || pf.net.includes(names),
  );
  if (owner === undefined) return undefined;
  const named = owner.names === undefined ? 'may set' : 'sets';
  return {
    code: 'vfs.count-owner',
    sentence: `${owner.owner} ${named} the number of VFs of ${nameOf(pf)} itself (${owner.where}) and would take back what vfleet sets; take that setting out of the file, or leave the PF out`,
  };
}

function driverProblem(pf: PciFunction): Problem | undefined {
  const { driver, override } = pf;
  if (driver !== null && driver !== 'vfio-pci' && override !== 'vfio-pci') return undefined;
  const found = driver ?? 'no driver';
  return {
    code: 'vfs.no-driver',
    sentence: `${nameOf(pf)} has ${override === 'vfio-pci' ? `${found} and an override for vfio-pci` : found}, and only its own driver makes VFs; give it that back first (driver: native in a rollout of its own, or vfleet rollback)`,
  };
}

function interfaceProblem(pf: PciFunction, { mtu, vfs }: VfsTarget): Problem | undefined {
  const asked = mtu !== undefined || vfs.some((vf) => SETTINGS.some((it) => vf[it] !== undefined));
  if (!asked || pf.net.length > 0) return undefined;
  return {
    code: 'vfs.no-interface',
    sentence: `${nameOf(pf)} has no network interface, by which MTU, MAC, VLAN, trust, spoof check and rate are set; take those out of its entry`,
  };
}

function usedByGuest(
  index: DeviceIndex,
  pf: PciFunction,
  disturbed: readonly PciFunction[],
): Problem | undefined {
  for (const { address } of disturbed) {
    const guest = index.runningOn.get(address);
    if (guest === undefined) continue;
    return {
      code: 'vfs.used-by-guest',
      sentence: `guest ${guest.name} runs with ${address}, a VF of ${nameOf(pf)} that would be made anew or changed; shut that guest down or detach the VF first`,
    };
  }
  return undefined;
}
