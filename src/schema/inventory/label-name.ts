/** Variables that steer Ansible or vfleet are no labels, nor are those that may hold a secret (law 10). */
export function isLabelName(name: string): boolean {
  if (/^(?:ansible|vfleet)_/.test(name)) return false;
  return !/pass(?:word|wd|phrase)?(?:$|_)|secret|token|credential|private|(?:^|_)key(?:$|_)|api_?key/i.test(
    name,
  );
}
