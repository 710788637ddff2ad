
# The kernel line, by GRUB's own tools; what both ways to keep it have.
# The arguments of a kernel line, without those that GRUB itself adds.
plain_line() {
  kept=
  for word in $1; do
    case $word in
      BOOT_IMAGE=* | vt.handoff=* | '$vt_handoff') ;;
      *) kept="$kept $word" ;;
    esac
  done
  # Not quoted, for one blank between words; set -f keeps patterns as they are.
  say $kept
}
# A one-shot that GRUB has booted stays behind as an empty value.
disarm_line() {
  [ -e "$grubenv" ] || return 0
  case $newline$("$editenv" "$grubenv" list)$newline in
    *"$newline"next_entry="$newline"* | *"$newline"next_entry="$trial_entry$newline"*)
      "$editenv" "$grubenv" unset next_entry || die "$editenv could not clear the one-shot entry"
      so_far='the trial entry is disarmed, nothing else was changed'
      ;;
  esac
}

say_line() {
  now=$(default_line)
  say "Undone: $rollout. The next boot uses: $now"
  if [ "$now" != "$line_before" ]; then
    note "before $rollout it was: $line_before"
    note 'the difference is not of this rollout: somebody changed the line since'
  fi
  say_more
  [ "$(plain_line "$(cat "$cmdline")")" = "$now" ] || reboot='another line runs now'
}
