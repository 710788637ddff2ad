#!/bin/sh
# guardian.sh PROGRAM [ARG...]: becomes PROGRAM, which ends when our standard input closes.
#
# The parent holds the other end of standard input and never writes. However it dies, also by kill -9, the
# kernel closes that end. A watcher beside PROGRAM sees it and ends PROGRAM: TERM, then KILL after 10 s.
# PROGRAM keeps this process id, so signals and exit codes need nobody in between.
program=$$
exec 3<&0 # a background list gets /dev/null as standard input, so the watcher reads a copy
(
  trap '' HUP INT TERM
  cat <&3 >/dev/null 2>&1
  kill -TERM "$program" || exit 0
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    kill -0 "$program" || exit 0
  done
  kill -KILL "$program"
) >/dev/null 2>&1 &
exec 3<&- "$@" </dev/null
