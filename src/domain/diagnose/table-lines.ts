/** What the kernel says when it throws a whole table away (dmar_table_init, warn_invalid_dmar, dmar_dev_scope_init). */
export const TABLE_REFUSED =
  /Your BIOS is broken; DMAR reported at address|parse DMAR table failure|Unable to map DMAR|Failed to initialize DMAR device scope|Record passes table end|Device scope type does not match|AMD-Vi: (?:IVRS table .{0,40}corrupt|ACPI .{0,20}checksum|Failed to (?:parse|get) IVRS)/i;

/** One oddity in the firmware's table with which the kernel goes on. */
export interface TableOddity {
  readonly pattern: RegExp;
  readonly sentence: string;
  readonly next: string;
}

const UPDATE = 'update the firmware of the board, and tell its maker of the line';

/** The first that fits a line counts (drivers/iommu/intel/{dmar,iommu,irq_remapping}.c, drivers/iommu/amd/init.c). */
export const TABLE_ODDITIES: readonly TableOddity[] = [
  {
    pattern:
      /IOAPIC\[?\d* ?\d*\]? ?.{0,20}not in IVRS|No southbridge IOAPIC|has no mapping iommu|HPET.{0,30}(?:not in IVRS|no mapping)/i,
    sentence:
      'the firmware names an interrupt controller nowhere in its table, so the kernel leaves interrupt remapping off',
    next: `${UPDATE}; ivrs_ioapic= on the kernel line can name it by hand on AMD`,
  },
  {
    pattern: /RMRR entry for device .{0,20}is broken/,
    sentence:
      'the firmware reserves memory for a device under a wrong number; the kernel takes the one that it must mean',
    next: UPDATE,
  },
  {
    pattern: /No firmware reserved region can cover this RMRR|bad RMRR|RMRR .{0,60}BIOS is broken/i,
    sentence:
      'the firmware reserves memory for a device (RMRR) and leaves it in the memory map as free, so the device may write over it',
    next: UPDATE,
  },
  {
    pattern: /RHSA refers to non-existent DMAR unit/,
    sentence:
      'the firmware says the NUMA node of an IOMMU unit that does not exist, so the tables of the real one may lie on the wrong node',
    next: UPDATE,
  },
  {
    pattern:
      /DMAR reported at address|Device scope type does not match|Unsupported device scope|DRHD.{0,60}(?:no devices|not found|ignor)|ANDD object name/i,
    sentence:
      'the firmware describes an IOMMU unit (DRHD) that is not there or devices below it that are not; the kernel leaves that part out',
    next: `${UPDATE}; see which functions have no group: vfleet facts HOST -i INVENTORY --all`,
  },
  {
    pattern:
      /(?:DMAR|DMAR-IR|AMD-Vi): ?\[Firmware (?:Bug|Warn)\]|\[Firmware Bug\]: ?(?:DMAR|AMD-Vi)/,
    sentence: 'the kernel found a mistake in the IOMMU table of the firmware and works around it',
    next: UPDATE,
  },
];
