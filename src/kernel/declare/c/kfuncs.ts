/** Kfuncs in C source: `__bpf_kfunc` definitions, their BTF_ID_FLAGS lines, and the program types that their sets are registered for. */
import { PROG_TYPES, type ProgType } from '../../../object/program.js';
import { parsePrototype } from '../prototype.js';
import type { FoundFunction } from './found.js';
import { CUT, readSource, type Source } from './source.js';
import { typesOfHook } from './words.js';

interface Flagged {
  readonly flags: readonly string[];
  /** The set of ids that the line is in. */
  readonly set: string | undefined;
  readonly isNew: boolean;
}

/** The kfuncs whose definitions are new. What is there and is no kfunc that can be declared goes to `notes`. */
export function findKfuncs(source: Source, notes: string[]): readonly FoundFunction[] {
  const { text } = source;
  const flagged = flagLines(source);
  const types = registeredTypes(text);
  const attachedTo = setsForAttaching(text);
  const found = new Map<string, FoundFunction>();
  const defined = new Set<string>();
  const add = (written: string, isNew: boolean, isDefinition = true): void => {
    const proto = parsePrototype(written);
    if (typeof proto === 'string') {
      notes.push(`${nameIn(written)}: ${proto}`);
      return;
    }
    const line = flagged.get(proto.name);
    // A definition says more than a declaration does, and of two the last patch's counts.
    if (!isNew || (!isDefinition && defined.has(proto.name))) return;
    if (isDefinition) defined.add(proto.name);
    const apart = apartFromCalls(text, proto.name, line, attachedTo);
    if (apart !== undefined) {
      if (!notes.includes(apart)) notes.push(apart);
      return;
    }
    const inSet = line?.set === undefined ? [] : (types.get(line.set) ?? []);
    found.set(proto.name, {
      kind: 'kfunc',
      name: proto.name,
      fields: {
        proto: plainProto(written),
        ...(line === undefined ? {} : { flags: line.flags }),
        ...(inSet.length === 0 ? {} : { types: inSet.length === PROG_TYPES.length ? 'all' : inSet }),
      },
      ...(line?.set !== undefined && inSet.length === 0 && types.has(line.set)
        ? { remark: 'it is registered for struct_ops programs alone, which are not modelled' }
        : {}),
    });
  };
  for (const match of text.matchAll(/__bpf_kfunc(?!_)\b/g)) {
    const end = headEnd(text, match.index);
    const from = lineStart(text, match.index);
    if (end === undefined) {
      if (source.isNew(match.index, match.index + 1))
        notes.push(`${nameIn(text.slice(match.index, match.index + 200))}: its parameters are not all there`);
      continue;
    }
    const before = /[;{}]/.test(text.slice(from, match.index)) ? match.index : from;
    const isDefinition = !/^[^{};]*;/.test(text.slice(end, end + 200));
    add(text.slice(before, end), source.isNew(before, end), isDefinition);
  }
  // Before Linux 6.4 definitions had no mark: they are found by the names that have flags.
  for (const [name, { isNew }] of flagged) {
    if (defined.has(name) || found.has(name) || !isNew) continue;
    const written = definitionOf(text, name);
    if (written === undefined) notes.push(`${name}: its definition is not there, only its flags`);
    else if (!new RegExp(`__bpf_kfunc\\b[^;{}]*\\b${name}\\b`).test(text))
      add(written.text, source.isNew(written.from, written.to));
  }
  return [...found.values()];
}

/** Why programs cannot call a function although it is marked; undefined for one that they can. */
function apartFromCalls(
  text: string,
  name: string,
  line: Flagged | undefined,
  attachedTo: ReadonlySet<string>,
): string | undefined {
  if (
    line === undefined &&
    new RegExp(`\\bBTF_ID\\s*\\(\\s*func\\s*,\\s*${name}\\s*\\)`).test(text) &&
    /_dtor$/.test(name)
  )
    return `${name}: a destructor of kptrs, which no program calls`;
  if (line?.set !== undefined && attachedTo.has(line.set))
    return `${name}: programs are attached to it (register_btf_fmodret_id_set), none calls it`;
  return undefined;
}

/** What a line of flags says of a kfunc, wherever it is defined. */
export interface KfuncFlags {
  readonly flags: readonly string[];
  /** Program types that the set is registered for, as far as the same text says. */
  readonly types: readonly ProgType[];
}

/** The BTF_ID_FLAGS(func, NAME, FLAGS) lines of a C file, by name. Throws InputError where it is a diff that cannot be read. */
export function kfuncFlagsInC(text: string): ReadonlyMap<string, KfuncFlags> {
  const source = readSource(text);
  const types = registeredTypes(source.text);
  return new Map(
    [...flagLines(source)].map(([name, { flags, set }]) => [
      name,
      { flags, types: set === undefined ? [] : (types.get(set) ?? []) },
    ]),
  );
}

