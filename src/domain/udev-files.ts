import type { VfSettings } from './device-facts.ts';
import { isPciAddress, scriptPath } from './own-files.ts';

/**
 * The udev rule that binds one function to vfio-pci at each boot. Setting the override alone leaves the function without
 * a driver, since vfio-pci is loaded before: so the rule probes too, and unbinds what an initramfs has bound already
 * (tried on Linux 6.1 with systemd 252: shared facts on the host, §1).
 */
export function bindRule(fn: RuledFunction): string {
  return [
    `# vfleet binds this function to vfio-pci. To take it back: /var/lib/vfleet/UNDO.txt`,
    `ACTION=="add", ${matches(fn)}, ATTR{driver_override}="vfio-pci", RUN+="/bin/sh -c '${PROBE}'"`,
    '',
  ].join('\n');
}

const PROBE =
  'd=/sys/bus/pci/devices/$kernel; modprobe -q vfio-pci; ' +
  '[ -e $$d/driver ] && [ ! $$d/driver -ef /sys/bus/pci/drivers/vfio-pci ] && echo $kernel > $$d/driver/unbind; ' +
  'echo $kernel > /sys/bus/pci/drivers_probe; exit 0';

/** What a rule is for, or `undefined` when the text is not as `bindRule` makes it. */
export function parseBindRule(text: string): RuledFunction | undefined {
  return parseRule(text, bindRule);
}

/** The function that a rule is for: by its address, and by what it is, as sysfs has it without `0x`. */
export interface RuledFunction {
  readonly address: string;
  readonly vendor: string;
  readonly device: string;
}

/**
 * An address alone is not enough: a card that is added moves the numbers of buses, and at the next boot the host's own disk
 * or network card may stand at it (law 1).
 */
function matches({ address, vendor, device }: RuledFunction): string {
  return `SUBSYSTEM=="pci", KERNEL=="${address}", ATTR{vendor}=="0x${vendor}", ATTR{device}=="0x${device}"`;
}

function parseRule(text: string, make: (fn: RuledFunction) => string): RuledFunction | undefined {
  const of = (pattern: RegExp) => pattern.exec(text)?.[1] ?? '';
  const fn = {
    address: of(/KERNEL=="([^"]*)"/),
    vendor: of(/ATTR\{vendor\}=="0x([0-9a-f]{4})"/),
    device: of(/ATTR\{device\}=="0x([0-9a-f]{4})"/),
  };
  return isPciAddress(fn.address) && make(fn) === text ? fn : undefined;
}

/**
 * The udev rule that makes a PF's VFs again at each boot. `bind` comes with drivers that are loaded late, `add` with a
 * driver for those of the initramfs; the script does nothing the second time.
 */
export function vfsRule(pf: RuledFunction): string {
  return [
    `# vfleet makes the virtual functions of this one. To take it back: /var/lib/vfleet/UNDO.txt`,
    `ACTION=="add|bind", ${matches(pf)}, DRIVER=="?*", RUN+="/bin/sh ${scriptPath(pf.address)}"`,
    '',
  ].join('\n');
}

/** What a PF's rule is for, or `undefined` when the text is not as `vfsRule` makes it. */
export function parseVfsRule(text: string): RuledFunction | undefined {
  return parseRule(text, vfsRule);
}

/** Whether a text is a rule of ours for an address, also for a card that was there before. */
export function isRuleAt(text: string, address: string): boolean {
  return [parseBindRule(text), parseVfsRule(text)].some((fn) => fn?.address === address);
}

/** What a PF's script makes. */
export interface VfsPlan {
  readonly pf: string;
  readonly count: number;
  /** Of the PF's network interface; absent: as the driver makes it. */
  readonly mtu?: number;
  /** By index. */
  readonly vfs: readonly (VfSettings & { readonly driver: 'vfio-pci' | 'native' })[];
}

