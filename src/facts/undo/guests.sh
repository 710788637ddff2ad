
# libvirt guests. vfleet copies a guest's configuration before it touches the guest, so without a copy there is nothing to
# take back. libvirt 9 says that a running guest let go also when it did not, so its state is read again.
is_given() { guest_has "$guest_live/$1.xml" "$2" || guest_has "$guest_config/$1.xml" "$2"; }
# address_of ADDRESS or PF/INDEX
address_of() {
  case $1 in
    */*) vf_address "${1%/*}" "${1#*/}" ;;
    *) say "$1" ;;
  esac
}

# check_guest GUEST MANAGED DEVICE...
check_guest() {
  [ -e "$(copy_of "$1")" ] || return 0
  command -v virsh >/dev/null 2>&1 || die "guest $1 cannot be changed without virsh; $so_far"
  name=$1
  shift 2
  for given_device; do
    address=$(address_of "$given_device")
    guest_has "$guest_live/$name.xml" "$address" || continue
    given="$given$newline$name $address"
    given_groups="$given_groups$newline$(basename "$(readlink "$pci/devices/$address/iommu_group")")"
  done
}
# check_pin GUEST VCPU CPUS BEFORE AFTER: CPUS is what libvirt is told, which knows no unpinning.
check_pin() {
  [ -e "$(copy_of "$1")" ] && [ -e "$guest_config/$1.xml" ] || return 0
  found=$(sed -n "s/^ *<vcpupin vcpu='$2' cpuset='\([^']*\)'.*/\1/p" "$guest_config/$1.xml")
  is_one_of "$found" "$3" "$4" "$5" ||
    die "vCPU $2 of guest $1 is pinned to ${found:-nothing}, neither as before $rollout nor as after; $so_far. Look at it"
}

ask_virsh() { virsh -c "$libvirt" "$@" >/dev/null 9>&-; }

undo_guest() {
  name=$1 managed=$2
  shift 2
  if [ ! -e "$(copy_of "$name")" ]; then
    for given_device; do
      address=$(address_of "$given_device")
      if [ -n "$address" ] && is_given "$name" "$address"; then
        note "guest $name has $address, and there is no copy of its configuration from before $rollout, so it was left"
      fi
    done
    return 0
  fi
  for given_device; do
    address=$(address_of "$given_device")
    if [ -z "$address" ]; then
      note "VF ${given_device#*/} of ${given_device%/*} is not there; if guest $name still has it: virsh edit $name"
      continue
    fi
    take_out
  done
}
# A guest that is booting lets go only when it is asked again.
take_out() {
  so_far='devices were taken out of guests already'
  times=0
  while guest_has "$guest_live/$name.xml" "$address"; do
    [ "$times" -lt 4 ] || die "guest $name does not let go of $address; shut it down (virsh shutdown $name) and run this again"
    say "Taking $address out of guest $name, which runs"
    detach --live || die "virsh could not take $address out of guest $name; mend what it says and run this again"
    times=$((times + 1))
  done
  if guest_has "$guest_config/$name.xml" "$address"; then
    detach --config || die "virsh could not take $address out of the configuration of guest $name; mend what it says and run this again"
  fi
}
detach() {
  scratch=$(mktemp "$state/.vfleet.XXXXXX") || die "nothing can be written in $state; $so_far"
  say "<hostdev mode='subsystem' type='pci' managed='$managed'><source><address $(xml_address "$address")/></source></hostdev>" >"$scratch"
  ask_virsh detach-device "$name" "$scratch" "$1" || ! guest_has_now "$1"
  result=$?
  rm -f "$scratch"
  scratch=
  return "$result"
}
guest_has_now() {
  case $1 in
    --live) guest_has "$guest_live/$name.xml" "$address" ;;
    *) guest_has "$guest_config/$name.xml" "$address" ;;
  esac
}

undo_pin() {
  [ -e "$(copy_of "$1")" ] && [ -e "$guest_live/$1.xml" ] || return 0
  ask_virsh vcpupin "$1" "$2" "$3" --live || die "virsh could not pin vCPU $2 of guest $1 to $3 again; mend what it says and run this again"
}
pin_config() {
  [ "$1" = "$name" ] || return 0
  ask_virsh vcpupin "$1" "$2" "$3" --config || note "vCPU $2 of guest $1 could not be pinned to $3 in its configuration"
}

# The configuration as it was, where it differs by what libvirt adds and does not take back, and by nothing else.
restore_guest() {
  name=$1 copy=$(copy_of "$1") config=$guest_config/$1.xml
  [ -e "$copy" ] || return 0
  if [ ! -e "$config" ]; then
    note "guest $name has no configuration any more; as it was before $rollout: $copy"
    return 0
  fi
  if ! cmp -s "$copy" "$config"; then
    differs "$copy" "$config"
    case $? in
      0) ask_virsh define "$copy" || die "virsh could not define guest $name from $copy; mend what it says and run this again" ;;
      1)
        pins pin_config
        note "somebody else changed guest $name since, so only the devices were taken out; as it was before $rollout: $copy"
        return 0
        ;;
      *) die "$copy and $config could not be compared; $so_far" ;;
    esac
  fi
  rm -f "$copy"
}
