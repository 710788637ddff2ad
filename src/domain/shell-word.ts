/** A path of the inventory as a word that a shell takes as it is; a leading ~/ is left to the shell. */
export function shellWord(path: string): string {
  return /^[A-Za-z0-9_./~@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
