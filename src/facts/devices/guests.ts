import { compact } from '../../domain/compact.ts';
import type { GuestFacts, GuestHostdev } from '../../domain/device-facts.ts';
import type { Snapshot } from '../snapshot.ts';
import { namesIn } from '../snapshot.ts';
import type { Findings } from './findings.ts';
import type { GuestXml } from './guest-xml.ts';
import { parseGuestXml } from './guest-xml.ts';
import { outputOf } from './text.ts';

const LIVE = '/run/libvirt/qemu/';
const CONFIGURED = '/etc/libvirt/qemu/';
const GUESTS_MAX = 2048;

/** A guest with what its documents say beyond its facts. */
export interface ReadGuest {
  readonly facts: GuestFacts;
  readonly disks: readonly string[];
  readonly interfaces: readonly string[];
}

/**
 * The guests of libvirt, by name. One that runs and cannot be read may own any device, so that is lost to `findings`
 * like a file system that could not be traced.
 */
export function parseGuests(snapshot: Snapshot, findings: Findings): readonly ReadGuest[] {
  const documents = splitDocuments(outputOf(snapshot, 'guests') ?? '');
  const running = new Set(
    namesIn(snapshot, '/run/libvirt/qemu').flatMap((name) =>
      name.endsWith('.xml') ? [name.slice(0, -'.xml'.length)] : [],
    ),
  );
  for (const path of documents.keys()) {
    if (path.startsWith(LIVE)) running.add(nameIn(path, LIVE));
  }
  const names = new Set(running);
  for (const path of documents.keys()) {
    if (path.startsWith(CONFIGURED)) names.add(nameIn(path, CONFIGURED));
  }
  if (names.size > GUESTS_MAX) findings.lose('root-disk', 'more guests than vfleet reads');
  return [...names]
    .sort()
    .slice(0, GUESTS_MAX)
    .flatMap((name) => {
      // libvirt names the file after the guest; one that says otherwise is not its work.
      const read = (folder: string) => {
        const guest = parseGuestXml(documents.get(`${folder}${name}.xml`) ?? '');
        return guest?.name === name ? guest : undefined;
      };
      const [live, configured] = [read(LIVE), read(CONFIGURED)];
      if (running.has(name) && live === undefined) {
        findings.lose('root-disk', `guest ${name} runs, and its configuration could not be read`);
      }
      return readGuest({ name, running: running.has(name), live, configured }) ?? [];
    });
}

const nameIn = (path: string, folder: string) => path.slice(folder.length, -'.xml'.length);

/** The texts by path: each begins at a line `file PATH`. */
function splitDocuments(output: string): ReadonlyMap<string, string> {
  const documents = new Map<string, string>();
  for (const part of `\n${output}`.split('\nfile ')) {
    const end = part.indexOf('\n');
    if (end > 0 && part.startsWith('/')) documents.set(part.slice(0, end), part.slice(end + 1));
  }
  return documents;
}

function readGuest(guest: {
  readonly name: string;
  readonly running: boolean;
  readonly live: GuestXml | undefined;
  readonly configured: GuestXml | undefined;
}): ReadGuest | undefined {
  const { name, running, live, configured } = guest;
  // What runs counts for memory; pins and node are those that outlast the run.
  const now = live ?? configured;
  const lasting = configured ?? live;
  if (now === undefined || lasting === undefined) return undefined;
  const facts: GuestFacts = compact({
    name,
    running,
    persistent: configured !== undefined,
    memoryKiB: now.memoryKiB,
    vcpus: now.vcpus,
    pins: lasting.pins,
    nodeset: lasting.nodeset,
    hugepages: now.hugepages,
    locked: now.locked,
    ballooning: now.ballooning,
    hostdevs: hostdevs(live, configured),
    confinement: live?.confinement,
  });
  const both = (part: 'disks' | 'interfaces') => [
    ...new Set([...(live?.[part] ?? []), ...(configured?.[part] ?? [])]),
  ];
  return { facts, disks: both('disks'), interfaces: both('interfaces') };
}

function hostdevs(
  live: GuestXml | undefined,
  configured: GuestXml | undefined,
): readonly GuestHostdev[] {
  const found = new Map<string, GuestHostdev>();
  for (const { address, managed } of configured?.hostdevs ?? []) {
    found.set(address, { address, managed, live: false, config: true });
  }
  for (const { address, managed } of live?.hostdevs ?? []) {
    found.set(address, { address, managed, live: true, config: found.has(address) });
  }
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}
