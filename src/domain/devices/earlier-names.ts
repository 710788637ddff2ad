/** How a function was known before vfleet bound it to vfio-pci, which takes its driver and its interfaces away. */
export interface EarlierNames {
  readonly driver: string | null;
  readonly net: readonly string[];
}

/**
 * Earlier names by address, from the host's record (src/facts/earlier-names.ts); asked for only where a function may have
 * them. They only ever select what a spec asks for.
 */
export type NamesBefore = () => ReadonlyMap<string, EarlierNames>;

/** Of a host without a record, and where names do not matter. */
export const NO_NAMES: NamesBefore = () => new Map<string, EarlierNames>();
