import type { Code } from '../codes.ts';
import type { DeviceFacts, PciFunction } from '../device-facts.ts';
import { listed, nameOf } from '../devices/device-index.ts';
import { moduleOf } from '../devices/module-names.ts';
import { rulePath, scriptPath } from '../own-files.ts';
import { parseBindRule, parseVfsScript } from '../udev-files.ts';
import type { Proof, Rule, Symptoms } from './finding.ts';
import { guestName, wantedByGuests } from './for-guests.ts';
import { groupedBy, proofOf } from './proof.ts';
import type { Found } from './rule-parts.ts';
import { ruleOf } from './rule-parts.ts';
import type { VfioId } from './vfio-ids.ts';
import { keptBack, matchesId, vfioIds } from './vfio-ids.ts';

const rule = (
  code: Code,
  severity: Rule['severity'],
  find: Rule['find'],
  explains?: readonly Code[],
): Rule => ruleOf('driver', code, severity, find, explains);

/** What a guest meets whose device has its native driver. */
const NOT_DETACHED: readonly Code[] = ['guest.not-detached', 'devices.group-not-viable'];

/** Whether the devices of guests, and no others, have the driver of guests. */
export const DRIVER_RULES: readonly Rule[] = [
  rule('devices.ids-too-many', 'critical', idsTooMany),
  rule('bind.native-first', 'warning', nativeFirst, NOT_DETACHED),
  rule('bind.native-again', 'warning', nativeAgain, NOT_DETACHED),
  rule('devices.boot-vga', 'note', bootScreen, ['vfio.bar-in-use', 'vfio.rom-unreadable']),
];

const isVfio = (driver: string | null): boolean => driver !== null && /vfio[-_]pci$/.test(driver);
const isNative = ({ driver }: PciFunction): boolean => driver !== null && !isVfio(driver);

/** What one id means on this host. */
interface Meant extends VfioId {
  readonly taken: readonly PciFunction[];
  readonly native: readonly PciFunction[];
  /** Those of `native` that the host needs. */
  readonly used: readonly PciFunction[];
}

/** By id, each once. An override that names another driver keeps vfio-pci away (drivers/pci/pci-driver.c, pci_match_device). */
function meantByIds(symptoms: Symptoms): readonly Meant[] {
  const { functions } = symptoms.facts.devices;
  const ids = new Map(vfioIds(symptoms).map((one) => [one.id, one]));
  return [...ids.values()].map((one) => {
    const all = functions.filter(
      (fn) => matchesId(fn, one.id) && (fn.override === null || isVfio(fn.override)),
    );
    const native = all.filter(isNative);
    const used = native.filter(({ uses }) => uses.some(({ kind }) => kind !== 'guest'));
    return { ...one, taken: all.filter(({ driver }) => isVfio(driver)), native, used };
  });
}

/** Some of a model are the host's: the next boot, or the next load of vfio-pci, may take those as well. */
function idsTooMany(symptoms: Symptoms): readonly Found[] {
  return meantByIds(symptoms).flatMap(({ id, from, taken, native, used }) => {
    if (native.length === 0 || (used.length === 0 && taken.length === 0)) return [];
    const need = used.flatMap((fn) => fn.uses.map(({ what }) => `${nameOf(fn)}: ${what}`));
    const others = native.map((fn) => `${nameOf(fn)} (${fn.driver ?? ''})`);
    return [
      {
        sentence:
          `vfio-pci is to take every function with the id ${id}, and that means ${listed(others)} too` +
          (need.length === 0 ? '' : `, which the host uses (${listed(need)})`) +
          ': whichever driver comes first at a boot has them',
        proof: [proofOf(from.path, from.text), ...native.map(driverProof)],
        next: 'bind by address (bind: override in the entry of the spec, or driverctl set-override ADDRESS vfio-pci), and take the id out',
      },
    ];
  });
}

const driverProof = ({ address, driver }: PciFunction): Proof =>
  proofOf(`/sys/bus/pci/devices/${address}/driver`, driver ?? 'not there');

