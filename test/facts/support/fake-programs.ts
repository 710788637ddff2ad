/**
 * Programs for UNDO.txt in a throw-away folder, in which files and links stand for sysfs, libvirt and initramfs images. They
 * do what the real ones were seen to do (shared facts on the host, §1, §2, §9, §10), as far as UNDO.txt calls them. `tee` is the
 * kernel: it is what UNDO.txt writes to sysfs with. The one whose number stands in the file `dies-at` fails, having done nothing.
 */
export function fakePrograms(root: string): Readonly<Record<string, string>> {
  const program = (text: string) => `#!/bin/sh\nroot='${root}'\n${COUNTED}${text}`;
  const logged = (name: string) => `#!/bin/sh\necho "${name} $*" >>'${root}/said'\n`;
  return {
    tee: program(KERNEL),
    virsh: program(VIRSH),
    'update-initramfs': program(UPDATE_INITRAMFS),
    lsinitramfs: '#!/bin/sh\ncat "$1"\n',
    'grub2-editenv': program(GRUB2_EDITENV),
    ip: `${logged('ip')}${ip(root)}`,
    modprobe: logged('modprobe'),
    udevadm: '#!/bin/sh\n',
    id: '#!/bin/sh\nif [ "$1" = -u ]; then echo 0; else echo root; fi\n',
  };
}

const COUNTED = `count=$(cat "$root/count" 2>/dev/null || echo 0)
count=$((count + 1))
echo "$count" >"$root/count"
if [ "$count" = "$(cat "$root/dies-at" 2>/dev/null)" ]; then exit 1; fi
echo "\${0##*/} $(printf %s "$*" | sed "s,$root,,g")" >>"$root/said"
`;

/** \`list\`, \`set NAME=VALUE\` and \`unset NAME\` on a block of lines. */
const GRUB2_EDITENV = `case $2 in
  list) cat "$1" ;;
  set) { grep -v "^\${3%%=*}=" "$1"; printf '%s\\n' "$3"; } >"$1.new"; mv "$1.new" "$1" ;;
  unset) grep -v "^$3=" "$1" >"$1.new" || :; mv "$1.new" "$1" ;;
  *) exit 1 ;;
esac
`;

const KERNEL = `read -r value
pci=$root/sys/bus/pci
refuse() { echo "tee: $1" >&2; exit 1; }
bind() { ln -sfn "../../drivers/$2" "$pci/devices/$1/driver"; }
case $1 in
  */driver_override) printf '%s\\n' "\${value:-(null)}" >"$1" ;;
  */driver/unbind) rm "\${1%/unbind}" || refuse 'No such device' ;;
  */drivers_probe)
    device=$pci/devices/$value
    [ -e "$device" ] || refuse 'No such device'
    [ ! -L "$device/driver" ] || exit 0
    read -r name <"$device/driver_override"
    if [ "$name" = '(null)' ]; then
      if [ -L "$device/physfn" ] && [ "$(cat "$device/physfn/sriov_drivers_autoprobe")" = 0 ]; then exit 0; fi
      name=$(cat "$device/native")
    fi
    [ ! -d "$pci/drivers/$name" ] || bind "$value" "$name"
    ;;
  */sriov_numvfs)
    pf=\${1%/sriov_numvfs}
    now=$(cat "$1")
    if [ "$value" != 0 ] && [ "$now" != 0 ] && [ "$now" != "$value" ]; then refuse 'Device or resource busy'; fi
    [ "$value" -le 8 ] || refuse 'Numerical result out of range'
    if [ "$value" = 0 ]; then rm -rf "$pf"/virtfn* "$pci"/devices/0000:3b:02.*; fi
    at=0
    while [ "$now" = 0 ] && [ "$at" -lt "$value" ]; do
      vf=0000:3b:02.$at
      mkdir "$pci/devices/$vf"
      echo '(null)' >"$pci/devices/$vf/driver_override"
      echo pci:v00008086d00001889 >"$pci/devices/$vf/modalias"
      echo iavf >"$pci/devices/$vf/native"
      ln -s "../\${pf##*/}" "$pci/devices/$vf/physfn"
      ln -s "../../../../kernel/iommu_groups/4$at" "$pci/devices/$vf/iommu_group"
      ln -s "../$vf" "$pf/virtfn$at"
      [ "$(cat "$pf/sriov_drivers_autoprobe")" = 0 ] || bind "$vf" iavf
      at=$((at + 1))
    done
    echo "$value" >"$1"
    ;;
  *) printf '%s\\n' "$value" >"$1" ;;
esac
`;

/** Of a guest that does not let go it says that all went well, as libvirt 9 does. */
const VIRSH = `shift 2
verb=$1 guest=$2
case $4$5 in
  *--live*) file=$root/run/libvirt/qemu/$guest.xml ;;
  *) file=$root/etc/libvirt/qemu/$guest.xml ;;
esac
case $verb in
  detach-device)
    address=$(sed -n "s/.*<address \\(domain='[^/]*'\\)\\/>.*/\\1/p" "$3")
    grep -qF "$address" "$file" || { echo 'error: device not found' >&2; exit 1; }
    if [ "$4" = --live ] && [ -e "$root/stubborn" ]; then exit 0; fi
    awk -v address="$address" '
      /<hostdev/ { block = ""; inside = 1 }
      inside { block = block $0 "\\n"; if (/<\\/hostdev>/) { inside = 0; if (!index(block, address)) printf "%s", block }; next }
      { print }' "$file" >"$file.new" && cat "$file.new" >"$file" && rm "$file.new"
    ;;
  define)
    guest=$(sed -n 's/.*<name>\\(.*\\)<.name>.*/\\1/p' "$2")
    cp "$2" "$root/etc/libvirt/qemu/$guest.xml"
    ;;
  vcpupin) sed -i "s/\\(<vcpupin vcpu='$3' cpuset='\\)[^']*/\\1$4/" "$file" ;;
  *) exit 9 ;;
esac
`;

const UPDATE_INITRAMFS = `for image in "$root"/boot/initrd.img-*; do
  {
    echo etc/fstab
    (cd "$root/etc/udev/rules.d" && ls *.rules 2>/dev/null) | sed 's,^,usr/lib/udev/rules.d/,'
    if [ -e "$root/etc/modprobe.d/vfleet.conf" ]; then echo etc/modprobe.d/vfleet.conf; fi
  } >"$image"
done
`;

const ip = (root: string) =>
  `if [ "$5" = mtu ]; then echo "$6" >'${root}'/sys/bus/pci/devices/0000:3b:00.0/net/"$4"/mtu; fi\n`;
