# Writes values to kernel files. Each write runs in a child that is watched: one that hangs in the kernel cannot be
# ended, so it is left behind, holding the lock (descriptor 9) until it returns.
unrecorded() { refuse record-failed "$1"; }
pokable() {
  case $1 in
    *//* | */./* | */../* | */ | */. | */..) return 1 ;;
    */reset | */remove | */rescan) return 1 ;;
    /sys/?* | /proc/sys/?*) return 0 ;;
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