/** The script of a PF: its data first, then always the same text. */
export function vfsScript(plan: VfsPlan): string {
  const indices = (driver: string) =>
    plan.vfs.flatMap((vf, index) => (vf.driver === driver ? [index] : [])).join(' ');
  return [
    '#!/bin/sh',
    '# vfleet: udev runs this at each boot. It makes virtual functions, sets them, and only then gives them their drivers.',
    `pf=${plan.pf}`,
    `count=${plan.count}`,
    `mtu=${plan.mtu ?? ''}`,
    `vfio='${indices('vfio-pci')}'`,
    `native='${indices('native')}'`,
    'settings() {',
    ...plan.vfs.flatMap(settingLines),
    '  :',
    '}',
    SCRIPT,
  ].join('\n');
}

/**
 * A rate has a command of its own: it keeps no guest apart from others, and some drivers refuse it while the link is down
 * (ixgbe_ndo_set_vf_bw), as it is at a boot.
 */
function settingLines({ maxRate, ...others }: VfSettings, index: number): string[] {
  const words = settingWords(others);
  return [
    ...(words.length === 0 ? [] : [`  set_vf ${index} ${words.join(' ')}`]),
    ...(maxRate === undefined ? [] : [`  set_rate ${index} ${maxRate}`]),
  ];
}

/** What `ip link set dev PF vf N` is told (ip-link(8)). */
export function settingWords({ mac, vlan, trust, spoofCheck, maxRate }: VfSettings): string[] {
  const onOff = (value: boolean) => (value ? 'on' : 'off');
  return [
    ...(mac === undefined ? [] : ['mac', mac]),
    ...(vlan === undefined ? [] : ['vlan', String(vlan)]),
    ...(spoofCheck === undefined ? [] : ['spoofchk', onOff(spoofCheck)]),
    ...(trust === undefined ? [] : ['trust', onOff(trust)]),
    ...(maxRate === undefined ? [] : ['max_tx_rate', String(maxRate)]),
  ];
}

/**
 * It may be ended anywhere (udev kills what takes 180 s), and runs again at the next event: so the settings are made each
 * time, and a VF whose settings fail gets no driver. Without them a guest on it could reach every VLAN, by any address.
 * - With autoprobe off a VF without an override can be bound by nobody (drivers/pci/pci-driver.c, pci_device_can_probe).
 * - A VF that it has bound already is left alone: i40e resets a VF when its address is set, and a guest may run on it.
 * - i40e answers EAGAIN while it resets a VF, as after it is made: so it tries again for some seconds.
 * - udev says nothing of the output of programs; what is written to kmsg stands in dmesg and in the journal. A line of
 *   about 1000 bytes is refused (kernel/printk/printk.c, devkmsg_write).
 */
