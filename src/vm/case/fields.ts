/** The `.map` and `.struct` directives of a case: what they mean, and how they are written. */

import { InputError } from '../../isa/errors.js';
import { NAME } from '../../isa/symbols.js';
import { mapType } from '../../kernel/maptypes.js';
import { FIELD_LAYOUT } from '../../kernel/structs.js';
import {
  type ArrayEntry,
  type KernelPointer,
  type LocalType,
  MAP_TYPES,
  type MapDef,
  type MapType,
  type SpecialField,
} from '../../object/program.js';
import { parseHex, toHex } from '../state/environment.js';
import { count, type Line, type Word } from './words.js';

/** `spin_lock@0`, `kptr:task_struct@8`, `list_head:item:node@16`, `timer@0/16` where the size is not the usual one. */
function parseField(text: string): SpecialField {
  const match = /^(\w+)(?::([\w.$]+))?(?::([\w.$]+))?@(\w+)(?:\/(\w+))?$/.exec(text);
  if (match === null) throw new InputError(`'${text}' is no field: expected kind@offset`);
  const [, kind, struct, node, offset, size] = match;
  if (!isKind(kind!)) throw new InputError(`no kind of field is called '${kind}'`);
  return {
    kind,
    offset: count(offset!),
    size: size === undefined ? FIELD_LAYOUT[kind].size : count(size),
    ...(struct === undefined ? {} : { struct }),
    ...(node === undefined ? {} : { node }),
  };
}

function isKind(kind: string): kind is SpecialField['kind'] {
  return Object.hasOwn(FIELD_LAYOUT, kind);
}

function printField({ kind, offset, size, struct, node }: SpecialField): string {
  const of = [kind, ...(struct === undefined ? [] : [struct]), ...(node === undefined ? [] : [node])].join(
    ':',
  );
  return `${of}@${offset}${size === FIELD_LAYOUT[kind].size ? '' : `/${size}`}`;
}

/** Splits `key=value` words off; the others are fields or flags. */
function parseWords(line: Line, from: number, take: (key: string, value: string) => boolean): SpecialField[] {
  const fields: SpecialField[] = [];
  for (const word of line.words.slice(from)) {
    const equals = word.text.indexOf('=');
    if (word.text.includes('@')) fields.push(line.at(word, () => parseField(word.text)));
    else if (!setting(line, word, equals, take)) line.fail(`unexpected '${word.text}'`, word);
  }
  return fields;
}

function setting(
  line: Line,
  word: Word,
  equals: number,
  take: (key: string, value: string) => boolean,
): boolean {
  if (equals < 0) return take(word.text, '');
  const [key, value] = [word.text.slice(0, equals), word.text.slice(equals + 1)];
  return line.at(word, () => take(key, value), equals + 1);
}

function nameAt(line: Line, taken: readonly { readonly name: string }[], what: string): string {
  const word = line.need(1, `the name of the ${what}`);
  if (!NAME.test(word.text)) line.fail(`'${word.text}' is no name`, word);
  if (taken.some(({ name }) => name === word.text))
    line.fail(`there are two ${what}s named ${word.text}`, word);
  return word.text;
}

/** Name of the template of a map of maps. Its directive may come later in the text. */
export interface Inner {
  readonly name: string;
  /** Throws the error that there is no map of that name. */
  missing(): never;
}

/** `.map NAME TYPE key=N value=N entries=N [flags=N] [frozen] [initial=HEX] [programs=INDEX:NAME,...] [field@offset ...]` */
export function parseMap(line: Line, maps: readonly MapDef[], inner: Map<string, Inner>): MapDef {
  const name = nameAt(line, maps, 'map');
  const type = line.need(2, `a map type: ${MAP_TYPES.join(', ')}`);
  const known = MAP_TYPES.find((one) => one === type.text);
  if (known === undefined)
    return line.fail(`no map type '${type.text}'; there are ${MAP_TYPES.join(', ')}`, type);
  const sizes = { keySize: sizeOfKey(known), valueSize: 0, maxEntries: 1, flags: 0 };
  const more: {
    initial?: Uint8Array;
    frozen?: boolean;
    extra?: bigint;
    btfKey?: number;
    btfValue?: number;
    programs?: readonly ArrayEntry[];
  } = {};
  const fields = parseWords(line, 3, (key, value) => {
    if (key === 'key') sizes.keySize = count(value);
    else if (key === 'value') sizes.valueSize = count(value);
    else if (key === 'entries') sizes.maxEntries = count(value);
    else if (key === 'flags') sizes.flags = count(value);
    else if (key === 'initial') more.initial = parseHex(value);
    else if (key === 'frozen' && value === '') more.frozen = true;
    else if (key === 'extra') more.extra = BigInt(count(value));
    else if (key === 'programs') more.programs = value.split(',').map(parseEntry);
    else if (key === 'btf') {
      const ids = /^(\d+):(\d+)$/.exec(value);
      if (ids === null) throw new InputError(`expected the ids of key and value, KEY:VALUE, not '${value}'`);
      more.btfKey = count(ids[1]!);
      more.btfValue = count(ids[2]!);
    } else if (key === 'inner') {
      inner.set(name, {
        name: value,
        missing: () => line.fail(`no map is named ${value}`, line.need(0, '')),
      });
    } else return false;
    return true;
  });
  return { name, type: known, ...sizes, fields, ...more };
}

