/**
 * BTF for a program that has none: the kernel wants it for locks and other special fields in map values, for structs
 * that are allocated, and for the types of subprograms and callbacks.
 */

import { decodeAll } from '../../isa/decode.js';
import { InputError } from '../../isa/errors.js';
import type { Op } from '../../isa/insn.js';
import { UNTYPED_MAPS } from '../map-types.js';
import {
  exceptionCallbackOf,
  isKptr,
  type LocalType,
  type MapDef,
  type Program,
  type SpecialField,
  type Subprog,
} from '../program.js';
import type { Member } from './types.js';
import { BtfWriter } from './write.js';

/** The parameters of a global subprogram. The kernel verifies it alone, for all values of these types. */
export type ParamKind = 'scalar' | 'ctx';

/** What the made-up BTF says, where the program leaves a choice. */
export interface SynthesizeOptions {
  /** Parameters of the subprogram at an index of `Program.subprogs`; by default, a scalar for each of r1 to r5 that it reads. */
  readonly params?: (subprog: number) => readonly ParamKind[];
}

/** The bytes of the BTF and the ids that bpf(2) must be told. */
export interface SynthesizedBtf {
  readonly btf: Uint8Array;
  /** By index of the map: id of its key and value types; 0 where a map type takes none. */
  readonly mapKey: readonly number[];
  readonly mapValue: readonly number[];
  /** By index of the subprogram: id of its FUNC. */
  readonly funcIds: readonly number[];
}

/** Name, and words inside, of the struct that makes a field special; sizes as in include/uapi/linux/bpf.h. */
const STRUCTS: Readonly<
  Partial<Record<SpecialField['kind'], readonly [name: string, words: number, bytes: 4 | 8]>>
> = {
  spin_lock: ['bpf_spin_lock', 1, 4],
  res_spin_lock: ['bpf_res_spin_lock', 1, 4],
  timer: ['bpf_timer', 2, 8],
  wq: ['bpf_wq', 2, 8],
  list_head: ['bpf_list_head', 2, 8],
  list_node: ['bpf_list_node', 3, 8],
  rb_root: ['bpf_rb_root', 2, 8],
  rb_node: ['bpf_rb_node', 4, 8],
  refcount: ['bpf_refcount', 1, 4],
};

/** Largest id of a type (BTF_MAX_TYPE). */
const BTF_MAX = 0xfffff;

const KPTR_TAG = { kptr: 'kptr', kptr_untrusted: 'kptr_untrusted', kptr_percpu: 'percpu_kptr' } as const;

/** BTF names are C identifiers. */
function identifier(name: string): string {
  const word = name.replace(/[^A-Za-z0-9_]/g, '_').slice(0, 120);
  return /^[A-Za-z_]/.test(word) ? word : `_${word}`;
}

/** How many of r1 to r5 a function takes: the highest that is read before, in the order of its insns, it is written. */
function paramsRead(ops: readonly (Op | undefined)[]): number {
  const written = new Set<number>();
  let count = 0;
  const read = (reg: number): void => {
    if (reg >= 1 && reg <= 5 && !written.has(reg)) count = Math.max(count, reg);
  };
  for (const op of ops) {
    if (op === undefined) continue;
    if ('src' in op) {
      if (typeof op.src === 'number') read(op.src);
      else if ('reg' in op.src) read(op.src.reg);
    }
    const stores = op.kind === 'stx' || op.kind === 'st' || op.kind === 'store_release' || op.kind === 'jmp';
    const keeps =
      stores || op.kind === 'atomic' || op.kind === 'alu' || op.kind === 'neg' || op.kind === 'end';
    if ('dst' in op && keeps) read(op.dst);
    if ('dst' in op && !stores && op.kind !== 'atomic') written.add(op.dst);
    // A call takes its arguments from where they were put, and leaves nothing in r1 to r5.
    if (op.kind === 'call') for (let reg = 1; reg <= 5; reg++) written.add(reg);
  }
  return count;
}

class Synthesizer {
  private readonly writer = new BtfWriter();
  private readonly ids = new Map<string, number>();
  private readonly locals: ReadonlyMap<string, number>;
  constructor(private readonly program: Program) {
    this.locals = new Map(program.localTypes.map((type) => [type.name, type.id]));
  }

  private once(key: string, add: () => number): number {
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const id = add();
    this.ids.set(key, id);
    return id;
  }

  int(name: string, size: number, signed = false): number {
    const encoding = signed ? 'signed' : 'unsigned';
    return this.once(name, () =>
      this.writer.add({ kind: 'int', name, size, bits: size * 8, bitOffset: 0, encoding }),
    );
  }

