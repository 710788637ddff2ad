#!/bin/bash
# Print the folder of the lab's host image (host.qcow2 and the SSH key "key" that opens it), building it when it is not
# cached. The cache is keyed by a digest of the recipe, so a changed recipe is a new image and an old one is never reused.
#
# The image is a real Debian 12 host (GPT, ESP, ext4, real GRUB) made of packages only, without loop mounts. It starts
# with the IOMMU off (intel_iommu=off): what a rollout has to change.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=$(dirname "$here")/.cache/lab
suite=bookworm
size_mb=6144
esp_mb=48

started=$SECONDS
step() { echo "lab image: $1 ($((SECONDS - started)) s)" >&2; }

recipe_digest() {
  (cd "$here" && find build-image.sh boot.sh image -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) |
    sha256sum | cut -c1-16
}

# The mirror this machine uses for a suite of its own release, main or -security.
mirror_of() {
  apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' |
    awk -v c="$(. /etc/os-release && echo "$VERSION_CODENAME")$1" '$2 == c { print $1; exit }'
}

make_root() {
  local main security packages
  main=$(mirror_of '')
  security=$(mirror_of -security)
  [ -n "$main" ] && [ -n "$security" ] || { echo "lab image: apt names no Debian mirror; run apt-get update" >&2; return 1; }
  packages=$(grep -v '^#' "$here/image/packages.txt" | paste -sd,)
  # Our files go in first: the initramfs made when the kernel is installed must already be the small one.
  mmdebstrap --mode=root --variant=minbase --include="$packages" \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io --dpkgopt=force-confold \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --essential-hook="cp -r --no-preserve=ownership '$here/image/root/.' \"\$1/\"" \
    "$suite" "$root" "deb $main $suite main" "deb $main $suite-updates main" \
    "deb $security $suite-security main" >"$work/mmdebstrap.log" 2>&1 ||
    { tail -30 "$work/mmdebstrap.log" >&2; return 1; }
}

configure_root() {
  chroot "$root" useradd -m -s /bin/bash admin
  install -d -m700 "$root/home/admin/.ssh"
  install -m600 "$work/key.pub" "$root/home/admin/.ssh/authorized_keys"
  chroot "$root" chown -R admin:admin /home/admin
  chmod 440 "$root/etc/sudoers.d/admin"
  rm -f "$root"/etc/ssh/ssh_host_*
  ln -sf /usr/share/zoneinfo/UTC "$root/etc/localtime"
  chroot "$root" systemctl -q enable systemd-networkd ssh lab-host-key lab-ready lab-seal 2>/dev/null
  chroot "$root" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service \
    systemd-networkd-wait-online.service serial-getty@ttyS0.service 2>/dev/null
  # libvirt starts when somebody asks it something (its sockets stay), so that hosts without guests boot no slower. Its
  # default network wants dnsmasq; libvirt-guests would wait 5 minutes for a guest that hears no power button.
  chroot "$root" systemctl -q disable libvirtd.service libvirt-guests.service virtlogd.service 2>/dev/null
  rm -f "$root/etc/libvirt/qemu/networks/autostart/default.xml"
  configure_grub
  rm -rf "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/*
}

