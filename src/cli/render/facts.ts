import type { Change } from '../../domain/changes.ts';
import type { BootLoaderFacts, Facts } from '../../domain/facts.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { RecordedRun } from '../../facts/record.ts';
import { isStanding, parseRecord } from '../../facts/record.ts';
import { columns, wrapWords } from './style.ts';

/** A host's facts as aligned lines; what was not found says so. */
export function renderFacts(given: Facts): string {
  const facts = plainLines(given);
  const { cpu, firmware } = facts;
  return columns([
    ...identityRows(facts),
    ['cpu', `${cpu.vendor}, virtualization ${cpu.virtualization ? 'on' : 'off'}`],
    ['memory', `${Math.round(facts.memTotalKiB / 1024)} MiB`],
    ['space', spaceText(facts.freeKiB)],
    ['firmware', `DMAR ${yesNo(firmware.dmar)}, IVRS ${yesNo(firmware.ivrs)}`],
    ['iommu', iommuText(facts)],
    ['runs as', facts.root ? 'root' : 'not root: commands need sudo -n'],
    ['guests', guestsText(facts)],
    ...wrapWords(facts.runningArgs, 96).map((line, at) => [at === 0 ? 'runs with' : '', line]),
    ...loaderRows(facts.bootLoader),
    ...(facts.crashKernel ? [['crash', 'a crash kernel is loaded']] : []),
    ...leaseRows(facts),
    ...recordRows(given),
  ]).join('\n');
}

function identityRows(facts: Facts): string[][] {
  const system = facts.os.prettyName || facts.os.id || 'unknown';
  return [
    ['host', facts.hostname || 'no name'],
    ['system', `${system}, kernel ${facts.kernelRelease || 'unknown'}`],
    ['machine', `id ${facts.machineId ?? 'not valid'}, boot id ${facts.bootId ?? 'not valid'}`],
  ];
}

function spaceText(freeKiB: number | undefined): string {
  return freeKiB === undefined ? 'unknown' : `${freeKiB} KiB free where vfleet writes`;
}

function guestsText({ runningGuests, kvm, qemu }: Facts): string {
  return `${runningGuests.join(' ') || 'none'}; KVM ${yesNo(kvm)}, QEMU ${yesNo(qemu)}`;
}

/** Who works here now, or nobody. */
function leaseRows({ lease }: Facts): string[][] {
  if (lease === undefined) return [['held by', 'no rollout']];
  const { rollout, who, since, engine } = lease;
  return [['held by', `${rollout} of ${who} since ${since} (engine ${engine})`]];
}

/** Runs shown of a record, newest first. */
const RUNS_SHOWN = 5;

/** What vfleet's own record says in words, newest run first. */
function recordRows({ record: text, undone }: Facts): string[][] {
  const record = parseRecord(text, undone);
  if (record === undefined) return [['record', 'record.json is not as vfleet writes it']];
  if (record.runs.length === 0) return [['record', 'no rollout has changed this host']];
  return plainLines(record.runs)
    .slice(-RUNS_SHOWN)
    .reverse()
    .flatMap((run, at) => [
      [at === 0 ? 'record' : '', `${run.rollout} of ${run.who} since ${run.since}: ${endOf(run)}`],
      ...run.changes.map((change) => ['', `  ${argsText(change)}`]),
    ]);
}

function endOf(run: RecordedRun): string {
  const { outcome, ended, undone, released } = run;
  const end =
    undone === undefined
      ? [outcome ?? 'not ended', ...(ended === undefined ? [] : [ended])].join(' ')
      : `undone by hand by ${undone.who} at ${undone.at}`;
  const given =
    released === undefined
      ? ''
      : `; released by ${released.who} at ${released.at}: ${released.reason}`;
  const left = isStanding(run) ? '; what it changed stands' : '';
  return `${end}${given}${left}`;
}

function argsText({ add, drop }: Change): string {
  return [...add.map((arg) => `+ ${arg}`), ...drop.map((arg) => `- ${arg}`)].join(' ');
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function iommuText(facts: Facts): string {
  const { units, groups } = facts.iommu;
  if (units.length === 0) return 'off: no unit in /sys/class/iommu';
  const types = new Map<string, number>();
  for (const { type } of groups) types.set(type, (types.get(type) ?? 0) + 1);
  const list = [...types].map(([type, number]) => `${number} ${type}`).join(', ');
  return `on: ${units.join(' ')}; ${groups.length} groups (${list})`;
}

function loaderRows(loader: BootLoaderFacts): string[][] {
  if (!loader.supported) return [['loader', `not supported: ${loader.reason}`]];
  const trial = loader.oneShot.safe ? 'a trial boot is safe' : `no trial: ${loader.oneShot.reason}`;
  return [
    ['loader', `GRUB as on Debian; ${trial}`],
    ...wrapWords(loader.defaultEntry.args, 96).map((line, at) => [
      at === 0 ? 'will boot' : '',
      line,
    ]),
    ['our file', loader.dropIn === undefined ? 'no zz-vfleet.cfg' : 'zz-vfleet.cfg is there'],
    ...(loader.nextEntry === undefined ? [] : [['one-shot', loader.nextEntry]]),
  ];
}
