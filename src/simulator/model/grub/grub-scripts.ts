/** Files that grub-mkconfig passes over (grub_file_is_not_garbage in grub-mkconfig_lib). */
export function isGarbage(name: string): boolean {
  return /~$|^#|\.dpkg-|\.rpmsave$|\.rpmnew$|\.rpmorig$|^README/.test(name);
}

/**
 * What a script of /etc/grub.d prints that is one of the two forms in which people write theirs: 40_custom prints itself
 * without its first two lines, 41_custom a here-document. `undefined`: another form.
 */
export function scriptText(script: string): string | undefined {
  const lines = script.split('\n');
  if (lines[1] === 'exec tail -n +3 $0') return lines.slice(2).join('\n');
  return /^#!\/bin\/sh\ncat <<EOF\n([\s\S]*)EOF\n$/.exec(script)?.[1]?.replaceAll('\\$', '$');
}
