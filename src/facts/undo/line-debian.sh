
# GRUB as Debian has it: a drop-in, and grub.cfg made from it.
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
say_more() {
  [ "$dropin_before" = absent ] ||
    note "an earlier rollout still stands in $dropin; to take that back too, remove the file and run update-grub"
}
