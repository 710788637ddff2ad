/**
 * Holds the namespaces of one throw-away root: its own user and mounts, with programs bound read-only and
 * everything else plain files. It prints `ready` and ends when its stdin does. $1: the root; $2: a fault or `none`.
 */
export const HOLD_ROOT = `set -eu
root=$1
for folder in bin sbin lib lib64; do
  if [ -L "/$folder" ]; then ln -s "usr/$folder" "$root/$folder"
  elif [ -d "/$folder" ]; then set -- "$@" "$folder"; fi
done
fault=$2
shift 2
for folder in "$@" usr/bin usr/sbin usr/lib usr/lib64 usr/libexec etc/alternatives; do
  [ -d "/$folder" ] || continue
  mkdir -p "$root/$folder"
  mount --rbind "/$folder" "$root/$folder"
  mount -o remount,bind,ro "$root/$folder"
done
: >"$root/dev/null"
mount --bind /dev/null "$root/dev/null"
full() {
  mkdir -p "$root$1"
  mount -t tmpfs -o size=16k,mode=755 none "$root$1"
}
fill() { cat /dev/zero >"$root$1/filler" 2>/dev/null || :; }
case $fault in
  etc-*) mkdir -p "$root/var/lib/vfleet"; echo id=$VT_LEASE >"$root/var/lib/vfleet/lease" ;;
esac
case $fault in
  etc-full) full /etc/default/grub.d; echo old >"$root/etc/default/grub.d/zz-vfleet.cfg"; fill /etc/default/grub.d ;;
  state-full) full /var/lib/vfleet; echo id=$VT_LEASE >"$root/var/lib/vfleet/lease"; : >"$root/var/lib/vfleet/lock"; fill /var/lib/vfleet ;;
  etc-read-only)
    mkdir -p "$root/etc/default/grub.d"
    echo old >"$root/etc/default/grub.d/zz-vfleet.cfg"
    mount --bind "$root/etc" "$root/etc"
    mount -o remount,bind,ro "$root/etc" ;;
esac
echo ready
exec cat
`;

/**
 * The server's ForceCommand: enters the root of the address that was dialled, whatever the login, and gives the
 * command that was asked for to its shell. $1: the folder that holds a control folder for each address.
 */
export const ENTER_ROOT = `set -eu
# chroot is in a folder that an ordinary user's PATH may lack.
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
set -- "$1" $SSH_CONNECTION
control=$1/$4
read -r holder root <"$control/holder"
if [ -f "$control/noise" ]; then cat "$control/noise"; fi
if mv "$control/stall" "$control/stalled" 2>/dev/null; then
  cat >"$control/stdin"
  echo $PPID >"$control/arrived.new"
  mv "$control/arrived.new" "$control/arrived"
  read -r _ <"$control/gate"
  code=0
  nsenter --preserve-credentials -t "$holder" -U -m chroot "$root" /bin/sh -c "$SSH_ORIGINAL_COMMAND" <"$control/stdin" || code=$?
  echo "$code" >"$control/ended.new"
  mv "$control/ended.new" "$control/ended"
  exit "$code"
fi
exec nsenter --preserve-credentials -t "$holder" -U -m chroot "$root" /bin/sh -c "$SSH_ORIGINAL_COMMAND"
`;

/** In place of sudo, which a throw-away root has not: takes only `-n --`, and passes next to nothing of the environment. */
export const FAKE_SUDO = `#!/bin/sh
[ "$1 $2" = "-n --" ] || exit 9
shift 2
exec env -i PATH="$PATH" "$@"
`;