  private array(element: number, count: number): number {
    const index = this.int('unsigned int', 4);
    return this.once(`${element}[${count}]`, () => this.writer.add({ kind: 'array', element, index, count }));
  }

  bytes(count: number): number {
    return this.array(this.int('unsigned char', 1), count);
  }

  /** Type of one special field. */
  private field(field: SpecialField): number {
    if (isKptr(field)) {
      const name = field.struct ?? '';
      const target =
        this.locals.get(name) ??
        this.once(`struct ${name}`, () =>
          this.writer.add({ kind: 'struct', name: identifier(name), size: 0, members: [] }),
        );
      return this.once(`${field.kind} ${name}`, () => {
        const tag = this.writer.add({
          kind: 'type_tag',
          name: KPTR_TAG[field.kind as 'kptr'],
          type: target,
          attribute: false,
        });
        return this.writer.add({ kind: 'ptr', type: tag });
      });
    }
    const [name, words, bytes] = STRUCTS[field.kind]!;
    const word = bytes === 4 ? this.int('unsigned int', 4) : this.int('unsigned long', 8);
    return this.once(`struct ${name}`, () => {
      const type = words === 1 ? word : this.array(word, words);
      return this.writer.add({
        kind: 'struct',
        name,
        size: words * bytes,
        members: [{ name: 'opaque', type, bitOffset: 0, bitSize: 0 }],
      });
    });
  }

  /** Members for special fields, and bytes for all between them. */
  private members(
    what: string,
    size: number,
    fields: readonly SpecialField[],
    names: readonly string[],
  ): Member[] {
    const out: Member[] = [];
    let at = 0;
    const add = (name: string, type: number, bytes: number): void => {
      out.push({ name, type, bitOffset: at * 8, bitSize: 0 });
      at += bytes;
    };
    for (const [i, field] of fields.entries()) {
      if (field.offset < at || field.offset + field.size > size) {
        throw new InputError(
          `${what}: its ${field.kind} at ${field.offset} overlaps another field or the end (${size} bytes)`,
        );
      }
      if (field.offset > at) add(`data${at}`, this.bytes(field.offset - at), field.offset - at);
      add(names[i]!, this.field(field), field.size);
    }
    if (at < size) add(`data${at}`, this.bytes(size - at), size - at);
    return out;
  }

  /** Names of the node members of a local type, as the heads that contain it call them. */
  private nodeNames(type: LocalType, fields: readonly SpecialField[]): string[] {
    const all = [...this.program.maps, ...this.program.localTypes].flatMap((owner) => owner.fields);
    const unused = new Map<string, string[]>();
    for (const head of all) {
      if (head.struct !== type.name || head.node === undefined) continue;
      const kind = head.kind === 'list_head' ? 'list_node' : 'rb_node';
      const names = unused.get(kind) ?? [];
      if (!names.includes(head.node) && !fields.some((field) => field.node === head.node))
        names.push(head.node);
      unused.set(kind, names);
    }
    return fields.map((field, i) => field.node ?? unused.get(field.kind)?.shift() ?? `field${i}`);
  }

  /** A struct with these fields; its heads are tagged with what they contain. `id`: the place kept for it, if any. */
  private struct(
    name: string,
    what: string,
    size: number,
    fields: readonly SpecialField[],
    names: readonly string[],
    id?: number,
  ): number {
    const members = this.members(what, size, fields, names);
    const type = { kind: 'struct', name: identifier(name), size, members } as const;
    if (id !== undefined) this.writer.set(id, type);
    const made = id ?? this.writer.add(type);
    for (const [i, field] of fields.entries()) {
      if (field.kind !== 'list_head' && field.kind !== 'rb_root') continue;
      const { struct = '', node = '' } = field;
      if (!this.locals.has(struct))
        throw new InputError(`${what}: its ${field.kind} contains '${struct}', which is no local type`);
      const component = members.findIndex((member) => member.name === names[i]);
      this.writer.add({
        kind: 'decl_tag',
        name: `contains:${struct}:${node}`,
        type: made,
        component,
        attribute: false,
      });
    }
    return made;
  }

