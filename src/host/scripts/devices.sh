# What read.sh asks about devices and guests. Each function runs inside $(...), so what it sets is gone afterwards; each
# starts few processes whatever the number of devices.
in_folder() {
  # Relative names, since the folder would stand in front of each line.
  cd "$1" 2>/dev/null || return 0
  pattern=$2
  shift 2
  for name; do set -- "$@" */"$name"; shift; done
  grep -sH -e "$pattern" "$@" || :
}
pci_names() {
  wanted=
  for device in /sys/bus/pci/devices/*; do
    { read -r vendor <"$device/vendor" && read -r id <"$device/device"; } 2>/dev/null || continue
    id=${vendor#0x}:${id#0x}
    case $wanted in *"$id"*) ;; *) wanted="$wanted $id" ;; esac
  done
  for ids in /usr/share/misc/pci.ids /usr/share/hwdata/pci.ids /usr/share/pci.ids; do
    [ -r "$ids" ] || continue
    awk -v wanted="$wanted" '
      BEGIN { n = split(wanted, list, " "); for (i = 1; i <= n; i++) { want[list[i]] = 1; vendors[substr(list[i], 1, 4)] = 1 } }
      /^C / { exit }
      /^\t\t/ || /^#/ { next }
      /^\t/ { if (known && (vendor ":" substr($0, 2, 4)) in want) print vendor ":" substr($0, 2); next }
      { vendor = substr($0, 1, 4); known = vendor in vendors; if (known) print }' "$ids"
    return
  done
}
msi_vectors() {
  for folder in /sys/bus/pci/devices/*/msi_irqs; do
    set -- "$folder"/*
    { read -r mode <"$1"; } 2>/dev/null || continue
    folder=${folder%/msi_irqs}
    printf '%s %s %s\n' "${folder##*/}" $# "$mode"
  done
}
bridge_config() {
  set --
  for device in /sys/bus/pci/devices/*; do
    { read -r class <"$device/class"; } 2>/dev/null || continue
    case $class in 0x0604*) set -- "$@" "$device/config" ;; esac
  done
  [ $# -eq 0 ] || head -v -c 4096 "$@" 2>/dev/null | base64 -w 0
}
mounts() {
  awk '{
    for (i = 7; i <= NF && $i != "-"; i++);
    type = $(i + 1)
    if ($5 !~ /^\/(boot|boot\/efi|efi|usr|var|etc)?$/ &&
      type ~ /^(proc|sysfs|devtmpfs|devpts|tmpfs|ramfs|cgroup|cgroup2|overlay|nsfs|securityfs|pstore|bpf|tracefs|debugfs|configfs|fusectl|mqueue|hugetlbfs|autofs|binfmt_misc|efivarfs|rpc_pipefs|nfsd|selinuxfs|resctrl)$/) next
    if (!seen[$3 " " type]++) print
  }' /proc/self/mountinfo
}
default_routes() {
  for family in -4 -6; do
    routes=$(ip -j $family route show table all default 2>/dev/null)
    printf '%s\n' "$routes"
  done
}
ssh_route() {
  [ -n "$connection" ] || return 1
  peer=${connection%% *}
  own=${connection% *}
  own=${own##* }
  peer=${peer%%"%"*}
  own=${own%%"%"*}
  peer=${peer#::ffff:}
  own=${own#::ffff:}
  case $peer$own in *[!0-9A-Fa-f.:]*) return 1 ;; esac
  ip -j route get "$peer" from "$own" 2>/dev/null || ip -j route get "$peer"
}
storage_routes() {
  peers=$(
    awk '{
      for (i = 7; i <= NF && $i != "-"; i++);
      if ($(i + 1) ~ /^(nfs|nfs4|cifs|smb3)$/ && match($0, /[ ,]addr=[0-9A-Fa-f.:]+/)) print substr($0, RSTART + 6, RLENGTH - 6)
      else if ($(i + 1) == "ceph" && match($(i + 2), /[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+/)) print substr($(i + 2), RSTART, RLENGTH)
    }' /proc/self/mountinfo 2>/dev/null
    for file in /sys/class/iscsi_connection/*/persistent_address; do
      { read -r peer <"$file"; } 2>/dev/null && printf '%s\n' "$peer"
    done
  )
  IFS='
