import type { BindChange } from '../domain/changes.ts';
import type { EarlierNames, NamesBefore } from '../domain/devices/earlier-names.ts';
import type { Facts } from '../domain/facts.ts';
import { parseRecord, RECORD_BYTES_MAX } from './record.ts';

/**
 * How functions were known before vfleet bound them, by address, from the host's record; read when it is first asked for. The
 * record is the host's own and may be anything: one that this release does not read, or that is larger than any that vfleet
 * writes, says nothing.
 */
export function namesBefore({ record: text }: Pick<Facts, 'record'>): NamesBefore {
  let names: ReadonlyMap<string, EarlierNames> | undefined;
  return () => (names ??= namesIn(text));
}

function namesIn(text: string | undefined): ReadonlyMap<string, EarlierNames> {
  const found = new Map<string, EarlierNames>();
  if (text === undefined || text.length > RECORD_BYTES_MAX) return found;
  const binds = (parseRecord(text)?.runs ?? [])
    .flatMap(({ changes }) => changes)
    .filter((change) => change.kind === 'bind');
  const devices = new Map<string, string | null>();
  for (const { address, modalias, before } of binds) {
    // Another card may stand at the address by now.
    const earlier = devices.get(address) === modalias ? found.get(address) : undefined;
    devices.set(address, modalias);
    found.set(address, withNames(earlier, before));
  }
  return found;
}

/** What stood there before, if anything did: a function that vfleet has bound already tells nothing new. */
function withNames(earlier: EarlierNames | undefined, before: BindChange['before']): EarlierNames {
  const { driver, net = [] } = before;
  const isNews = driver !== null && driver !== 'vfio-pci';
  return {
    driver: isNews ? driver : (earlier?.driver ?? null),
    net: net.length > 0 ? net : (earlier?.net ?? []),
  };
}
