/**
 * A `.BTF` section or file, read lazily: opening walks the type records once to find where each starts; a type is
 * decoded when it is asked for. The BTF of a whole kernel (126 thousand types) opens in some milliseconds.
 * Follows Documentation/bpf/btf.rst and include/uapi/linux/btf.h.
 */
import { Bytes } from '../bytes.js';
import { BTF_HEADER_SIZE, BTF_KINDS, BTF_MAGIC, type BtfKind, type BtfType, FUNC_LINKAGES } from './types.js';

/** Longest chain of modifiers, typedefs, arrays and nested structs that is followed (MAX_RESOLVE_DEPTH). */
export const MAX_DEPTH = 32;
/** Bytes of a type record before what its kind adds. */
const RECORD = 12;
const MODIFIERS: ReadonlySet<BtfKind> = new Set(['typedef', 'volatile', 'const', 'restrict', 'type_tag']);
const INT_ENCODINGS = { 0: 'unsigned', 1: 'signed', 2: 'char', 4: 'bool' } as const;

/** Bytes that follow the record of a type with this kind number and `vlen`; undefined for an unknown kind. */
function extraBytes(kind: number, vlen: number): number | undefined {
  switch (kind) {
    case 1: // int
    case 14: // var
    case 17: // decl_tag
      return 4;
    case 3: // array
      return 12;
    case 4: // struct
    case 5: // union
    case 15: // datasec
    case 19: // enum64
      return 12 * vlen;
    case 6: // enum
    case 13: // func_proto
      return 8 * vlen;
    case 2: // ptr
    case 7: // fwd
    case 8: // typedef
    case 9: // volatile
    case 10: // const
    case 11: // restrict
    case 12: // func
    case 16: // float
    case 18: // type_tag
      return 0;
    default:
      return undefined;
  }
}

/** Where the parts of a `.BTF` are, in bytes from its start. */
export interface BtfLayout {
  readonly typesAt: number;
  readonly typesSize: number;
  readonly stringsAt: number;
  readonly stringsSize: number;
}

/** Reads and checks the header. Throws InputError for one that is cut, of the wrong byte order or version. */
export function readBtfHeader(bytes: Bytes): BtfLayout {
  if (bytes.length < BTF_HEADER_SIZE)
    bytes.fail(`${bytes.what} has ${bytes.length} bytes, expected a BTF header of ${BTF_HEADER_SIZE}`);
  const magic = bytes.u16(0);
  if (magic === 0x9feb) bytes.fail(`${bytes.what} is big-endian BTF, expected little endian`);
  if (magic !== BTF_MAGIC)
    bytes.fail(`${bytes.what} is not BTF: its magic is 0x${magic.toString(16)}, expected 0xeb9f`);
  if (bytes.u8(2) !== 1) bytes.fail(`${bytes.what} is BTF of version ${bytes.u8(2)}, expected 1`);
  const header = bytes.u32(4);
  if (header < BTF_HEADER_SIZE)
    bytes.fail(`${bytes.what} has a BTF header of ${header} bytes, expected at least ${BTF_HEADER_SIZE}`);
  const layout = {
    typesAt: header + bytes.u32(8),
    typesSize: bytes.u32(12),
    stringsAt: header + bytes.u32(16),
    stringsSize: bytes.u32(20),
  };
  bytes.part(layout.typesAt, layout.typesSize);
  bytes.part(layout.stringsAt, layout.stringsSize);
  return layout;
}

/** Type records, found but not yet decoded. */
export class Btf {
  private readonly found = new Map<string, number | undefined>();
  private readonly types: Bytes;
  private readonly strings: Bytes;
  /** Where the record of each id starts; entry 0 (void) is unused. */
  private readonly starts: Uint32Array;
  private readonly decoded = new Map<number, BtfType>();

  /** Number of types, void included: ids are 0 to count - 1. */
  readonly count: number;

