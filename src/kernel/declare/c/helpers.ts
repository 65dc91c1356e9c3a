/** Helpers in C source: initialisers of struct bpf_func_proto, and who hands them out. */
import { PROG_TYPES, type ProgType } from '../../../object/program.js';
import type { JsonObject } from '../fields.js';
import type { FoundFunction } from './found.js';
import { CUT, type Source } from './source.js';
import { bytesOf, structOfBtfId, typesOfProto } from './words.js';

/** A place that hands a prototype out: `case BPF_FUNC_map_push_elem: return &bpf_map_push_elem_proto;`. */
interface Handed {
  readonly names: readonly string[];
  readonly types: readonly ProgType[];
}

/** The helpers whose prototypes are new. What is there and cannot be read goes to `notes`. */
export function findHelpers(source: Source, notes: string[]): readonly FoundFunction[] {
  const { text } = source;
  const ids = new Map(
    [...text.matchAll(/\bFN\s*\(\s*(\w+)\s*,\s*(\d+)\s*,/g)].map((match) => [
      `bpf_${match[1]}`,
      Number(match[2]),
    ]),
  );
  const lists = btfLists(text);
  const found = new Map<string, { readonly variable: string; readonly own: boolean; fields: JsonObject }>();
  for (const match of text.matchAll(/\bstruct\s+bpf_func_proto\s+(\w+)\s*(?:__\w+\s*)*=\s*\{/g)) {
    const variable = match[1]!;
    const open = match.index + match[0].length;
    const close = closingBrace(text, open);
    if (!source.isNew(match.index, close ?? match.index + 1)) continue;
    if (close === undefined) {
      notes.push(`${variable}: its initialiser is not all there`);
      continue;
    }
    const members = membersOf(text.slice(open, close));
    const handed = handedOut(source, variable);
    const name = nameOf(variable, members.get('func'), handed.names, ids);
    const fields = helperFields(name, members, handed.types, ids.get(name), lists);
    const other = found.get(name);
    if (other === undefined) found.set(name, { variable, own: members.get('func') === name, fields });
    else if (sameButTypes(other.fields, fields)) other.fields = withTypes(other.fields, fields);
    else {
      // That of the function which bears the helper's name goes before.
      const first = !other.own && members.get('func') === name;
      notes.push(
        `${name}: a second prototype, ${first ? other.variable : variable}, for other program types`,
      );
      if (first) found.set(name, { variable, own: true, fields });
    }
  }
  return [...found].map(([name, { fields }]) => ({ kind: 'helper', name, fields }));
}

/** After which name programs call it: that of BPF_FUNC_..., which several prototypes may share, else that of the function. */
function nameOf(
  variable: string,
  func: string | undefined,
  names: readonly string[],
  ids: ReadonlyMap<string, number>,
): string {
  const plain = variable.replace(/_proto$/, '');
  const own = func?.startsWith('bpf_') === true ? func : plain;
  if (names.length === 0 || names.includes(own) || ids.has(own)) return own;
  return names[0]!;
}

const withoutTypes = ({ types: _, ...rest }: JsonObject): string => JSON.stringify(rest);
const sameButTypes = (a: JsonObject, b: JsonObject): boolean => withoutTypes(a) === withoutTypes(b);

/** The fields of one, for the program types of both. */
function withTypes(a: JsonObject, b: JsonObject): JsonObject {
  const all = [a.types, b.types].flatMap((types) => (Array.isArray(types) ? (types as string[]) : []));
  if (a.types === 'all' || b.types === 'all') return { ...a, types: 'all' };
  return all.length === 0 ? a : { ...a, types: [...new Set(all)] };
}

/** The brace that closes what was opened before `from`; undefined where a hunk ends first. */
function closingBrace(text: string, from: number): number | undefined {
  let depth = 1;
  for (let i = from; i < text.length && text[i] !== CUT; i++) {
    if (text[i] === '{') depth++;
    if (text[i] === '}' && --depth === 0) return i;
  }
  return undefined;
}

/** `.name = value` of an initialiser; `.arg_type = { ... }` as .arg1_type and so on. */
function membersOf(body: string): ReadonlyMap<string, string> {
  const text = body.replace(/^[ \t]*#.*$/gm, ' ');
  const members = new Map<string, string>();
  const plain = (value: string): string => value.replace(/\s+/g, ' ').trim();
  for (const match of text.matchAll(/\.(\w+)\s*=\s*(\{[^}]*\}|(?:[^,(){}]|\((?:[^()]|\([^()]*\))*\))+)/g)) {
    const [, name, value] = match;
    if (value!.startsWith('{'))
      for (const [i, one] of value!.slice(1, -1).split(',').entries())
        members.set(name!.replace(/^arg_/, `arg${i + 1}_`), plain(one.replace(/^\s*\[\d\]\s*=/, '')));
    else members.set(name!, plain(value!));
  }
  return members;
}

function helperFields(
  name: string,
  members: ReadonlyMap<string, string>,
  types: readonly ProgType[],
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
  const words = [1, 2, 3, 4, 5].map((n) => members.get(`arg${n}_type`));
  const last = words.findLastIndex((word) => word !== undefined && word !== '' && word !== 'ARG_DONTCARE');
  const args = words
    .slice(0, last + 1)
    .map((word, i) => `${word ?? 'ARG_DONTCARE'}${inBrackets(`arg${i + 1}`)}`);
  const ret = members.get('ret_type');
  const flag = (member: string, field: string): JsonObject =>
    ['true', '1'].includes(members.get(member) ?? '') ? { [field]: true } : {};
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

/** `BTF_ID_LIST_SINGLE(name, struct, task_struct)`, and lists of one struct over two lines, by name. */
function btfLists(text: string): ReadonlyMap<string, string> {
  const single = /BTF_ID_LIST_(?:GLOBAL_)?SINGLE\s*\(\s*(\w+)\s*,\s*struct\s*,\s*(\w+)\s*\)/g;
  const plain = /BTF_ID_LIST\s*\(\s*(\w+)\s*\)\s*BTF_ID\s*\(\s*struct\s*,\s*(\w+)\s*\)/g;
  return new Map([...text.matchAll(plain), ...text.matchAll(single)].map((match) => [match[1]!, match[2]!]));
}

/** What hands the prototype out: the names of its BPF_FUNC_ words, and the program types of the functions that do. */
function handedOut({ text, headings }: Source, variable: string): Handed {
  const types: ProgType[] = [];
  const names: string[] = [];
  for (const match of text.matchAll(new RegExp(`&\\s*${variable}\\b`, 'g'))) {
    const before = text.slice(0, match.index);
    const name = /\bcase\s+BPF_FUNC_(\w+)\s*:(?:(?!\bcase\b|\bdefault\b|\f)[\s\S])*$/.exec(
      before.slice(-400),
    )?.[1];
    if (name !== undefined && !names.includes(`bpf_${name}`)) names.push(`bpf_${name}`);
    const inside = functionAround(before) ?? headings.findLast(({ at }) => at <= match.index)?.function;
    types.push(...typesOfProto(inside ?? '').filter((type) => !types.includes(type)));
  }
  return { names, types };
}

/** The ..._func_proto function that text ends in; undefined where it ends in another, or where its hunk begins after the function's head. */
function functionAround(before: string): string | undefined {
  const here = before.slice(before.lastIndexOf(CUT) + 1);
  const heads = [...here.matchAll(/\b(\w+_func_proto)\s*\(\s*enum\s+bpf_func_id\b[^;{}]*\{/g)];
  const body = here.slice(heads.at(-1)?.index ?? 0);
  const ended = /^\}/m.test(body);
  if (!ended) return heads.at(-1)?.[1];
  return '';
}
