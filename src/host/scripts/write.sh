# Replaces, creates and deletes files, each atomically and by compare-and-set, under the lock and the guard.
# The paths are those of src/host/writable-paths.ts.
writable() {
  case $1 in
    /etc/modprobe.d/vfleet.conf | /etc/modules-load.d/vfleet.conf | /etc/tmpfiles.d/vfleet.conf | /etc/dracut.conf.d/vfleet.conf) return 0 ;;
    /etc/udev/rules.d/70-vfleet-*:[0-9a-f][0-9a-f]:[01][0-9a-f].[0-7].rules | /etc/udev/rules.d/70-vfleet-*:[0-9a-f][0-9a-f]:[01][0-9a-f].[0-7].sh)
      domain=${1#/etc/udev/rules.d/70-vfleet-}
      domain=${domain%:*:*}
      case $domain in
        *[!0-9a-f]*) return 1 ;;
        ???? | ????? | ?????? | ??????? | ????????) return 0 ;;
      esac
      ;;
    /boot/loader/entries/[!A-Za-z0-9_]* | /boot/loader/entries/*[!A-Za-z0-9._+~-]*) return 1 ;;
    /boot/loader/entries/*.conf | /etc/default/grub | /etc/kernel/cmdline) return 0 ;;
    /etc/default/grub.d/zz-vfleet.cfg | /etc/grub.d/42_vfleet_trial | /etc/motd.d/50-vfleet) return 0 ;;
    /var/lib/vfleet/lock | /var/lib/vfleet/fence | /var/lib/vfleet/before) return 1 ;;
    /var/lib/vfleet/ | /var/lib/vfleet/.* | /var/lib/vfleet/*[!A-Za-z0-9._-]*) return 1 ;;
    /var/lib/vfleet/*) return 0 ;;
  esac
  return 1
}
reason_of() {
  case $1 in
    *'No space left'* | *'quota exceeded'*) reason=no-space ;;
    *'Read-only file system'*) reason=read-only ;;
    *'Permission denied'* | *'not permitted'*) reason=denied ;;
    *) reason=other ;;
  esac
}
failed() {
  [ -z "${fresh-}" ] || rm -f "$fresh"
  reason_of "$1"
  field failed "$path" "$reason" "$1"
  finish
}
digest_of() {
  [ -e "$1" ] || { digest=-; return 0; }
  [ -f "$1" ] || failed 'it is not a regular file'
  digest=$(sha256sum 2>&1 <"$1") || failed "$digest"
  digest=${digest%% *}
}
# Content of what was there stays under its digest, so that it can be put back by hand.
keep_before() {
  kept=$state/before/$digest
  [ ! -e "$kept" ] || return 0
  error=$({ mkdir -p "$state/before" && cp "$real" "$state/before/.vfleet.new" &&
    sync "$state/before/.vfleet.new" && mv -T "$state/before/.vfleet.new" "$kept"; } 2>&1) || {
    rm -f "$state/before/.vfleet.new"
    failed "$error"
  }
}
put() {
  fresh=$(mktemp "$folder/.vfleet.XXXXXX" 2>&1) || { error=$fresh fresh=; failed "$error"; }
  if [ "$digest" = - ]; then
    error=$(chmod "$mode" "$fresh" 2>&1) || failed "$error"
  else
    error=$(cp --attributes-only --preserve=all "$real" "$fresh" 2>&1) || failed "$error"
  fi
  error=$({ printf %s "$content" | base64 -d >"$fresh" && sync "$fresh"; } 2>&1) || failed "$error"
  landed=$(sha256sum <"$fresh")
  [ "${landed%% *}" = "$after" ] || failed 'the new content did not arrive whole'
  error=$({ mv -T "$fresh" "$real"; } 2>&1) || failed "$error"
  fresh=
  # A new file has the label of its folder; the policy may have another one for its name.
  if [ "$digest" = - ] && [ -e /sys/fs/selinux/enforce ]; then restorecon "$real" 2>/dev/null; fi
  # From here on "failed, nothing changed" would be a lie: without an answer the caller probes afresh.
  sync "$folder" || exit 74
}
remove() {
  error=$(rm "$real" 2>&1) || failed "$error"
  sync "$folder" || exit 74
}
tidy_folder() {
  if [ "$tidy" = y ] && rmdir "$folder" 2>/dev/null; then sync "${folder%/*}" 2>/dev/null; fi
}
settle() {
  path=$1 expect=$2 after=$3 mode=$4 tidy=$5 content=$6 fresh=
  folder=${path%/*}
  if [ "$after" != - ] && [ ! -d "$folder" ] && [ "$expect" = - ]; then
    error=$(mkdir -p "$folder" 2>&1) || failed "$error"
  fi
  # mv -T onto a link would replace the link; so follow it, and only to a path that may be written too.
  real=$path
  if [ -d "$folder" ]; then
    real=$(readlink -f "$path") || failed 'a link in its path leads nowhere'
    writable "$real" || refuse path-refused "$path is a link to $real"
    folder=${real%/*}
    rm -f "$folder"/.vfleet.?????? 2>/dev/null
  fi
  digest_of "$real"
  if [ "$digest" = "$after" ]; then
    # An attempt that died may have left the rest of its work undone.
    if [ "$after" = - ]; then tidy_folder; else sync "$real" "$folder" 2>/dev/null; fi
    field unchanged "$path"
    return 0
  fi
  if [ "$digest" != "$expect" ]; then
    found=
    [ "$digest" = - ] || found=$(head -c 4096 "$real" | base64)
    field conflict "$path" "$digest" "$found"
    finish
  fi
  [ "$digest" = - ] || keep_before
  if [ "$after" = - ]; then
    remove
    tidy_folder
  else
    put
  fi
  field written "$path"
}
unrecorded() { path=$first; failed "$1"; }
trap '[ -z "${fresh-}" ] || rm -f "$fresh"; exit 124' TERM
set --
next
count=$line
case $count in '' | *[!0-9]*) exit 65 ;; esac
first=
while [ "$count" -gt 0 ]; do
  for part in path expect after mode tidy content; do
    next
    [ "$part" != path ] || first=${first:-$line}
    set -- "$@" "$line"
  done
  count=$((count - 1))
done
next
[ "$line" = end ] || exit 65
index=0
for part in "$@"; do
  if [ $((index % 6)) -eq 0 ]; then
    writable "$part" || refuse path-refused "$part"
    # Only the lease itself is written without a lease.
    [ "$lease" != - ] || [ "$part" = /var/lib/vfleet/lease ] || refuse path-refused "$part without a lease"
  fi
  index=$((index + 1))
done
take_lock
check_guard
while [ $# -gt 0 ]; do
  settle "$1" "$2" "$3" "$4" "$5" "$6"
  shift 6
done
finish