  /** Throws InputError, naming `file`, for bytes that are not whole little-endian BTF. */
  constructor(
    readonly data: Uint8Array,
    readonly file: string,
    what = 'section .BTF',
  ) {
    const bytes = new Bytes(data, file, what);
    const layout = readBtfHeader(bytes);
    this.types = bytes.part(layout.typesAt, layout.typesSize, `${what} (types)`);
    this.strings = bytes.part(layout.stringsAt, layout.stringsSize, `${what} (strings)`);
    const types: Bytes = this.types;
    const starts = new Uint32Array(Math.floor(types.length / RECORD) + 1);
    let count = 1;
    for (let at = 0; at < types.length; count++) {
      const info = types.u32(at + 4);
      const extra = extraBytes((info >>> 24) & 31, info & 0xffff);
      if (extra === undefined) types.fail(`BTF type ${count} has the unknown kind ${(info >>> 24) & 31}`);
      starts[count] = at;
      at += RECORD + extra;
      if (at > types.length)
        types.fail(`BTF type ${count} is cut: ${types.what} has ${types.length} bytes, expected ${at}`);
    }
    this.count = count;
    this.starts = starts.subarray(0, count);
  }

  /** Throws the InputError of this BTF. */
  fail(message: string): never {
    return this.types.fail(message);
  }

  private start(id: number): number {
    if (!(id > 0 && id < this.count)) this.fail(`BTF names type ${id}, but there are ${this.count}`);
    return this.starts[id]!;
  }

  /** The string at an offset of the string section. */
  string(offset: number): string {
    return this.strings.string(offset);
  }

  /** Kind of a type, without decoding it. */
  kind(id: number): BtfKind {
    return id === 0 ? 'void' : BTF_KINDS[(this.types.u32(this.start(id) + 4) >>> 24) & 31]!;
  }

  /** Name of a type, '' for one without; not decoding it. */
  name(id: number): string {
    return id === 0 ? '' : this.string(this.types.u32(this.start(id)));
  }

  /** Ids of all types of a kind whose name, in bytes, starts with `prefix`, in order. */
  idsByPrefix(prefix: string, kinds: readonly BtfKind[]): number[] {
    const wanted = new TextEncoder().encode(prefix);
    const mask = kinds.reduce((bits, kind) => bits | (1 << BTF_KINDS.indexOf(kind)), 0);
    const { data } = this.strings;
    const ids: number[] = [];
    for (let id = 1; id < this.count; id++) {
      const at = this.starts[id]!;
      if (!((mask >>> ((this.types.u32(at + 4) >>> 24) & 31)) & 1)) continue;
      const name = this.types.u32(at);
      let same = 0;
      while (same < wanted.length && data[name + same] === wanted[same]) same++;
      if (same === wanted.length) ids.push(id);
    }
    return ids;
  }

  /** Id of the first type of a kind with this name. A kernel has more than 100,000 types: what was looked for is remembered. */
  find(name: string, kind: BtfKind): number | undefined {
    const key = `${kind} ${name}`;
    if (this.found.has(key)) return this.found.get(key);
    const id = this.idsByPrefix(name, [kind]).find((one) => this.name(one) === name);
    this.found.set(key, id);
    return id;
  }

  /** The type with this id. Throws InputError for an id out of range or a record that makes no sense. */
  type(id: number): BtfType {
    if (id === 0) return { kind: 'void' };
    const known = this.decoded.get(id);
    if (known !== undefined) return known;
    const type = this.decode(id);
    this.decoded.set(id, type);
    return type;
  }