/** BTF_ID_FLAGS(func, NAME, FLAGS) lines, by name. */
function flagLines(source: Source): ReadonlyMap<string, Flagged> {
  const found = new Map<string, Flagged>();
  let set: string | undefined;
  const pattern =
    /BTF_(?:KFUNCS|SET8?|SET)_(START|END)(?:_\w+)?\s*\(\s*(\w+)\s*\)|BTF_ID_FLAGS\s*\(\s*func\s*,\s*(\w+)\s*(?:,([^)\f]*))?\)/g;
  let last = 0;
  for (const match of source.text.matchAll(pattern)) {
    // A hunk may begin inside of a set: its heading may be the first line of it.
    const heading = source.headings.findLast(({ at }) => at > last && at <= match.index);
    if (heading !== undefined) set = heading.set;
    last = match.index;
    if (match[1] === 'START') set = match[2];
    else if (match[1] === 'END') set = undefined;
    else {
      const flags = (match[4] ?? '')
        .split('|')
        .map((flag) => flag.trim())
        .filter((flag) => flag !== '');
      found.set(match[3]!, {
        flags,
        set: set ?? setEndingAfter(source.text, match.index),
        isNew: source.isNew(match.index, match.index + 1),
      });
    }
  }
  return found;
}

/** The set whose end comes next. */
function setEndingAfter(text: string, at: number): string | undefined {
  const next = /BTF_(?:KFUNCS|SET8?|SET)_(START|END)\s*\(\s*(\w+)\s*\)/.exec(text.slice(at));
  return next?.[1] === 'END' ? next[2] : undefined;
}

/** The sets of ids of btf_kfunc_id_set initialisers, by variable. */
function idSets(text: string): ReadonlyMap<string, string> {
  const sets = new Map<string, string>();
  for (const match of text.matchAll(/struct\s+btf_kfunc_id_set\s+(\w+)\s*(?:__\w+\s*)*=\s*\{([^}\f]*)\}/g)) {
    const set = /\.set\s*=\s*&\s*(\w+)/.exec(match[2]!)?.[1];
    if (set !== undefined) sets.set(match[1]!, set);
  }
  return sets;
}

/** Sets of functions that are there for programs to be attached to. */
function setsForAttaching(text: string): ReadonlySet<string> {
  const sets = idSets(text);
  return new Set(
    [...text.matchAll(/register_btf_fmodret_id_set\s*\(\s*&\s*(\w+)\s*\)/g)].map(
      (match) => sets.get(match[1]!) ?? match[1]!,
    ),
  );
}

/** Program types by set of ids: btf_kfunc_id_set initialisers and the calls that register them. */
function registeredTypes(text: string): ReadonlyMap<string, readonly ProgType[]> {
  const sets = idSets(text);
  const types = new Map<string, ProgType[]>();
  for (const match of text.matchAll(
    /register_btf_kfunc_id_set\s*\(\s*BPF_PROG_TYPE_(\w+)\s*,\s*&\s*(\w+)\s*\)/g,
  )) {
    const set = sets.get(match[2]!) ?? match[2]!;
    const more = typesOfHook(match[1]!).filter((type) => types.get(set)?.includes(type) !== true);
    types.set(set, [...(types.get(set) ?? []), ...more]);
  }
  return types;
}

/** The end of the parameters that begin behind `from`; undefined where they do not end. */
function headEnd(text: string, from: number): number | undefined {
  const open = text.slice(from).search(/[({;\f]/);
  if (open < 0 || text[from + open] !== '(') return undefined;
  let depth = 0;
  for (let i = from + open; i < text.length; i++) {
    if (text[i] === '(') depth++;
    if (text[i] === ')' && --depth === 0) {
      // Attributes may come first: __attribute__((...)) struct x *name(...).
      const after = text.slice(i + 1, i + 200).split(CUT)[0]!;
      return /^\s*[A-Za-z_][^;{]*\(/.test(after) && !/^\s*(__\w+)\s*(\(|;|\{|$)/.test(after)
        ? headEnd(text, i + 1)
        : i + 1;
    }
    if (text[i] === '{' || text[i] === ';' || text[i] === CUT) return undefined;
  }
  return undefined;
}

const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;
const nameIn = (text: string): string =>
  /([A-Za-z_]\w*)\s*\(/.exec(text.replace(/__bpf_kfunc|__attribute__\s*\(\(.*?\)\)/g, ''))?.[1] ??
  'a function';

/** On one line, without what says nothing. */
const plainProto = (text: string): string =>
  text
    .replace(
      /\b(__bpf_kfunc|__always_inline|noinline|notrace|static|extern|inline|__weak|__used|__retain)\b/g,
      ' ',
    )
    .replace(/__attribute__\s*\(\(.*?\)\)/gs, ' ')
    .replace(/\s+/g, ' ')
    .replace(/\s*\*\s*/g, ' *')
    .replace(/\(\s+/g, '(')
    .replace(/\s+\)/g, ')')
    .replace(/\s+,/g, ',')
    .trim();

/** The definition of a function that has no mark. */
function definitionOf(
  text: string,
  name: string,
): { readonly text: string; readonly from: number; readonly to: number } | undefined {
  for (const match of text.matchAll(new RegExp(`^[ \\t]*(?:[\\w*]+[\\s*]+)+${name}\\s*\\(`, 'gm'))) {
    const end = headEnd(text, match.index);
    if (end !== undefined && /^\s*(?:\{|$)/.test(text.slice(end, end + 40)))
      return { text: text.slice(match.index, end), from: match.index, to: end };
  }
  return undefined;
}
