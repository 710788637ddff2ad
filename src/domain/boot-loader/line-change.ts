import type { Problem } from '../blocked.ts';
import type { CmdlineChange, FileChange, GrubBlsChange, GrubDebianChange } from '../changes.ts';
import type { LineEdit } from '../drop-in.ts';
import { dropInText, parseDropIn } from '../drop-in.ts';
import type { GrubBlsFacts, GrubDebianFacts, LoaderFacts } from '../facts.ts';
import { applyArgs, isPageArg, tokenise } from '../kernel-args.ts';
import {
  expandOptions,
  isRescueEntry,
  parseBlsEntry,
  usesKernelopts,
  withOptions,
} from './bls-entry.ts';
import { DEFAULT_GRUB_PATH, editDefaultGrub, editLineFile } from './default-grub.ts';

/** Where kernel-install(8) looks for the line of the next kernel. */
export const KERNEL_CMDLINE_PATH = '/etc/kernel/cmdline';

/** An entry's file; the same pattern as a `case` in the write script. */
const ENTRY_FILE = /^\/boot\/loader\/entries\/[A-Za-z0-9_][A-Za-z0-9._+~-]*\.conf$/;

/** Whether a path is a file that a change of the line may edit where entries lie in files. */
export function isLinePath(path: string): boolean {
  return path === DEFAULT_GRUB_PATH || path === KERNEL_CMDLINE_PATH || ENTRY_FILE.test(path);
}

/** What an edit of the kernel line changes on a host with this boot loader, or why it cannot be made there. */
export function lineChangeOf(loader: LoaderFacts, wanted: LineEdit): CmdlineChange | Problem {
  return loader.kind === 'grub-bls' ? blsChange(loader, wanted) : debianChange(loader, wanted);
}

/** An existing drop-in of ours is extended. */
function debianChange(loader: GrubDebianFacts, wanted: LineEdit): GrubDebianChange | Problem {
  const before = loader.defaultEntry.args;
  const earlier = loader.dropIn === undefined ? { add: [], drop: [] } : parseDropIn(loader.dropIn);
  if (earlier === undefined) {
    return {
      code: 'cmdline.drop-in-foreign',
      sentence:
        'zz-vfleet.cfg exists and is not as vfleet writes it; see what it does, then remove it',
    };
  }
  const { add, drop } = wanted;
  // GRUB puts GRUB_CMDLINE_LINUX_DEFAULT, to which the drop-in appends, at the end of the line.
  const after = applyArgs(before, wanted);
  const replaces = add.some(isPageArg);
  const kept = earlier.add.filter((arg) => !drop.includes(arg) && !(replaces && isPageArg(arg)));
  return {
    kind: 'cmdline',
    loader: 'grub-debian',
    add,
    drop,
    before,
    after,
    dropIn: {
      before: loader.dropIn ?? null,
      after: dropInText({
        add: [...kept, ...add],
        drop: [...new Set([...earlier.drop, ...drop])].filter(
          // A page argument that comes back must still go from where it stood.
          (arg) => !add.includes(arg) || isPageArg(arg),
        ),
      }),
    },
    createsFolder: !loader.dropInFolder,
  };
}

/**
 * Entries are written one by one, not by grubby, which takes every argument of a name away before it adds one, so that a
 * second `console=` or `hugepagesz=` is lost (ADR 0006). The rescue entry stays as it is.
 */
function blsChange(loader: GrubBlsFacts, wanted: LineEdit): GrubBlsChange | Problem {
  const { variables } = loader;
  const defaultGrub = editDefaultGrub(loader.defaultGrub, wanted);
  if (defaultGrub === undefined) return unclear();
  const entries = loader.entries.filter(({ path }) => !isRescueEntry(path));
  const kernelopts = editedKernelopts(loader, wanted);
  const files: FileChange[] = [
    ...entries.map(({ path, text }) => ({ path, before: text, after: editEntry(text, wanted) })),
    { path: DEFAULT_GRUB_PATH, before: loader.defaultGrub, after: defaultGrub },
    ...(loader.kernelCmdline === undefined
      ? []
      : [
          {
            path: KERNEL_CMDLINE_PATH,
            before: loader.kernelCmdline,
            after: editLineFile(loader.kernelCmdline, wanted),
          },
        ]),
  ];
  const after = files.find(({ path }) => path === loader.defaultPath)?.after;
  const entry = parseBlsEntry(after ?? '');
  if (entry === undefined) return noEntry(loader.defaultPath);
  return {
    kind: 'cmdline',
    loader: 'grub-bls',
    add: wanted.add,
    drop: wanted.drop,
    before: loader.defaultEntry.args,
    after: expandOptions(entry.options, {
      ...variables,
      ...(kernelopts === null ? {} : { kernelopts: kernelopts.after }),
    }),
    files: files.filter(({ before, after: changed }) => before !== changed),
    kernelopts,
  };
}

/** What an entry shares by `$kernelopts` is edited there; what it has of its own, here. */
export function editEntry(text: string, { add, drop }: LineEdit): string {
  const entry = parseBlsEntry(text);
  if (entry === undefined) return text;
  const own = { add: usesKernelopts(entry) ? [] : add, drop };
  const options = applyArgs(entry.options, own);
  return options.join(' ') === entry.options.join(' ') ? text : withOptions(text, options);
}

function editedKernelopts(
  { entries, variables }: GrubBlsFacts,
  wanted: LineEdit,
): GrubBlsChange['kernelopts'] {
  const { kernelopts } = variables;
  const uses = entries.some(({ text }) => {
    const entry = parseBlsEntry(text);
    return entry !== undefined && usesKernelopts(entry);
  });
  if (!uses || kernelopts === undefined) return null;
  const after = applyArgs(tokenise(kernelopts), wanted).join(' ');
  return after === kernelopts ? null : { before: kernelopts, after };
}

const unclear = (): Problem => ({
  code: 'bootloader.default-grub-unclear',
  sentence: `${DEFAULT_GRUB_PATH} sets GRUB_CMDLINE_LINUX in a way that cannot be edited without running it; make it one plain line: GRUB_CMDLINE_LINUX="..."`,
});

const noEntry = (path: string): Problem => ({
  code: 'bootloader.unsupported',
  sentence: `the default entry ${path} is the rescue entry or loads no Linux kernel; make another one the default: grubby --set-default=/boot/vmlinuz-RELEASE`,
});