  private decode(id: number): BtfType {
    const types: Bytes = this.types;
    const at = this.start(id);
    const info = types.u32(at + 4);
    const word = types.u32(at + 8);
    const flag = info >>> 31 === 1;
    const kind = BTF_KINDS[(info >>> 24) & 31]!;
    const name = this.string(types.u32(at));
    const body = at + RECORD;
    const list = <T>(size: number, item: (at: number) => T): T[] =>
      Array.from({ length: info & 0xffff }, (_, i) => item(body + i * size));
    switch (kind) {
      case 'int': {
        const bits = types.u32(body);
        const encoding =
          INT_ENCODINGS[((bits >>> 24) & 15) as 0 | 1 | 2 | 4] ??
          this.fail(`BTF type ${id} has the unknown int encoding ${(bits >>> 24) & 15}`);
        return { kind, name, size: word, bits: bits & 255, bitOffset: (bits >>> 16) & 255, encoding };
      }
      case 'float':
        return { kind, name, size: word };
      case 'ptr':
      case 'volatile':
      case 'const':
      case 'restrict':
        return { kind, type: word };
      case 'typedef':
        return { kind, name, type: word };
      case 'type_tag':
        return { kind, name, type: word, attribute: flag };
      case 'array':
        return { kind, element: types.u32(body), index: types.u32(body + 4), count: types.u32(body + 8) };
      case 'struct':
      case 'union': {
        const members = list(12, (m) => {
          const offset = types.u32(m + 8);
          const [bitOffset, bitSize] = flag ? [offset & 0xffffff, offset >>> 24] : [offset, 0];
          return { name: this.string(types.u32(m)), type: types.u32(m + 4), bitOffset, bitSize };
        });
        return { kind, name, size: word, members };
      }
      case 'enum': {
        const values = list(8, (v) => ({
          name: this.string(types.u32(v)),
          value: flag ? types.i32(v + 4) : types.u32(v + 4),
        }));
        return { kind, name, size: word, signed: flag, values };
      }
      case 'enum64': {
        const values = list(12, (v) => {
          const raw = BigInt(types.u32(v + 4)) | (BigInt(types.u32(v + 8)) << 32n);
          return { name: this.string(types.u32(v)), value: flag ? BigInt.asIntN(64, raw) : raw };
        });
        return { kind, name, size: word, signed: flag, values };
      }
      case 'fwd':
        return { kind, name, of: flag ? 'union' : 'struct' };
      case 'func': {
        const linkage =
          FUNC_LINKAGES[info & 0xffff] ??
          this.fail(`BTF function '${name}' has the unknown linkage ${info & 0xffff}`);
        return { kind, name, type: word, linkage };
      }
      case 'func_proto': {
        const params = list(8, (p) => ({ name: this.string(types.u32(p)), type: types.u32(p + 4) }));
        return { kind, returns: word, params };
      }
      case 'var':
        return { kind, name, type: word, linkage: types.u32(body) };
      case 'datasec': {
        const vars = list(12, (v) => ({
          type: types.u32(v),
          offset: types.u32(v + 4),
          size: types.u32(v + 8),
        }));
        return { kind, name, size: word, vars };
      }
      case 'decl_tag':
        return { kind, name, type: word, component: types.i32(body), attribute: flag };
      case 'void':
        return { kind };
    }
  }

  /** Follows typedefs, const, volatile, restrict and type tags. Throws InputError for a chain without an end. */
  resolve(id: number): { readonly id: number; readonly type: BtfType } {
    let at = id;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const type = this.type(at);
      if (!MODIFIERS.has(type.kind) || !('type' in type)) return { id: at, type };
      at = type.type;
    }
    return this.fail(`BTF type ${id} is behind more than ${MAX_DEPTH} typedefs and modifiers`);
  }

  /** Size of a value of this type in bytes, undefined for what has none (void, a function, a forward). */
  size(id: number): number | undefined {
    let count = 1;
    let at = id;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const { type } = this.resolve(at);
      switch (type.kind) {
        case 'array':
          count *= type.count;
          at = type.element;
          break;
        case 'ptr':
        case 'int':
        case 'float':
        case 'enum':
        case 'enum64':
        case 'struct':
        case 'union':
        case 'datasec': {
          const size = (type.kind === 'ptr' ? 8 : type.size) * count;
          // No object is larger; only a corrupt array count says so.
          if (size > 0xffffffff) this.fail(`BTF type ${id} has the impossible size ${size}`);
          return size;
        }
        case 'var':
          at = type.type;
          break;
        default:
          return undefined;
      }
    }
    return this.fail(`BTF type ${id} nests more than ${MAX_DEPTH} deep`);
  }
}
