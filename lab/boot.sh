#!/bin/bash
# Run one lab machine in the foreground: its serial console is this program's output, and it ends when its parent does.
#
#   boot.sh FOLDER [extra QEMU arguments...]      FOLDER keeps its disk overlay, firmware variables and NVMe disk
#
#   IMAGE=host.qcow2   the sealed image under the overlay (needed when FOLDER has no disk yet)
#   PORT=0             loopback port of its SSH; 0 lets QEMU choose (ask the monitor: info usernet)
#   IOMMU=intel        intel | amd | none (the firmware switch off)
#   MEMORY=1024 CPUS=2 QMP_FD=   a monitor on this inherited socket
#
# Software emulation only: the lab must run where /dev/kvm does not exist, and the same everywhere.
set -euo pipefail

folder=$1
shift
iommu=${IOMMU:-intel}
mkdir -p "$folder"
[ -f "$folder/disk.qcow2" ] || qemu-img create -q -f qcow2 -F qcow2 -b "$(realpath "$IMAGE")" "$folder/disk.qcow2"
[ -f "$folder/vars.fd" ] || cp /usr/share/OVMF/OVMF_VARS_4M.fd "$folder/vars.fd"
[ -f "$folder/nvme.img" ] || truncate -s 64M "$folder/nvme.img"

# -cpu max offers SVM, so the guest has a working /dev/kvm.
args=(-name "$(basename "$folder")" -machine q35 -accel tcg,thread=multi,tb-size=512 -cpu max
  -smp "${CPUS:-1}" -m "${MEMORY:-1024}" -nodefaults -display none
  -drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd
  -drive "if=pflash,format=raw,unit=1,file=$folder/vars.fd"
  -chardev stdio,id=console -serial chardev:console
  -device virtio-rng-pci)

case $iommu in
  intel) args+=(-device intel-iommu,intremap=on,caching-mode=on) ;;
  amd) args+=(-device amd-iommu,intremap=on) ;;
  none) ;;
  *) echo "boot.sh: IOMMU=$iommu is not one of intel, amd, none" >&2; exit 2 ;;
esac

# cache=unsafe: a disk that is thrown away needs no flush to the real one.
args+=(-drive "if=none,id=root,file=$folder/disk.qcow2,cache=unsafe,discard=unmap"
  -device virtio-blk-pci,drive=root,bootindex=0
  -netdev "user,id=net,hostfwd=tcp:127.0.0.1:${PORT:-0}-:22" -device virtio-net-pci,netdev=net,romfile=)

# An NVMe disk with 4 virtual functions, behind a root port of its own so that it has its own IOMMU group.
args+=(-device pcie-root-port,id=rp1,chassis=1,slot=1,bus=pcie.0
  -device nvme-subsys,id=ss0 -drive "if=none,id=nvm,format=raw,file=$folder/nvme.img"
  -device nvme,id=nv0,bus=rp1,serial=LABNVME,subsys=ss0,sriov_max_vfs=4,sriov_vq_flexible=8,sriov_vi_flexible=4,max_ioqpairs=18,msix_qsize=19
  -device nvme-ns,drive=nvm,bus=nv0,nsid=1
  -device pcie-root-port,id=rp2,chassis=2,slot=2,bus=pcie.0 -netdev hubport,hubid=1,id=hub1
  -device e1000e,bus=rp2,netdev=hub1,romfile=,mac=52:54:00:aa:00:01)

# A network card with 7 virtual functions, where QEMU has one (>= 8).
qemu_major=$(qemu-system-x86_64 --version | sed -n 's/^QEMU emulator version \([0-9]*\).*/\1/p')
if [ "$qemu_major" -ge 8 ]; then
  args+=(-device pcie-root-port,id=rp3,chassis=3,slot=3,bus=pcie.0 -netdev hubport,hubid=1,id=hub2
    -device igb,bus=rp3,netdev=hub2,romfile=,mac=52:54:00:aa:00:02)
fi

[ -z "${QMP_FD:-}" ] || args+=(-chardev "socket,id=monitor,fd=$QMP_FD" -mon chardev=monitor,mode=control)

# The kernel kills QEMU when our parent dies, however it dies: no machine outlives the test that started it.
exec setpriv --pdeathsig KILL qemu-system-x86_64 "${args[@]}" "$@"
