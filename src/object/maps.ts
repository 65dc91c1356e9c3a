/**
 * The maps of an object: BTF-defined ones of section `.maps`, and one array map for each data section. Follows
 * parse_btf_map_def and bpf_object__init_global_data_maps of libbpf.
 */
import { InputError } from '../isa/errors.js';
import type { FieldFinder } from './btf/fields.js';
import type { Btf } from './btf/read.js';
import {
  type Elf,
  type ElfSymbol,
  type Section,
  SHF_ALLOC,
  SHT_NOBITS,
  SHT_PROGBITS,
  STT_FUNC,
  STT_OBJECT,
} from './elf.js';
import { BPF_F_MMAPABLE, BPF_F_RDONLY_PROG, mapType, mapTypeName, UNTYPED_MAPS } from './map-types.js';
import { NotModelled } from './not-modelled.js';
import type { ObjectMap } from './object-map.js';
import { isOldMapSection, readOldMaps } from './old-maps.js';
import type { ArrayEntry, MapDef, SpecialField } from './program.js';

/** Most bytes that the data sections of a file have together; a corrupt size is far beyond. */
const DATA_MAX = 64 << 20;
const PAGE = 4096;

/** Entries of a map whose number of entries is left for user space to set before it loads the object. */
const LEFT_OPEN = 1;
/** Bytes of a stack trace where the object leaves them open: PERF_MAX_STACK_DEPTH addresses. */
const STACK_TRACE_SIZE = 127 * 8;
/** Maps that have no number of entries of their own. */
const UNSIZED: ReadonlySet<string> = new Set([
  'cgroup_storage',
  'percpu_cgroup_storage',
  'sk_storage',
  'inode_storage',
  'task_storage',
  'cgrp_storage',
]);
/** Maps of descriptors, four bytes each, which need not say so. */
const DESCRIPTORS: ReadonlySet<string> = new Set([
  'prog_array',
  'perf_event_array',
  'cgroup_array',
  'array_of_maps',
  'hash_of_maps',
]);

interface Definition {
  type: number;
  maxEntries: number;
  flags: number;
  keySize: number | undefined;
  valueSize: number | undefined;
  key?: number;
  value?: number;
  extra?: bigint;
  inner?: MapDef;
}

/** The number in `int (*name)[number]`, which is how `__uint(name, number)` writes it. */
function numberOf(btf: Btf, type: number, what: string): number {
  const pointer = btf.resolve(type).type;
  const array = pointer.kind === 'ptr' ? btf.resolve(pointer.type).type : undefined;
  if (array?.kind !== 'array') return btf.fail(`${what} is not written with __uint`);
  return array.count;
}

/** The number in `enum { unique = number } name`, which is how `__ulong(name, number)` writes it; undefined for other types. */
function wideNumberOf(btf: Btf, id: number): bigint | undefined {
  const { type } = btf.resolve(id);
  if (type.kind !== 'enum' && type.kind !== 'enum64') return undefined;
  const value = type.values[0]?.value;
  return value === undefined ? undefined : BigInt.asUintN(64, BigInt(value));
}

/** Id and size of the type in `type *name`, which is how `__type(name, type)` writes it. */
function typeOf(btf: Btf, type: number, what: string): { id: number; size: number } {
  const pointer = btf.resolve(type).type;
  if (pointer.kind !== 'ptr') return btf.fail(`${what} is not written with __type`);
  return { id: pointer.type, size: btf.size(pointer.type) ?? btf.fail(`${what} has no size`) };
}

/** The struct behind `struct {...} *values[]`, which is how `__array(values, ...)` writes it. */
function innerDefinition(btf: Btf, type: number): number | undefined {
  const array = btf.resolve(type).type;
  const pointer = array.kind === 'array' ? btf.resolve(array.element).type : undefined;
  if (pointer?.kind !== 'ptr') return undefined;
  const { id, type: inner } = btf.resolve(pointer.type);
  return inner.kind === 'struct' ? id : undefined;
}

function parseDefinition(btf: Btf, finder: FieldFinder, variable: number, name: string): Definition {
  const type = btf.type(variable);
  const def = type.kind === 'var' ? btf.resolve(type.type).type : btf.resolve(variable).type;
  if (def.kind !== 'struct') return btf.fail(`map '${name}' is not defined by a struct`);
  const out: Definition = { type: 0, maxEntries: 0, flags: 0, keySize: undefined, valueSize: undefined };
  const setSize = (which: 'keySize' | 'valueSize', size: number): void => {
    if (out[which] !== undefined && out[which] !== size) {
      btf.fail(
        `map '${name}' gives its ${which === 'keySize' ? 'key' : 'value'} size twice: ${out[which]} and ${size} bytes`,
      );
    }
    out[which] = size;
  };
  for (const member of def.members) {
    const what = `${member.name} of map '${name}'`;
    const number = (): number => numberOf(btf, member.type, what);
    switch (member.name) {
      case 'type':
        out.type = number();
        break;
      case 'max_entries':
        out.maxEntries = number();
        break;
      case 'map_flags':
        out.flags = number();
        break;
      case 'key_size':
        setSize('keySize', number());
        break;
      case 'value_size':
        setSize('valueSize', number());
        break;
      case 'key':
      case 'value': {
        const { id, size } = typeOf(btf, member.type, what);
        setSize(member.name === 'key' ? 'keySize' : 'valueSize', size);
        out[member.name] = id;
        break;
      }
      case 'map_extra':
        out.extra = wideNumberOf(btf, member.type) ?? BigInt(number());
        break;
      case 'values': {
        const inner = innerDefinition(btf, member.type);
        if (inner !== undefined && mapType(out.type)?.endsWith('_of_maps'))
          out.inner = definedMap(btf, finder, inner, `${name}.inner`);
        break;
      }
      // Where the memory is and how it is shared makes no difference to programs.
      case 'numa_node':
      case 'pinning':
        break;
      default:
        throw new NotModelled(`its attribute '${member.name}' is unknown`);
    }
  }
  return out;
}

