
# GRUB with an entry in a file for each kernel. Nothing is generated: what stands in the files is booted.
variable() { "$editenv" "$grubenv" list | sed -n "s/^$1=//p"; }
# 00_tuned sets it in grub.cfg, after the environment was read.
tuned() {
  found=$(sed -n 's/^[[:blank:]]*set tuned_params="\([^"]*\)".*/\1/p' "$grub_cfg" 2>/dev/null)
  if [ -n "$found" ]; then say "$found"; else variable tuned_params; fi
}
options_of() { sed -n 's/^options[[:blank:]]*//p' "$1"; }
# The line of the default entry, with what grubenv has for its variables.
default_line() {
  entry=$entries/$(variable saved_entry).conf
  [ -f "$entry" ] || return 0
  words=
  for word in $(options_of "$entry"); do
    case $word in
      '$kernelopts') word=$(variable kernelopts) ;;
      '$tuned_params') word=$(tuned) ;;
    esac
    words="$words $word"
  done
  plain_line "$words"
}

check_line() {
  line_files check_line_file
  [ -n "$kernelopts_before" ] || return 0
  case $(variable kernelopts) in
    "$kernelopts_before" | "$kernelopts_after") ;;
    *) die "kernelopts of $grubenv was changed by somebody else since $rollout wrote it; $so_far. Look at it" ;;
  esac
}
# An entry that is gone went with its kernel.
check_line_file() { [ ! -e "$1" ] || check_file "$1" "$2" "$3"; }

undo_line() {
  known=
  rm -f "$trial_file" || die "$trial_file could not be removed"
  if [ -n "$kernelopts_before" ] && [ "$(variable kernelopts)" != "$kernelopts_before" ]; then
    "$editenv" "$grubenv" set "kernelopts=$kernelopts_before" || die "$editenv could not write $grubenv"
  fi
  line_files undo_line_file
  set +f
  set -- "$entries"/*.conf
  set -f
  for entry; do
    case $known$newline in *"$newline$entry$newline"*) continue ;; esac
    tell_new
  done
}
undo_line_file() {
  known=$known$newline$1
  [ -e "$1" ] || return 0
  [ "$(digest_of "$1")" = "$2" ] || put_back "$1" "$2" "$4"
}
# Kernels that were installed since took the line over.
tell_new() {
  for word in $added; do
    case " $(options_of "$entry") " in *" $word "*)
      note "$entry was made since and has $word; if nobody wants it there: grubby --update-kernel=ALL --remove-args=$word"
      ;;
    esac
  done
}
say_more() { :; }
