
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

# Which tool makes the images: as vfleet decides it (src/facts/devices/initramfs.ts).
find_maker() {
  maker=''
  if command -v update-initramfs >/dev/null 2>&1; then maker=initramfs-tools; fi
  if command -v dracut >/dev/null 2>&1 && ! { [ -n "$maker" ] && command -v mkinitramfs >/dev/null 2>&1; }; then maker=dracut; fi
}
# lsinitrd ends well on an image of which it shows a part only: without its version at the head there is no list.
lsinitrd_names() {
  shown=$(lsinitrd "$1" 2>/dev/null) || return 1
  say "$shown" | awk '
    /^Version: / { whole = 1 }
    !/^[-bcdlps][-rwxsStT][-rwxsStT]/ { next }
    { name = NF >= 9 ? $9 : $6 }
    name == "squash-root.img" { squashed = 1 }
    sub(/^squashfs-root\//, "", name) { squashed = 0 }
    { print name }
    END { exit !whole || squashed }'
}
image_names() {
  case $maker in
    initramfs-tools) lsinitramfs "$1" 2>/dev/null ;;
    dracut) lsinitrd_names "$1" ;;
    *) return 1 ;;
  esac
}
# The installed images, but not copies, nor what only kdump and a rescue boot use. One that has a blank in its name is none.
find_images() {
  set +f
  set -- "$boot"/initrd.img-* "$boot"/initramfs-*.img "$boot"/*/*/initrd "$boot"/efi/*/*/initrd
  set -f
  images=''
  for image; do
    case $image in *'*'* | *' '* | *.bak | *.old | *.dpkg-* | *kdump.img | *-rescue-* | */0-rescue/*) continue ;; esac
    images="$images $image"
  done
}
# The files in them that are vfleet's, and the images that could not be listed.
list_images() {
  held='' unlisted=''
  for image in $images; do
    if names=$(image_names "$image"); then
      held="$held$newline$(say "$names" | grep vfleet)"
    else
      unlisted="$unlisted $image"
    fi
  done
}
# is_copied FILE: whether the tool may copy it. Its rules.d lies elsewhere in an image.
is_copied() {
  case $1 in
    *.rules | "$modprobe_file") return 0 ;;
    *.sh | "$dracut_file") return 1 ;;
    *) [ "$maker" != initramfs-tools ] ;;
  esac
}
# find_copied FILE BEFORE AFTER
find_copied() {
  if [ "$3" != absent ] && is_copied "$1"; then copied=yes; fi
}
find_stale() {
  if [ "$3" = absent ] || ! is_copied "$1"; then return 0; fi
  # Of a file with another text only the name can be seen.
  [ "$2" = absent ] || [ -z "$noted$rebuilt" ] || return 0
  folder=${1%/*}
  case $held$newline in *"/${folder##*/}/${1##*/}$newline"*) stale="$stale ${1##*/}" ;; esac
}
make_images() {
  if [ "$maker" = initramfs-tools ]; then
    update-initramfs -u -k all 9>&- || die 'update-initramfs failed; mend what it says and run this again'
    return 0
  fi
  for image in $images; do
    release=${image##*/}
    if [ "$release" = initrd ]; then release=${image%/*} release=${release##*/}; fi
    release=${release#initrd.img-} release=${release#initramfs-} release=${release%.img}
    dracut -q --force "$image" "$release" 9>&- || die "dracut failed for $image; mend what it says and run this again"
  done
}
undo_initramfs() {
  copied='' stale='' rebuilt=''
  find_maker
  files find_copied
  [ -n "$copied" ] || return 0
  find_images
  [ -n "$images" ] || return 0
  if [ -z "$maker" ]; then
    note "neither update-initramfs nor dracut is here: if an old file of vfleet is in$images, it acts when that one is booted"
    return 0
  fi
  list_images
  files find_stale
  if [ -z "$stale" ] && { [ -n "$noted" ] || [ -z "$unlisted" ]; }; then return 0; fi
  say 'Making the initramfs of every kernel again, which takes a while'
  make_images
  rebuilt=yes stale=''
  list_images
  files find_stale
  [ -z "$stale" ] || die "an initramfs still holds$stale, which would act at the next boot; see what $maker does here"
  [ -z "$unlisted" ] || note "no list could be made of$unlisted: if an old rule is in there, it acts when that one is booted"
}
