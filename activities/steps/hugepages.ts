import type { StepOutcome } from '../../src/domain/activities.ts';
import type { Change, Evidence, HugepagesChange } from '../../src/domain/changes.ts';
import { HOST_DEADLINE_MS } from '../../src/domain/deadlines.ts';
import type { HugepagesTarget, Target } from '../../src/domain/spec.ts';
import { lineOf, textOf } from '../../src/facts/snapshot.ts';
import type { Snapshot } from '../../src/facts/snapshot.ts';
import type { Guard, HostPort, ReadEntry } from '../../src/host/port.ts';
import { refreshInitramfs } from './parts/initramfs.ts';
import type { AnswerTable, KernelWrite } from './parts/kernel-writes.ts';
import { failureHold, writeKernel } from './parts/kernel-writes.ts';
import { hold, ok, tail } from './outcomes.ts';
import type { OwnFiles } from './parts/own-file-changes.ts';
import { writeAfter, writeBefore } from './parts/own-file-changes.ts';

type Pages = HugepagesChange['pages'][number];
type Place = Pick<Pages, 'sizeKiB' | 'node'>;

const MACHINE = '/sys/kernel/mm/hugepages';
const NODE = '/sys/devices/system/node/node';

/** The kernel's file for a number of pages (Documentation/admin-guide/mm/hugetlbpage.rst). */
function pagesPath({ sizeKiB, node }: Place): string {
  const size = `hugepages-${sizeKiB}kB/nr_hugepages`;
  return node === null ? `${MACHINE}/${size}` : `${NODE}${node}/hugepages/${size}`;
}

const PAGE_COUNTS: readonly ReadEntry[] = [
  { kind: 'line', glob: `${MACHINE}/*/nr_hugepages` },
  { kind: 'line', glob: `${NODE}*/hugepages/*/nr_hugepages` },
];

async function readPages(port: HostPort, files: readonly string[] = []): Promise<Snapshot> {
  const entries = [...PAGE_COUNTS, ...files.map((glob) => ({ kind: 'file', glob }) as const)];
  return port.read({ entries, deadlineMs: HOST_DEADLINE_MS.read });
}

/** How many pages there are; `undefined` when the kernel has none of that size there, or says no number. */
function pagesNow(snapshot: Snapshot, place: Place): number | undefined {
  const line = lineOf(snapshot, pagesPath(place)) ?? '';
  return /^[0-9]{1,12}$/.test(line) ? Number(line) : undefined;
}

const ANSWERS: AnswerTable = {
  absent: ['hugepages.refused', 'this kernel has no pages of that size there'],
  hung: ['hugepages.hung', 'the kernel still looks for memory, and may still find some'],
  other: ['hugepages.refused', 'the kernel did not take the number'],
};

/**
 * Takes the pages at run time, where no reboot is to come, and writes the file that takes them again at each boot. The
 * kernel answers well when it found fewer (tried on Linux 6.1: asked 5,000 of 2 MiB, got 902), so they are read back. The
 * file comes after the pages, which have then been shown to leave the host alive.
 *
 * | it dies after      | what is on the host                  | what happens                                    |
 * | ------------------ | ------------------------------------ | ----------------------------------------------- |
 * | some of the pages  | between before and after, no file    | retry goes on; an unasked boot has none of them |
 * | the file           | as asked, also after a boot          | nothing                                         |
 * | undo: the file     | as after until the next boot         | retry goes on                                   |
 */
export async function applyHugepages(
  port: HostPort,
  call: {
    readonly changes: readonly HugepagesChange[];
    readonly guard: Guard;
    /** False: a reboot comes and brings them, by the file. */
    readonly live: boolean;
  },
): Promise<StepOutcome> {
  const { changes, guard, live } = call;
  let evidence: Evidence = {};
  for (const change of changes) {
    const snapshot = await readPages(port, [change.file.path]);
    const problem =
      missingSize(snapshot, change) ??
      position(snapshot, change) ??
      (live ? await take(port, { change, guard, snapshot, to: 'after' }) : undefined) ??
      (await writeAfter(port, { guard, files: [change.file], found: found(snapshot, change) }));
    if (problem !== undefined) return problem;
    evidence = {
      ...evidence,
      ...(live ? seen(change, 'after') : { hugepages: 'at the next boot' }),
    };
  }
  return ok(evidence);
}

/** Gives the pages back; the file goes first. Needs no reboot. */
export async function undoHugepages(
  port: HostPort,
  call: { readonly change: HugepagesChange; readonly guard: Guard },
): Promise<StepOutcome> {
  const { change, guard } = call;
  const snapshot = await readPages(port, [change.file.path]);
  const problem =
    position(snapshot, change) ??
    (await writeBefore(port, { guard, files: [change.file], found: found(snapshot, change) })) ??
    (await refreshInitramfs(port, guard, [change.file], 'before')) ??
    (await take(port, { change, guard, snapshot, to: 'before' }));
  return problem ?? ok({ ...seen(change, 'before'), reboot: 'not needed' });
}

function position(snapshot: Snapshot, change: HugepagesChange): StepOutcome | undefined {
  const strange = change.pages.map((pages) => strangeCount(snapshot, pages));
  const first = strange.find((problem) => problem !== undefined);
  if (first !== undefined) return first;
  const { path, before, after } = change.file;
  const found = textOf(snapshot, path) ?? null;
  if (found === before || found === after) return undefined;
  return hold('drift', `${path} was changed by someone else`, { content: tail(found ?? 'absent') });
}

