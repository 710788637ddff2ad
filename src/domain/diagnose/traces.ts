import { LOADER_TOOLS, TRIAL_ENTRY_ID } from '../boot-loader/tools.ts';
import type { Code } from '../codes.ts';
import type { DeviceFacts, PciFunction } from '../device-facts.ts';
import { listed, nameOf } from '../devices/device-index.ts';
import { withoutTrialArgs } from '../drop-in.ts';
import { isOwnDeviceFile, rulePath, scriptPath } from '../own-files.ts';
import { oneShotProblem } from '../planner.ts';
import type { Rule, Symptoms } from './finding.ts';
import { proofOf } from './proof.ts';
import type { Found } from './rule-parts.ts';
import { fromProblem, ruleOf } from './rule-parts.ts';

const rule = (
  code: Code,
  severity: Rule['severity'],
  find: Rule['find'],
  explains?: readonly Code[],
): Rule => ruleOf('traces', code, severity, find, explains);

/**
 * What earlier work has left behind and acts at the next boot, or has acted at the last one. A lease is none: a rollout that
 * is under way has one, and so has one that waits for a person, however long.
 */
export const TRACES_RULES: readonly Rule[] = [
  rule('bootloader.one-shot-pending', 'warning', oneShot),
  rule('bootloader.trial-left', 'warning', trialLeft, ['cmdline.pending-differs']),
  rule('initramfs.readback', 'warning', staleImages, ['bind.override-alone']),
  rule('bind.override-alone', 'warning', overrideAlone, ['guest.not-detached']),
  rule('host.watchdog-reset', 'warning', watchdogReset),
  rule('vfs.count-owner', 'warning', twoOwners),
];

/** The rule that blocks a host. While a rollout holds the host its own trial may be armed. */
function oneShot({ facts }: Symptoms): readonly Found[] {
  const { bootLoader, lease } = facts;
  if (!bootLoader.supported || bootLoader.nextEntry === undefined) return [];
  if (lease !== undefined && bootLoader.nextEntry.includes(TRIAL_ENTRY_ID)) return [];
  const problem = oneShotProblem(bootLoader);
  if (problem === undefined) return [];
  const { oneShot: clears } = bootLoader;
  const stuck = clears.safe ? '' : `; it stays set at every boot, since ${clears.reason}`;
  return fromProblem(
    'bootloader.one-shot-pending',
    { ...problem, sentence: `${problem.sentence}${stuck}` },
    {
      proof: [proofOf('grubenv', `next_entry=${bootLoader.nextEntry}`)],
      next: `clear it on the host: ${LOADER_TOOLS[bootLoader.kind].editenv} - unset next_entry`,
    },
  );
}

/** What only the line of a trial has (src/domain/drop-in.ts). */
const MARKER = 'vfleet.trial=';

/**
 * It runs a trial of vfleet that no rollout will make the default any more. One that was made the default runs on under its
 * marker to the next boot, which is as it should be.
 */
function trialLeft({ facts: { runningArgs, lease, bootLoader } }: Symptoms): readonly Found[] {
  const marker = runningArgs.find((arg) => arg.startsWith(MARKER));
  if (marker === undefined || lease !== undefined || !bootLoader.supported) return [];
  const { args } = bootLoader.defaultEntry;
  if (args.join(' ') === withoutTrialArgs(runningArgs).join(' ')) return [];
  return [
    {
      sentence:
        'the kernel line that runs is a trial of vfleet, and no rollout holds this host any more: the next boot goes back to the old line, and until then a crash reboots it (panic=30)',
      proof: [proofOf('/proc/cmdline', marker)],
      next: 'reboot the host when its guests allow, or plan and start the rollout again: vfleet plan SPEC',
    },
  ];
}

/** An old rule in an initramfs acts at the next boot (host.md §1). Under a lease files and images are between two states. */
function staleImages({ facts: { devices, lease } }: Symptoms): readonly Found[] {
  if (lease !== undefined) return [];
  const { initramfs, ownFiles, initramfsMaker } = devices;
  const stale = new Map<string, string[]>();
  for (const { path, names } of initramfs) {
    for (const name of names) {
      if (!isOwnDeviceFile(name) || ownFiles[name] !== undefined) continue;
      const images = stale.get(name);
      if (images === undefined) stale.set(name, [path]);
      else if (!images.includes(path)) images.push(path);
    }
  }
  if (stale.size === 0) return [];
  const images = [...new Set([...stale.values()].flat())];
  const again =
    initramfsMaker === 'dracut' ? 'dracut --force IMAGE VERSION' : `update-initramfs -u -k all`;
  return [
    {
      sentence: `an installed initramfs still holds ${listed([...stale.keys()])}, which is not on the disk any more: it acts at the next boot all the same`,
      proof: [...stale].map(([name, holders]) => proofOf(listed(holders), `holds ${name}`)),
      next: `make it again on the host: ${again} (${listed(images)}), and reboot once`,
    },
  ];
}

