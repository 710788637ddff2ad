import { tokenise } from '../kernel-args.ts';

/** Where GRUB's blscfg finds its entries (The Boot Loader Specification, type #1). */
export const BLS_FOLDER = '/boot/loader/entries';

/** What is read of an entry file. */
export interface BlsEntry {
  readonly title: string;
  /** Path of the kernel as the loader sees it. */
  readonly linux: string;
  /** Words of the `options` line, variables of grubenv as they stand: `$kernelopts`. */
  readonly options: readonly string[];
}

/**
 * Reads an entry as GRUB does, which is less than the specification has: of each key the first line counts, a key ends at the
 * line's first space, or where there is none at its first tab, and a line without a value, an empty one too, ends the reading
 * (read_entry of grub-core/commands/blscfg.c, rhboot/grub2). `undefined` when it loads no Linux kernel.
 */
export function parseBlsEntry(text: string): BlsEntry | undefined {
  const lines = linesRead(text);
  const value = (key: string) => lines.find((line) => line.key === key)?.value;
  const linux = value('linux');
  if (linux === undefined) return undefined;
  return { title: value('title') ?? '', linux, options: tokenise(value('options') ?? '') };
}

interface ReadLine {
  readonly at: number;
  readonly key: string;
  readonly value: string;
}

function linesRead(text: string): readonly ReadLine[] {
  const read: ReadLine[] = [];
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.replace(/^[ \t]+/, '');
    if (line.startsWith('#')) continue;
    const space = line.indexOf(' ');
    const end = space === -1 ? line.indexOf('\t') : space;
    const value = end === -1 ? '' : line.slice(end + 1).trim();
    if (value === '') break;
    read.push({ at, key: line.slice(0, end), value });
  }
  return read;
}

/**
 * The entry with these options on the line that GRUB reads; all else stays to the byte. One without such a line gets it behind the
 * last line that is read.
 */
export function withOptions(text: string, options: readonly string[]): string {
  const line = `options ${options.join(' ')}`;
  const lines = text.split('\n');
  const read = linesRead(text);
  const found = read.find(({ key }) => key === 'options');
  if (found !== undefined) return lines.with(found.at, line).join('\n');
  return lines.toSpliced((read.at(-1)?.at ?? -1) + 1, 0, line).join('\n');
}

/** The id by which grubenv's `saved_entry` and `next_entry` name an entry: its file's name (blscfg of rhboot/grub2). */
export function blsId(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.conf$/, '');
}

/** The entry that dracut-config-rescue makes: the way back of last resort, which nobody changes. */
export const isRescueEntry = (path: string): boolean => /-0-rescue(?:\.|-|$)/.test(blsId(path));

/** Variables of grubenv that entries of this family use. */
export type BlsVariables = Readonly<Partial<Record<'kernelopts' | 'tuned_params', string>>>;

/** The words that the kernel gets: variables replaced by what grubenv has, those that it lacks by nothing, as GRUB does. */
export function expandOptions(options: readonly string[], variables: BlsVariables): string[] {
  return options.flatMap((word) => {
    if (!word.startsWith('$')) return [word];
    const value = new Map(Object.entries(variables)).get(word.slice(1));
    return value === undefined ? [] : tokenise(value);
  });
}

/** Whether an entry takes its arguments from grubenv (RHEL 8). */
export const usesKernelopts = ({ options }: BlsEntry): boolean => options.includes('$kernelopts');

/** The lines of an entry that say what is booted; the trial takes them over. */
const COPIED =
  /^(?:version|linux|initrd|devicetree|architecture|grub_users|grub_arg|grub_class)[ \t]/;

/** The trial's entry: what the default one boots, with other options and a title of its own. */
export function trialEntryText(
  defaultText: string,
  options: readonly string[],
  trialId: string,
): string {
  const copied = defaultText.split('\n').filter((line) => COPIED.test(line));
  return [
    `# Written by vfleet: the trial entry of a kernel command line that is not proven yet. It is booted once by grub2-reboot;`,
    `# the default entry stays as it is. Removed after proof or by undo.`,
    `title vfleet trial ${trialId}`,
    ...copied,
    `options ${options.join(' ')}`,
    '',
  ].join('\n');
}
