import { BLS_FOLDER } from '../domain/boot-loader/bls-entry.ts';
import type { Change, CmdlineChange, GrubBlsChange, GrubDebianChange } from '../domain/changes.ts';
import { cmdlineOf } from '../domain/changes.ts';
import { parseDropIn } from '../domain/drop-in.ts';
import { parseRolloutId } from '../domain/ids.ts';
import { DRACUT_PATH, MODPROBE_PATH, MODULES_LOAD_PATH } from '../domain/own-files.ts';
import { plainLine } from '../domain/plain-line.ts';
import { LOADER_TOOLS, TRIAL_ENTRY_ID } from '../domain/boot-loader/tools.ts';
import { GUEST_CONFIG_FOLDER, GUEST_LIVE_FOLDER } from './guest-files.ts';
import {
  BLS_TRIAL_PATH,
  BOOT_ID_PATH,
  CMDLINE_PATH,
  DROP_IN_FOLDER,
  DROP_IN_PATH,
  GRUB2ENV_PATH,
  GRUB2_CFG_PATH,
  GRUB_CFG_PATH,
  GRUBENV_PATH,
  MODULES_BOOT_PATH,
  MOTD_FOLDER,
  MOTD_PATH,
  STATE_DIR,
  TRIAL_ARGS_PATH,
  TRIAL_ID_PATH,
  TRIAL_SNIPPET_PATH,
  UNDO_PATH,
  UNDONE_PATH,
} from './probe.ts';
import type { RecordedRun } from './record.ts';
import {
  changeLines,
  deviceChecks,
  deviceData,
  deviceUndo,
  digestOf,
  fileFunctions,
} from './undo-data.ts';
import { UNDO_PARTS } from './undo-script.ts';
import { quoted } from './undo/quoted.ts';

/**
 * /var/lib/vfleet/UNDO.txt: plain shell that takes a run's changes back without vfleet. It looks at what is there, so one
 * text is right before the first step, half-way, when all is done, and after it was run; it is written before the first
 * mutation (law 2). `undefined` when the run holds nothing, or something else than what vfleet writes.
 *
 * The order is that of a rollback: first all is looked at, and anything that is neither as before nor as after ends it with
 * nothing changed; then the trial is disarmed, so that a host that dies here boots its old line; guests, files, drivers, VFs
 * and pages; the kernel line; and the lease at the very end.
 */
export function undoText(run: RecordedRun): string | undefined {
  const line = cmdlineOf(run.changes);
  if (run.changes.length === 0 || (line !== undefined && !isOurs(line))) return undefined;
  const devices = run.changes.filter((change) => change.kind !== 'cmdline');
  const { common, files, functions, vfs, guests } = UNDO_PARTS;
  return [
    `${header(run, line, devices)}\n`,
    assigned(values(run)),
    ...(line === undefined ? [] : lineData(line)),
    ...(devices.length === 0 ? [] : [assigned(DEVICE_VALUES), deviceData(devices)]),
    common,
    ...(line === undefined ? [] : [UNDO_PARTS.line, UNDO_PARTS[LINE_PARTS[line.loader]]]),
    ...(devices.length === 0 ? [] : [files, functions, vfs, guests]),
    `\n${mainLines(line, devices).join('\n')}\n`,
  ].join('');
}

const LINE_PARTS = { 'grub-debian': 'line-debian', 'grub-bls': 'line-bls' } as const;

/** Whether a drop-in of before is one of vfleet: its text stands in the script. */
function isOurs(line: CmdlineChange): boolean {
  if (line.loader !== 'grub-debian') return true;
  return line.dropIn.before === null || parseDropIn(line.dropIn.before) !== undefined;
}

/** What is done, in order. */
function mainLines(line: CmdlineChange | undefined, devices: readonly Change[]): string[] {
  const of = <T>(part: unknown, lines: readonly T[]): readonly T[] =>
    part === undefined || part === 0 ? [] : lines;
  return [
    'begin',
    ...of(line, ['check_line']),
    ...of(devices.length, deviceChecks(devices)),
    ...of(line, ['disarm_line']),
    ...of(devices.length, deviceUndo(devices)),
    ...of(line, ['undo_line']),
    'give_up',
    line === undefined ? 'say "Undone: $rollout."' : 'say_line',
    'say_end',
  ];
}

