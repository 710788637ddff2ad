import { compact } from '../../domain/compact.ts';
import type { ConfigLine, Symptoms } from '../../domain/diagnose/finding.ts';
import { between, linesOf, outputOf, shortText, wholeNumber } from '../devices/text.ts';
import { parseFacts } from '../parse-facts.ts';
import type { Snapshot } from '../snapshot.ts';
import { lineOf, textOf } from '../snapshot.ts';

/** Longest line that is kept of a log, in characters, and most lines of one: the script prints less. */
const LINE_MAX = 600;
const LINES_MAX = 1_000;
const GUESTS_MAX = 200;
const GUEST_LINES_MAX = 100;
const CONFIG_LINES_MAX = 2_000;

/**
 * What `diagnose` looks at, from what was read of a host. A part that was not read is absent, so that its rules say nothing:
 * captures of earlier releases have no logs.
 */
export function parseSymptoms(snapshot: Snapshot): Symptoms {
  return compact({
    facts: parseFacts(snapshot),
    kernelLog: logOf(outputOf(snapshot, 'kernel-log')),
    guestLogs: parseGuestLogs(outputOf(snapshot, 'guest-logs')),
    auditLog: logOf(outputOf(snapshot, 'audit-log')),
    bootStatus: parseBootStatus(snapshot),
    irqChips: parseIrqChips(snapshot),
    moduleFiles: parseModuleFiles(outputOf(snapshot, 'module-files')),
    configLines: parseConfigLines(snapshot),
  });
}

/** The lines of a log: those at its start and its end where there are too many. */
function logOf(output: string | undefined): readonly string[] | undefined {
  if (output === undefined) return undefined;
  const lines = linesOf(output).flatMap((line) => {
    const kept = line.slice(0, LINE_MAX).trimEnd();
    return kept === '' ? [] : [kept];
  });
  const half = LINES_MAX / 2;
  return lines.length <= LINES_MAX ? lines : [...lines.slice(0, half), ...lines.slice(-half)];
}

/** `file /var/log/libvirt/qemu/GUEST.log`, then its lines. */
function parseGuestLogs(output: string | undefined): Symptoms['guestLogs'] {
  const logs = new Map<string, string[]>();
  let lines: string[] | undefined;
  for (const row of linesOf(output)) {
    const guest = /^file \/var\/log\/libvirt\/qemu\/([^/]{1,200})\.log$/.exec(row)?.[1];
    if (guest !== undefined) {
      lines = logs.size < GUESTS_MAX ? [] : undefined;
      if (lines !== undefined) logs.set(guest, lines);
    } else if (row !== '' && lines !== undefined && lines.length < GUEST_LINES_MAX) {
      lines.push(row.slice(0, LINE_MAX));
    }
  }
  // Not by assignment: a guest may be called __proto__.
  return Object.fromEntries(logs);
}

/** Watchdogs that say why the machine booted; 0 says nothing (Documentation/watchdog/watchdog-api.rst). */
function parseBootStatus(snapshot: Snapshot): Symptoms['bootStatus'] {
  return Object.fromEntries(
    between(snapshot.files, '/sys/class/watchdog/', '/bootstatus').flatMap(([name]) => {
      const status = wholeNumber(lineOf(snapshot, `/sys/class/watchdog/${name}/bootstatus`));
      return status === undefined || status === 0 ? [] : [[name, status] as const];
    }),
  );
}

function parseIrqChips(snapshot: Snapshot): Symptoms['irqChips'] {
  const chips = between(snapshot.files, '/sys/kernel/irq/', '/chip_name').flatMap(([number]) => {
    const chip = shortText(lineOf(snapshot, `/sys/kernel/irq/${number}/chip_name`));
    return /^\d$/.test(number) && chip !== undefined ? [[number, chip] as const] : [];
  });
  return chips.length === 0 ? undefined : Object.fromEntries(chips);
}

/** Names of modules, a line each. */
function parseModuleFiles(output: string | undefined): Symptoms['moduleFiles'] {
  if (output === undefined) return undefined;
  const names = linesOf(output).filter((name) => /^[a-z0-9_]{1,64}$/.test(name));
  return [...new Set(names)];
}

/** Files of the boot loader that say what stands on the kernel line: of GRUB, of entries, and of kernel-install(8). */
const LINE_FILES =
  /^\/(?:etc\/default\/grub(?:\.d\/[^/]+\.cfg)?|boot\/loader\/entries\/[^/]+\.conf|etc\/kernel\/cmdline)$/;

/** Arguments that the rules look for. */
const OF_INTEREST = /iommu|intremap|vfio|pci=|pcie|blacklist|hugepages/;

/** Absent where neither the boot loader's files nor those of modprobe.d were read. */
function parseConfigLines(snapshot: Snapshot): readonly ConfigLine[] | undefined {
  const modprobe = outputOf(snapshot, 'modprobe-lines');
  const files = [...snapshot.files.keys()].filter((path) => LINE_FILES.test(path)).sort();
  if (modprobe === undefined && files.length === 0) return undefined;
  const ofFiles = files.flatMap((path) =>
    linesOf(textOf(snapshot, path))
      .filter((text) => OF_INTEREST.test(text) && !/^\s*#/.test(text))
      .map((text) => ({ path, text: text.slice(0, LINE_MAX) })),
  );
  return [...ofFiles, ...modprobeLines(modprobe)].slice(0, CONFIG_LINES_MAX);
}

/** `PATH<tab>LINE`. */
function modprobeLines(output: string | undefined): readonly ConfigLine[] {
  return linesOf(output).flatMap((row) => {
    const at = row.indexOf('\t');
    const path = row.slice(0, at);
    const isFile = /^\/[A-Za-z0-9._/+@-]{1,200}$/.test(path);
    return at > 0 && isFile ? [{ path, text: row.slice(at + 1, at + 1 + LINE_MAX) }] : [];
  });
}
