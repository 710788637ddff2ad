/** One word of the shell in one line, whatever stands in it. */
export function quoted(text: string): string {
  return quotedText(text.replace(/\p{Cc}/gu, ' '));
}

/** One word of the shell that keeps its lines. */
export function quotedText(text: string): string {
  return `'${text.replace(/[^\P{Cc}\t\n]/gu, ' ').replaceAll("'", "'\\''")}'`;
}
