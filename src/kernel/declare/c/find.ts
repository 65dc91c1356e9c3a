/**
 * Finds the functions that C source adds for programs to call: `__bpf_kfunc` definitions with their BTF_ID_FLAGS lines, and initialisers of
 * `struct bpf_func_proto`. What the source says of them becomes the fields of a declaration; what it does not say is left out.
 */
import { PROG_TYPES, type ProgType } from '../../../object/program.js';
import type { JsonObject } from '../fields.js';
import { parsePrototype } from '../prototype.js';
import { readSource, type Source } from './source.js';
import { bytesOf, structOfBtfId, typesOfHook, typesOfProto } from './words.js';

/** A function that was found, as far as the source tells. */
export interface FoundFunction {
  readonly kind: 'helper' | 'kfunc';
  readonly name: string;
  /** Fields of its declaration. */
  readonly fields: JsonObject;
}

/** What was found, and what cannot be made a declaration, in a sentence each. */
export interface FoundInC {
  readonly functions: readonly FoundFunction[];
  readonly notes: readonly string[];
}

/** Reads C, as a file or as a unified diff. Of a diff, only functions are found that it adds. */
export function findInC(text: string): FoundInC {
  const source = readSource(text);
  const notes: string[] = [];
  const kfuncs = findKfuncs(source, notes);
  const helpers = findHelpers(source);
  return { functions: [...kfuncs, ...helpers], notes };
}

// Kfuncs.

interface Flagged {
  readonly flags: readonly string[];
  /** The set of ids that the line is in. */
  readonly set: string | undefined;
  readonly isNew: boolean;
}

