
# VFs: the count over none, as the kernel wants it, then what was set on each. And huge pages.
vf_address() { basename "$(readlink "$pci/devices/$1/virtfn$2")"; }
number_in() {
  number=
  { read -r number <"$1"; } 2>/dev/null
  say "$number"
}
nic_of() { ls "$pci/devices/$1/net" 2>/dev/null | head -n 1; }

# check_pf PF VFS_BEFORE VFS_AFTER AUTOPROBE MTU_BEFORE MTU_AFTER VFIO: the indices of those that went to vfio-pci.
check_pf() {
  [ -e "$pci/devices/$1/sriov_numvfs" ] || return 0
  pf=$1 old_count=$2 new_count=$3 vfio=$7
  count=$(number_in "$pci/devices/$1/sriov_numvfs")
  case $count in '' | *[!0-9]*) die "$1 does not say how many VFs it has; $so_far" ;; esac
  if ! is_one_of "$count" 0 "$2" "$3"; then
    # The driver may have made fewer than asked; nobody has touched those.
    [ "$count" -lt "$2" ] || [ "$count" -lt "$3" ] || die "$1 has $count VFs, neither as before $rollout nor as after; $so_far. Look at it"
  fi
  index=0
  while [ "$index" -lt "$count" ]; do
    check_vf
    index=$((index + 1))
  done
  nic=$(nic_of "$1")
  if [ -n "$6" ] && [ -n "$nic" ] && ! is_one_of "$(number_in "$pci/devices/$1/net/$nic/mtu")" "$5" "$6"; then
    die "the MTU of $1 is neither as before $rollout nor as after; $so_far. Look at it"
  fi
}
find_vf() {
  if [ "$1 $2" = "$pf $index" ]; then old_driver=$3 old_override=$4 old_settings=${5-}; fi
}
check_vf() {
  vf=$(vf_address "$pf" "$index")
  [ -n "$vf" ] || die "$pf says $count VFs, and not all of them are there; $so_far. See dmesg"
  old_driver='' old_override='' old_settings='' new_driver='' new_override=''
  if [ "$count" = "$old_count" ]; then old_vfs find_vf; fi
  if [ "$count" = "$new_count" ]; then
    case " $vfio " in *" $index "*) new_driver=vfio-pci new_override=vfio-pci ;; *) new_driver=native ;; esac
  fi
  found=$(driver_of "$vf")
  if [ -n "$found" ] && [ "$found" != "$old_driver" ] && ! has_driver "$new_driver" "$found" ||
    ! is_one_of "$(override_of "$vf")" '' "$old_driver" "$old_override" "$new_override"; then
    die "VF $index of $pf has driver ${found:-none}, override $(override_of "$vf"): neither as before $rollout nor as after; $so_far. Look at it"
  fi
  # Of settings it cannot be seen whether they are as before already, so only the note says so.
  if [ "$count" != "$old_count" ] || [ "$found" != "$old_driver" ] ||
    { [ "$count" = "$new_count" ] && [ -n "$old_settings" ] && [ -z "$noted" ]; }; then
    refuse_use "$vf"
  fi
}

undo_pf() {
  base=$pci/devices/$1
  if [ ! -e "$base/sriov_numvfs" ]; then
    note "there is no function $1 with VFs any more, so only its files were put back"
    return 0
  fi
  pf=$1
  count=$(number_in "$base/sriov_numvfs")
  if [ "$count" != "$2" ]; then
    index=0
    while [ "$index" -lt "$count" ]; do
      refuse_use "$(vf_address "$1" "$index")"
      index=$((index + 1))
    done
    say "Taking the $count VFs of $1 away; the kernel answers when its driver is done"
    [ "$count" = 0 ] || poke "$base/sriov_numvfs" 0
    if [ "$2" != 0 ]; then
      # Or a driver would take a VF before it is known which one it is to have.
      [ ! -e "$base/sriov_drivers_autoprobe" ] || poke "$base/sriov_drivers_autoprobe" 0
      poke "$base/sriov_numvfs" "$2"
    fi
    count=$(number_in "$base/sriov_numvfs")
    [ "$count" = "$2" ] || die "$1 was to have $2 VFs again and has $count; see dmesg, and run this again"
    settle
  fi
  nic=$(nic_of "$1")
  if [ -n "$5" ] && [ -n "$6" ] && [ -n "$nic" ] && [ "$(number_in "$base/net/$nic/mtu")" != "$5" ]; then
    ip link set dev "$nic" mtu "$5" || note "the MTU of $nic was $5 before $rollout, and could not be set"
  fi
  old_vfs undo_vf
  if [ -e "$base/sriov_drivers_autoprobe" ] && [ "$(number_in "$base/sriov_drivers_autoprobe")" != "$4" ]; then
    poke "$base/sriov_drivers_autoprobe" "$4"
  fi
}
# undo_vf PF INDEX DRIVER OVERRIDE WORDS...: the words are those that ip is told, in pairs.
undo_vf() {
  [ "$1" = "$pf" ] || return 0
  index=$2 old_driver=$3 old_override=$4
  vf=$(vf_address "$pf" "$index")
  [ -n "$vf" ] || die "VF $index of $pf is not there; see dmesg, and run this again"
  shift 4
  # Whoever uses it uses it as it is: check_vf has refused what is not as before.
  if [ -n "$noted" ] || [ -n "$(users_of "$vf")" ]; then set --; fi
  while [ $# -gt 1 ]; do
    ip link set dev "$nic" vf "$index" "$1" "$2" || note "VF $index of $pf had $1 $2 before $rollout, which could not be set"
    shift 2
  done
  modalias=
  { read -r modalias <"$pci/devices/$vf/modalias"; } 2>/dev/null
  set_driver "$vf" "$modalias" "$old_driver" "$old_override"
}

# undo_pages FILE BEFORE AFTER
undo_pages() {
  now=$(number_in "$1")
  case $now in '' | *[!0-9]* | "$2") return 0 ;; esac
  if [ "$now" -gt "$2" ] && [ "$now" -gt "$3" ] || [ "$now" -lt "$2" ] && [ "$now" -lt "$3" ]; then
    note "$1 says $now, neither as before $rollout ($2) nor as after ($3): somebody else set it, so it was left"
    return 0
  fi
  poke "$1" "$2"
  now=$(number_in "$1")
  [ "$now" = "$2" ] || note "$1 was $2 before $rollout and says $now: pages in use go when their users do, and missing ones come at a boot"
}
# udev gives interfaces their names, and binds drivers, for some seconds after VFs were made.
settle() {
  if command -v udevadm >/dev/null 2>&1; then udevadm settle --timeout=20; fi
}
