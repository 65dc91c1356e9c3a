/** Reads XML strictly, as much of it as reports use: what is not well-formed throws. */

/** An element: its name, attributes, elements below it, and its own text. */
export interface Xml {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Xml[];
  readonly text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML 1.0 cannot hold.
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text) || /\p{Cs}/u.test(text))
    throw new Error('a character that XML cannot hold');
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const code = /^#(\d+)$/.exec(name)?.[1];
    const char = code === undefined ? ENTITIES[name] : String.fromCodePoint(Number(code));
    if (char === undefined || !whole.endsWith(';')) throw new Error(`${whole} is no entity`);
    return char;
  });
}

/** The document's element. */
export function parseXml(text: string): Xml {
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!text.startsWith(head)) throw new Error('there is no declaration');
  let at = head.length;
  const eat = (pattern: RegExp): RegExpExecArray | undefined => {
    const sticky = new RegExp(pattern.source, 'sy');
    sticky.lastIndex = at;
    const found = sticky.exec(text) ?? undefined;
    if (found !== undefined) at = sticky.lastIndex;
    return found;
  };
  const element = (): Xml => {
    const name = eat(/<([a-z-]+)/)?.[1];
    if (name === undefined) throw new Error(`expected an element at ${text.slice(at, at + 20)}`);
    const attributes: Record<string, string> = {};
    for (let one = eat(/ ([a-z]+)="([^"<]*)"/); one !== undefined; one = eat(/ ([a-z]+)="([^"<]*)"/)) {
      if (Object.hasOwn(attributes, one[1]!)) throw new Error(`${one[1]} twice`);
      attributes[one[1]!] = decode(one[2]!);
    }
    if (eat(/\/>/) !== undefined) return { name, attributes, children: [], text: '' };
    if (eat(/>/) === undefined) throw new Error(`expected > at ${text.slice(at, at + 20)}`);
    const children: Xml[] = [];
    let own = '';
    while (eat(new RegExp(`</${name}>`)) === undefined) {
      const words = eat(/[^<]+/)?.[0];
      if (words === undefined) children.push(element());
      else if (words.includes(']]>')) throw new Error('the end of a section that was not begun');
      else own += decode(words);
    }
    return { name, attributes, children, text: own };
  };
  const root = element();
  if (text.slice(at).trim() !== '') throw new Error('something follows the element');
  return root;
}