/** `INDEX:NAME`, an entry of a map of programs. */
function parseEntry(word: string): ArrayEntry {
  const entry = /^(\d+):(\S+)$/.exec(word);
  if (entry === null)
    throw new InputError(`expected entries INDEX:PROGRAM, with commas between them, not '${word}'`);
  return { index: count(entry[1]!), program: entry[2]! };
}

function sizeOfKey(type: MapType): number {
  return mapType(type).keySizes?.[0] ?? 4;
}

/** Writes a map as a directive: `.map`, or `.inner_map` for a template that is no map of the program. */
export function printMap(map: MapDef, directive: '.map' | '.inner_map' = '.map'): string {
  const words = [`${directive} ${map.name} ${map.type}`];
  if (map.type !== 'ringbuf' || map.keySize !== 0) words.push(`key=${map.keySize}`);
  if (map.type !== 'ringbuf' || map.valueSize !== 0) words.push(`value=${map.valueSize}`);
  words.push(`entries=${map.maxEntries}`);
  if (map.flags !== 0) words.push(`flags=0x${map.flags.toString(16)}`);
  if (map.frozen) words.push('frozen');
  if (map.initial !== undefined) words.push(`initial=${toHex(map.initial)}`);
  if (map.extra !== undefined) words.push(`extra=${map.extra}`);
  if (map.inner !== undefined) words.push(`inner=${map.inner.name}`);
  if (map.programs !== undefined)
    words.push(`programs=${map.programs.map(({ index, program }) => `${index}:${program}`).join(',')}`);
  if (map.btfValue !== undefined) words.push(`btf=${map.btfKey ?? 0}:${map.btfValue}`);
  return [...words, ...map.fields.map(printField)].join(' ');
}

/** `.struct NAME size=N [id=N] [field@offset ...]`; ids count from 1 in the order of the structs unless told. */
export function parseStruct(line: Line, structs: readonly LocalType[]): LocalType {
  const name = nameAt(line, structs, 'struct');
  const numbers = { size: 0, id: structs.length + 1 };
  const fields = parseWords(line, 2, (key, value) => {
    if (key === 'size') numbers.size = count(value);
    else if (key === 'id') numbers.id = count(value);
    else return false;
    return true;
  });
  if (numbers.size === 0) line.fail('a struct has a size', undefined);
  return { name, size: numbers.size, fields, id: numbers.id };
}

/** Writes a type of the program as a `.struct` line. The id is left out where it follows from the position, `index` from 0. */
export function printStruct(struct: LocalType, index: number): string {
  const id = struct.id === index + 1 ? [] : [`id=${struct.id}`];
  return [`.struct ${struct.name} size=${struct.size}`, ...id, ...struct.fields.map(printField)].join(' ');
}

/** `.kernel_pointer STRUCT.MEMBER@OFFSET TARGET [rcu]`: a pointer that the program follows, where its kernel has it. */
export function parsePointer(line: Line): KernelPointer {
  const where = line.need(1, 'a member: STRUCT.MEMBER@OFFSET');
  const match = /^(\w+)\.(\w+)@(\w+)$/.exec(where.text);
  if (match === null) return line.fail(`expected STRUCT.MEMBER@OFFSET, not '${where.text}'`, where);
  const to = line.need(2, 'the struct it points to').text;
  const rcu = line.words[3];
  if (rcu !== undefined && rcu.text !== 'rcu') line.fail(`expected rcu or nothing, not '${rcu.text}'`, rcu);
  line.end(4);
  const offset = line.at(where, () => count(match[3]!));
  return { struct: match[1]!, member: match[2]!, offset, to, ...(rcu === undefined ? {} : { rcu: true }) };
}

/** Writes a `.kernel_pointer` line: which pointer member of a kernel struct the program follows, and to what. */
export function printPointer({ struct, member, offset, to, rcu }: KernelPointer): string {
  return `.kernel_pointer ${struct}.${member}@${offset} ${to}${rcu ? ' rcu' : ''}`;
}