/** What a person reads first. */
function header(
  run: RecordedRun,
  line: CmdlineChange | undefined,
  devices: readonly Change[],
): string {
  return [
    `#!/bin/sh`,
    `# Takes back what vfleet changed on this host, without vfleet. Plain shell: read it, then run it as root:`,
    `#`,
    `#   sh ${UNDO_PATH}`,
    `#`,
    `# rollout   ${run.rollout}, by ${run.who}, begun here ${run.since}; written before its first change`,
    ...labelled('changes', [
      ...(line === undefined
        ? []
        : [`the kernel line: add ${words(line.add)}; drop ${words(line.drop)}`]),
      ...changeLines(devices),
    ]),
    ...labelled('does', [
      ...(line === undefined ? [] : lineDoes(line)),
      ...(devices.length === 0 ? [] : DEVICES_DO),
      'notes the undo for vfleet and gives this host up (lease, message of the day)',
    ]),
    `# reboots   never. It says at its end whether one is needed`,
    `# when      at any time, also long after the rollout has ended, and as often as you like. When somebody else has`,
    `#           changed something of it since, or another rollout works here, it says so and changes nothing`,
  ]
    .map((text) => `${plainLine(text)}\n`)
    .join('');
}

const DEVICES_DO = [
  'takes devices out of guests, also while they run; removes the files of vfleet or puts them back; makes the initramfs',
  'again when it holds one of them; gives each device its driver of before, and each card the VFs that it had',
];

function lineDoes(line: CmdlineChange): string[] {
  if (line.loader === 'grub-bls') {
    return [
      'puts the boot entries and the files of the kernel line back as they were; removes the trial entry and its one-shot boot',
    ];
  }
  const { dropIn } = line;
  const restores =
    dropIn.before === null
      ? `removes ${DROP_IN_PATH}, which was not there before`
      : `puts ${DROP_IN_PATH} back as an earlier rollout wrote it`;
  return [`${restores}; removes the trial entry and its one-shot boot, runs update-grub`];
}

const labelled = (label: string, lines: readonly string[]): string[] =>
  lines.map((text, at) => `# ${(at === 0 ? label : '').padEnd(9)} ${text}`);

const words = (args: readonly string[]): string => args.join(' ') || 'nothing';

type Values = Readonly<Record<string, string>>;

/** Everything that differs between two of these files, as quoted words. */
function assigned(variables: Values): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${quoted(value)}\n`)
    .join('');
}

function values(run: RecordedRun): Values {
  return {
    rollout: run.rollout,
    spec: parseRolloutId(run.rollout)?.name ?? run.rollout,
    since: run.since,
    state: STATE_DIR,
    undone: UNDONE_PATH,
    motd: MOTD_PATH,
    motd_folder: MOTD_FOLDER,
  };
}

/** What differs between two hosts' lines: values, and the functions that print what was there before. */
function lineData(line: CmdlineChange): string[] {
  const { editenv } = LOADER_TOOLS[line.loader];
  const shared = {
    line_before: line.before.join(' '),
    editenv,
    trial_entry: TRIAL_ENTRY_ID,
    cmdline: CMDLINE_PATH,
  };
  if (line.loader === 'grub-bls') {
    return [assigned({ ...shared, ...blsValues(line) }), fileFunctions('line_files', line.files)];
  }
  return [assigned({ ...shared, ...debianValues(line) }), putBack(line.dropIn.before)];
}

function blsValues({ kernelopts, add, before }: GrubBlsChange): Values {
  return {
    grubenv: GRUB2ENV_PATH,
    grub_cfg: GRUB2_CFG_PATH,
    entries: BLS_FOLDER,
    trial_file: BLS_TRIAL_PATH,
    kernelopts_before: kernelopts?.before ?? '',
    kernelopts_after: kernelopts?.after ?? '',
    added: add.filter((arg) => !before.includes(arg)).join(' '),
  };
}

function debianValues({ dropIn, createsFolder }: GrubDebianChange): Values {
  return {
    dropin_before: digestOf(dropIn.before),
    dropin_after: digestOf(dropIn.after),
    made_folder: createsFolder ? 'yes' : 'no',
    dropin: DROP_IN_PATH,
    dropin_folder: DROP_IN_FOLDER,
    trial_snippet: TRIAL_SNIPPET_PATH,
    trial_args: TRIAL_ARGS_PATH,
    trial_id: TRIAL_ID_PATH,
    grub_cfg: GRUB_CFG_PATH,
    grubenv: GRUBENV_PATH,
  };
}

const DEVICE_VALUES: Values = {
  pci: '/sys/bus/pci',
  proc: '/proc',
  boot: '/boot',
  boot_id: BOOT_ID_PATH,
  modules_boot: MODULES_BOOT_PATH,
  modprobe_file: MODPROBE_PATH,
  dracut_file: DRACUT_PATH,
  modules_load_file: MODULES_LOAD_PATH,
  driverctl_folder: '/etc/driverctl.d',
  guest_live: GUEST_LIVE_FOLDER,
  guest_config: GUEST_CONFIG_FOLDER,
  libvirt: 'qemu:///system',
};

/** Prints the drop-in of before. Its text has passed parseDropIn, so it ends its last line and holds no line like the mark. */
function putBack(before: string | null): string {
  if (before === null) return 'print_dropin_before() { :; }\n';
  return `print_dropin_before() {\n  cat <<'END-OF-DROP-IN'\n${before}END-OF-DROP-IN\n}\n`;
}
