/** Modules whose PCI driver has another name (drivers/usb/host, drivers/ata, drivers/i2c of the kernel). */
const MODULE_OF_DRIVER: Readonly<Record<string, string>> = {
  xhci_hcd: 'xhci_pci',
  ehci_hcd: 'ehci_pci',
  ohci_hcd: 'ohci_pci',
  i801_smbus: 'i2c_i801',
};

/** The module of a driver, as /proc/modules writes it: with `_` for `-`. */
export function moduleOf(driver: string): string {
  const name = driver.replaceAll('-', '_');
  return Object.hasOwn(MODULE_OF_DRIVER, name) ? (MODULE_OF_DRIVER[name] ?? name) : name;
}
