import type {
  BindChange,
  FileChange,
  HugepagesChange,
  ModulesChange,
  VfsChange,
} from '../../domain/changes.ts';
import { RULES_FOLDER } from '../../domain/own-files.ts';
import { ranges } from './device-names.ts';
import type { ChangeLine } from './describe-changes.ts';
import { groupedBy } from './grouped-by.ts';

/** Most files named one by one: a rule for each of many devices says nothing that its device does not. */
const NAMED_MAX = 4;

/** modprobe.d and modules-load.d by what they say, and what brings it into force. */
export function describeModules({ files, initramfs }: ModulesChange): ChangeLine[] {
  const force = initramfs
    ? 'the initramfs is made again; acts from the next boot on'
    : 'acts from the next boot on';
  return [...files.flatMap(fileText), force].map((text) => ({ label: 'modules', text }));
}

function fileText({ path, before, after }: FileChange): string[] {
  if (before === after) return [];
  if (after === null) return [`removes ${path}`];
  if (before === null) return [`new file ${path}: ${wordsOf(after).join(', ')}`];
  const [old, now] = [wordsOf(before), wordsOf(after)];
  const edits = [
    ...now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
    ...old.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
  ];
  return [`changes ${path}: ${edits.join(', ')}`];
}

/** The lines of a file that mean something. */
function wordsOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** Pages by size and node; nodes that get the same share a line. */
export function describeHugepages({ pages, file }: HugepagesChange): ChangeLine[] {
  const when = file.after === null ? 'run time only' : 'run time, and at each boot';
  const changed = pages.filter((page) => page.before !== page.after);
  const groups = groupedBy(changed, ({ node, ...page }) =>
    JSON.stringify({ ...page, whole: node === null }),
  );
  const texts = groups.map(([, group]) => {
    const [{ sizeKiB, before, after }] = group;
    const numbers = `${sizeKiB === 2048 ? '2M' : '1G'} ${before} -> ${after}`;
    return `${nodesText(group.flatMap(({ node }) => node ?? []))}${numbers} (${when})`;
  });
  const onlyFile = `${fileVerb(file)} ${file.path}: at each boot`;
  return (texts.length > 0 ? texts : [onlyFile]).map((text) => ({ label: 'hugepages', text }));
}

function nodesText(nodes: readonly number[]): string {
  if (nodes.length === 0) return '';
  return nodes.length === 1 ? `node ${ranges(nodes)}: ` : `nodes ${ranges(nodes)}, each: `;
}

function fileVerb({ before, after }: FileChange): string {
  if (after === null) return 'removes';
  return before === null ? 'new file' : 'changes';
}

/** The rules and scripts that keep devices as they are asked over reboots. */
export function describeRules(changes: readonly (VfsChange | BindChange)[]): ChangeLine[] {
  const files = changes.flatMap((change) => change.files).filter((f) => f.before !== f.after);
  const groups = [
    ['new', files.filter((file) => file.before === null)],
    ['changed', files.filter((file) => file.before !== null && file.after !== null)],
    ['removed', files.filter((file) => file.after === null)],
  ] as const;
  return groups
    .filter(([, group]) => group.length > 0)
    .map(([what, group]) => ({
      label: 'files',
      text: `${what} in ${RULES_FOLDER}, for each boot: ${namesOf(group)}`,
    }));
}

function namesOf(files: readonly FileChange[]): string {
  const names = files.map(({ path }) =>
    path.startsWith(`${RULES_FOLDER}/`) ? path.slice(RULES_FOLDER.length + 1) : path,
  );
  if (names.length <= NAMED_MAX) return names.join(' ');
  return `${names.length} files, ${names[0] ?? ''} ... ${names.at(-1) ?? ''}`;
}