function findKfuncs(source: Source, notes: string[]): readonly FoundFunction[] {
  const { text } = source;
  const flagged = flagLines(source);
  const types = registeredTypes(text);
  const found = new Map<string, FoundFunction>();
  const add = (written: string, isNew: boolean): void => {
    const proto = parsePrototype(written);
    if (typeof proto === 'string') {
      notes.push(`${nameIn(written)}: ${proto}`);
      return;
    }
    const line = flagged.get(proto.name);
    if (!isNew || found.has(proto.name)) return;
    const inSet = line?.set === undefined ? [] : (types.get(line.set) ?? []);
    found.set(proto.name, {
      kind: 'kfunc',
      name: proto.name,
      fields: {
        proto: plainProto(written),
        ...(line === undefined ? {} : { flags: line.flags }),
        ...(inSet.length === 0 ? {} : { types: inSet.length === PROG_TYPES.length ? 'all' : inSet }),
      },
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
    add(text.slice(before, end), source.isNew(before, end));
  }
  // Before Linux 6.4 definitions had no mark: they are found by the names that have flags.
  for (const [name, { isNew }] of flagged) {
    if (found.has(name) || !isNew) continue;
    const written = definitionOf(text, name);
    if (written === undefined) notes.push(`${name}: its definition is not there, only its flags`);
    else if (!new RegExp(`__bpf_kfunc\\b[^;{}]*\\b${name}\\b`).test(text))
      add(written.text, source.isNew(written.from, written.to));
  }
  return [...found.values()];
}

/** BTF_ID_FLAGS(func, NAME, FLAGS) lines, by name. */
function flagLines(source: Source): ReadonlyMap<string, Flagged> {
  const found = new Map<string, Flagged>();
  let set: string | undefined;
  const pattern =
    /BTF_(?:KFUNCS|SET8?|SET)_(START|END)(?:_\w+)?\s*\(\s*(\w+)\s*\)|BTF_ID_FLAGS\s*\(\s*func\s*,\s*(\w+)\s*(?:,([^)]*))?\)/g;
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

/** Program types by set of ids: btf_kfunc_id_set initialisers and the calls that register them. */
function registeredTypes(text: string): ReadonlyMap<string, readonly ProgType[]> {
  const sets = new Map<string, string>();
  for (const match of text.matchAll(/struct\s+btf_kfunc_id_set\s+(\w+)\s*=\s*\{([^}]*)\}/g)) {
    const set = /\.set\s*=\s*&\s*(\w+)/.exec(match[2]!)?.[1];
    if (set !== undefined) sets.set(match[1]!, set);
  }
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
  const open = text.slice(from).search(/[({;]/);
  if (open < 0 || text[from + open] !== '(') return undefined;
  let depth = 0;
  for (let i = from + open; i < text.length; i++) {
    if (text[i] === '(') depth++;
    if (text[i] === ')' && --depth === 0) {
      // Attributes may come first: __attribute__((...)) struct x *name(...).
      const next = /^\s*[A-Za-z_][^;{]*\(/.exec(text.slice(i + 1, i + 200));
      return next !== null && !/^\s*(__\w+)\s*(\(|;|\{|$)/.test(text.slice(i + 1, i + 200))
        ? headEnd(text, i + 1)
        : i + 1;
    }
    if (text[i] === '{' || text[i] === ';') return undefined;
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

// Helpers.

function findHelpers(source: Source): readonly FoundFunction[] {
  const { text } = source;
  const ids = new Map(
    [...text.matchAll(/\bFN\s*\(\s*(\w+)\s*,\s*(\d+)\s*,/g)].map((match) => [
      `bpf_${match[1]}`,
      Number(match[2]),
    ]),
  );
  const lists = btfLists(text);
  const found: FoundFunction[] = [];
  for (const match of text.matchAll(/struct\s+bpf_func_proto\s+(\w+)\s*=\s*\{([^}]*)\}/g)) {
    if (!source.isNew(match.index, match.index + match[0].length)) continue;
    const members = membersOf(match[2]!);
    const func = members.get('func');
    const name = func?.startsWith('bpf_') === true ? func : match[1]!.replace(/_proto$/, '');
    found.push({
      kind: 'helper',
      name,
      fields: helperFields(name, match[1]!, members, source, ids.get(name), lists),
    });
  }
  return found;
}

/** `.name = value` of an initialiser. */
function membersOf(body: string): ReadonlyMap<string, string> {
  return new Map(
    [...body.matchAll(/\.(\w+)\s*=\s*([^,}]+(?:\([^)]*\)[^,}]*)?)/g)].map((match) => [
      match[1]!,
      match[2]!.replace(/\s+/g, ' ').trim(),
    ]),
  );
}

function helperFields(
  name: string,
  variable: string,
  members: ReadonlyMap<string, string>,
  source: Source,
  id: number | undefined,
  lists: ReadonlyMap<string, string>,
): JsonObject {
  const inBrackets = (which: string): string => {
    const struct = members.get(`${which}_btf_id`);
    const size = members.get(`${which}_size`);
    const inside =
      struct === undefined ? (size === undefined ? undefined : bytesOf(size)) : structOfBtfId(struct, lists);
    return inside === undefined ? '' : ` [${inside}]`;
  };
  const args = [1, 2, 3, 4, 5].flatMap((n) => {
    const word = members.get(`arg${n}_type`);
    return word === undefined || word === 'ARG_DONTCARE' ? [] : [`${word}${inBrackets(`arg${n}`)}`];
  });
  const ret = members.get('ret_type');
  const types = handedTo(source, variable);
  const flag = (member: string, field: string): JsonObject =>
    members.get(member) === 'true' ? { [field]: true } : {};
  return {
    name,
    ...(id === undefined ? {} : { id }),
    ...(ret === undefined ? {} : { ret: `${ret}${inBrackets('ret')}` }),
    args,
    ...(types.length === 0 ? {} : { types: types.length === PROG_TYPES.length ? 'all' : types }),
    ...flag('gpl_only', 'gpl'),
    ...flag('might_sleep', 'sleeps'),
    ...flag('pkt_access', 'packetArgs'),
    ...flag('allow_fastcall', 'fastcall'),
  };
}

/** `BTF_ID_LIST_SINGLE(name, struct, task_struct)` lists, by name. */
function btfLists(text: string): ReadonlyMap<string, string> {
  return new Map(
    [...text.matchAll(/BTF_ID_LIST_(?:GLOBAL_)?SINGLE\s*\(\s*(\w+)\s*,\s*struct\s*,\s*(\w+)\s*\)/g)].map(
      (match) => [match[1]!, match[2]!],
    ),
  );
}

/** Program types of the functions that return the prototype. */
function handedTo({ text, headings }: Source, variable: string): readonly ProgType[] {
  const types: ProgType[] = [];
  for (const match of text.matchAll(new RegExp(`&\\s*${variable}\\b`, 'g'))) {
    const before = text.slice(0, match.index);
    const defined = [...before.matchAll(/\b(\w+_func_proto)\s*\(\s*enum\s+bpf_func_id/g)].at(-1);
    const heading = headings.findLast(({ at }) => at <= match.index);
    const inside =
      defined !== undefined && (heading === undefined || defined.index >= heading.at)
        ? defined[1]
        : heading?.function;
    types.push(...typesOfProto(inside ?? '').filter((type) => !types.includes(type)));
  }
  return types;
}
