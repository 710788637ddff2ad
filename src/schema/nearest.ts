/** The known word that somebody who typed `word` probably meant, or `undefined` when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const distanceMax = Math.max(1, Math.floor(word.length / 3));
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= distanceMax && (best === undefined || distance < best.distance)) {
      best = { word: candidate, distance };
    }
  }
  return best?.word;
}

/** Edits (insert, delete, replace, swap neighbours) that turn one word into the other; row by row. */
function editDistance(one: string, other: string): number {
  const [from, to] = [one.slice(0, 64), other.slice(0, 64)];
  const cell = (row: readonly number[] | undefined, column: number): number =>
    row?.[column] ?? Infinity;
  const rows = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= from.length; row += 1) {
    const [last, beforeLast] = [rows[row - 1], rows[row - 2]];
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const replaced = cell(last, column - 1) + (from[row - 1] === to[column - 1] ? 0 : 1);
      const shifted = Math.min(cell(last, column), cell(current, column - 1)) + 1;
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swapped = isSwap ? cell(beforeLast, column - 2) + 1 : Infinity;
      current.push(Math.min(replaced, shifted, swapped));
    }
    rows.push(current);
  }
  return cell(rows.at(-1), to.length);
}
