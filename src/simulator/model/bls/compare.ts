/** One piece of a version: digits, letters, or one of the marks `~` and `+`. */
const PIECE = /~|\+|\d+|[A-Za-z]+/g;

/**
 * Which of two versions is newer: above 0 for the first. As rpm compares them, and so `vercmp` of grub-core/commands/blscfg.c
 * (rhboot/grub2): piece by piece, digits by their number and above letters; `~` sorts below everything, also the end, and
 * `+` above the end and below the rest.
 */
export function compareVersions(a: string, b: string): number {
  const one = a.match(PIECE) ?? [];
  const two = b.match(PIECE) ?? [];
  for (let at = 0; at < Math.max(one.length, two.length); at += 1) {
    const verdict = comparePieces(one[at], two[at]);
    if (verdict !== 0) return verdict;
  }
  return 0;
}

function comparePieces(one: string | undefined, two: string | undefined): number {
  const [a, b] = [rank(one), rank(two)];
  if (a !== b || one === undefined || two === undefined) return a - b;
  return /^\d/.test(one) ? compareNumbers(one, two) : compareBytes(one, two);
}

/** What sorts above what: the mark `~`, the end, the mark `+`, letters, digits. */
function rank(piece: string | undefined): number {
  if (piece === undefined) return 1;
  if (piece === '~' || piece === '+') return piece === '~' ? 0 : 2;
  return /^\d/.test(piece) ? 4 : 3;
}

/** Of any length: an id may start with 32 digits. */
function compareNumbers(one: string, two: string): number {
  const [a, b] = [one, two].map((digits) => digits.replace(/^0+/, ''));
  return (a ?? '').length - (b ?? '').length || compareBytes(a ?? '', b ?? '');
}

const compareBytes = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/**
 * The order of two entries in the menu by their ids, the newer first: name, version and release of what `NAME-VERSION-RELEASE`
 * splits into at its last two dashes (`bls_cmp` there; grubby's rpm-sort does the same). For the entries of kernels
 * the name is the machine id; `vfleet-trial` has a name and a version only.
 */
export function compareIds(a: string, b: string): number {
  const [one, two] = [splitId(a), splitId(b)];
  return (
    compareVersions(two.name, one.name) ||
    compareVersions(two.version, one.version) ||
    compareVersions(two.release, one.release)
  );
}

function splitId(id: string): { name: string; version: string; release: string } {
  const parts = id.split('-');
  if (parts.length < 3) {
    const [name = '', version = ''] = parts;
    return { name, version, release: '' };
  }
  const [version = '', release = ''] = parts.slice(-2);
  return { name: parts.slice(0, -2).join('-'), version, release };
}
