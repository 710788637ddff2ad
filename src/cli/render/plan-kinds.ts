import { plainLine, plainLines } from '../../domain/plain-line.ts';
import type { Kind } from '../plan/group-kinds.ts';
import type { PlanView } from '../plan/plan-view.ts';
import { CHANGE_INDENT, changeLines } from './change-lines.ts';
import { count } from './count.ts';
import { describeChanges, type ChangeLine } from './describe-changes.ts';
import { padEnd, type Style } from './style.ts';

/** Most lines about what is left alone in one kind: hosts differ in their own arguments without end. */
const LEFT_MAX = 6;

/** A kind with what its changes do in words, as they stand on its first host. */
interface ToldKind {
  readonly kind: Kind;
  readonly lines: readonly ChangeLine[];
}

/** Each kind: its hosts, what is done to them, what is left alone, and what to know before. */
export function kindsLines(kinds: readonly Kind[], style: Style, width: number): string[] {
  const told = kinds.map((kind): ToldKind => ({ kind: plainLines(kind), lines: tell(kind) }));
  return told.flatMap((one, at) => kindLines(one, told.slice(0, at), style, width));
}

/** The words are made of the changes as they are: a plain text has no line ends by which to read a file. */
function tell({ changes, hosts, ownGuests, ownMacs }: Kind): readonly ChangeLine[] {
  const example = plainLine(hosts[0] ?? '');
  const guest = (domain: string) =>
    ownGuests ? `${domain} (on ${example}; each host its own)` : domain;
  return describeChanges(changes, { exact: !ownMacs, guest });
}

function kindLines(
  { kind, lines }: ToldKind,
  earlier: readonly ToldKind[],
  style: Style,
  width: number,
): string[] {
  const example = kind.hosts.length === 1 ? (kind.hosts[0] ?? '') : `e.g. ${kind.hosts[0] ?? ''}`;
  const all = kind.hosts.length === 1 ? '' : `   (all: --hosts ${kind.letter})`;
  return [
    `${style.strong(`KIND ${kind.letter}`)}   ${count(kind.hosts.length, 'host')}   ${kind.hardware}   ${example}${all}`,
    ...shortened(lines, earlier, style, width),
    ...leftLines(kind, style),
    ...kind.warnings.map((text) => `  ${padEnd(style.warn('warning'), CHANGE_INDENT - 2)}${text}`),
  ];
}

/** What is done; of what an earlier kind gets too only that it is so, when the two differ in less than half of it. */
function shortened(
  lines: readonly ChangeLine[],
  earlier: readonly ToldKind[],
  style: Style,
  width: number,
): string[] {
  for (const other of earlier) {
    const differing = differences(lines, other.lines);
    if (differing === undefined) continue;
    if (differing.length === 0) return [`  as ${other.kind.letter}`];
    const rest = changeLines(differing, style, width);
    return [`  as ${other.kind.letter}, but`, ...rest];
  }
  return changeLines(lines, style, width);
}

/** The lines of those parts that differ; `undefined` where most do, or one of the two has a part that the other lacks. */
function differences(
  lines: readonly ChangeLine[],
  others: readonly ChangeLine[],
): readonly ChangeLine[] | undefined {
  const labels = [...new Set(lines.map(({ label }) => label))];
  const theirs = new Set(others.map(({ label }) => label));
  if (labels.length !== theirs.size || labels.some((label) => !theirs.has(label))) return undefined;
  const part = (of: readonly ChangeLine[], label: string) =>
    JSON.stringify(of.filter((line) => line.label === label));
  const differing = labels.filter((label) => part(lines, label) !== part(others, label));
  if (differing.length * 2 >= labels.length && differing.length > 0) return undefined;
  return lines.filter(({ label }) => differing.includes(label));
}

function leftLines(kind: Kind, style: Style): string[] {
  const sentences = kind.left.slice(0, LEFT_MAX).map(({ sentence, hosts }) => {
    const some = hosts === kind.hosts.length ? '' : ` (${hosts} of ${kind.hosts.length} hosts)`;
    return sentence + some;
  });
  const more = kind.left.length - sentences.length;
  if (more > 0) sentences.push(`and ${more} more that few hosts share: see --json`);
  return sentences.map((sentence, at) => {
    const label = at === 0 ? style.strong('LEFT') : '';
    return `  ${padEnd(label, CHANGE_INDENT - 2)}${sentence}`;
  });
}

/** What nobody can know before it is done; a surprise there holds the host (law 14). */
export function notKnownLines({ notKnown }: PlanView): string[] {
  return notKnown.map(
    ({ until, what, kinds }) =>
      `Not known before ${until}: ${what.join(', ')} (${kinds.join(', ')}). A surprise there holds the host.`,
  );
}