'
  seen=
  for peer in $peers; do
    case $peer in *[!0-9A-Fa-f.:]*) continue ;; esac
    case $seen in *" $peer "*) continue ;; esac
    seen="$seen $peer "
    [ ${#seen} -lt 1500 ] || break
    printf '%s %s\n' "$peer" "$(ip -j route get "$peer" 2>/dev/null)"
  done
}
# Only the elements and attributes that are named here leave the host: guests hold passwords elsewhere.
guests() {
  awk 'BEGIN {
    RS = "<"
    n = split("domstatus domain name memory vcpu cputune vcpupin numatune memoryBacking hugepages page locked devices memballoon hostdev interface disk source address target seclabel label", list, " ")
    for (i = 1; i <= n; i++) tags[list[i]] = 1
    n = split("name memory vcpu label", list, " ")
    for (i = 1; i <= n; i++) texts[list[i]] = 1
    n = split("type mode unit nodeset vcpu cpuset current model managed dev file bridge network domain bus slot function state size", list, " ")
    for (i = 1; i <= n; i++) attributes[list[i]] = 1
    attribute = "^[ \t\r\n]+[A-Za-z_:-]+=(\047[^\047]*\047|\"[^\"]*\")"
    for (a = 1; a < ARGC; a++) {
      if (ARGV[a] ~ /\*/) continue
      print "file " ARGV[a]
      skip = ""
      while ((getline element <ARGV[a]) > 0) {
        if (skip == "" && element ~ /^!--/) skip = "-->"
        else if (skip == "" && element ~ /^!\[CDATA\[/) skip = "]]>"
        if (skip != "") { if (index(element, skip)) skip = ""; continue }
        start = element ~ /^\// ? 2 : 1
        rest = substr(element, start)
        tag = match(rest, /^[A-Za-z]+/) ? substr(rest, 1, RLENGTH) : ""
        if (!(tag in tags)) continue
        if (start == 2) { print "</" tag ">"; continue }
        rest = substr(rest, length(tag) + 1)
        shown = "<" tag
        while (match(rest, attribute)) {
          piece = substr(rest, 1, RLENGTH)
          rest = substr(rest, RLENGTH + 1)
          sub(/^[ \t\r\n]+/, "", piece)
          if (substr(piece, 1, index(piece, "=") - 1) in attributes) shown = shown " " piece
        }
        sub(/^[ \t\r\n]+/, "", rest)
        if (rest ~ /^\/>/) shown = shown "/>"
        else if (rest ~ /^>/) shown = shown ">" (tag in texts ? substr(rest, 2) : "")
        else shown = "<unreadable"
        gsub(/[\r\n]+/, " ", shown)
        print shown
      }
      close(ARGV[a])
    }
  }' /etc/libvirt/qemu/*.xml /run/libvirt/qemu/*.xml
}
# Only lines that say how many, and of what: these files hold secrets too.
vf_count_owners() {
  set --
  for file in /etc/NetworkManager/system-connections/* /run/NetworkManager/system-connections/* \
    /usr/lib/NetworkManager/system-connections/* /etc/sysconfig/network-scripts/ifcfg-* \
    /etc/netplan/*.yaml /run/netplan/*.yaml /lib/netplan/*.yaml \
    /etc/systemd/network/*.link /etc/systemd/network/*.link.d/*.conf /run/systemd/network/*.link \
    /usr/lib/systemd/network/*.link /etc/systemd/system/*.service /etc/udev/rules.d/*.rules /etc/tmpfiles.d/*.conf \
    /etc/rc.local /etc/network/interfaces /etc/network/interfaces.d/* /etc/sysfs.conf /etc/sysfs.d/*.conf; do
    [ -f "$file" ] || continue
    case $file in */70-vfleet-* | */vfleet.conf) ;; *) set -- "$@" "$file" ;; esac
  done
  [ $# -eq 0 ] || awk 'BEGIN {
    for (a = 1; a < ARGC; a++) {
      file = ARGV[a]
      depth = 0
      while ((getline row <file) > 0) {
        if (row ~ /^[ \t]*[#;]/) continue
        value = row
        sub(/^[^=:]*[=:][ \t]*/, "", value)
        gsub(/["\047\r]/, "", value)
        if (row ~ /^[ \t]*(total-vfs|SR-IOVVirtualFunctions|SRIOV_TOTAL_VFS)[ \t]*=/) print file "\tcount=" value
        else if (row ~ /^[ \t]*(interface-name|OriginalName|PermanentMACAddress|Path|DEVICE)[ \t]*=/) print file "\tname=" value
        else if (file ~ /\/netplan\//) {
          match(row, /^ */)
          indent = RLENGTH
          if (row ~ /^ *virtual-function-count:/) {
            for (i = depth; i > 0 && at[i] >= indent; i--);
            if (i > 0) print file "\tname=" key[i]
            print file "\tcount=" value
          } else if (row ~ /^ *[A-Za-z0-9_.-]+: *$/) {
            while (depth > 0 && at[depth] >= indent) depth--
            at[++depth] = indent
            key[depth] = row
            gsub(/[ :\r]/, "", key[depth])
          }
        } else if (row ~ /sriov_numvfs/) {
          if (match(row, /[0-9a-f][0-9a-f][0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[01][0-9a-f][.][0-7]/)) print file "\tname=" substr(row, RSTART, RLENGTH)
          else if (match(row, /\/net\/[A-Za-z0-9_.-]+\//)) print file "\tname=" substr(row, RSTART + 5, RLENGTH - 6)
          print file "\tcount="
        }
      }
      close(file)
    }
  }' "$@"
}
# Of the modules that our file names: whether the running kernel has each in itself, as a file, or not at all.
boot_modules() {
  [ -f /etc/modules-load.d/vfleet.conf ] || return 0
  { read -r release </proc/sys/kernel/osrelease; } 2>/dev/null || return 1
  folder=/lib/modules/$release
  [ -r "$folder/modules.dep" ] && [ -r "$folder/modules.builtin" ] || return 1
  awk '
    { word = FILENAME ~ /[.]conf$/ ? "" : FILENAME ~ /builtin$/ ? "builtin" : "file" }
    word == "" && /^[A-Za-z0-9]/ { print $1, ($1 in where ? where[$1] : "none") }
    word == "" { next }
    { sub(/:.*/, ""); sub(/.*\//, ""); sub(/[.]ko.*$/, ""); gsub(/-/, "_"); if (!($0 in where)) where[$0] = word }
  ' "$folder/modules.builtin" "$folder/modules.dep" /etc/modules-load.d/vfleet.conf 2>/dev/null
}
# What makes the images: as src/facts/devices/initramfs.ts decides it.
initramfs_maker() {
  if command -v dracut >/dev/null 2>&1 &&
    ! { command -v update-initramfs >/dev/null 2>&1 && command -v mkinitramfs >/dev/null 2>&1; }; then
    echo dracut
  elif command -v update-initramfs >/dev/null 2>&1; then
    echo initramfs-tools
  else
    echo none
  fi
}
# lsinitrd ends well on an image that it shows a part of only: without the version at its head, or without what is in a
# squashed root, there is no list. Names stand in the ninth field of cpio's lines, in the sixth of unsquashfs's.
lsinitrd_names() {
  shown=$(lsinitrd "$1" 2>/dev/null) || return 1
  printf '%s\n' "$shown" | awk '
    /^Version: / { whole = 1 }
    !/^[-bcdlps][-rwxsStT][-rwxsStT]/ { next }
    { name = NF >= 9 ? $9 : $6 }
    name == "squash-root.img" { squashed = 1 }
    sub(/^squashfs-root\//, "", name) { squashed = 0 }
    { print name }
    END { exit !whole || squashed }'
}
image_names() {
  case $maker in
    initramfs-tools) lsinitramfs "$1" 2>/dev/null ;;
    dracut) lsinitrd_names "$1" ;;
    *) return 1 ;;
  esac
}
# Neither copies, nor images that only kdump and a rescue boot use, which their own services make.
initramfs() {
  maker=$(initramfs_maker)
  printf 'maker %s\n' "$maker"
  for image in /boot/initrd.img-* /boot/initramfs-*.img /boot/*/*/initrd /boot/efi/*/*/initrd /efi/*/*/initrd; do
    case $image in *'*'* | *.bak | *.old | *.dpkg-* | *kdump.img | *-rescue-* | */0-rescue/*) continue ;; esac
    if names=$(image_names "$image"); then
      printf 'image %s\n' "$image"
      printf '%s\n' "$names" | grep -E 'vfleet|/vfio[^/]*[.]ko' || :
    else
      printf 'unreadable %s\n' "$image"
    fi
  done
}
