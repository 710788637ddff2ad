/** Numbers as people write them: `0-3,6`. */
export function ranges(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const parts: [first: number, last: number][] = [];
  for (const number of sorted) {
    const part = parts.at(-1);
    if (part?.[1] === number - 1) part[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

/** VFs of a PF: `VF 0`, `VF 0-3`, or `8 VFs` when they are all that it has. */
export function vfNames(indices: readonly number[], all: number): string {
  const isAll = indices.length === all && indices.length > 1;
  return isAll ? `${all} VFs` : `VF ${ranges(indices)}`;
}
