/** Huge pages at each boot, by systemd-tmpfiles (tmpfiles.d(5), type `w`): one line for each size and node. */
export interface PagesLine {
  readonly sizeKiB: 2048 | 1048576;
  /** `null`: the whole machine. */
  readonly node: number | null;
  readonly count: number;
}

const HEADER =
  '# Written by vfleet: huge pages that are set aside at each boot. To take them back: /var/lib/vfleet/UNDO.txt';
/** Longest text that is read back, in characters. */
const LENGTH_MAX = 64 * 1024;

/** The kernel's file for a number of pages (Documentation/admin-guide/mm/hugetlbpage.rst). */
function pagesPath({ sizeKiB, node }: Pick<PagesLine, 'sizeKiB' | 'node'>): string {
  const folder = node === null ? '/sys/kernel/mm' : `/sys/devices/system/node/node${node}`;
  return `${folder}/hugepages/hugepages-${sizeKiB}kB/nr_hugepages`;
}

/** The file's text, or `null` for no lines: then there is no file. */
export function tmpfilesText(lines: readonly PagesLine[]): string | null {
  if (lines.length === 0) return null;
  const order = [...lines].sort((a, b) => b.sizeKiB - a.sizeKiB || (a.node ?? -1) - (b.node ?? -1));
  return [HEADER, ...order.map((line) => `w ${pagesPath(line)} - - - - ${line.count}`), ''].join(
    '\n',
  );
}

const LINE =
  /^w \/sys\/(?:kernel\/mm|devices\/system\/node\/node(\d{1,4}))\/hugepages\/hugepages-(2048|1048576)kB\/nr_hugepages - - - - (\d{1,12})$/;

/** The lines of a text; `undefined` when it is not, to the last byte, as `tmpfilesText` makes it. */
export function parseTmpfiles(text: string): readonly PagesLine[] | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  const lines = text
    .split('\n')
    .slice(1, -1)
    .map((line): PagesLine | undefined => {
      const [, node, size, count] = LINE.exec(line) ?? [];
      if (size === undefined) return undefined;
      const sizeKiB = size === '2048' ? 2048 : 1048576;
      return { sizeKiB, node: node === undefined ? null : Number(node), count: Number(count) };
    });
  const known = lines.filter((line) => line !== undefined);
  return tmpfilesText(known) === text ? known : undefined;
}
