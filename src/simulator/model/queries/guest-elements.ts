import type { FileTree } from '../file-tree.ts';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
/** As in `guests` of src/host/scripts/devices.sh: a test compares the two. */
const TAGS = words(
  'domstatus domain name memory vcpu cputune vcpupin numatune memoryBacking hugepages page locked devices memballoon hostdev interface disk source address target seclabel label',
);
const TEXTS = words('name memory vcpu label');
const ATTRIBUTES = words(
  'type mode unit nodeset vcpu cpuset current model managed dev file bridge network domain bus slot function state size',
);
const ATTRIBUTE = /^[ \t\r\n]+[A-Za-z_:-]+=('[^']*'|"[^"]*")/;

/** What the script lets out of the guests' documents: elements and attributes that it knows by name. */
export function guestElements(tree: FileTree): string {
  const paths = ['/etc/libvirt/qemu/*.xml', '/run/libvirt/qemu/*.xml'].flatMap((glob) =>
    tree.glob(glob),
  );
  return paths.flatMap((path) => [`file ${path}`, ...elements(tree.text(path) ?? '')]).join('\n');
}

function elements(xml: string): readonly string[] {
  const shown: string[] = [];
  let skip: string | undefined;
  for (const element of xml.split('<')) {
    skip ??= unreadEnd(element);
    if (skip === undefined) shown.push(...known(element));
    else if (element.includes(skip)) skip = undefined;
  }
  return shown;
}

/** Where a comment or a CDATA section that begins here ends. */
function unreadEnd(element: string): string | undefined {
  if (element.startsWith('!--')) return '-->';
  return element.startsWith('![CDATA[') ? ']]>' : undefined;
}

function known(element: string): readonly string[] {
  const closes = element.startsWith('/');
  const rest = closes ? element.slice(1) : element;
  const tag = /^[A-Za-z]+/.exec(rest)?.[0] ?? '';
  if (!TAGS.has(tag)) return [];
  return [closes ? `</${tag}>` : opening(tag, rest.slice(tag.length))];
}

function opening(tag: string, text: string): string {
  let rest = text;
  let shown = `<${tag}`;
  for (let match = ATTRIBUTE.exec(rest); match !== null; match = ATTRIBUTE.exec(rest)) {
    rest = rest.slice(match[0].length);
    const piece = match[0].replace(/^[ \t\r\n]+/, '');
    if (ATTRIBUTES.has(piece.slice(0, piece.indexOf('=')))) shown += ` ${piece}`;
  }
  rest = rest.replace(/^[ \t\r\n]+/, '');
  if (rest.startsWith('/>')) shown += '/>';
  else if (rest.startsWith('>')) shown += `>${TEXTS.has(tag) ? rest.slice(1) : ''}`;
  else shown = '<unreadable';
  return shown.replace(/[\r\n]+/g, ' ');
}
