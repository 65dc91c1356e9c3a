/**
 * BTF types as lines of text, in the words of `bpftool btf dump`: `struct ent size=16 key:3@0 ref:7@8`. A number behind a colon is the
 * id of a type, one behind `@` an offset in bytes. What a word cannot hold is written as in a URL (`unsigned%20int`).
 */
import { InputError } from '../../isa/errors.js';
import type { BtfType, FuncLinkage } from './types.js';
import { FUNC_LINKAGES } from './types.js';

const ANONYMOUS = '(anon)';

/**
 * Writes a name without spaces, so that it is one word of a line. What a word cannot hold is written as in a URL; `ANONYMOUS` stands
 * for the empty name.
 */
export function nameWord(name: string): string {
  return name === '' ? ANONYMOUS : name.replace(/[^\w.$-]/gu, (c) => encodeURIComponent(c));
}

/** The name that a word stands for. Throws InputError for a word that is no name. */
export function wordName(word: string): string {
  if (word === ANONYMOUS) return '';
  try {
    return decodeURIComponent(word);
  } catch {
    throw new InputError(`'${word}' is no name`);
  }
}

const bitsOf = (bits: number): string =>
  bits % 8 === 0 ? `${bits / 8}` : `${Math.floor(bits / 8)}.${bits % 8}`;

/** A type as the words behind its id. */
export function typeWords(type: BtfType): string {
  const name = 'name' in type ? nameWord(type.name) : '';
  switch (type.kind) {
    case 'void':
      throw new RangeError('void is not written');
    case 'int': {
      const odd = type.bits === 8 * type.size && type.bitOffset === 0;
      const bits = odd ? '' : ` bits=${type.bits}@${type.bitOffset}`;
      return `int ${name} size=${type.size} ${type.encoding}${bits}`;
    }
    case 'float':
      return `float ${name} size=${type.size}`;
    case 'ptr':
    case 'const':
    case 'volatile':
    case 'restrict':
      return `${type.kind} ${type.type}`;
    case 'typedef':
      return `typedef ${name} ${type.type}`;
    case 'type_tag':
      return `type_tag ${name} ${type.type}${type.attribute ? ' attribute' : ''}`;
    case 'array':
      return `array ${type.element} index=${type.index} count=${type.count}`;
    case 'struct':
    case 'union': {
      const members = type.members.map(
        (one) =>
          ` ${nameWord(one.name)}:${one.type}@${bitsOf(one.bitOffset)}${one.bitSize === 0 ? '' : `/${one.bitSize}`}`,
      );
      return `${type.kind} ${name} size=${type.size}${members.join('')}`;
    }
    case 'enum':
    case 'enum64':
      return `${type.kind} ${name} size=${type.size}${type.signed ? ' signed' : ''}`;
    case 'fwd':
      return `fwd ${name} ${type.of}`;
    case 'func':
      return `func ${name} ${type.type} ${type.linkage}`;
    case 'func_proto':
      return `func_proto ${type.returns}${type.params.map((one) => ` ${nameWord(one.name)}:${one.type}`).join('')}`;
    case 'var':
      return `var ${name} ${type.type} linkage=${type.linkage}`;
    case 'datasec':
      return `datasec ${name} size=${type.size}${type.vars.map((one) => ` ${one.type}@${one.offset}/${one.size}`).join('')}`;
    case 'decl_tag':
      return `decl_tag ${name.replaceAll('%3A', ':')} ${type.type} component=${type.component}${type.attribute ? ' attribute' : ''}`;
  }
}

const wrong = (word: string | undefined, what: string): never => {
  throw new InputError(word === undefined ? `expected ${what}` : `expected ${what}, not '${word}'`);
};

/** The words of one type, taken one by one. */
class Words {
  private at = 0;
  constructor(private readonly words: readonly string[]) {}

  take(what: string): string {
    return this.words[this.at++] ?? wrong(undefined, what);
  }

  name(): string {
    return wordName(this.take('a name'));
  }

  match(pattern: RegExp, what: string): RegExpExecArray {
    const word = this.take(what);
    return pattern.exec(word) ?? wrong(word, what);
  }

