# Runs one program with a time limit of its own and keeps the end of its output.
unrecorded() { refuse record-failed "$1"; }
output_max=16384
next
limit=$line
next
count=$line
case $limit$count in '' | *[!0-9]*) exit 65 ;; esac
set --
while [ "$count" -gt 0 ]; do
  next
  set -- "$@" "$line"
  count=$((count - 1))
done
next
[ "$line" = end ] || exit 65
installed() {
  case $1 in */*) [ -f "$1" ] && [ -x "$1" ] && return 0 || return 1 ;; esac
  IFS=:
  for folder in $PATH; do
    if [ -f "$folder/$1" ] && [ -x "$folder/$1" ]; then
      unset IFS
      return 0
    fi
  done
  unset IFS
  return 1
}
# tail, so that a chatty program fills neither memory nor disk.
collect() { { tail -c "$output_max" <"$scratch/$1.pipe" >"$scratch/$1"; : >"$scratch/$1.done"; } 9>&- </dev/null >/dev/null 2>&1 & }
if [ "$lease" != - ]; then
  take_lock
  check_guard
fi
if ! installed "$1"; then
  field not-found 127 '' ''
  finish
fi
scratch_folder
mkfifo "$scratch/out.pipe" "$scratch/err.pipe" || unrecorded 'mkfifo does not work here'
collect out
collect err
# The code is kept by a shell of its own, which itself ends with 0: so 124 and 137 can only come from timeout. That shell keeps
# the lock for as long as the program runs, even without us; the program does not get it, or a daemon it starts would keep it
# for ever. It outlives TERM, or timeout would think that all is done while a stubborn program goes on.
timeout -k 2 "$limit" /bin/sh -c 'trap : TERM; "$@" 9>&-; echo $? >"$0"' "$scratch/code" "$@" </dev/null >"$scratch/out.pipe" 2>"$scratch/err.pipe"
status=$?
waited=0
while [ ! -e "$scratch/out.done" ] || [ ! -e "$scratch/err.done" ]; do
  if [ "$waited" -ge 2000 ]; then
    echo '[vfleet: a background process keeps the output open; it is not shown]' >"$scratch/err"
    break
  fi
  sleep 0.05
  waited=$((waited + 50))
done
if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
  field timed-out "$status"
else
  # Without its code nothing can be said: no answer makes the outcome unknown.
  read -r code <"$scratch/code" || exit 74
  field exited "$code"
fi
field "$(base64 <"$scratch/out")" "$(base64 <"$scratch/err")"
rm -rf "$scratch"
finish
