import type { ModelHost } from '../model-host.ts';
import type { BlsFile } from './entries.ts';

/** All values of a key in an entry, as `grep` and `sed` of grubby and grub2-mkconfig see them: by lines that start with it. */
export function valueOf(text: string, key: string): string {
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${key} `) || line.startsWith(`${key}\t`))
    .map((line) => line.slice(key.length).replace(/^[ \t]+/, ''));
  return values.join('\n');
}

/** `sed -i "s/^KEY.*\/KEY VALUE/"`: every line that starts with the key. */
export function withValue(text: string, key: string, value: string): string {
  return text
    .split('\n')
    .map((line) => (line.startsWith(key) ? `${key} ${value}` : line))
    .join('\n');
}

/** Writes an entry anew, as `sed -i` does. Returns whether that changed it. @throws DiskError */
export function putValue(
  { tree, disk }: ModelHost,
  { path }: Pick<BlsFile, 'path'>,
  key: string,
  value: string,
): boolean {
  const before = tree.text(path) ?? '';
  const after = withValue(before, key, value);
  if (after !== before) disk.put(path, after);
  return after !== before;
}
