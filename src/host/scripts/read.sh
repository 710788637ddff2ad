# Reads paths and fixed queries. $1: the value of SSH_CONNECTION, which sudo would drop.
file_max=1048576
# Without separators the result of a pattern is never split, and an expansion is never expanded again.
IFS=
connection=${1-}
emit_file() {
  [ -f "$1" ] || return 0
  # One byte more than allowed shows a file that is too large; the size that stat gives for proc and sysfs shows nothing.
  { content=$(head -c $((file_max + 1)) | base64); } 2>/dev/null <"$1" || return 0
  [ -n "$content" ] || cat "$1" >/dev/null 2>&1 || return 0
  field file "$1" "$content"
}
# A builtin: one process for each attribute took 28 s for 18 functions where this takes 0.2 s.
emit_line() {
  [ -f "$1" ] || return 0
  value=
  if ! { read -r value <"$1"; } 2>/dev/null && [ -z "$value" ]; then
    # Empty, or not readable? Only these few cost a process.
    cat "$1" >/dev/null 2>&1 || return 0
  fi
  field line "$1" "$value"
}
emit_list() {
  [ -d "$1" ] || return 0
  field list "$1"
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ -e "$entry" ] || [ -L "$entry" ]; then field "${entry##*/}"; fi
  done
  field ''
}
answer() {
  name=$1
  shift
  command -v "$1" >/dev/null 2>&1 || return 0
  output=$("$@" 2>&1 </dev/null)
  field query "$name" "$?" "$output"
}
probe_boot() {
  if command -v grub2-probe >/dev/null 2>&1; then answer "grub-probe-$1" grub2-probe --target="$1" /boot/grub2
  else answer "grub-probe-$1" grub-probe --target="$1" /boot/grub; fi
}
ask() {
  case $1 in
    uid) answer uid id -u ;;
    ssh-connection) [ -z "$connection" ] || field query ssh-connection 0 "$connection" ;;
    grub-probe-fs) probe_boot fs ;;
    grub-probe-abstraction) probe_boot abstraction ;;
    space) answer space df -Pk /boot /etc /var/lib ;;
    pci-names) answer pci-names pci_names ;;
    msi-vectors) answer msi-vectors msi_vectors ;;
    aer) answer aer in_folder /sys/bus/pci/devices '^TOTAL_ERR' aer_dev_correctable aer_dev_nonfatal aer_dev_fatal ;;
    reserved-regions) answer reserved-regions in_folder /sys/kernel/iommu_groups ' direct$' reserved_regions ;;
    bridge-config) answer bridge-config bridge_config ;;
    mounts) answer mounts mounts ;;
    ip-links) answer ip-links ip -j link show ;;
    ip-addresses) answer ip-addresses ip -j address show ;;
    default-routes) answer default-routes default_routes ;;
    ssh-route) answer ssh-route ssh_route ;;
    storage-routes) answer storage-routes storage_routes ;;
    guests) answer guests guests ;;
    vf-count-owners) answer vf-count-owners vf_count_owners ;;
    initramfs) answer initramfs initramfs ;;
    boot-modules) answer boot-modules boot_modules ;;
    kernel-log) answer kernel-log kernel_log ;;
    guest-logs) answer guest-logs guest_logs ;;
    audit-log) answer audit-log audit_log ;;
    module-files) answer module-files module_files ;;
    modprobe-lines) answer modprobe-lines modprobe_lines ;;
    *) exit 65 ;;
  esac
}
emit_links() {
  set --
  for path in $glob; do
    [ -L "$path" ] || continue
    set -- "$@" "$path"
    if [ $# -ge 500 ]; then
      find "$@" -maxdepth 0 -type l -printf 'link\0%p\0%l\0' 2>/dev/null
      set --
    fi
  done
  [ $# -eq 0 ] || find "$@" -maxdepth 0 -type l -printf 'link\0%p\0%l\0' 2>/dev/null
}
while next && [ "$line" != end ]; do
  kind=${line%% *}
  glob=${line#* }
  case $kind in
    file) for path in $glob; do emit_file "$path"; done ;;
    line) for path in $glob; do emit_line "$path"; done ;;
    list) for path in $glob; do emit_list "$path"; done ;;
    link) emit_links ;;
    query) ask "$glob" ;;
    *) exit 65 ;;
  esac
done
finish
