/** Makes `.BTF` bytes out of types: for programs that come with none, and for tests of the reader. */
import { Bytes } from '../bytes.js';
import { type Btf, type BtfLayout, readBtfHeader } from './read.js';
import { BTF_HEADER_SIZE, BTF_KINDS, BTF_MAGIC, type BtfType, FUNC_LINKAGES } from './types.js';

const INT_ENCODINGS = { unsigned: 0, signed: 1, char: 2, bool: 4 } as const;
const encoder = new TextEncoder();

/** Collects types; each gets the next id, counting from 1, so a type may name one that is added later. */
export class BtfWriter {
  private readonly types: BtfType[] = [];

  /** Adds a type and returns its id. Throws RangeError for void: its id is 0 without being added. */
  add(type: BtfType): number {
    if (type.kind === 'void') throw new RangeError('void is type 0 and cannot be added');
    return this.types.push(type);
  }

  /** Puts another type in the place of one that was added. */
  set(id: number, type: BtfType): void {
    if (type.kind === 'void' || !(id >= 1 && id <= this.types.length))
      throw new RangeError(`type ${id} cannot be set`);
    this.types[id - 1] = type;
  }

  /** The `.BTF` of all types added so far. Throws RangeError for what BTF cannot express. */
  bytes(): Uint8Array {
    const encoding = new Encoding();
    for (const type of this.types) encoding.type(type);
    return encoding.bytes();
  }
}

/**
 * Types and strings behind those of BTF that is there already. Nothing of that moves, so ids and offsets of strings stay what they were,
 * which `.BTF.ext` relies on.
 */
export class BtfAppender {
  private readonly encoding: Encoding;
  private readonly old: Bytes;
  private readonly layout: BtfLayout;
  private next: number;

  /** Throws InputError for bytes that are no BTF. */
  constructor(btf: Btf) {
    this.old = new Bytes(btf.data, btf.file, 'section .BTF');
    this.layout = readBtfHeader(this.old);
    this.encoding = new Encoding(this.layout.stringsSize);
    this.next = btf.count;
  }

  /** Adds a type and returns its id. */
  add(type: BtfType): number {
    this.encoding.type(type);
    return this.next++;
  }

  /** Offset of a string, which is added if it is new. */
  string(text: string): number {
    return this.encoding.string(text);
  }

  /** The whole `.BTF`. */
  bytes(): Uint8Array {
    const { typesAt, typesSize, stringsAt, stringsSize } = this.layout;
    const [types, strings] = [this.encoding.typeBytes(), this.encoding.stringBytes()];
    const size = typesSize + types.length;
    const out = new Uint8Array(BTF_HEADER_SIZE + size + stringsSize + strings.length);
    writeHeader(out, size, stringsSize + strings.length);
    out.set(this.old.part(typesAt, typesSize).data, BTF_HEADER_SIZE);
    out.set(types, BTF_HEADER_SIZE + typesSize);
    out.set(this.old.part(stringsAt, stringsSize).data, BTF_HEADER_SIZE + size);
    out.set(strings, BTF_HEADER_SIZE + size + stringsSize);
    return out;
  }
}

function writeHeader(out: Uint8Array, typesSize: number, stringsSize: number): void {
  const view = new DataView(out.buffer);
  view.setUint16(0, BTF_MAGIC, true);
  view.setUint8(2, 1);
  [BTF_HEADER_SIZE, 0, typesSize, typesSize, stringsSize].forEach((word, i) => {
    view.setUint32(4 + 4 * i, word, true);
  });
}

/** The bytes of types, as they are put one behind the other. */
class Encoding {
  private readonly words: number[] = [];
  private readonly strings: Uint8Array[] = [];
  private stringsSize: number;
  private readonly known = new Map<string, number>([['', 0]]);

  /** `before`: bytes of strings that stand before these; 0: none, then the empty string is put first. */
  constructor(before = 0) {
    if (before === 0) this.strings.push(new Uint8Array(1));
    this.stringsSize = before === 0 ? 1 : before;
  }

  /** Offset of a string in the string section; the same string is stored once. */
  string(text: string): number {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    if (text.includes('\0')) throw new RangeError('a BTF string cannot hold a NUL');
    const bytes = encoder.encode(`${text}\0`);
    const offset = this.stringsSize;
    this.strings.push(bytes);
    this.stringsSize += bytes.length;
    this.known.set(text, offset);
    return offset;
  }

