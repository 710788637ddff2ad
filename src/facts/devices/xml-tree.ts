import sax from 'sax';

/** An element of an XML document; no more of it than guests' configurations need. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Text directly in it, without the blanks around. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** Bounds of one document: a guest with hundreds of devices has some thousands of elements, twelve deep. */
const LENGTH_MAX = 2_000_000;
const ELEMENTS_MAX = 50_000;
const DEPTH_MAX = 64;

/**
 * The root element, or `undefined` for what is not well-formed, too large, or has a document type: only the five
 * entities of XML itself are known, so nothing can expand.
 */
export function parseXml(text: string): XmlElement | undefined {
  if (text.length > LENGTH_MAX) return undefined;
  try {
    return read(text);
  } catch {
    return undefined;
  }
}

interface Open {
  readonly name: string;
  readonly attributes: Record<string, string>;
  text: string;
  readonly children: Open[];
}

function read(text: string): XmlElement | undefined {
  // Its types lack `strictEntities` (sax README, "Settings"): only XML's own five entities.
  const options: sax.SAXOptions & { readonly strictEntities: true } = {
    strictEntities: true,
    trim: true,
  };
  const parser = sax.parser(true, options);
  const open: Open[] = [];
  let root: Open | undefined;
  let count = 0;
  parser.onerror = (error) => {
    throw error;
  };
  parser.ondoctype = () => {
    throw new Error('no document type is expected');
  };
  parser.onopentag = ({ name, attributes }) => {
    count += 1;
    if (count > ELEMENTS_MAX || open.length >= DEPTH_MAX) throw new Error('too large');
    const element: Open = { name, attributes: plain(attributes), text: '', children: [] };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  };
  parser.ontext = (part) => {
    const element = open.at(-1);
    if (element !== undefined) element.text += part;
  };
  parser.onclosetag = () => void open.pop();
  parser.write(text).close();
  return root;
}

/** Without a prototype, so that an attribute may have any name. */
function plain(attributes: Readonly<Record<string, unknown>>): Record<string, string> {
  const copy = Object.create(null) as Record<string, string>;
  for (const [name, value] of Object.entries(attributes)) copy[name] = String(value);
  return copy;
}

/** The elements on a way of names below one. */
export function all(
  element: XmlElement | undefined,
  ...way: readonly string[]
): readonly XmlElement[] {
  let found = element === undefined ? [] : [element];
  for (const name of way) {
    found = found.flatMap(({ children }) => children.filter((child) => child.name === name));
  }
  return found;
}

/** The first of them. */
export function first(
  element: XmlElement | undefined,
  ...way: readonly string[]
): XmlElement | undefined {
  return all(element, ...way)[0];
}
