# The guard of every mutation: the host's lock, then lease, boot id and fencing token under it.
state=/var/lib/vfleet
next
lease=$line
next
seq=$line
next
attempt=$line
next
boot=$line
next
lock_wait=$line
case $seq$attempt$lock_wait in '' | *[!0-9]*) exit 65 ;; esac
take_lock() {
  if ! error=$({ [ -d "$state" ] || mkdir -p -m 700 "$state"; } 2>&1 && { true >>"$state/lock"; } 2>&1); then
    unrecorded "$error"
  fi
  exec 9>>"$state/lock"
  flock -w "$lock_wait" 9
  case $? in
    0) ;;
    1) refuse lock-busy "$lock_wait" ;;
    *) unrecorded 'flock does not work here' ;;
  esac
}
# An unreadable fence counts as none: only a crash of the whole host can leave one, and it ended older attempts too.
check_guard() {
  [ "$lease" != - ] || return 0
  held=
  { IFS= read -r held <"$state/lease"; } 2>/dev/null
  [ "$held" = "id=$lease" ] || refuse lease-lost "$(head -c 1024 "$state/lease" 2>/dev/null)"
  if [ "$boot" != - ]; then
    now=
    { IFS= read -r now </proc/sys/kernel/random/boot_id; } 2>/dev/null
    [ "$now" = "$boot" ] || refuse other-boot "$now"
  fi
  old_lease='' old_seq='' old_attempt=''
  { IFS=' ' read -r old_lease old_seq old_attempt <"$state/fence"; } 2>/dev/null
  case "x${old_seq}x${old_attempt}x" in *xx* | x*[!0-9x]*x) old_lease='' ;; esac
  if [ "$old_lease" = "$lease" ]; then
    [ "$old_seq" -le "$seq" ] || refuse fenced "$old_seq $old_attempt"
    [ "$old_seq" -lt "$seq" ] || [ "$old_attempt" -le "$attempt" ] || refuse fenced "$old_seq $old_attempt"
  fi
  # env: the builtin printf of dash does not say why a write failed.
  if ! error=$({ env printf '%s %s %s\n' "$lease" "$seq" "$attempt" >"$state/.vfleet.fence" &&
    mv -T "$state/.vfleet.fence" "$state/fence"; } 2>&1); then
    rm -f "$state/.vfleet.fence"
    unrecorded "$error"
  fi
}
scratch_folder() {
  for parent in /run /dev/shm /tmp; do
    scratch=$(mktemp -d "$parent/vfleet.XXXXXX" 2>/dev/null) && return 0
  done
  unrecorded 'neither /run, /dev/shm nor /tmp can be written'
}