  private record(name: string, kind: BtfType['kind'], vlen: number, flag: boolean, word: number): void {
    if (vlen > 0xffff) throw new RangeError(`a BTF ${kind} cannot have ${vlen} entries`);
    const info = (BTF_KINDS.indexOf(kind) << 24) | vlen | (flag ? 0x80000000 : 0);
    this.words.push(this.string(name), info, word);
  }

  type(type: BtfType): void {
    switch (type.kind) {
      case 'void':
        break;
      case 'int':
        this.record(type.name, type.kind, 0, false, type.size);
        this.words.push((INT_ENCODINGS[type.encoding] << 24) | (type.bitOffset << 16) | type.bits);
        break;
      case 'float':
        this.record(type.name, type.kind, 0, false, type.size);
        break;
      case 'ptr':
      case 'volatile':
      case 'const':
      case 'restrict':
        this.record('', type.kind, 0, false, type.type);
        break;
      case 'typedef':
        this.record(type.name, type.kind, 0, false, type.type);
        break;
      case 'type_tag':
        this.record(type.name, type.kind, 0, type.attribute, type.type);
        break;
      case 'array':
        this.record('', type.kind, 0, false, 0);
        this.words.push(type.element, type.index, type.count);
        break;
      case 'struct':
      case 'union': {
        // With bit fields, each member's offset word also holds a width, and only 24 bits of offset.
        const flag = type.members.some((member) => member.bitSize > 0);
        this.record(type.name, type.kind, type.members.length, flag, type.size);
        for (const { name, type: id, bitOffset, bitSize } of type.members) {
          if (flag && bitOffset > 0xffffff)
            throw new RangeError(`member '${name}' is too far into a struct with bit fields`);
          this.words.push(this.string(name), id, flag ? (bitSize << 24) | bitOffset : bitOffset);
        }
        break;
      }
      case 'enum':
        this.record(type.name, type.kind, type.values.length, type.signed, type.size);
        for (const { name, value } of type.values) this.words.push(this.string(name), value);
        break;
      case 'enum64':
        this.record(type.name, type.kind, type.values.length, type.signed, type.size);
        for (const { name, value } of type.values) {
          const raw = BigInt.asUintN(64, value);
          this.words.push(this.string(name), Number(raw & 0xffffffffn), Number(raw >> 32n));
        }
        break;
      case 'fwd':
        this.record(type.name, type.kind, 0, type.of === 'union', 0);
        break;
      case 'func':
        this.record(type.name, type.kind, FUNC_LINKAGES.indexOf(type.linkage), false, type.type);
        break;
      case 'func_proto':
        this.record('', type.kind, type.params.length, false, type.returns);
        for (const { name, type: id } of type.params) this.words.push(this.string(name), id);
        break;
      case 'var':
        this.record(type.name, type.kind, 0, false, type.type);
        this.words.push(type.linkage);
        break;
      case 'datasec':
        this.record(type.name, type.kind, type.vars.length, false, type.size);
        for (const { type: id, offset, size } of type.vars) this.words.push(id, offset, size);
        break;
      case 'decl_tag':
        this.record(type.name, type.kind, 0, type.attribute, type.type);
        this.words.push(type.component);
        break;
    }
  }

  typeBytes(): Uint8Array {
    const out = new Uint8Array(this.words.length * 4);
    const view = new DataView(out.buffer);
    this.words.forEach((word, i) => {
      view.setUint32(4 * i, word, true);
    });
    return out;
  }

  stringBytes(): Uint8Array {
    const out = new Uint8Array(this.strings.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const bytes of this.strings) {
      out.set(bytes, at);
      at += bytes.length;
    }
    return out;
  }

  bytes(): Uint8Array {
    const [types, strings] = [this.typeBytes(), this.stringBytes()];
    const out = new Uint8Array(BTF_HEADER_SIZE + types.length + strings.length);
    writeHeader(out, types.length, strings.length);
    out.set(types, BTF_HEADER_SIZE);
    out.set(strings, BTF_HEADER_SIZE + types.length);
    return out;
  }
}