  /** Local types get the first ids: `bpf_obj_new_impl` is called with the id, which is fixed before there is BTF. */
  localTypes(): void {
    const { localTypes } = this.program;
    const last = Math.max(0, ...localTypes.map(({ id }) => id));
    if (new Set(localTypes.map(({ id }) => id)).size < localTypes.length || last > BTF_MAX)
      throw new InputError(`local types need an id each, from 1 to ${BTF_MAX}`);
    // Ids that no struct has are filled with pointers to void, which nothing names.
    for (let id = 1; id <= last; id++) this.writer.add({ kind: 'ptr', type: 0 });
    for (const type of localTypes) {
      const fields = sorted(type.fields);
      this.struct(type.name, `struct ${type.name}`, type.size, fields, this.nodeNames(type, fields), type.id);
    }
  }

  private mapKey(map: MapDef): number {
    // trie_check_btf wants a struct, storage_check_btf the descriptor of what is stored with.
    if (map.type === 'lpm_trie')
      return this.struct(`${identifier(map.name)}_key`, `key of ${map.name}`, map.keySize, [], []);
    if (map.type.endsWith('_storage') && map.keySize === 4) return this.int('int', 4, true);
    return map.keySize === 4 ? this.int('unsigned int', 4) : this.bytes(map.keySize);
  }

  /** Ids of key and value of a map. */
  map(map: MapDef): readonly [key: number, value: number] {
    if (UNTYPED_MAPS.has(map.type)) return [0, 0];
    const key = this.mapKey(map);
    const fields = sorted(map.fields);
    const names = fields.map((field, i) => `${field.kind}${i}`);
    const name = identifier(map.name);
    return [key, this.struct(`${name}_value`, `map ${map.name}`, map.valueSize, fields, names)];
  }

  func(subprog: Subprog, params: readonly ParamKind[]): number {
    const scalar = this.int('unsigned long', 8);
    const pointer = params.includes('ctx')
      ? this.once('void *', () => this.writer.add({ kind: 'ptr', type: 0 }))
      : 0;
    const proto = this.writer.add({
      kind: 'func_proto',
      returns: this.int('int', 4, true),
      params: params.map((kind, i) => ({ name: `a${i}`, type: kind === 'ctx' ? pointer : scalar })),
    });
    const { linkage } = subprog;
    const id = this.writer.add({ kind: 'func', name: identifier(subprog.name), type: proto, linkage });
    for (const [component, kind] of params.entries()) {
      if (kind === 'ctx')
        this.writer.add({ kind: 'decl_tag', name: 'arg:ctx', type: id, component, attribute: false });
    }
    return id;
  }

  /** Tags the main function `main` with its exception callback. */
  exceptionCallback(main: number, { name }: Subprog): void {
    const tag = `exception_callback:${identifier(name)}`;
    this.writer.add({ kind: 'decl_tag', name: tag, type: main, component: -1, attribute: false });
  }

  result(): Uint8Array {
    return this.writer.bytes();
  }
}

/**
 * What the subprogram at an index takes in a program without BTF: a scalar for each of r1 to r5 that it reads. A static function is
 * verified with what its callers pass, whatever its type says; so only global ones are looked at.
 */
export function defaultParams(program: Program, index: number): ParamKind[] {
  const subprog = program.subprogs[index]!;
  if (subprog.exceptionCallback) return ['scalar'];
  if (subprog.linkage === 'static') return [];
  try {
    const end = program.subprogs[index + 1]?.start ?? program.insns.length;
    const count = paramsRead(decodeAll(program.insns.slice(subprog.start, end)));
    return new Array<ParamKind>(count).fill('scalar');
  } catch (error) {
    // Insns that cannot be decoded take nothing, and are refused for what they are.
    if (error instanceof InputError) return [];
    throw error;
  }
}

function sorted(fields: readonly SpecialField[]): SpecialField[] {
  return [...fields].sort((a, b) => a.offset - b.offset);
}

/**
 * Makes BTF for `program`, which has none: each local type gets its id, then come the types of
 * maps and functions. Throws InputError where fields overlap, or a list or tree contains no local type.
 */
export function synthesize(program: Program, options: SynthesizeOptions = {}): SynthesizedBtf {
  const synthesizer = new Synthesizer(program);
  synthesizer.localTypes();
  const maps = program.maps.map((map) => synthesizer.map(map));
  const funcIds = program.subprogs.map((subprog, i) => {
    const params = options.params?.(i) ?? (i === 0 ? ['ctx' as const] : defaultParams(program, i));
    return synthesizer.func(subprog, params);
  });
  const onThrow = exceptionCallbackOf(program);
  if (onThrow !== undefined) synthesizer.exceptionCallback(funcIds[0]!, onThrow);
  return {
    btf: synthesizer.result(),
    mapKey: maps.map(([key]) => key),
    mapValue: maps.map(([, value]) => value),
    funcIds,
  };
}
