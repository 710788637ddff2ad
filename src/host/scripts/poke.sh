# Writes values to kernel files. Each write runs in a child that is watched: one that hangs in the kernel cannot be
# ended, so it is left behind, holding the lock (descriptor 9) until it returns.
unrecorded() { refuse record-failed "$1"; }
# The paths are those of src/host/writable-paths.ts.
pokable() {
  case $1 in
    /sys/bus/pci/drivers_probe) return 0 ;;
    /sys/bus/pci/devices/*)
      file=${1#/sys/bus/pci/devices/*/}
      case $file in driver_override | driver/unbind | sriov_numvfs | sriov_drivers_autoprobe) ;; *) return 1 ;; esac
      address=${1#/sys/bus/pci/devices/}
      address=${address%"/$file"}
      case $address in *:[0-9a-f][0-9a-f]:[01][0-9a-f].[0-7]) ;; *) return 1 ;; esac
      case ${address%:*:*} in
        *[!0-9a-f]*) return 1 ;;
        ???? | ????? | ?????? | ??????? | ????????) return 0 ;;
      esac
      ;;
    /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages | /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages) return 0 ;;
    /sys/devices/system/node/node*/hugepages/hugepages-2048kB/nr_hugepages | /sys/devices/system/node/node*/hugepages/hugepages-1048576kB/nr_hugepages)
      node=${1#/sys/devices/system/node/node}
      node=${node%/hugepages/*}
      case $node in
        *[!0-9]*) return 1 ;;
        ? | ?? | ??? | ????) return 0 ;;
      esac
      ;;
  esac
  return 1
}
set --
next
count=$line
case $count in '' | *[!0-9]*) exit 65 ;; esac
while [ "$count" -gt 0 ]; do
  next
  pokable "$line" || refuse path-refused "$line"
  set -- "$@" "$line"
  next
  set -- "$@" "$line"
  next
  set -- "$@" "$line"
  count=$((count - 1))
done
next
[ "$line" = end ] || exit 65
# A newline at the end, as echo does: an empty value would otherwise be no write at all. env: see guard.sh.
poke() {
  rm -f "$scratch/code" "$scratch/error"
  {
    env printf '%s\n' "$2" >"$1"
    echo $? >"$scratch/code.new"
    mv "$scratch/code.new" "$scratch/code"
  } </dev/null >/dev/null 2>"$scratch/error" &
  waited=0
  while [ ! -e "$scratch/code" ]; do
    if [ "$waited" -ge "$3" ]; then
      field hung "$1"
      return 1
    fi
    sleep 0.02
    waited=$((waited + 20))
  done
  read -r code <"$scratch/code"
  if [ "$code" -eq 0 ]; then
    field "done" "$1"
    return 0
  fi
  field failed "$1" "$(head -c 1024 "$scratch/error")"
  return 1
}
take_lock
check_guard
scratch_folder
while [ $# -gt 0 ]; do
  if [ ! -e "$1" ]; then
    field failed "$1" 'No such file'
    break
  fi
  poke "$1" "$2" "$3" || break
  shift 3
done
rm -rf "$scratch"
finish
