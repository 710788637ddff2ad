#!/bin/bash
# Install what the lab needs from Debian's packages. Idempotent: does nothing when all of it is there.
#
# QEMU comes from backports when that suite can be had, because only QEMU >= 8 has the igb network card; Debian 12's own
# 7.2 has SR-IOV on its NVMe device, which is enough for everything that needs no network VFs.
set -euo pipefail

PACKAGES=(mmdebstrap mtools dosfstools fdisk e2fsprogs openssh-client ovmf qemu-utils)
QEMU=(qemu-system-x86)

installed() { dpkg-query -W -f '${Status}\n' "$@" 2>/dev/null | grep -c '^install ok installed$'; }

wanted=$((${#PACKAGES[@]} + ${#QEMU[@]}))
[ "$(installed "${PACKAGES[@]}" "${QEMU[@]}" || true)" != "$wanted" ] || exit 0
[ "$(id -u)" = 0 ] || { echo "lab/install.sh: packages are missing; run it once as root" >&2; exit 1; }

export DEBIAN_FRONTEND=noninteractive
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
backports=$codename-backports

# The suite is added for this one command only, in a scratch copy of apt's configuration, from the mirror the machine
# already uses: the machine's own sources stay as its owner wrote them.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -a /etc/apt/. "$scratch/"
mkdir -p "$scratch/lists/partial" "$scratch/sources.list.d"
chmod 755 "$scratch"
apt_with_backports=(-o "Dir::Etc=$scratch" -o "Dir::State::lists=$scratch/lists" -o 'APT::Sandbox::User=root')

add_backports() {
  local mirror
  mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 'Created-By: Packages' |
    awk -v c="$codename" '$2 == c { print $1; exit }')
  [ -n "$mirror" ] || return 1
  printf 'deb %s %s main\n' "$mirror" "$backports" >"$scratch/sources.list.d/vfleet-lab.list"
  apt-get "${apt_with_backports[@]}" -q update
}

apt-get -q update
apt-get -q install -y --no-install-recommends "${PACKAGES[@]}"
if add_backports && apt-get "${apt_with_backports[@]}" -q install -y --no-install-recommends -t "$backports" "${QEMU[@]}"; then
  exit 0
fi
echo "lab/install.sh: no QEMU from $backports; taking $codename's own, without the igb card" >&2
apt-get -q install -y --no-install-recommends "${QEMU[@]}"
