/**
 * The text of our one file in GRUB's configuration, /etc/default/grub.d/zz-vfleet.cfg, and of the trial's
 * arguments. Both carry what they add and drop as comments, a token a line, so that a later rollout (and a
 * person) can read them back without interpreting shell.
 */
export interface LineEdit {
  readonly add: readonly string[];
  readonly drop: readonly string[];
}

const HEADER =
  '# Written by vfleet; do not edit. Removing this file and running update-grub undoes it.';
const ADD = '# vfleet-add: ';
const DROP = '# vfleet-drop: ';

/** The comment lines that say what is dropped and added. */
export function editComments(edit: LineEdit): string {
  return [
    ...edit.drop.map((arg) => `${DROP}${arg}\n`),
    ...edit.add.map((arg) => `${ADD}${arg}\n`),
  ].join('');
}

/** What can stand in the file without a meaning to the shell; a dropped argument may have had quotes. */
const PLAIN_ADDED = /^[A-Za-z0-9._,:=/@+-]+$/;
const PLAIN_DROPPED = /^[A-Za-z0-9._,:=/@+"-]+$/;
/** Longest drop-in that is read back, in characters. */
const DROP_IN_LENGTH_MAX = 64 * 1024;

/**
 * Reads the comments back; `undefined` when the text is not, to the last byte, what vfleet writes for them. What is read
 * here goes into the next drop-in, which root's shell reads: no comment of somebody else may bring in shell.
 */
export function parseDropIn(text: string): LineEdit | undefined {
  if (!text.startsWith(`${HEADER}\n`) || text.length > DROP_IN_LENGTH_MAX) return undefined;
  const values = (prefix: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(prefix))
      .map((line) => line.slice(prefix.length));
  const edit = { add: values(ADD), drop: values(DROP) };
  const plain =
    edit.add.every((arg) => PLAIN_ADDED.test(arg)) &&
    edit.drop.every((arg) => PLAIN_DROPPED.test(arg));
  return plain && dropInText(edit) === text ? edit : undefined;
}

/**
 * The drop-in. grub-mkconfig sources it after /etc/default/grub (its name sorts last), so it sees the
 * administrator's values, takes the dropped tokens out of both variables and appends the added ones to
 * GRUB_CMDLINE_LINUX_DEFAULT, which the recovery entries do not use. The main file is never touched (ADR 0002).
 * Tokens have passed the allow-list of src/schema: no quote, space, `$`, backslash or backtick can be in one.
 */
export function dropInText(edit: LineEdit): string {
  return `${HEADER}\n${editComments(edit)}${edit.drop.length === 0 ? '' : dropFunction(edit.drop)}${
    edit.add.length === 0
      ? ''
      : `GRUB_CMDLINE_LINUX_DEFAULT="\${GRUB_CMDLINE_LINUX_DEFAULT:+$GRUB_CMDLINE_LINUX_DEFAULT }${edit.add.join(' ')}"\n`
  }`;
}

/** Word splitting without globbing; `set -f` is put back, since grub-mkconfig goes on in the same shell. */
function dropFunction(drop: readonly string[]): string {
  return `vfleet_without_dropped() {
  vfleet_kept=
  for vfleet_arg in $1; do
    case $vfleet_arg in
      ${drop.map((arg) => `'${arg}'`).join(' | ')}) ;;
      *) vfleet_kept="$vfleet_kept\${vfleet_kept:+ }$vfleet_arg" ;;
    esac
  done
}
set -f
vfleet_without_dropped "$GRUB_CMDLINE_LINUX"
GRUB_CMDLINE_LINUX=$vfleet_kept
vfleet_without_dropped "$GRUB_CMDLINE_LINUX_DEFAULT"
GRUB_CMDLINE_LINUX_DEFAULT=$vfleet_kept
set +f
unset -f vfleet_without_dropped
unset vfleet_kept vfleet_arg
`;
}

/**
 * Arguments that only the trial carries: a crash returns to the old entry by itself. `oops=panic` makes an
 * oops a crash too (kernel-parameters.txt; both tried, host.md §3). dracut heeds `panic=` not when the root file system does not
 * come up, but stands in a shell unless it is told to reboot (dracut.cmdline(7), 98systemd/dracut-emergency.sh); others ignore `rd.`.
 */
export const TRIAL_ONLY_ARGS: readonly string[] = [
  'panic=30',
  'oops=panic',
  'rd.shell=0',
  'rd.emergency=reboot',
];

/** The marker by which a running trial is known. */
export function trialMarker(trialId: string): string {
  return `vfleet.trial=${trialId}`;
}

/**
 * Arguments as asked, without what only a trial carries: the marker, and in front of it each of the others once, so that a
 * host's own `panic=30` stays.
 */
export function withoutTrialArgs(args: readonly string[]): readonly string[] {
  const marker = args.findLastIndex((arg) => arg.startsWith('vfleet.trial='));
  if (marker === -1) return args;
  const carried = new Set(TRIAL_ONLY_ARGS);
  let start = marker;
  while (carried.delete(args[start - 1] ?? '')) start -= 1;
  return [...args.slice(0, start), ...args.slice(marker + 1)];
}

/** Text of /var/lib/vfleet/trial.args: the edit of the change and the trial's own arguments. */
export function trialArgsText(edit: LineEdit): string {
  return editComments({ add: [...edit.add, ...TRIAL_ONLY_ARGS], drop: edit.drop });
}

/**
 * /etc/grub.d/42_vfleet_trial: copies the first entry of the menu under construction, without the dropped
 * arguments, with the added ones and the marker, under the fixed id `vfleet-trial`. Only title, id and
 * arguments differ from the default entry. Without its arguments file it prints nothing.
 */
export const TRIAL_SNIPPET = `#!/bin/sh
# Written by vfleet: the trial entry of a kernel command line that is not proven yet.
# It is booted once by grub-reboot; the default entry stays as it is. Removed after proof or by undo.
set -e
args=/var/lib/vfleet/trial.args
id=/var/lib/vfleet/trial.id
[ -r "$args" ] && [ -r "$id" ] || exit 0
menu=/boot/grub/grub.cfg.new
[ -r "$menu" ] || menu=/boot/grub/grub.cfg
awk -v id="$(cat "$id")" '
  FNR == NR {
    if (sub(/^# vfleet-drop: /, "")) drop[$0] = 1
    else if (sub(/^# vfleet-add: /, "")) add = add " " $0
    next
  }
  state == 0 && /^menuentry / {
    state = 1
    print "menuentry \\047vfleet trial " id "\\047 --class debian --id vfleet-trial {"
    next
  }
  state == 1 {
    if ($1 ~ /^linux(efi|16)?$/) {
      line = "\\t" $1 "\\t" $2
      for (i = 3; i <= NF; i++) if (!($i in drop)) line = line " " $i
      print line add " vfleet.trial=" id
    } else print
    if (/^}/) { state = 2; exit }
  }
' "$args" "$menu"
`;
