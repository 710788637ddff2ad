import { createHash } from 'node:crypto';
import type { CmdlineChange } from '../domain/changes.ts';
import { parseDropIn } from '../domain/drop-in.ts';
import { parseRolloutId } from '../domain/ids.ts';
import { plainLine } from '../domain/plain-line.ts';
import { TRIAL_ENTRY_ID } from './boot-loader.ts';
import {
  CMDLINE_PATH,
  DROP_IN_FOLDER,
  DROP_IN_PATH,
  GRUB_CFG_PATH,
  GRUBENV_PATH,
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
import { UNDO_SCRIPT } from './undo-script.ts';

/**
 * /var/lib/vfleet/UNDO.txt: plain shell that takes a run's change back without vfleet. It looks at what is there, so one
 * text is right before the trial, while it is armed, once it is the default, and after it was run; it is written before
 * the first mutation (law 2). `undefined` when the run holds something else than what vfleet writes.
 */
export function undoText(run: RecordedRun): string | undefined {
  const [change, ...more] = run.changes;
  if (change === undefined || more.length > 0) return undefined;
  const { before } = change.dropIn;
  if (before !== null && parseDropIn(before) === undefined) return undefined;
  return `${header(run, change)}\n${values(run, change)}${putBack(before)}${UNDO_SCRIPT}`;
}

/** What a person reads first. */
function header(run: RecordedRun, change: CmdlineChange): string {
  const { before } = change.dropIn;
  const restores =
    before === null
      ? `removes ${DROP_IN_PATH}, which was not there before`
      : `puts ${DROP_IN_PATH} back as an earlier rollout wrote it`;
  return [
    `#!/bin/sh`,
    `# Takes back what vfleet changed on this host, without vfleet. Plain shell: read it, then run it as root:`,
    `#`,
    `#   sh ${UNDO_PATH}`,
    `#`,
    `# rollout   ${run.rollout}, by ${run.who}, begun here ${run.since}; written before its first change`,
    `# changes   the kernel line: add ${words(change.add)}; drop ${words(change.drop)}`,
    `# does      ${restores}; removes the trial entry and its`,
    `#           one-shot boot, runs update-grub, notes the undo for vfleet and gives this host up (lease, message of the day)`,
    `# reboots   never. It says at its end whether one is needed, to leave a kernel line that runs now`,
    `# when      at any time, also long after the rollout has ended, and as often as you like. When somebody else has`,
    `#           changed the file since, or another rollout works here, it says so and changes nothing`,
  ]
    .map((line) => `${plainLine(line)}\n`)
    .join('');
}

const words = (args: readonly string[]): string => args.join(' ') || 'nothing';

/** Everything that differs between two of these files, as quoted words. */
function values(run: RecordedRun, change: CmdlineChange): string {
  const { before, after } = change.dropIn;
  const variables = {
    rollout: run.rollout,
    spec: parseRolloutId(run.rollout)?.name ?? run.rollout,
    since: run.since,
    line_before: change.before.join(' '),
    dropin_before: before === null ? 'absent' : sha256(before),
    dropin_after: sha256(after),
    made_folder: change.createsFolder ? 'yes' : 'no',
    state: STATE_DIR,
    undone: UNDONE_PATH,
    dropin: DROP_IN_PATH,
    dropin_folder: DROP_IN_FOLDER,
    trial_snippet: TRIAL_SNIPPET_PATH,
    trial_args: TRIAL_ARGS_PATH,
    trial_id: TRIAL_ID_PATH,
    trial_entry: TRIAL_ENTRY_ID,
    grub_cfg: GRUB_CFG_PATH,
    grubenv: GRUBENV_PATH,
    cmdline: CMDLINE_PATH,
    motd: MOTD_PATH,
    motd_folder: MOTD_FOLDER,
  };
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${quoted(value)}\n`)
    .join('');
}

/** One word of the shell, whatever stands in it. */
function quoted(text: string): string {
  return `'${text.replace(/\p{Cc}/gu, ' ').replaceAll("'", "'\\''")}'`;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Prints the drop-in of before. Its text has passed parseDropIn, so it ends its last line and holds no line like the mark. */
function putBack(before: string | null): string {
  if (before === null) return 'print_dropin_before() { :; }\n';
  return `print_dropin_before() {\n  cat <<'END-OF-DROP-IN'\n${before}END-OF-DROP-IN\n}\n`;
}
