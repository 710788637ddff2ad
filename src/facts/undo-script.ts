/**
 * The fixed part of UNDO.txt: POSIX sh, coreutils and GRUB's own tools, nothing filled in. What it works on stands in
 * variables above it (src/facts/undo-text.ts). The order is that of a rollback: disarm, so that a host that dies here
 * boots its old line; the files; grub.cfg; and the lease at the very end. Every command is right in each state.
 */
export const UNDO_SCRIPT = String.raw`
set -f
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
umask 022
changed=
newline='
'
say() { printf '%s\n' "$*"; }
die() {
  printf 'UNDO: %s\n' "$*" >&2
  exit 1
}
digest_of() {
  if [ -L "$1" ]; then say link
  elif [ -e "$1" ]; then
    set -- $(sha256sum <"$1")
    say "$1"
  else say absent; fi
}
# value_of FILE KEY: what stands behind KEY= in FILE.
value_of() {
  [ -f "$1" ] || return 0
  while IFS='=' read -r key value; do
    if [ "$key" = "$2" ]; then say "$value"; fi
  done <"$1"
}
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

[ "$(id -u)" = 0 ] || die "run it as root: sudo sh $state/UNDO.txt"
# The commands of vfleet take the same lock, so none of them is half-way while this runs.
if command -v flock >/dev/null 2>&1; then
  exec 9>>"$state/lock"
  flock -w 60 9 || die 'a command of vfleet is at work on this host; run this again when it has ended'
fi
holder=$(value_of "$state/lease" rollout)
case $holder in
  '' | "$rollout" | "$spec#"*) ;;
  *) die "$holder works on this host now, and this takes $rollout back; nothing was changed. End that one first" ;;
esac
found=$(digest_of "$dropin")
case $found in
  "$dropin_before" | "$dropin_after") ;;
  *) die "$dropin was changed by somebody else since $rollout wrote it; nothing was changed. Look at it" ;;
esac

# A one-shot that GRUB has booted stays behind as an empty value.
if [ -e "$grubenv" ]; then
  case $newline$(grub-editenv "$grubenv" list)$newline in
    *"$newline"next_entry="$newline"* | *"$newline"next_entry="$trial_entry$newline"*)
      grub-editenv "$grubenv" unset next_entry || die 'grub-editenv could not clear the one-shot entry'
      ;;
  esac
fi

if [ "$found" != "$dropin_before" ]; then
  if [ "$dropin_before" = absent ]; then
    rm "$dropin" || die "$dropin could not be removed"
  else
    fresh=$(mktemp "$dropin_folder/.vfleet.XXXXXX") || die "nothing can be written in $dropin_folder"
    if ! { cp --attributes-only --preserve=all "$dropin" "$fresh" && print_dropin_before >"$fresh" && sync "$fresh" &&
      [ "$(digest_of "$fresh")" = "$dropin_before" ] && mv -T "$fresh" "$dropin"; }; then
      rm -f "$fresh"
      die "$dropin could not be put back; the trial entry is disarmed, nothing else was changed"
    fi
  fi
  changed=yes
fi
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

# What vfleet reads of this when it comes here again.
if [ "$(value_of "$undone" rollout) $(value_of "$undone" since)" != "$rollout $since" ]; then
  by=$({ printenv SUDO_USER || id -un; } | tr -cd 'A-Za-z0-9._@-')
  if ! { printf '%s\n' "rollout=$rollout" "since=$since" "who=$by" "at=$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$undone.new" &&
    mv -T "$undone.new" "$undone"; }; then
    die "$undone could not be written"
  fi
fi
made=$(value_of "$state/lease" made)
rm -f "$motd"
if [ "$made" = "$motd_folder" ]; then rmdir "$motd_folder" 2>/dev/null; fi
rm -f "$state/lease"
sync "$state"

now=$(default_line)
say "Undone: $rollout. The next boot uses: $now"
if [ "$now" != "$line_before" ]; then
  say "NOTE before $rollout it was: $line_before"
  say 'NOTE the difference is not of this rollout: somebody changed the line since'
fi
if [ "$dropin_before" != absent ]; then
  say "NOTE an earlier rollout still stands in $dropin; to take that back too, remove the file and run update-grub"
fi
if [ "$(plain_line "$(cat "$cmdline")")" = "$now" ]; then
  say 'No reboot is needed: that line runs already.'
else
  say 'REBOOT NEEDED: another line runs now. Move the guests away, then: systemctl reboot'
fi
say "If vfleet still waits for this host: vfleet skip $spec HOST --reason 'undone by hand'"
`;