/** The id is there, and another driver was faster. */
function nativeFirst(symptoms: Symptoms): readonly Found[] {
  return meantByIds(symptoms).flatMap(({ id, from, taken, native, used }) => {
    if (taken.length > 0 || used.length > 0) return [];
    return [...groupedBy(native, ({ driver }) => driver ?? '')].map(([driver, functions]) => {
      const module = moduleOf(driver);
      const lines = keptBack(symptoms, driver);
      const why =
        lines.length === 0
          ? `no blacklist and no softdep keeps ${module} back`
          : `the initramfs may be older than the file that keeps ${module} back, or ${module} is built in`;
      return {
        sentence: `vfio-pci is to take ${listed(functions.map(nameOf))} by the id ${id}, and ${driver} had it first: ${why}`,
        proof: [
          proofOf(from.path, from.text),
          ...functions.map(driverProof),
          ...lines.map(({ path, text }) => proofOf(path, text)),
        ],
        next:
          lines.length === 0
            ? `write "softdep ${module} pre: vfio-pci" to modprobe.d and make the initramfs again (update-initramfs -u or dracut -f), or bind by address`
            : 'make the initramfs again (update-initramfs -u or dracut -f) and reboot, or bind by address',
      };
    });
  });
}

/** Set to be a guest's, and with its native driver again: libvirt gave it back, or the override came too late. */
function nativeAgain({ facts: { devices } }: Symptoms): readonly Found[] {
  return devices.functions.filter(isNative).flatMap((fn) => {
    const proof = reasonsForVfio(devices, fn);
    if (proof.length === 0) return [];
    const managed = devices.guests.find(({ hostdevs }) =>
      hostdevs.some((it) => it.address === fn.address && it.managed),
    );
    const why =
      managed === undefined
        ? fn.override === null
          ? 'somebody took its override away and bound it'
          : 'it was bound before the override was there, or somebody bound it by hand'
        : `guest ${guestName(managed)} has it with managed='yes', so libvirt gives it back to that driver, and takes the override away, whenever the guest stops`;
    return [
      {
        sentence: `${nameOf(fn)} is set to be on vfio-pci and has its native driver ${fn.driver ?? ''}: ${why}`,
        proof: [...proof, driverProof(fn)],
        next:
          managed === undefined
            ? `on the host: echo ${fn.address} > /sys/bus/pci/devices/${fn.address}/driver/unbind, then driver_override and drivers_probe; or vfleet plan SPEC`
            : `write managed='no' into its hostdev (virsh edit), then vfleet plan SPEC binds it again`,
      },
    ];
  });
}

/** What says that a function is to be on vfio-pci, beyond this boot or in it. */
function reasonsForVfio(devices: DeviceFacts, fn: PciFunction): readonly Proof[] {
  const { address, override } = fn;
  return [
    ...ownFilesFor(devices, fn),
    ...(devices.driverctl[address] === 'vfio-pci'
      ? [proofOf(`/etc/driverctl.d/pci-${address}`, 'vfio-pci')]
      : []),
    ...(isVfio(override)
      ? [proofOf(`/sys/bus/pci/devices/${address}/driver_override`, override ?? '')]
      : []),
  ];
}

/** Our rule of the function itself, or the script that makes it as a VF. A rule of a card that was there before says nothing. */
function ownFilesFor({ ownFiles }: DeviceFacts, fn: PciFunction): readonly Proof[] {
  const rule = parseBindRule(ownFiles[rulePath(fn.address)] ?? '');
  if (rule?.vendor === fn.vendor && rule.device === fn.device) {
    return [proofOf(rulePath(fn.address), 'driver_override="vfio-pci"')];
  }
  return fn.physfn === undefined ? [] : scriptFor(ownFiles, fn.physfn, fn.vfIndex ?? -1);
}

function scriptFor(files: DeviceFacts['ownFiles'], pf: string, index: number): readonly Proof[] {
  const vf = parseVfsScript(files[scriptPath(pf)] ?? '')?.vfs[index];
  if (vf?.driver !== 'vfio-pci') return [];
  return [proofOf(scriptPath(pf), `VF ${index} is for vfio-pci`)];
}

/** Works on some machines; on others the guest sees nothing, since firmware or kernel still hold its memory. */
function bootScreen({ facts: { devices } }: Symptoms): readonly Found[] {
  const wanted = wantedByGuests(devices);
  return devices.functions
    .filter((fn) => fn.bootVga && wanted.has(fn.address))
    .map((fn) => ({
      sentence: `${nameOf(fn)} is a guest's and the screen that firmware and kernel write to (boot VGA): the host has no console then, and the guest may find the card's memory taken and its ROM changed`,
      proof: [proofOf(`/sys/bus/pci/devices/${fn.address}/boot_vga`, '1'), driverProof(fn)],
      next: 'let the firmware start on another card (primary display in its setup), or keep a serial console at hand',
    }));
}
