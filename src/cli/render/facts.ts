import { blsId } from '../../domain/boot-loader/bls-entry.ts';
import type { BootLoaderFacts, Facts, LoaderFacts } from '../../domain/facts.ts';
import { plainLines } from '../../domain/plain-line.ts';
import type { RecordedRun } from '../../facts/record.ts';
import { isStanding, parseRecord } from '../../facts/record.ts';
import { changeWords } from './change-words.ts';
import { deviceLines, type FactsView } from './facts-devices.ts';
import { guestLines, settingRows } from './facts-guests.ts';
import { sectionsText } from './lines.ts';
import { columns, createStyle, wrapWords } from './style.ts';

const PLAIN: FactsView = { style: createStyle(false), width: 110, all: false };

/** A host's facts as aligned lines and tables; what was not found says so. */
export function renderFacts(given: Facts, view: FactsView = PLAIN): string {
  const facts = plainLines(given);
  return sectionsText(
    [
      hostLines(facts, given, view),
      deviceLines(facts.devices, view),
      guestLines(facts.devices, view),
    ],
    view.width,
  );
}

/** `given`: as it was read, for the record, which is parsed here. */
function hostLines(facts: Facts, given: Facts, view: FactsView): string[] {
  const { cpu, firmware } = facts;
  const room = Math.max(40, view.width - LABEL_WIDTH);
  return columns([
    ...identityRows(facts),
    ['cpu', `${cpu.vendor}, virtualization ${cpu.virtualization ? 'on' : 'off'}`],
    ['memory', `${Math.round(facts.memTotalKiB / 1024)} MiB`],
    ['space', spaceText(facts.freeKiB)],
    ['firmware', `DMAR ${yesNo(firmware.dmar)}, IVRS ${yesNo(firmware.ivrs)}`],
    ['iommu', iommuText(facts)],
    ['runs as', facts.root ? 'root' : 'not root: commands need sudo -n'],
    ...(facts.selinux === undefined ? [] : [['selinux', facts.selinux]]),
    ['guests', guestsText(facts)],
    ...settingRows(facts.devices),
    ...wrapWords(facts.runningArgs, room).map((line, at) => [at === 0 ? 'runs with' : '', line]),
    ...loaderRows(facts.bootLoader, room),
    ...(facts.crashKernel ? [['crash', 'a crash kernel is loaded']] : []),
    ...leaseRows(facts),
    ...recordRows(given),
  ]);
}

/** The longest label and the gap after it. */
const LABEL_WIDTH = 11;

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
  return `${runningGuests.join(' ') || 'none runs'}; KVM ${yesNo(kvm)}, QEMU ${yesNo(qemu)}`;
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
  return record.runs
    .slice(-RUNS_SHOWN)
    .reverse()
    .flatMap((asWritten, at) => {
      const run = plainLines(asWritten);
      const head = `${run.rollout} of ${run.who} since ${run.since}: ${endOf(run)}`;
      // The changes as they are written: in a plain text the lines of a file run together.
      const changes = asWritten.changes.map((change) => ['', `  ${changeWords(change)}`]);
      return [[at === 0 ? 'record' : '', head], ...changes];
    });
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

const LOADERS = {
  'grub-debian': 'GRUB as on Debian',
  'grub-bls': 'GRUB with entries in files (BLS), as on RHEL',
} as const;

/** What else has a say in the line. */
function keeperRows(loader: LoaderFacts): string[][] {
  if (loader.kind === 'grub-debian') {
    return [
      ['our file', loader.dropIn === undefined ? 'no zz-vfleet.cfg' : 'zz-vfleet.cfg is there'],
    ];
  }
  const { kernelopts, tuned_params: tuned } = loader.variables;
  return [
    ['entries', `${loader.entries.length}; default ${blsId(loader.defaultPath)}`],
    ...(kernelopts === undefined ? [] : [['kernelopts', 'in grubenv']]),
    ...(tuned === undefined || tuned === '' ? [] : [['tuned', tuned]]),
  ];
}

function loaderRows(loader: BootLoaderFacts, room: number): string[][] {
  if (!loader.supported) return [['loader', `not supported: ${loader.reason}`]];
  const trial = loader.oneShot.safe ? 'a trial boot is safe' : `no trial: ${loader.oneShot.reason}`;
  return [
    ['loader', `${LOADERS[loader.kind]}; ${trial}`],
    ...wrapWords(loader.defaultEntry.args, room).map((line, at) => [
      at === 0 ? 'will boot' : '',
      line,
    ]),
    ...keeperRows(loader),
    ...(loader.nextEntry === undefined ? [] : [['one-shot', loader.nextEntry]]),
  ];
}
