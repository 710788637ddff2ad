
# Drivers of PCI functions, through an override of the driver's name: the kernel picks that one whatever else matches
# (drivers/pci/pci-driver.c, pci_match_device). Never under somebody who uses the function.
# tee says why the kernel refuses, which what is built into a shell does not.
poke() {
  printf '%s\n' "$2" | tee "$1" >/dev/null || die "the kernel did not take '$2' in $1; see dmesg. $so_far"
}
driver_of() { basename "$(readlink "$pci/devices/$1/driver")"; }
override_of() {
  override=
  { read -r override <"$pci/devices/$1/driver_override"; } 2>/dev/null
  case $override in '(null)') ;; *) say "$override" ;; esac
}
# has_driver WANTED FOUND: native stands for any but vfio-pci.
has_driver() {
  case $1 in
    native) [ -n "$2" ] && [ "$2" != vfio-pci ] ;;
    *) [ "$1" = "$2" ] ;;
  esac
}
# is_one_of WORD CHOICE...
is_one_of() {
  sought=$1
  shift
  for choice; do
    if [ "$choice" = "$sought" ]; then return 0; fi
  done
  return 1
}

# What processes have open of VFIO: a group, or a device of its own (iommufd).
look_for_users() {
  open_vfio=$(find "$proc" -maxdepth 3 -path "$proc/[0-9]*/fd/*" -lname '/dev/vfio/*' -printf '%l\n' 2>/dev/null | sort -u)
}
xml_address() {
  rest=${1#*:}
  slot=${rest#*:}
  say "domain='0x${1%%:*}' bus='0x${rest%%:*}' slot='0x${slot%.*}' function='0x${1##*.}'"
}
# guest_has XML ADDRESS: whether a document of libvirt gives that function of the host to its guest.
guest_has() {
  [ -f "$1" ] || return 1
  sed -n '/<source\( .*[^/]\)*>$/,/<\/source>/p' "$1" | grep -qF "$(xml_address "$2")"
}
# Who uses a function, without the guests from which this will take it.
users_of() {
  set +f
  for live in "$guest_live"/*.xml; do
    guest_has "$live" "$1" || continue
    guest=${live##*/}
    guest=${guest%.xml}
    case $given$newline in *"$newline$guest $1$newline"*) ;; *) say "guest $guest" ;; esac
  done
  group=$(basename "$(readlink "$pci/devices/$1/iommu_group")")
  for node in "$group" devices/$(ls "$pci/devices/$1/vfio-dev" 2>/dev/null); do
    case $newline$open_vfio$newline in *"$newline/dev/vfio/$node$newline"*) ;; *) continue ;; esac
    case $given_groups$newline in *"$newline$group$newline"*) ;; *) say "a process with /dev/vfio/$node open" ;; esac
  done
}
refuse_use() {
  users=$(users_of "$1" | head -n 1)
  [ -z "$users" ] || die "$users uses $1; $so_far. Shut it down or take the device out of it, and run this again"
}

# check_function ADDRESS MODALIAS BY DRIVER OVERRIDE NEW_DRIVER NEW_OVERRIDE
check_function() {
  [ -e "$pci/devices/$1" ] || return 0
  modalias=
  { read -r modalias <"$pci/devices/$1/modalias"; } 2>/dev/null
  if [ -n "$2" ] && [ -n "$modalias" ] && [ "$modalias" != "$2" ]; then
    die "$1 is another device than the one that $rollout bound; $so_far. Look at it"
  fi
  found=$(driver_of "$1")
  if [ -n "$found" ] && [ "$found" != "$4" ] && ! has_driver "$6" "$found" ||
    ! is_one_of "$(override_of "$1")" '' "$4" "$5" "$6" "$7"; then
    die "$1 has driver ${found:-none}, override $(override_of "$1"): neither as before $rollout nor as after; $so_far. Look at it"
  fi
  [ "$found" = "$4" ] || refuse_use "$1"
}
undo_function() {
  if [ ! -e "$pci/devices/$1" ]; then
    note "there is no function $1 any more, so only its files were put back"
    return 0
  fi
  if [ "$3" = driverctl ]; then undo_driverctl "$1" "$5"; fi
  set_driver "$1" "$2" "$4" "$5"
}
# driverctl keeps an override in a file of its own.
undo_driverctl() {
  kept=
  { read -r kept <"$driverctl_folder/pci-$1"; } 2>/dev/null
  [ "$kept" != "$2" ] || return 0
  refuse_use "$1"
  if [ -z "$2" ]; then driverctl unset-override "$1"; else driverctl set-override "$1" "$2"; fi ||
    die "driverctl failed for $1; mend what it says and run this again"
}
# set_driver ADDRESS MODALIAS DRIVER OVERRIDE: empty stands for none.
set_driver() {
  device=$pci/devices/$1
  found=$(driver_of "$1")
  if [ "$found" = "$3" ]; then
    [ "$(override_of "$1")" = "$4" ] || poke "$device/driver_override" "$4"
    return 0
  fi
  refuse_use "$1"
  if [ -z "$3" ]; then
    poke "$device/driver_override" "$4"
    poke "$device/driver/unbind" "$1"
  else
    # One that is built into the kernel has no module.
    if [ "$3" = vfio-pci ]; then modprobe vfio-pci; elif [ -n "$2" ]; then modprobe -q "$2"; fi
    [ "$(override_of "$1")" = "$3" ] || poke "$device/driver_override" "$3"
    [ -z "$found" ] || poke "$device/driver/unbind" "$1"
    poke "$pci/drivers_probe" "$1"
    [ "$3" = "$4" ] || poke "$device/driver_override" "$4"
  fi
  found=$(driver_of "$1")
  [ "$found" = "$3" ] || die "$1 was to have driver ${3:-none} and has ${found:-none}; dmesg says why. A reboot may bring it; then run this again"
}
