# What read.sh asks only for `vfleet diagnose` and a capture. As in devices.sh each function runs inside $(...).
# The first 200 lines say how the boot went, the last 400 what is wrong now; a storm of faults lies between.
first_and_last() {
  awk '{ row = substr($0, 1, 300) }
    NR <= 200 { print row; next }
    { kept[(NR - 201) % 400] = row; last = NR - 200 }
    END { for (i = last > 400 ? last - 400 : 0; i < last; i++) print kept[i % 400] }'
}
# Without the time in front: [   12.345678] of the ring buffer, [ T123] of the thread that logged.
without_times() {
  sed 's/^\[ *[0-9][0-9.]*\] *//; s/^\[ *[TC][0-9]*\] *//'
}
# A ring buffer that has lost its beginning says nothing of the boot; the journal may still have it.
whole_log() {
  if dmesg 2>/dev/null | head -n 20 | grep -q 'Linux version'; then
    dmesg 2>/dev/null
  elif journal=$(journalctl -k -b -o cat --no-pager 2>/dev/null | tail -n 20000) && [ -n "$journal" ]; then
    printf '%s\n' "$journal"
  else
    dmesg 2>/dev/null
  fi
}
kernel_log() {
  log=$(whole_log) || log=
  [ -n "$log" ] || return 1
  printf '%s\n' "$log" | without_times |
    grep -E 'DMAR|dmar|AMD-Vi|IOMMU|iommu|IRQ remapping|irq remapping|x2apic|vfio|VFIO|VMX|SVM|kvm.*(disabled|support)|AER:|PCIe Bus Error|DPC:|ACS |override|Firmware Bug|BIOS is broken|Hardware Error|reserve \[mem|change power state|not ready [0-9]+ms|PCI ROM|available PCIe bandwidth|MEMLOCK|watchdog|apparmor="DENIED".*(libvirt|qemu|vfio)|avc: +denied.*(svirt|virt|qemu|vfio)' |
    grep -vE 'Adding to iommu group|Removing from iommu group|[Cc]ommand line:' | first_and_last
}
# Only what QEMU and libvirt say: the command line that stands between may hold secrets.
guest_logs() {
  count=0
  for file in /var/log/libvirt/qemu/*.log; do
    [ -f "$file" ] || continue
    [ $((count += 1)) -le 50 ] || break
    printf 'file %s\n' "$file"
    tail -c 65536 "$file" 2>/dev/null | grep -aE '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]|^(/usr/(bin|libexec)/)?qemu[a-z0-9_-]*: ' |
      tail -n 40 | sed -E 's/(data|passw(or)?d|secret|token)=[^, :]*/\1=.../g' | awk '{ print substr($0, 1, 300) }'
  done
  return 0
}
audit_log() {
  [ -r /var/log/audit/audit.log ] || return 1
  tail -c 4194304 /var/log/audit/audit.log 2>/dev/null | grep -aE 'avc: +denied|apparmor="DENIED"' | grep -aE 'svirt|virt|qemu|vfio' |
    tail -n 100 | awk '{ print substr($0, 1, 600) }'
  return 0
}
# Those that the running kernel has in itself or as files.
module_files() {
  { read -r release </proc/sys/kernel/osrelease; } 2>/dev/null || return 1
  [ -r "/lib/modules/$release/modules.dep" ] || return 1
  for list in modules.dep modules.builtin; do
    awk -F: '{ n = split($1, part, "/"); name = part[n]; sub(/[.]ko.*$/, "", name); gsub(/-/, "_", name) }
      name ~ /^(vfio|vfio_pci|vfio_pci_core|vfio_iommu_type1|iommufd|kvm|kvm_intel|kvm_amd)$/ { print name }' \
      "/lib/modules/$release/$list" 2>/dev/null
  done
  return 0
}
# Lines of modprobe.d about what VFIO needs and what keeps native drivers away.
modprobe_lines() {
  for file in /etc/modprobe.d/*.conf /run/modprobe.d/*.conf /usr/local/lib/modprobe.d/*.conf /usr/lib/modprobe.d/*.conf /lib/modprobe.d/*.conf; do
    [ -f "$file" ] || continue
    grep -aE '^[[:space:]]*(options|install|softdep|remove|blacklist|alias)[[:space:]]' "$file" 2>/dev/null |
      grep -aE 'vfio|kvm|iommu|blacklist|/bin/(false|true)' | awk -v file="$file" 'NR <= 200 { print file "\t" substr($0, 1, 300) }'
  done
  return 0
}
