/** One entry of a boot menu as GRUB holds it in memory. */
export interface MenuItem {
  readonly title: string;
  readonly id: string;
  /** The kernel's path and arguments, variables of GRUB expanded; absent for a submenu or another kind of entry. */
  readonly linux: readonly string[] | undefined;
  /** Present for a submenu. */
  readonly items: readonly MenuItem[] | undefined;
}

interface Building {
  readonly title: string;
  readonly id: string;
  linux: readonly string[] | undefined;
  readonly items: MenuItem[] | undefined;
}

const OPENING = /^\s*(menuentry|submenu)\s+'([^']*)'(.*)\{\s*$/;
const ENTRY_ID = /(?:--id|\$menuentry_id_option)\s+'?([^'\s]+)'?/;
const LINUX = /^\s*linux(?:efi|16)?\s+(.*)$/;

/**
 * The menu of a grub.cfg. Written apart from src/facts/grub.ts on purpose: the model is what vfleet's reading of
 * grub.cfg is tested against.
 */
export function parseMenu(text: string): readonly MenuItem[] {
  const root: MenuItem[] = [];
  const open: Building[] = [];
  for (const line of text.split('\n')) {
    const opening = OPENING.exec(line);
    const current = open.at(-1);
    if (opening !== null) {
      open.push(building(opening));
    } else if (current !== undefined && /^\s*\}\s*$/.test(line)) {
      open.pop();
      (open.at(-1)?.items ?? root).push(current);
    } else if (current !== undefined) {
      current.linux = linuxWords(line) ?? current.linux;
    }
  }
  return root;
}

function building([, kind = '', title = '', rest = '']: RegExpExecArray): Building {
  return {
    title,
    id: ENTRY_ID.exec(rest)?.[1] ?? title,
    linux: undefined,
    items: kind === 'submenu' ? [] : undefined,
  };
}

/** GRUB joins the words by one space again, so runs of spaces never reach the kernel. */
function linuxWords(line: string): readonly string[] | undefined {
  const words = LINUX.exec(line)?.[1]?.split(/\s+/);
  return words?.filter((word) => word !== '' && !word.startsWith('$'));
}

/**
 * The entry that `default` names: `2`, a title, an id, or a path such as `1>0`. What leads nowhere is the first
 * entry (grub-core/normal/menu.c: a default that is not within the menu falls back to 0).
 */
export function chooseEntry(menu: readonly MenuItem[], reference: string): MenuItem | undefined {
  const [first = '', ...rest] = reference.split('>');
  const item = findItem(menu, first) ?? menu[0];
  if (item?.items === undefined) return item;
  return chooseEntry(item.items, rest.length === 0 ? '0' : rest.join('>'));
}

function findItem(menu: readonly MenuItem[], name: string): MenuItem | undefined {
  if (/^\d+$/.test(name)) return menu[Number(name)];
  return menu.find((item) => item.title === name || item.id === name);
}

/** What grub.cfg sets `default` to when no one-shot is there. */
export function defaultReference(text: string): string {
  return /^else\n\s*set default="([^"]*)"/m.exec(text)?.[1] ?? '0';
}
