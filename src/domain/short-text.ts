/** A text in at most `max` characters: a longer one keeps its start and its end, where reasons stand. */
export function shortText(text: string, max: number): string {
  if (text.length <= max) return text;
  const half = Math.floor((max - 5) / 2);
  return `${text.slice(0, half)} ... ${text.slice(text.length - half)}`;
}