const SCRIPT = String.raw`PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
d=/sys/bus/pci/devices/$pf
failed=' '
problem=
give_up() {
  printf '<3>vfleet: %.800s\n' "$pf: $1" >/dev/kmsg
  exit 1
}
nic() {
  ls "$d/net" 2>/dev/null | head -n 1
}
try() {
  until said=$(ip link set dev "$(nic)" "$@" 2>&1); do
    [ "$tries" -gt 0 ] || return 1
    tries=$((tries - 1))
    sleep 1
  done
}
set_vf() {
  index=$1
  shift
  v=$(readlink -f "$d/virtfn$index")
  if [ "$(cat "$v/driver_override")" = vfio-pci ] && [ "$v/driver" -ef /sys/bus/pci/drivers/vfio-pci ]; then
    return
  fi
  try vf "$index" "$@" && return
  failed="$failed$index "
  problem=${'$'}{problem:-"VF $index could not be set: $said"}
}
set_rate() {
  said=$(ip link set dev "$(nic)" vf "$1" max_tx_rate "$2" 2>&1) ||
    problem=${'$'}{problem:-"VF $1 has no limit of its rate: $said"}
}
found=$(cat "$d/sriov_numvfs") || exit 1
case $found in
  "$count") ;;
  0)
    echo 0 >"$d/sriov_drivers_autoprobe" || give_up 'VFs would get a driver before their settings'
    echo "$count" >"$d/sriov_numvfs" || give_up "the driver did not make $count VFs"
    ;;
  *) give_up "it has $found VFs, not $count" ;;
esac
tries=5
[ -z "$mtu" ] || try mtu "$mtu" || problem="its MTU is not $mtu: $said"
tries=10
settings
[ -z "$vfio" ] || modprobe -q vfio-pci
for index in $vfio; do
  v=$(readlink -f "$d/virtfn$index")
  case $failed in
    *" $index "*)
      echo >"$v/driver_override"
      continue
      ;;
  esac
  [ "$(cat "$v/driver_override")" = vfio-pci ] || echo vfio-pci >"$v/driver_override"
  if [ -e "$v/driver" ] && [ ! "$v/driver" -ef /sys/bus/pci/drivers/vfio-pci ]; then
    echo "${'$'}{v##*/}" >"$v/driver/unbind"
  fi
  [ -e "$v/driver" ] || echo "${'$'}{v##*/}" >/sys/bus/pci/drivers_probe
done
if [ -n "$native" ]; then
  echo 1 >"$d/sriov_drivers_autoprobe"
  for index in $native; do
    v=$(readlink -f "$d/virtfn$index")
    case $failed in
      *" $index "*) continue ;;
    esac
    [ -e "$v/driver" ] || echo "${'$'}{v##*/}" >/sys/bus/pci/drivers_probe
  done
  [ "$failed" = ' ' ] || echo 0 >"$d/sriov_drivers_autoprobe"
fi
[ "$failed" = ' ' ] || problem="$problem; no driver for VFs$failed"
[ -z "$problem" ] || give_up "$problem"
exit 0
`;

/** What a script makes, or `undefined` when the text is not as `vfsScript` makes it. */
export function parseVfsScript(text: string): VfsPlan | undefined {
  const value = (name: string) => new RegExp(`^${name}='?([^'\n]*)'?$`, 'm').exec(text)?.[1] ?? '';
  const pf = value('pf');
  const count = Number(value('count'));
  if (!isPciAddress(pf) || !Number.isInteger(count) || count < 0 || count > 65_536)
    return undefined;
  const vfio = new Set(value('vfio').split(' '));
  const settings = settingsByIndex(text);
  const vfs = Array.from({ length: count }, (_, index) => ({
    driver: vfio.has(String(index)) ? ('vfio-pci' as const) : ('native' as const),
    ...settings.get(String(index)),
  }));
  const mtu = value('mtu');
  const plan = { pf, count, vfs, ...(mtu === '' ? {} : { mtu: Number(mtu) }) };
  return vfsScript(plan) === text ? plan : undefined;
}

function settingsByIndex(text: string): ReadonlyMap<string, VfSettings> {
  const found = new Map<string, VfSettings>();
  for (const line of text.split('\n')) {
    const [, name, index = '', words = ''] = /^ {2}(set_vf|set_rate) (\d+) (.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const more = name === 'set_rate' ? { maxRate: Number(words) } : parseSettings(words);
    found.set(index, { ...found.get(index), ...more });
  }
  return found;
}

function parseSettings(text: string): VfSettings {
  const words = text.split(' ');
  const of = (name: string) => {
    const at = words.indexOf(name);
    return at === -1 ? undefined : words[at + 1];
  };
  const [mac, vlan, spoofchk, trust] = ['mac', 'vlan', 'spoofchk', 'trust'].map(of);
  return {
    ...(mac === undefined ? {} : { mac }),
    ...(vlan === undefined ? {} : { vlan: Number(vlan) }),
    ...(spoofchk === undefined ? {} : { spoofCheck: spoofchk === 'on' }),
    ...(trust === undefined ? {} : { trust: trust === 'on' }),
  };
}
