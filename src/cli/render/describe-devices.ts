import type {
  AttachChange,
  AttachedDevice,
  BindChange,
  VfsChange,
  VfState,
} from '../../domain/changes.ts';
import type { VfSettings } from '../../domain/device-facts.ts';
import type { ChangeLine, DescribeOptions } from './describe-changes.ts';
import { ranges, vfNames } from './device-names.ts';
import { groupedBy } from './grouped-by.ts';

/** How many VFs PFs get, and what the PF says of them. */
export function describeVfs(
  changes: readonly VfsChange[],
  options: DescribeOptions,
): readonly ChangeLine[] {
  return groupedBy(changes, (change) => vfsText(change, options)).map(([text, group]) => ({
    label: 'vfs',
    subject: group.map(pfName).join(', '),
    text,
  }));
}

function pfName({ pf, netdev }: VfsChange): string {
  return netdev === null ? pf : `${pf} (${netdev})`;
}

function vfsText({ before, after }: VfsChange, options: DescribeOptions): string {
  const again = before.count > 0 && after.count > 0 ? ' (all are made anew)' : '';
  const count =
    before.count === after.count
      ? `sriov_numvfs stays ${after.count}`
      : `sriov_numvfs ${before.count} -> ${after.count}${again}`;
  const settings = groupedBy(
    after.vfs.map((vf, index) => ({ index, text: settingsText(vf, options) })),
    ({ text }) => text,
  )
    .filter(([text]) => text !== '')
    .map(([text, group]) => `VF ${ranges(group.map(({ index }) => index))} ${text}`);
  return [[count, ...mtuText(before.mtu, after.mtu)].join(', '), ...settings].join('; ');
}

function mtuText(before: number | null, after: number | null): string[] {
  if (after === null || after === before) return [];
  return [before === null ? `mtu ${after}` : `mtu ${before} -> ${after}`];
}

/** What a PF says of a VF; empty for nothing. Without `exact` a MAC address is only said to be set. */
export function settingsText(vf: VfSettings, { exact }: Pick<DescribeOptions, 'exact'>): string {
  const { mac, vlan, trust, spoofCheck, maxRate } = vf;
  const onOff = (value: boolean) => (value ? 'on' : 'off');
  return [
    ...(mac === undefined ? [] : [exact ? `mac ${mac}` : 'mac set']),
    ...(vlan === undefined ? [] : [`vlan ${vlan}`]),
    ...(trust === undefined ? [] : [`trust ${onOff(trust)}`]),
    ...(spoofCheck === undefined ? [] : [`spoof check ${onOff(spoofCheck)}`]),
    ...(maxRate === undefined ? [] : [`at most ${maxRate} Mbit/s`]),
  ].join(', ');
}

/** Drivers: those of VFs first, which belong to the change of their PF, then those of functions. */
export function describeBinds(
  vfs: readonly VfsChange[],
  binds: readonly BindChange[],
): readonly ChangeLine[] {
  const ofVfs = groupedBy(vfs.flatMap(vfDrivers), ({ names, text }) => `${names} of ${text}`);
  const ofFunctions = groupedBy(binds, bindText);
  return [
    ...ofVfs.map(([, group]): ChangeLine => {
      const [{ names, text }] = group;
      const pfs = group.map(({ pf }) => pf).join(', ');
      const subject = `${names} of ${group.length > 1 ? 'each of ' : ''}${pfs}`;
      return { label: 'bind', subject, text };
    }),
    ...ofFunctions.map(([text, group]): ChangeLine => {
      const subject = group.map(({ address }) => address).join(' ');
      return { label: 'bind', subject, text };
    }),
  ];
}

interface VfDrivers {
  readonly pf: string;
  readonly names: string;
  readonly text: string;
}

/** The VFs of a PF by what becomes of their drivers; those that stay as they are not told. */
function vfDrivers({ pf, before, after }: VfsChange): VfDrivers[] {
  const stay = before.count === after.count;
  const drivers = after.vfs.flatMap((vf, index) => {
    const old = stay ? before.vfs[index] : undefined;
    return old !== undefined && isDone(old, vf) ? [] : [{ index, text: toDriver(old, vf) }];
  });
  return groupedBy(drivers, ({ text }) => text).map(([text, group]) => ({
    pf,
    names: vfNames(
      group.map(({ index }) => index),
      after.count,
    ),
    text,
  }));
}

type DriverState = Pick<VfState, 'driver' | 'override'>;

function isDone(before: DriverState, after: DriverState): boolean {
  if (before.override !== after.override) return false;
  if (after.driver !== 'native') return before.driver === after.driver;
  return before.driver !== null && before.driver !== 'vfio-pci';
}

function toDriver(before: DriverState | undefined, after: DriverState): string {
  return `${before?.driver ?? '(no driver)'} -> ${after.driver ?? '(no driver)'}`;
}

/** By what the binding is kept, when not by a rule of ours. */
const KEPT_BY: Readonly<Record<BindChange['by'], string>> = {
  override: '',
  ids: ', by options vfio-pci ids=',
  driverctl: ', by driverctl',
};

function bindText({ before, after, by }: BindChange): string {
  const what = isDone(before, after)
    ? `${before.driver ?? '(no driver)'} stays, now also at each boot`
    : toDriver(before, after);
  return what + KEPT_BY[by];
}

/** What a guest gets, and how. */
export function describeAttach(change: AttachChange, { guest }: DescribeOptions): ChangeLine {
  const { domain, devices, managed, confined } = change;
  const how = [
    'config, and live while it runs',
    ...(managed ? ['managed by libvirt'] : []),
    ...(confined === 'required' ? ['must be confined'] : []),
    ...pinsText(change.pins),
  ];
  return {
    label: 'attach',
    subject: guest?.(domain) ?? domain,
    text: `+ ${devicesText(devices)}   ${how.join('; ')}`,
  };
}

function devicesText(devices: readonly AttachedDevice[]): string {
  const groups = groupedBy(devices, (device) => ('pf' in device ? device.pf : ''));
  return groups
    .map(([pf, group]) => {
      const vfs = group.flatMap((device) => ('pf' in device ? device.vf : []));
      const addresses = group.flatMap((device) => ('pf' in device ? [] : device.address));
      return pf === '' ? addresses.join(' ') : `VF ${ranges(vfs)} of ${pf}`;
    })
    .join(', ');
}

function pinsText(pins: AttachChange['pins']): string[] {
  const changed = Object.entries(pins?.after ?? {}).filter(
    ([vcpu, cpus]) => pins?.before[vcpu] !== cpus,
  );
  return groupedBy(changed, ([, cpus]) => cpus).map(
    ([cpus, group]) => `vCPU ${ranges(group.map(([vcpu]) => Number(vcpu)))} pinned to ${cpus}`,
  );
}
