import { describe, expect, it } from 'vitest';
import { refusedKernelArg, unsafeKernelArg } from '../../src/domain/refused-kernel-args.ts';

describe('refusedKernelArg', () => {
  it.each([
    ...[
      'root=/dev/sda1',
      'rootflags=subvol=@',
      'rootfstype=ext4',
      'nfsroot=1.2.3.4:/x',
      'ro',
      'rw',
    ],
    ...['initrd=/x', 'overlayroot=tmpfs', 'boot=live'],
  ])('refuses %s, since the root file system may not be found', (arg) => {
    expect(refusedKernelArg(arg)).toBe('the host may not find its root file system');
  });

  it.each([
    ...['init=/bin/sh', 'rdinit=/nope', 'rescue', 'emergency', 'single', 's', '-s', '-b', '1', '5'],
    ...['systemd.unit=rescue.target', 'systemd.mask=ssh.service', 'rd.break', 'nomodule'],
  ])('refuses %s, since SSH may not start', (arg) => {
    expect(refusedKernelArg(arg)).toBe(
      'it changes what the host starts, so the host may come back without SSH',
    );
  });

  it.each([
    ['mem=1G', 'it takes memory away, so the host may not start or its guests may not fit'],
    ['memmap=1G$4G', expect.stringContaining('holds "$"') as string],
    ['memmap=1G', 'it takes memory away, so the host may not start or its guests may not fit'],
    ['maxcpus=0', 'it takes processors away from the host'],
    ['nosmp', 'it takes processors away from the host'],
    ['ip=dhcp', 'the host may come back without its network'],
    ['net.ifnames=0', 'the host may come back without its network'],
    ['break=premount', 'the start waits for somebody at the console'],
    ['panic=0', 'vfleet sets it itself for a trial boot, so that a crash returns to the old line'],
    ['vfleet.trial=1', 'it belongs to vfleet, which sets it itself'],
    ['BOOT_IMAGE=/vmlinuz', 'the boot loader sets it'],
    ['--', 'it ends the kernel’s arguments; what follows goes to init'],
    ['---', 'it ends the kernel’s arguments; what follows goes to init'],
    ['acpi=off', 'without ACPI the host finds neither its IOMMU nor, often, its disks'],
    ['pci=realloc,off', 'without PCI the host has no disk and no network'],
    ['', 'is empty; write one argument, such as pci=realloc'],
    ['=x', 'is not the name of a kernel argument'],
    ['7seas', 'is not the name of a kernel argument'],
  ])('refuses %s with its own reason', (arg, reason) => {
    expect(refusedKernelArg(arg)).toEqual(reason);
  });

  it.each(['hugepages=100000', 'modprobe.blacklist=igb', 'module-blacklist=nouveau,nvme'])(
    'leads from %s, whose danger depends on the host, to the part of the target where it is checked',
    (arg) => {
      expect(refusedKernelArg(arg)).toMatch(/target\.(?:hugepages|modules\.blacklist)/);
    },
  );

  it.each([
    ['vfio_iommu_type1.allow_unsafe_interrupts=1', 'target.modules.unsafeInterrupts'],
    ['vfio-iommu-type1.allow_unsafe_interrupts=1', 'allow: [unsafe-interrupts]'],
    ['vfio.enable_unsafe_noiommu_mode=1', 'any memory'],
    ['pcie_acs_override=downstream,multifunction', 'the hardware does not give'],
    ['vfio-pci.ids=10de:1b80', 'target.devices'],
  ])('puts no %s on a line, though it takes it off one', (arg, why) => {
    expect(unsafeKernelArg(arg)).toContain(why);
    expect(refusedKernelArg(arg)).toBeUndefined();
  });

  it('finds other arguments of vfio harmless', () => {
    expect(unsafeKernelArg('vfio-pci.disable_idle_d3=1')).toBeUndefined();
  });

  it.each([
    ...[
      'a b',
      'a\tb',
      'a\nb',
      'a"b',
      "a'b",
      'a$b',
      'a`b',
      'a;b',
      'a|b',
      'a&b',
      'a\\b',
      'a>b',
      'a*b',
    ],
    ...[
      'a(b',
      'a{b',
      'a#b',
      'a!b',
      'a~b',
      'a%b',
      'a\u0000b',
      'a\u001bb',
      'aéb',
      'a\u202eb',
      'a\u{1F600}b',
    ],
  ])('refuses the text %j, which a shell may read otherwise', (arg) => {
    expect(refusedKernelArg(arg)).toMatch(/^holds /);
  });

  it('refuses an argument that is too long', () => {
    expect(refusedKernelArg(`a=${'b'.repeat(255)}`)).toBe(
      'has 257 characters, and the most is 256',
    );
  });

  it('takes - and _ for the same, as the kernel does', () => {
    expect(refusedKernelArg('systemd.debug-shell=1')).toBeDefined();
    expect(refusedKernelArg('movable-node')).toBeDefined();
  });

  it.each([
    ...[
      'pci=realloc',
      'intel_iommu=on',
      'intel_iommu=on,sm_on',
      'amd_iommu=on',
      'iommu=pt',
      'quiet',
    ],
    ...['console=ttyS0,115200n8', 'isolcpus=managed_irq,domain,2-5', 'default_hugepagesz=1G'],
    ...['kvm-intel.nested=1', 'pci=resource_alignment=20@pci:8086:9c22', 'vfio-pci.ids=10de:1b80'],
    ...['modprobe.blacklist=nouveau,snd-hda-intel', 'acpi_enforce_resources=lax', 'initcall_debug'],
    // Passing a GPU through often needs it (sysfb_init); a wrong function panics, which a trial boot survives.
    ...['initcall_blacklist=sysfb_init'],
  ])('lets %s pass', (arg) => {
    expect(refusedKernelArg(arg)).toBeUndefined();
  });
});
