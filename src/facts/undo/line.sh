
# The kernel line, by GRUB's own tools.
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
# The line of the first entry of the menu, which is the default one.
default_line() {
  while read -r word kernel rest; do
    case $word in linux | linuxefi | linux16)
      plain_line "$rest"
      return
      ;;
    esac
  done <"$grub_cfg"
}
has_trial() {
  case $(cat "$grub_cfg") in *"$trial_entry"*) return 0 ;; esac
  return 1
}

check_line() { check_file "$dropin" "$dropin_before" "$dropin_after"; }

# A one-shot that GRUB has booted stays behind as an empty value.
disarm_line() {
  [ -e "$grubenv" ] || return 0
  case $newline$(grub-editenv "$grubenv" list)$newline in
    *"$newline"next_entry="$newline"* | *"$newline"next_entry="$trial_entry$newline"*)
      grub-editenv "$grubenv" unset next_entry || die 'grub-editenv could not clear the one-shot entry'
      so_far='the trial entry is disarmed, nothing else was changed'
      ;;
  esac
}

undo_line() {
  changed=
  [ "$(digest_of "$dropin")" = "$dropin_before" ] || put_back "$dropin" "$dropin_before" print_dropin_before
  for file in "$trial_snippet" "$trial_args" "$trial_id"; do
    [ -e "$file" ] || continue
    rm "$file" || die "$file could not be removed"
    changed=yes
  done
  if [ "$made_folder" = yes ]; then rmdir "$dropin_folder" 2>/dev/null; fi

  if [ -n "$changed" ] || has_trial || [ "$(default_line)" != "$line_before" ]; then
    update-grub 9>&- || die 'update-grub failed; mend what it says and run this again'
  fi
  if has_trial; then die "$grub_cfg still has the trial entry; see what is in /etc/grub.d"; fi
}

say_line() {
  now=$(default_line)
  say "Undone: $rollout. The next boot uses: $now"
  if [ "$now" != "$line_before" ]; then
    note "before $rollout it was: $line_before"
    note 'the difference is not of this rollout: somebody changed the line since'
  fi
  if [ "$dropin_before" != absent ]; then
    note "an earlier rollout still stands in $dropin; to take that back too, remove the file and run update-grub"
  fi
  [ "$(plain_line "$(cat "$cmdline")")" = "$now" ] || reboot='another line runs now'
}
