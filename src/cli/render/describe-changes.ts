import { BLS_FOLDER } from '../../domain/boot-loader/bls-entry.ts';
import type { Change, ChangeKind, CmdlineChange } from '../../domain/changes.ts';
import { ofKind } from '../../domain/changes.ts';
import { plainLines } from '../../domain/plain-line.ts';
import { DROP_IN_PATH } from '../../facts/probe.ts';
import { describeAttach, describeBinds, describeVfs } from './describe-devices.ts';
import { describeHugepages, describeModules, describeRules } from './describe-files.ts';

/** One thing that changes do, in words. */
export interface ChangeLine {
  /** The step that does it, or the files that keep it. */
  readonly label: Change['kind'] | 'files';
  /** What is added or taken away; absent where `text` says from what to what. */
  readonly sign?: '+' | '-';
  /** The devices, or the guest, that it is done to. */
  readonly subject?: string;
  readonly text: string;
}

export interface DescribeOptions {
  /** With what differs between hosts of a kind: the MAC addresses of VFs. */
  readonly exact: boolean;
  /** How a guest is called; absent: by its name. */
  readonly guest?: (domain: string) => string;
}

/** What changes do, in the order in which they are applied; devices to which the same is done share a line. */
export function describeChanges(
  changes: readonly Change[],
  options: DescribeOptions = { exact: true },
): readonly ChangeLine[] {
  const of = <K extends ChangeKind>(kind: K) => ofKind(changes, kind);
  const lines = [
    ...of('cmdline').flatMap(describeCmdline),
    ...of('modules').flatMap(describeModules),
    ...of('hugepages').flatMap(describeHugepages),
    ...describeVfs(of('vfs'), options),
    ...describeBinds(of('vfs'), of('bind')),
    ...of('attach').map((change) => describeAttach(change, options)),
    ...describeRules([...of('vfs'), ...of('bind')]),
  ];
  // Lines of a file end at its line ends, which a plain line has no more: so the texts are made plain last.
  return plainLines(lines);
}

function describeCmdline(change: CmdlineChange): ChangeLine[] {
  return [
    ...edit('+', change.add),
    ...edit('-', change.drop),
    { label: 'cmdline', text: `${lineFiles(change)}; booted once on trial, then made default` },
  ];
}

/** What makes the line the default. */
export function lineFiles(change: CmdlineChange): string {
  if (change.loader === 'grub-debian') {
    return `${change.dropIn.before === null ? 'new file' : 'changes'} ${DROP_IN_PATH}`;
  }
  const [entries, others] = [true, false].map((wanted) =>
    change.files.filter(({ path }) => path.startsWith(`${BLS_FOLDER}/`) === wanted),
  );
  const parts = [
    ...(entries?.length ? [`${entries.length} entries in ${BLS_FOLDER}`] : []),
    ...(change.kernelopts === null ? [] : ['kernelopts of grubenv']),
    ...(others ?? []).map(({ path }) => path),
  ];
  return `changes ${parts.join(', ')}`;
}

function edit(sign: '+' | '-', args: readonly string[]): ChangeLine[] {
  return args.length === 0 ? [] : [{ label: 'cmdline', sign, text: args.join(' ') }];
}