/** A ring buffer is a power of two of pages (adjust_ringbuf_sz of libbpf). */
function ringbufSize(bytes: number): number {
  let size = PAGE;
  while (size < bytes && size < 2 ** 31) size *= 2;
  return size;
}

function definedMap(btf: Btf, finder: FieldFinder, variable: number, name: string): MapDef {
  const def = parseDefinition(btf, finder, variable, name);
  const type = mapType(def.type);
  if (type === undefined) throw new NotModelled(`its type ${mapTypeName(def.type)} is not modelled`);
  const fields: SpecialField[] = def.value === undefined ? [] : finder.find(def.value);
  const typed = !UNTYPED_MAPS.has(type);
  const descriptors = DESCRIPTORS.has(type);
  // There a type only says what user space will find: loaders leave it out where they make the map.
  const isHint = descriptors || type === 'ringbuf' || type === 'user_ringbuf';
  const completed = (size: number | undefined, typeId: number | undefined): number | undefined =>
    isHint && typeId !== undefined ? undefined : size;
  const entries = def.maxEntries === 0 && !UNSIZED.has(type) ? LEFT_OPEN : def.maxEntries;
  return {
    name,
    type,
    keySize: completed(def.keySize, def.key) ?? (descriptors ? 4 : 0),
    valueSize:
      completed(def.valueSize, def.value) ??
      (descriptors ? 4 : type === 'stack_trace' ? STACK_TRACE_SIZE : 0),
    maxEntries: type.endsWith('ringbuf') ? ringbufSize(entries) : entries,
    flags: def.flags,
    fields,
    ...(def.inner !== undefined && { inner: def.inner }),
    ...(def.extra !== undefined && { extra: def.extra }),
    ...(typed &&
      def.key !== undefined &&
      def.value !== undefined && { btfKey: def.key, btfValue: def.value }),
  };
}

/** Bytes of an entry of `.values`: a pointer. */
const ENTRY_SIZE = 8;

/**
 * The programs that `.values = { [INDEX] = &PROGRAM }` of a map of programs names, by index (bpf_object__collect_map_relos of libbpf). Throws
 * NotModelled for an entry that is no program: no loader takes the map.
 */
function initialPrograms(elf: Elf, btf: Btf, variable: number, symbol: ElfSymbol): ArrayEntry[] {
  const type = btf.type(variable);
  const def = type.kind === 'var' ? btf.resolve(type.type).type : undefined;
  const values =
    def?.kind === 'struct' ? def.members.find(({ name }) => name === 'values')?.bitOffset : undefined;
  if (values === undefined) return [];
  const first = symbol.value + values / 8;
  const entries = (elf.relocations.get(symbol.section) ?? []).flatMap((one): ArrayEntry[] => {
    const index = (one.offset - first) / ENTRY_SIZE;
    if (index < 0 || one.offset >= symbol.value + symbol.size) return [];
    if (!Number.isInteger(index) || one.symbol.type !== STT_FUNC)
      throw new NotModelled(`its entry ${Math.floor(index)} is '${one.symbol.name}', which is no program`);
    return [{ index, program: one.symbol.name }];
  });
  return entries.sort((a, b) => a.index - b.index);
}

function readDefinedMaps(elf: Elf, section: Section, btf: Btf, finder: FieldFinder): ObjectMap[] {
  const id = btf.find(section.name, 'datasec');
  const type = id === undefined ? undefined : btf.type(id);
  if (type?.kind !== 'datasec') return btf.fail(`section '${section.name}' has no BTF: compile with -g`);
  const symbols = new Map<string, ElfSymbol>();
  for (const symbol of elf.symbols) {
    if (symbol.section === section.index && symbol.type === STT_OBJECT) symbols.set(symbol.name, symbol);
  }
  return type.vars.map((entry): ObjectMap => {
    const name = btf.name(entry.type);
    const symbol =
      symbols.get(name) ?? btf.fail(`map '${name}' has BTF but no symbol in section '${section.name}'`);
    const place = { name, section: section.index, offset: symbol.value };
    try {
      const def = definedMap(btf, finder, entry.type, name);
      const programs = def.type === 'prog_array' ? initialPrograms(elf, btf, entry.type, symbol) : [];
      return { ...place, def: programs.length === 0 ? def : { ...def, programs } };
    } catch (error) {
      if (!(error instanceof NotModelled)) throw error;
      return { ...place, problem: `map '${name}': ${error.message}` };
    }
  });
}

