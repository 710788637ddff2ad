/**
 * What /etc/grub.d/42_vfleet_trial prints: the first entry of the menu so far with another title, id and arguments.
 * The same as its awk program, which a test compares it with.
 */
export function trialText(menu: string, args: string, id: string): string {
  const lines = menu.split('\n');
  const start = lines.findIndex((line) => line.startsWith('menuentry '));
  if (start === -1) return '';
  const end = lines.findIndex((line, index) => index > start && line.startsWith('}'));
  const drop = new Set(values(args, '# vfleet-drop: '));
  const added = values(args, '# vfleet-add: ');
  const body = lines.slice(start + 1, end + 1).map((line) => {
    const [program = '', kernel = '', ...words] = line.trim().split(/\s+/);
    if (!/^linux(efi|16)?$/.test(program)) return line;
    const kept = [...words.filter((word) => !drop.has(word)), ...added, `vfleet.trial=${id}`];
    return `\t${program}\t${[kernel, ...kept].join(' ')}`;
  });
  const heading = `menuentry 'vfleet trial ${id}' --class debian --id vfleet-trial {`;
  return `${[heading, ...body].join('\n')}\n`;
}

function values(text: string, prefix: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length));
}