/** What `driverctl set-override ADDRESS none` and some guides write to leave a device alone on purpose. */
const ON_PURPOSE: ReadonlySet<string> = new Set(['none', '(null)', '']);

/** An override binds nothing by itself: somebody must probe after it, with the driver loaded (host.md §1). */
function overrideAlone({ facts: { devices } }: Symptoms): readonly Found[] {
  const alone = devices.functions.filter(
    ({ driver, override }) => driver === null && override !== null && !ON_PURPOSE.has(override),
  );
  return alone.map((fn) => {
    const module = (fn.override ?? '').replaceAll('-', '_');
    const isLoaded = devices.modules.includes(module);
    return {
      sentence: `${nameOf(fn)} has the override ${fn.override ?? ''} and no driver: ${
        isLoaded || devices.modules.length === 0
          ? 'nobody has told the kernel to bind it since the override was set'
          : `the module ${module} is not loaded`
      }`,
      proof: [
        proofOf(`/sys/bus/pci/devices/${fn.address}/driver_override`, fn.override ?? ''),
        proofOf(`/sys/bus/pci/devices/${fn.address}/driver`, 'not there'),
        ...(isLoaded || devices.modules.length === 0
          ? []
          : [proofOf('/proc/modules', `no ${module}`)]),
      ],
      next: `on the host: modprobe ${module}; echo ${fn.address} > /sys/bus/pci/drivers_probe; and see that its driver link is there`,
    };
  });
}

/**
 * Bits of `bootstatus` (include/uapi/linux/watchdog.h, WDIOF_*). Left out are the external relays (4, 8), which may be wired to
 * anything, and power under voltage (16), which some boards set at every start.
 */
const REASONS: readonly (readonly [number, string])[] = [
  [0x20, 'the watchdog reset the machine: it hung, or nobody fed the watchdog'],
  [0x01, 'the processor was too hot'],
  [0x02, 'a fan failed'],
  [0x40, 'the voltage was too high'],
];

function watchdogReset({ bootStatus }: Symptoms): readonly Found[] {
  return Object.entries(bootStatus).flatMap(([name, value]) => {
    const reasons = REASONS.flatMap(([bit, reason]) => ((value & bit) === 0 ? [] : [reason]));
    if (reasons.length === 0) return [];
    return [
      {
        sentence: `before this boot ${reasons.join(', and ')} (${name})`,
        proof: [proofOf(`/sys/class/watchdog/${name}/bootstatus`, String(value))],
        next: 'see what the machine said last, if it was kept: journalctl -b -1 -e, ls /sys/fs/pstore, and the event log of the BMC (ipmitool sel list)',
      },
    ];
  });
}

/** Whoever comes last at a boot sets the count of the PF, and takes the VFs of the other from their guests. */
function twoOwners({ facts: { devices } }: Symptoms): readonly Found[] {
  return devices.functions.flatMap((pf) => {
    if (pf.sriov === undefined) return [];
    const owners = ownersOf(devices, pf);
    const names = [...new Set(owners.map(({ owner }) => owner))];
    if (names.length < 2) return [];
    return [
      {
        sentence: `${listed(names)} each set the number of VFs of ${nameOf(pf)}, so the last one at a boot, or at a reload, takes the VFs of the others from their guests`,
        proof: owners.map(({ owner, where }) => proofOf(where, owner)),
        next: `leave it to one of them: take the setting out of ${listed(owners.filter(({ owner }) => owner !== 'vfleet').map(({ where }) => where))}`,
      },
    ];
  });
}

interface Owner {
  readonly owner: string;
  readonly where: string;
}

/** vfleet by its own files, and others that name the PF; one that names nobody counts beside vfleet, as it does for a plan. */
function ownersOf({ ownFiles, vfCountOwners }: DeviceFacts, pf: PciFunction): readonly Owner[] {
  const own = [rulePath(pf.address), scriptPath(pf.address)].filter(
    (path) => ownFiles[path] !== undefined,
  );
  const isOurs = ownFiles[scriptPath(pf.address)] !== undefined;
  const others = vfCountOwners.filter(({ names }) =>
    names === undefined ? isOurs : names === pf.address || pf.net.includes(names),
  );
  return [
    ...(isOurs ? own.map((where) => ({ owner: 'vfleet', where })) : []),
    ...others.map(({ owner, where }) => ({ owner: makerOf(owner, where), where })),
  ];
}

/** What netplan makes for NetworkManager at each start is netplan's. */
const makerOf = (owner: string, where: string): string =>
  /^\/run\/(?:NetworkManager\/system-connections\/netplan-|systemd\/network\/.{0,60}netplan)/.test(
    where,
  )
    ? 'netplan'
    : owner;