  number(key = ''): number {
    const what = key === '' ? 'the id of a type' : `${key}=N`;
    const value = Number(
      this.match(key === '' ? /^(\d{1,10})$/ : new RegExp(`^${key}=(-?\\d{1,10})$`), what)[1],
    );
    if (value > 0xffff_ffff || value < -1) throw new InputError(`${value} is out of range`);
    return value;
  }

  oneOf<T extends string>(words: readonly T[]): T {
    const word = this.take(words.join(' or '));
    return words.find((one) => one === word) ?? wrong(word, words.join(' or '));
  }

  flag(word: string): boolean {
    if (this.words[this.at] !== word) return false;
    this.at++;
    return true;
  }

  rest(pattern: RegExp, what: string): RegExpExecArray[] {
    const out: RegExpExecArray[] = [];
    while (this.at < this.words.length) out.push(this.match(pattern, what));
    return out;
  }

  end(): void {
    if (this.at < this.words.length) throw new InputError(`unexpected '${this.words[this.at]}'`);
  }
}

/** The inverse of typeWords. Throws InputError for words that are no type. */
export function parseType(text: readonly string[]): BtfType {
  const words = new Words(text);
  const type = read(words);
  words.end();
  return type;
}

const ENCODINGS = ['unsigned', 'signed', 'char', 'bool'] as const;

function read(words: Words): BtfType {
  const kind = words.take('a kind of BTF type');
  switch (kind) {
    case 'int': {
      const [name, size] = [words.name(), words.number('size')];
      const encoding = words.oneOf(ENCODINGS);
      const [odd] = words.rest(/^bits=(\d{1,3})@(\d{1,3})$/, 'bits=N@N');
      return {
        kind,
        name,
        size,
        encoding,
        bits: odd === undefined ? 8 * size : Number(odd[1]),
        bitOffset: odd === undefined ? 0 : Number(odd[2]),
      };
    }
    case 'float':
      return { kind, name: words.name(), size: words.number('size') };
    case 'ptr':
    case 'const':
    case 'volatile':
    case 'restrict':
      return { kind, type: words.number() };
    case 'typedef':
      return { kind, name: words.name(), type: words.number() };
    case 'type_tag':
      return { kind, name: words.name(), type: words.number(), attribute: words.flag('attribute') };
    case 'array':
      return { kind, element: words.number(), index: words.number('index'), count: words.number('count') };
    case 'struct':
    case 'union': {
      const [name, size] = [words.name(), words.number('size')];
      const found = words.rest(
        /^(.+):(\d{1,10})@(\d{1,9})(?:\.([0-7]))?(?:\/(\d{1,3}))?$/,
        'NAME:TYPE@OFFSET',
      );
      const members = found.map(([, member, type, at, bit, bits]) => ({
        name: wordName(member!),
        type: Number(type),
        bitOffset: 8 * Number(at) + Number(bit ?? 0),
        bitSize: Number(bits ?? 0),
      }));
      return { kind, name, size, members };
    }
    case 'enum':
    case 'enum64':
      return {
        kind,
        name: words.name(),
        size: words.number('size'),
        signed: words.flag('signed'),
        values: [],
      };
    case 'fwd':
      return { kind, name: words.name(), of: words.oneOf(['struct', 'union'] as const) };
    case 'func':
      return {
        kind,
        name: words.name(),
        type: words.number(),
        linkage: words.oneOf<FuncLinkage>(FUNC_LINKAGES),
      };
    case 'func_proto': {
      const returns = words.number();
      const params = words.rest(/^(.+):(\d{1,10})$/, 'NAME:TYPE');
      return { kind, returns, params: params.map(([, n, t]) => ({ name: wordName(n!), type: Number(t) })) };
    }
    case 'var':
      return { kind, name: words.name(), type: words.number(), linkage: words.number('linkage') };
    case 'datasec': {
      const [name, size] = [words.name(), words.number('size')];
      const vars = words.rest(/^(\d{1,10})@(\d{1,10})\/(\d{1,10})$/, 'TYPE@OFFSET/SIZE');
      return {
        kind,
        name,
        size,
        vars: vars.map(([, t, o, s]) => ({ type: Number(t), offset: Number(o), size: Number(s) })),
      };
    }
    case 'decl_tag':
      return {
        kind,
        name: words.name(),
        type: words.number(),
        component: words.number('component'),
        attribute: words.flag('attribute'),
      };
    default:
      throw new InputError(`no kind of BTF type is called '${kind}'`);
  }
}
