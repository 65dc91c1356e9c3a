/** What a loader decides about an object before it loads it: values of variables, the contents of .rodata, the types of programs and what they attach to. */
import { InputError } from '../isa/errors.js';
import type { Btf } from './btf/read.js';
import type { ObjectMap } from './object-map.js';
import type { Program } from './program.js';

/** What the loader of an object would have set. Names are those of programs or of sections; a program's own name counts first. */
export interface LoaderSettings {
  /** Types of programs, as a type's name or a section's name that means one. The name '' is for programs whose section says nothing. */
  readonly types?: ReadonlyMap<string, string>;
  /** Functions, tracepoints and hooks that programs attach to, by their names in the kernel's BTF. */
  readonly attach?: ReadonlyMap<string, string>;
  /** The programs of another object, of which a program may replace a function. Throws as readers of files do. */
  readonly programsOf?: (file: string) => readonly Program[];
  /** Values of variables and their members: `debug`, `config.limits[2]`. */
  readonly variables?: ReadonlyMap<string, string>;
  /** The contents of .rodata. */
  readonly rodata?: Uint8Array;
  /** For maps of maps: the map of the object that their entries are like. */
  readonly inner?: ReadonlyMap<string, string>;
}

/** The regular expression of a name in which `*` stands for any characters and `?` for one. */
export function nameGlob(text: string): RegExp {
  const parts = text.replace(/[\\^$.|+()[\]{}]/g, '\\$&');
  return new RegExp(`^${parts.replace(/\*/g, '.*').replace(/\?/g, '.')}$`);
}

/**
 * The value that is set for a program: by its own name, else by that of its section, else by the first pattern (`*`, `?`) that fits its name, else by the
 * first that fits that of its section.
 */
export function settingFor(
  settings: ReadonlyMap<string, string> | undefined,
  program: string,
  section: string,
): string | undefined {
  if (settings === undefined) return undefined;
  const plain = section.replace(/^\?/, '');
  const named = settings.get(program) ?? settings.get(section) ?? settings.get(plain);
  if (named !== undefined) return named;
  const patterns = [...settings].filter(([name]) => /[*?]/.test(name));
  for (const name of [program, plain])
    for (const [pattern, value] of patterns) if (nameGlob(pattern).test(name)) return value;
  return undefined;
}

/** A place in a data section: where it begins, and the type of what is there. */
interface Place {
  readonly offset: number;
  readonly type: number;
}

/**
 * Writes values of variables, and the contents of .rodata, into the data sections of an object. `btf` has the offsets of the variables. Throws InputError for
 * a variable that is not there or is no number, and for a value that does not fit.
 */
export function applySettings(
  maps: readonly ObjectMap[],
  btf: Btf | undefined,
  { variables, rodata }: LoaderSettings,
  file: string,
): void {
  const wrong = (message: string): InputError => new InputError(message, { file });
  if (rodata !== undefined) {
    const map = maps.find((one) => one.name === '.rodata');
    if (map === undefined || !('def' in map) || map.def.initial === undefined)
      throw wrong('--rodata: the object has no section .rodata');
    const { initial } = map.def;
    if (rodata.length !== initial.length)
      throw wrong(`--rodata: the file has ${rodata.length} bytes, expected ${initial.length} as in .rodata`);
    initial.set(rodata);
  }
  for (const [name, text] of variables ?? []) {
    const words = name.match(/[A-Za-z_][\w.$]*?(?=\.|\[|$)|\[\d+\]|\.[A-Za-z_]\w*/g) ?? [];
    if (words.join('') !== name || words.length === 0)
      throw wrong(`--set ${name}: expected a variable, as in config.limits[2]`);
    if (btf === undefined)
      throw wrong(`--set ${name}: the object has no BTF, so its variables are not known`);
    const found = variableNamed(maps, btf, words[0]!);
    if (found === undefined) throw wrong(`--set ${name}: the object has no variable '${words[0]}'`);
    let place: Place = found.place;
    for (const word of words.slice(1)) {
      const next = step(btf, place, word);
      if (next === undefined) throw wrong(`--set ${name}: there is no '${word.replace('.', '')}' in it`);
      place = next;
    }
    write(found.initial, btf, place, text, (message) => wrong(`--set ${name}${message}`));
  }
}

function variableNamed(
  maps: readonly ObjectMap[],
  btf: Btf,
  name: string,
): { readonly initial: Uint8Array; readonly place: Place } | undefined {
  for (const map of maps) {
    if (!('def' in map) || map.def.initial === undefined) continue;
    const id = btf.find(map.name, 'datasec');
    const section = id === undefined ? undefined : btf.type(id);
    if (section?.kind !== 'datasec') continue;
    for (const { type, offset } of section.vars) {
      const variable = btf.type(type);
      if (variable.kind === 'var' && variable.name === name)
        return { initial: map.def.initial, place: { offset, type: variable.type } };
    }
  }
  return undefined;
}

/** One step into a struct, a union or an array; undefined where there is no such member. */
function step(btf: Btf, { offset, type: of }: Place, word: string): Place | undefined {
  const { type } = btf.resolve(of);
  if (word.startsWith('[')) {
    const index = Number(word.slice(1, -1));
    if (type.kind !== 'array' || index >= type.count) return undefined;
    return { offset: offset + index * (btf.size(type.element) ?? 0), type: type.element };
  }
  if (type.kind !== 'struct' && type.kind !== 'union') return undefined;
  for (const member of type.members) {
    if (member.bitSize !== 0) continue;
    const place = { offset: offset + member.bitOffset / 8, type: member.type };
    if (member.name === word.slice(1)) return place;
    const inside = member.name === '' ? step(btf, place, word) : undefined;
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** Writes a number, given as text, to a place. `wrong` makes the error of a message that is to stand behind the variable's name. */
function write(
  initial: Uint8Array,
  btf: Btf,
  { offset, type: of }: Place,
  text: string,
  wrong: (message: string) => InputError,
): void {
  const { type } = btf.resolve(of);
  const size = btf.size(of);
  if (
    (type.kind !== 'int' && type.kind !== 'enum' && type.kind !== 'enum64') ||
    size === undefined ||
    size > 8
  )
    throw wrong(`: this is no number, but a ${type.kind}`);
  const named = type.kind === 'int' ? undefined : type.values.find((one) => one.name === text)?.value;
  const word = { true: 1n, false: 0n }[text];
  const plain = /^-?(?:0x[0-9a-f]+|\d+)$/i.test(text) ? numberOf(text) : undefined;
  const value = named === undefined ? (word ?? plain) : BigInt(named);
  if (value === undefined) throw wrong(`=${text}: expected a number`);
  const bits = BigInt(size * 8);
  if (value >= 1n << bits || value < -(1n << (bits - 1n)))
    throw wrong(`=${text}: the number does not fit into ${size} bytes`);
  for (let i = 0; i < size; i++) initial[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
}

const numberOf = (text: string): bigint => (text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text));
