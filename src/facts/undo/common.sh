# What each UNDO.txt has.
set -f
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
umask 022
changed='' notes='' reboot='' noted='' scratch=''
so_far='nothing was changed'
newline='
'
trap '[ -z "$scratch" ] || rm -f "$scratch"' EXIT
say() { printf '%s\n' "$*"; }
note() { notes="$notes${newline}NOTE $*"; }
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
# check_file FILE BEFORE AFTER: digests; absent stands for no file.
check_file() {
  case $(digest_of "$1") in
    "$2" | "$3") ;;
    *) die "$1 was changed by somebody else since $rollout wrote it; $so_far. Look at it" ;;
  esac
}
# put_back FILE BEFORE PRINTER: the file as it was before, from what PRINTER prints.
put_back() {
  if [ "$2" = absent ]; then
    rm "$1" || die "$1 could not be removed"
  else
    scratch=$(mktemp "${1%/*}/.vfleet.XXXXXX") || die "nothing can be written in ${1%/*}"
    if ! { as_it_is "$1" "$scratch" && "$3" >"$scratch" && sync "$scratch" &&
      [ "$(digest_of "$scratch")" = "$2" ] && mv -T "$scratch" "$1"; }; then
      die "$1 could not be put back; see what it says above, and run this again"
    fi
    scratch=
  fi
  changed=yes
}
as_it_is() {
  if [ -e "$1" ]; then cp --attributes-only --preserve=all "$1" "$2"; else chmod 644 "$2"; fi
}

begin() {
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
  if [ "$(value_of "$undone" rollout) $(value_of "$undone" since)" = "$rollout $since" ]; then noted=yes; fi
}

# What vfleet reads of this when it comes here again; then the message of the day and the lease.
give_up() {
  if [ -z "$noted" ]; then
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
}

say_end() {
  [ -z "$notes" ] || say "${notes#"$newline"}"
  if [ -n "$reboot" ]; then say "REBOOT NEEDED: $reboot. Move the guests away, then: systemctl reboot"
  else say 'No reboot is needed.'; fi
  say "If vfleet still waits for this host: vfleet skip $spec HOST --reason 'undone by hand'"
}