# Debian's own file with four lines changed, so that what the tests edit looks like what operators have.
# no_timer_check: without it an OVMF boot with interrupt remapping can panic in emulation.
configure_grub() {
  sed -e 's/^GRUB_TIMEOUT=.*/GRUB_TIMEOUT=0/' \
    -e 's/^GRUB_CMDLINE_LINUX=.*/GRUB_CMDLINE_LINUX="console=ttyS0 no_timer_check intel_iommu=off"/' \
    -e 's/^#GRUB_TERMINAL=console/GRUB_TERMINAL=console/' \
    "$root/usr/share/grub/default/grub" >"$root/etc/default/grub"
  mkdir -p "$root/boot/grub/x86_64-efi"
  cp "$root"/usr/lib/grub/x86_64-efi/*.{mod,lst} "$root/boot/grub/x86_64-efi/"
  kernel=$(basename "$root"/boot/vmlinuz-* | sed s/vmlinuz-//)
  # Good for one boot only: grub-probe cannot work in a chroot, so the sealing boot runs the real update-grub. With
  # panic=1 and -no-reboot one that fails ends at once.
  printf '%s\n' "linux /boot/vmlinuz-$kernel root=LABEL=LABROOT ro console=ttyS0 no_timer_check intel_iommu=off panic=1" \
    "initrd /boot/initrd.img-$kernel" boot >"$root/boot/grub/grub.cfg"
  # As update-grub makes it; it keeps the mode of the file it overwrites.
  chmod 600 "$root/boot/grub/grub.cfg"
}

make_disk() {
  local raw=$work/disk.raw root_mb=$((size_mb - esp_mb - 2))
  truncate -s "${size_mb}M" "$raw"
  printf 'label: gpt\nstart=1MiB,size=%dMiB,type=U,name=ESP\nsize=%dMiB,type=L,name=root\n' "$esp_mb" "$root_mb" |
    sfdisk -q "$raw"
  # early.cfg is built into the boot loader's image: it finds our root by label, then does what a real Debian does. It
  # takes no comments. grub-mkimage is taken from the new root, so the build machine needs no GRUB.
  cp "$here/image/early.cfg" "$root/tmp/"
  chroot "$root" grub-mkimage -O x86_64-efi -o /tmp/BOOTX64.EFI -p /boot/grub -c /tmp/early.cfg \
    part_gpt ext2 fat search search_label search_fs_uuid configfile normal linux echo test ls cat boot reboot halt \
    loadenv minicmd serial terminal all_video gzio
  mv "$root/tmp/BOOTX64.EFI" "$work/"
  rm "$root/tmp/early.cfg"
  truncate -s "${esp_mb}M" "$work/esp.img"
  mkfs.vfat -n ESP "$work/esp.img" >/dev/null
  mmd -i "$work/esp.img" ::EFI ::EFI/BOOT
  mcopy -i "$work/esp.img" "$work/BOOTX64.EFI" ::EFI/BOOT/
  dd if="$work/esp.img" of="$raw" bs=1M seek=1 conv=notrunc,sparse status=none
  mke2fs -q -t ext4 -L LABROOT -d "$root" -E "offset=$(((1 + esp_mb) * 1048576)),lazy_itable_init=1" "$raw" "${root_mb}M"
  qemu-img convert -O qcow2 "$raw" "$work/raw.qcow2"
  rm -rf "$raw" "$root"
}

# One boot, in which lab-seal.service runs and turns the machine off. See image/root/etc/lab-seal.sh.
#
# timeout leaves our process group, so it must be told by the kernel when we die; and the machine must not inherit the
# lock, else a build that was killed would keep the next one waiting for as long as its machine lives.
seal() {
  IMAGE=$work/raw.qcow2 setpriv --pdeathsig TERM timeout 900 "$here/boot.sh" "$work/seal" -no-reboot \
    </dev/null >"$work/console.log" 2>&1 9>&- &&
    grep -q '^lab-sealed' "$work/console.log" ||
    { tail -30 "$work/console.log" >&2; echo "lab image: the sealing boot failed" >&2; return 1; }
  qemu-img convert -c -O qcow2 -o compression_type=zstd "$work/seal/disk.qcow2" "$work/host.qcow2"
  rm -rf "$work/seal" "$work/raw.qcow2" "$work/esp.img" "$work/BOOTX64.EFI"
}

"$here/install.sh" >&2
image=$cache/$(recipe_digest)
mkdir -p "$cache"
exec 9>"$cache/lock" # two builds at once: the second waits and takes the first one's image
flock 9
if [ ! -f "$image/host.qcow2" ]; then
  [ "$(id -u)" = 0 ] || { echo "lab image: building one needs root (mmdebstrap, chroot)" >&2; exit 1; }
  rm -rf "$cache"/build.* # of builds that were killed
  work=$(mktemp -d "$cache/build.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  root=$work/root
  ssh-keygen -q -t ed25519 -N '' -C vfleet-lab -f "$work/key"
  step 'installing packages'
  make_root
  step 'configuring'
  configure_root
  step 'making the disk'
  make_disk
  step 'sealing'
  seal
  step 'done'
  rm -rf "$image"
  mv "$work" "$image"
  trap - EXIT
fi
echo "$image"