/** Whether a section is the data of the program: `.data`, `.rodata`, `.bss`, or one of these with a suffix. */
export function isDataSection(section: Section): boolean {
  const bss = /^\.bss(?:\.|$)/.test(section.name);
  if (!bss && !/^\.(?:data|rodata)(?:\.|$)/.test(section.name)) return false;
  return (
    section.size > 0 &&
    (section.flags & SHF_ALLOC) !== 0 &&
    section.type === (bss ? SHT_NOBITS : SHT_PROGBITS)
  );
}

/** User space may map the section into memory unless all its variables are static (map_is_mmapable). */
function mmapable(btf: Btf, datasec: number | undefined): boolean {
  const type = datasec === undefined ? undefined : btf.type(datasec);
  if (type?.kind !== 'datasec') return false;
  return type.vars.some((entry) => {
    const variable = btf.type(entry.type);
    return variable.kind === 'var' && variable.linkage !== 0;
  });
}

function dataMap(
  elf: Elf,
  section: Section,
  btf: Btf | undefined,
  finder: FieldFinder | undefined,
): ObjectMap {
  const place = { name: section.name, section: section.index, offset: 0 };
  // The section's contents hold addresses that nothing here could fill in.
  if (elf.relocations.has(section.index))
    return { ...place, problem: `section '${section.name}' holds addresses of other things` };
  const readOnly = section.name.startsWith('.rodata');
  const datasec = btf?.find(section.name, 'datasec');
  const initial = section.type === SHT_NOBITS ? new Uint8Array(section.size) : section.data.slice();
  try {
    return {
      ...place,
      def: {
        name: section.name,
        type: 'array',
        keySize: 4,
        valueSize: section.size,
        maxEntries: 1,
        flags: (readOnly ? BPF_F_RDONLY_PROG : 0) | (btf && mmapable(btf, datasec) ? BPF_F_MMAPABLE : 0),
        fields: datasec === undefined ? [] : (finder?.find(datasec) ?? []),
        initial,
        ...(readOnly && { frozen: true }),
        ...(datasec !== undefined && { btfKey: 0, btfValue: datasec }),
      },
    };
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
    return { ...place, problem: `section '${section.name}': ${error.message}` };
  }
}

/**
 * A map of maps whose entries the object says nothing of: a loader decides what they are like. Throws InputError where it names a map that is not
 * there.
 */
function withInner(
  map: ObjectMap,
  maps: readonly ObjectMap[],
  inner: ReadonlyMap<string, string>,
  file: string,
): ObjectMap {
  if (!('def' in map) || !map.def.type.endsWith('_of_maps') || map.def.inner !== undefined) return map;
  const { name, section, offset, def } = map;
  const like = inner.get(name);
  if (like === undefined)
    return {
      name,
      section,
      offset,
      problem: `map '${name}': its loader gives the inner map, say which with --inner ${name}=MAP`,
    };
  const found = maps.find((one) => one.name === like);
  if (found === undefined) throw new InputError(`--inner ${name}: the object has no map '${like}'`, { file });
  if ('problem' in found) return { name, section, offset, problem: found.problem };
  return { name, section, offset, def: { ...def, inner: found.def } };
}

/** Whether a section holds maps that programs name, and not data. */
export const isMapSection = (name: string): boolean => name === '.maps' || isOldMapSection(name);

/**
 * All maps of an object; `btf` must have the offsets of its data sections filled in (`fixBtf`).
 * `inner`: for maps of maps, the map that their entries are like, where a loader says it. Throws InputError for definitions that make no sense.
 */
export function readMaps(
  elf: Elf,
  btf: Btf | undefined,
  finder: FieldFinder | undefined,
  inner: ReadonlyMap<string, string> = new Map(),
): ObjectMap[] {
  const out: ObjectMap[] = [];
  const data = elf.sections.filter(isDataSection).reduce((sum, section) => sum + section.size, 0);
  if (data > DATA_MAX)
    throw new InputError(`the data sections have ${data} bytes, expected at most ${DATA_MAX}`, {
      file: elf.file,
    });
  for (const section of elf.sections) {
    if (isOldMapSection(section.name)) out.push(...readOldMaps(elf, section));
    else if (section.name === '.maps' && section.size > 0) {
      if (btf === undefined || finder === undefined) {
        throw new InputError("section '.maps' has no BTF: compile with -g", { file: elf.file });
      }
      out.push(...readDefinedMaps(elf, section, btf, finder));
    } else if (isDataSection(section)) out.push(dataMap(elf, section, btf, finder));
  }
  return out.map((map) => withInner(map, out, inner, elf.file));
}