function found(snapshot: Snapshot, { file: { path } }: HugepagesChange): OwnFiles {
  const text = textOf(snapshot, path);
  return text === undefined ? {} : { [path]: text };
}

function missingSize(snapshot: Snapshot, { pages }: HugepagesChange): StepOutcome | undefined {
  const missing = pages.find((place) => pagesNow(snapshot, place) === undefined);
  if (missing === undefined) return undefined;
  return hold('hugepages.refused', `this kernel has no ${named(missing)}`);
}

/** Every number between before and after is one that the kernel may have stopped at. */
function strangeCount(snapshot: Snapshot, pages: Pages): StepOutcome | undefined {
  const { before, after } = pages;
  const now = pagesNow(snapshot, pages) ?? before;
  if (now >= Math.min(before, after) && now <= Math.max(before, after)) return undefined;
  return hold('drift', `there are ${now} ${named(pages)}, neither as before nor as after`, {
    before: String(before),
    after: String(after),
  });
}

async function take(
  port: HostPort,
  call: {
    readonly change: HugepagesChange;
    readonly guard: Guard;
    readonly snapshot: Snapshot;
    readonly to: 'before' | 'after';
  },
): Promise<StepOutcome | undefined> {
  const { change, guard, snapshot, to } = call;
  const writes = change.pages
    .filter((pages) => ![undefined, pages[to]].includes(pagesNow(snapshot, pages)))
    .map((pages): KernelWrite => {
      const timeoutMs = HOST_DEADLINE_MS.hugepages;
      return { path: pagesPath(pages), value: String(pages[to]), timeoutMs };
    });
  if (writes.length === 0) return undefined;
  const failed = await writeKernel(port, guard, writes);
  if (failed !== undefined) return failureHold(failed, ANSWERS, 'hugepages');
  const fresh = await readPages(port);
  for (const pages of change.pages) {
    const now = pagesNow(fresh, pages);
    if (now === undefined) continue;
    if (now < pages[to]) return fewer(pages, pages[to], now, fresh);
    if (now > pages[to]) {
      const sentence = `${now} ${named(pages)} are still there, since they are in use`;
      return hold('hugepages.in-use', sentence, { asked: String(pages[to]), left: String(now) });
    }
  }
  return undefined;
}

/**
 * Reads back whether the pages are there that the target and the plan ask for, of boot time and of run time. More of them
 * than asked are somebody else's affair.
 */
export async function verifyHugepages(
  port: HostPort,
  call: { readonly changes: readonly Change[]; readonly target: Target },
): Promise<StepOutcome> {
  const { hugepages } = call.target;
  const planned = call.changes.flatMap((change) =>
    change.kind === 'hugepages' ? change.pages : [],
  );
  if (hugepages.length + planned.length === 0) return ok({});
  const snapshot = await readPages(port);
  const evidence: Record<string, string> = {};
  for (const place of places(hugepages, planned)) {
    const own = planned.find((pages) => pagesPath(pages) === pagesPath(place))?.after ?? 0;
    const asked = Math.max(askedAt(hugepages, place), own);
    const now = pagesNow(snapshot, place) ?? 0;
    if (now < asked) return fewer(place, asked, now, snapshot);
    evidence[named(place)] = `${now}, asked ${asked}`;
  }
  return ok(evidence);
}

/** Each size and node that is named, and each size of the target for the whole machine. */
function places(targets: readonly HugepagesTarget[], planned: readonly Pages[]): Place[] {
  const all = [
    ...targets.flatMap(({ sizeKiB, node }): Place[] => [
      { sizeKiB, node: node ?? null },
      { sizeKiB, node: null },
    ]),
    ...planned,
  ];
  return [...new Map(all.map((place) => [pagesPath(place), place])).values()];
}

function askedAt(targets: readonly HugepagesTarget[], place: Place): number {
  return targets
    .filter(({ sizeKiB }) => sizeKiB === place.sizeKiB)
    .filter(({ node }) => place.node === null || node === place.node)
    .reduce((sum, { count }) => sum + count, 0);
}

function fewer(place: Place, asked: number, got: number, snapshot: Snapshot): StepOutcome {
  return hold(
    'hugepages.fewer-than-asked',
    `asked for ${asked} ${named(place)}, got ${got}; memory is in pieces, or too little`,
    { asked: String(asked), got: String(got), nodes: byNode(snapshot, place.sizeKiB) },
  );
}

/** `node 0: 12, node 1: 16`. */
function byNode(snapshot: Snapshot, sizeKiB: Place['sizeKiB']): string {
  const pattern = new RegExp(`^${NODE}([0-9]+)/hugepages/hugepages-${sizeKiB}kB/nr_hugepages$`);
  const nodes = [...snapshot.files.keys()].flatMap((path) => pattern.exec(path)?.[1] ?? []);
  const texts = nodes
    .map(Number)
    .sort((a, b) => a - b)
    .map((node) => `node ${node}: ${pagesNow(snapshot, { sizeKiB, node }) ?? 'unknown'}`);
  return tail(texts.join(', '));
}

function named({ sizeKiB, node }: Place): string {
  const size = sizeKiB === 2048 ? '2 MiB pages' : '1 GiB pages';
  return node === null ? size : `${size} on node ${node}`;
}

function seen(change: HugepagesChange, which: 'before' | 'after'): Evidence {
  return Object.fromEntries(change.pages.map((pages) => [named(pages), String(pages[which])]));
}
