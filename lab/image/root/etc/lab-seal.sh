# Finish the image on a running system: the real update-grub (it cannot work in a chroot), then take out all that makes
# a machine itself. Two hosts with one machine id would be one host to vfleet, and their host keys must differ.
set -e
update-grub
# grub-install would have made this; without it even `grub-editenv list` creates it, and reading would be a change.
grub-editenv /boot/grub/grubenv create
grep -q 'root=UUID=.* intel_iommu=off' /boot/grub/grub.cfg
sh /usr/local/share/lab-guest/make.sh
systemctl -q disable lab-seal.service
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id /etc/lab-seal.sh /etc/systemd/system/lab-seal.service
: >/etc/machine-id
fstrim /
echo lab-sealed
systemctl --no-block poweroff
