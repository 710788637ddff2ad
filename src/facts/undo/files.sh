
# Files of vfleet alone, and the initramfs, in which an old rule would act at the next boot.
# undo_file FILE BEFORE AFTER PRINTER
undo_file() {
  [ "$(digest_of "$1")" != "$2" ] || return 0
  so_far='files were put back already; run this again'
  case $1 in "$modprobe_file" | "$modules_load_file") note_boot ;; esac
  put_back "$1" "$2" "$4"
  sync "${1%/*}"
}
# In which boot options were written, and taken back: they act from the next boot on. The steps of vfleet keep the same note.
note_boot() {
  applied=$(value_of "$modules_boot" applied)
  if ! { printf '%s\n' "applied=${applied:-unknown}" "undone=$(cat "$boot_id")" >"$modules_boot.new" &&
    mv -T "$modules_boot.new" "$modules_boot"; }; then
    die "$modules_boot could not be written; $so_far"
  fi
}
say_modules() {
  [ -e "$modules_boot" ] || return 0
  if [ "$(value_of "$modules_boot" undone)" = "$(cat "$boot_id")" ] &&
    [ "$(value_of "$modules_boot" applied)" != "$(cat "$boot_id")" ]; then
    reboot='this boot may have read the options of modules'
  fi
}

# The files in all installed images that are vfleet's, and the images that could not be listed.
list_images() {
  held='' unlisted=''
  set +f
  set -- "$boot"/initrd.img-*
  set -f
  for image; do
    case $image in *'*' | *.bak | *.old | *.dpkg-*) continue ;; esac
    if names=$(lsinitramfs "$image" 2>/dev/null); then
      held="$held$newline$(say "$names" | grep vfleet)"
    else
      unlisted="$unlisted $image"
    fi
  done
}
# find_copied FILE BEFORE AFTER: one that initramfs-tools copies. Its rules.d lies elsewhere in an image.
find_copied() {
  [ "$3" != absent ] || return 0
  case $1 in *.rules | "$modprobe_file") copied=yes ;; esac
}
find_stale() {
  [ "$3" != absent ] || return 0
  case $1 in *.rules | "$modprobe_file") ;; *) return 0 ;; esac
  # Of a file with another text only the name can be seen.
  [ "$2" = absent ] || [ -z "$noted$rebuilt" ] || return 0
  folder=${1%/*}
  case $held$newline in *"/${folder##*/}/${1##*/}$newline"*) stale="$stale ${1##*/}" ;; esac
}
undo_initramfs() {
  copied='' stale='' rebuilt=''
  files find_copied
  if [ -z "$copied" ] || ! command -v lsinitramfs >/dev/null 2>&1; then return 0; fi
  list_images
  files find_stale
  if [ -z "$stale" ] && { [ -n "$noted" ] || [ -z "$unlisted" ]; }; then return 0; fi
  say 'Making the initramfs of every kernel again, which takes a while'
  update-initramfs -u -k all 9>&- || die 'update-initramfs failed; mend what it says and run this again'
  rebuilt=yes stale=''
  list_images
  files find_stale
  [ -z "$stale" ] || die "an initramfs still holds$stale, which would act at the next boot; see what update-initramfs does here"
  [ -z "$unlisted" ] || note "no list could be made of$unlisted: if an old rule is in there, it acts when that one is booted"
}
