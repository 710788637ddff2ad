import type { Change } from '../../domain/changes.ts';
import { plainLines } from '../../domain/plain-line.ts';
import { describeChanges } from './describe-changes.ts';

/** A change on one line, as a record or a question names it: `vfs 0000:3b:00.1 (ens1f1) sriov_numvfs 0 -> 8`. */
export function changeWords(change: Change): string {
  if (change.kind === 'cmdline') {
    const { add, drop } = plainLines(change);
    return [...add.map((arg) => `+ ${arg}`), ...drop.map((arg) => `- ${arg}`)].join(' ');
  }
  const texts = describeChanges([change])
    .filter(({ label }) => label !== 'files')
    .map(({ subject, text }) => (subject === undefined ? text : `${subject} ${text}`));
  return `${change.kind} ${texts.join('; ').replaceAll(/ {2,}/g, ', ')}`;
}
