/** How a function was known before vfleet bound it to vfio-pci, which takes its driver and its interfaces away. */
export interface EarlierNames {
  readonly driver: string | null;
  readonly net: readonly string[];
}

/** Longest record that is read, in characters: src/facts bounds what it writes. */
const RECORD_LENGTH_MAX = 32 * 1024 * 1024;

/**
 * Earlier names by address, from the text of the host's record (/var/lib/vfleet/record.json). The record is the host's own
 * and may be anything: what is not as vfleet writes it says nothing, and names only ever select what a spec asks for.
 */
export function earlierNames(record: string | undefined): ReadonlyMap<string, EarlierNames> {
  const found = new Map<string, EarlierNames>();
  if (record === undefined || record.length > RECORD_LENGTH_MAX) return found;
  for (const run of listIn(parsed(record), 'runs')) {
    for (const change of listIn(run, 'changes')) {
      if (!isObject(change) || change['kind'] !== 'bind') continue;
      const { address, before } = change;
      const names = namesIn(before);
      if (typeof address === 'string' && names !== undefined) found.set(address, names);
    }
  }
  return found;
}

/** What stood there before; a function that was on vfio-pci already tells nothing new. */
function namesIn(before: unknown): EarlierNames | undefined {
  if (!isObject(before)) return undefined;
  const { driver } = before;
  if (driver === 'vfio-pci') return undefined;
  const net = listIn(before, 'net').filter((name) => typeof name === 'string');
  return { driver: typeof driver === 'string' ? driver : null, net };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function listIn(value: unknown, key: string): readonly unknown[] {
  const list = isObject(value) ? value[key] : undefined;
  return Array.isArray(list) ? list : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
