/** A helper's contract from its declaration: the words of its struct bpf_func_proto, and answers to what these do not tell. */
import type { Arg, PointerKind, Resource } from '../contract.js';
import { givenArguments, mapArgument } from './arguments.js';
import type { Fields } from './fields.js';
import { show } from './fields.js';
import { type Described, MOST_ARGS } from './kfunc.js';
import { callbackFlaw } from './long-form.js';
import { classOf, infer, type Returned } from './outcomes.js';
import { CLASS_OF_STRUCT, DYNPTRS, SOCKETS } from './vocabulary.js';

/** `ARG_PTR_TO_BTF_ID_OR_NULL | OBJ_RELEASE [task_struct]`, read apart. */
interface Word {
  readonly text: string;
  readonly base: string;
  readonly nullable: boolean;
  readonly flags: ReadonlySet<string>;
  /** What stands in brackets: a struct, or a number of bytes. */
  readonly inside: string | undefined;
}

const FLAGS: ReadonlySet<string> = new Set([
  ...[
    'PTR_MAYBE_NULL',
    'MEM_RDONLY',
    'MEM_UNINIT',
    'MEM_WRITE',
    'MEM_ALIGNED',
    'OBJ_RELEASE',
    'PTR_TRUSTED',
    'MEM_RCU',
  ],
  ...[
    'DYNPTR_TYPE_LOCAL',
    'DYNPTR_TYPE_RINGBUF',
    'DYNPTR_TYPE_SKB',
    'DYNPTR_TYPE_XDP',
    'DYNPTR_TYPE_SKB_META',
  ],
  ...['MEM_FIXED_SIZE', 'MEM_ALLOC', 'PTR_UNTRUSTED'],
]);

function wordOf(fields: Fields, what: string, value: unknown): Word {
  const match =
    typeof value === 'string'
      ? /^\s*([A-Z][A-Z_]*)((?:\s*[|+]\s*[A-Z_]+)*)\s*(?:\[\s*(\w+)\s*\])?((?:\s*[|+]\s*[A-Z_]+)*)\s*$/.exec(
          value,
        )
      : null;
  if (match === null)
    return fields.fail(
      `${what} is a word of struct bpf_func_proto, such as ARG_PTR_TO_MEM | MEM_RDONLY or ARG_PTR_TO_BTF_ID [task_struct], not ${show(value)}`,
    );
  const flags = new Set(`${match[2]} ${match[4]}`.split(/[\s|+]+/).filter((flag) => flag !== ''));
  for (const flag of flags)
    if (!FLAGS.has(flag)) fields.fail(`${what}: there is no ${flag}; there are ${[...FLAGS].join(', ')}`);
  const base = match[1]!;
  return {
    text: (value as string).trim(),
    base: base.replace(/_OR_NULL$/, ''),
    nullable: base.endsWith('_OR_NULL') || flags.has('PTR_MAYBE_NULL'),
    flags,
    inside: match[3],
  };
}

/** Reads a helper's declaration. Asks and fails through `fields`. */
export function describeHelper(fields: Fields): Described {
  const ret = fields.text('ret');
  if (ret === undefined) fields.ask('ret: its .ret_type, such as RET_INTEGER');
  const listed = fields.get('args') ?? [];
  if (!Array.isArray(listed))
    return fields.fail(`args is the list of .arg1_type to .arg5_type, not ${show(listed)}`);
  if (listed.length > MOST_ARGS)
    fields.fail(`a function that programs call has ${MOST_ARGS} arguments at the most`);
  const words = listed.map((word: unknown, i) => wordOf(fields, `args, ${i + 1}`, word));
  const names = words.map((_, i) => `arg${i + 1}`);
  const given = givenArguments(fields, names);
  const args = words.map((word, i) => given.get(i) ?? argFor(fields, word, i, words));
  const sleeps = fields.flag('sleeps');
  return {
    args,
    outcomes: () =>
      infer(fields, {
        args,
        returned: returnedBy(fields, wordOf(fields, 'ret', ret ?? 'RET_INTEGER'), args),
        releases: words.flatMap(({ flags }, i) => (flags.has('OBJ_RELEASE') ? [i] : [])),
        writes: args.flatMap((arg, i) => (fills(arg) ? [i] : [])),
        transfers: undefined,
        iterator: undefined,
        sleeps,
        prompt: fields.flag('fastcall'),
      }),
    flags: [],
    ret: ret === undefined ? '' : inTableWords(wordOf(fields, 'ret', ret)),
    sleeps,
    needsRcu: false,
    fastcall: fields.flag('fastcall'),
  };
}

/** As the generated tables have it: `RET_PTR_TO_BTF_ID_OR_NULL<task_struct>`, flags behind `+`. */
const inTableWords = ({ text, inside }: Word): string =>
  `${text
    .replace(/\[.*\]/, '')
    .trim()
    .replace(/\s*[|+]\s*/g, '+')}${inside === undefined ? '' : `<${inside}>`}`;

/** Only memory that need not be initialised is sure to be filled. */
const fills = (arg: Arg): boolean =>
  (arg.kind === 'mem' && arg.access === 'write') || (arg.kind === 'map_value' && arg.uninit === true);

function argFor(fields: Fields, word: Word, index: number, all: readonly Word[]): Arg {
  const { base, flags } = word;
  const maybe = word.nullable ? { nullable: true as const } : {};
  const release = flags.has('OBJ_RELEASE') ? { release: true as const } : {};
  const struct = (): string => {
    if (word.inside === undefined)
      fields.ask(`the struct of argument ${index + 1}, in brackets: ${word.base} [task_struct]`);
    return word.inside ?? 'task_struct';
  };
  switch (base) {
    case 'ARG_ANYTHING':
      return { kind: 'anything' };
    case 'ARG_SCALAR':
      return { kind: 'scalar' };
    case 'ARG_CONST_MAP_PTR':
      return mapArgument(fields);
    case 'ARG_PTR_TO_MAP_KEY':
      return { kind: 'map_key' };
    case 'ARG_PTR_TO_MAP_VALUE':
      return { kind: 'map_value', ...(flags.has('MEM_UNINIT') ? { uninit: true } : {}), ...maybe };
    case 'ARG_PTR_TO_MEM':
    case 'ARG_PTR_TO_UNINIT_MEM':
      return memory(fields, word, index, all);
    case 'ARG_PTR_TO_FIXED_SIZE_MEM':
      return fixedMemory(fields, word, index);
    case 'ARG_CONST_SIZE':
    case 'ARG_CONST_SIZE_OR_ZERO':
      if (!isMemory(all[index - 1]))
        fields.fail(`argument ${index + 1} is the size of memory, but the one before it is none`);
      return { kind: 'size', zero: base.endsWith('_OR_ZERO') };
    case 'ARG_CONST_ALLOC_SIZE_OR_ZERO':
      return { kind: 'alloc_size' };
    case 'ARG_PTR_TO_CTX':
      return { kind: 'ctx', ...maybe };
    case 'ARG_PTR_TO_SOCK_COMMON':
      return { kind: 'sock', types: SOCKETS, ...maybe, ...release };
    case 'ARG_PTR_TO_SOCKET':
      return { kind: 'sock', types: ['sock'], ...maybe, ...release };
    case 'ARG_PTR_TO_BTF_ID_SOCK_COMMON':
      return { kind: 'sock', types: SOCKETS, ...maybe, btf: true, ...release };
    case 'ARG_PTR_TO_BTF_ID':
      return { kind: 'btf', structs: [struct()], trust: 'any', ...maybe, ...release };
    case 'ARG_PTR_TO_RINGBUF_MEM':
      if (!flags.has('OBJ_RELEASE'))
        fields.fail(`argument ${index + 1}: a record is only passed to be given back (OBJ_RELEASE)`);
      return { kind: 'record', release: true };
    case 'ARG_PTR_TO_SPIN_LOCK':
      if (!fields.has('lock'))
        fields.ask(`lock: 'takes' (waits for it), 'tries' (0, or an error without it) or 'releases'`);
      return { kind: 'spin_lock', lock: 'spin_lock' };
    case 'ARG_PTR_TO_TIMER':
      return { kind: 'timer' };
    case 'ARG_PTR_TO_CONST_STR':
      return { kind: 'const_str' };
    case 'ARG_PTR_TO_STACK':
      return { kind: 'stack_or_null' };
    case 'ARG_PTR_TO_PERCPU_BTF_ID':
      return { kind: 'percpu' };
    case 'ARG_PTR_TO_FUNC':
      return callbackArg(fields);
    case 'ARG_PTR_TO_DYNPTR':
      return dynptrArg(fields, word, index);
    default:
      return fields.fail(`argument ${index + 1}: ${base} is not modelled for declared helpers`);
  }
}

const isMemory = (word: Word | undefined): boolean =>
  word?.base === 'ARG_PTR_TO_MEM' || word?.base === 'ARG_PTR_TO_UNINIT_MEM';

function memory(fields: Fields, word: Word, index: number, all: readonly Word[]): Arg {
  const next = all[index + 1]?.base;
  if (next !== 'ARG_CONST_SIZE' && next !== 'ARG_CONST_SIZE_OR_ZERO')
    fields.fail(`argument ${index + 1} is memory, and the one after it is not its size (ARG_CONST_SIZE)`);
  const maybe = word.nullable ? { nullable: true as const } : {};
  return { kind: 'mem', access: accessOf(word), size: { arg: index + 1 }, ...maybe };
}

/** Memory that need not be initialised is written; what is not said to be read only may be, unless its size is fixed. */
function accessOf({ base, flags }: Word): 'read' | 'write' | 'readwrite' {
  if (base === 'ARG_PTR_TO_UNINIT_MEM' || flags.has('MEM_UNINIT')) return 'write';
  const fixed = base === 'ARG_PTR_TO_FIXED_SIZE_MEM' && !flags.has('MEM_WRITE');
  return fixed || flags.has('MEM_RDONLY') ? 'read' : 'readwrite';
}

function fixedMemory(fields: Fields, word: Word, index: number): Arg {
  const bytes = Number(word.inside);
  if (!Number.isInteger(bytes) || bytes <= 0 || bytes >= 1 << 29)
    fields.ask(`the bytes of argument ${index + 1}, in brackets: ${word.base} [8]`);
  const maybe = word.nullable ? { nullable: true as const } : {};
  const aligned = word.flags.has('MEM_ALIGNED') ? { aligned: true as const } : {};
  return {
    kind: 'mem',
    access: accessOf(word),
    size: { bytes: bytes > 0 ? bytes : 8 },
    ...maybe,
    ...aligned,
  };
}

function callbackArg(fields: Fields): Arg {
  const said = fields.object('callback');
  if (said === undefined) {
    fields.ask('callback: { args: [what r1 to r5 of the callback hold], returns: [least, most] }');
    return { kind: 'callback', callback: { args: [], returns: [0, 1] } };
  }
  const flaw = callbackFlaw(said);
  if (flaw !== undefined) fields.fail(`callback: expected ${flaw}`);
  return { kind: 'callback', callback: said } as unknown as Arg;
}

function dynptrArg(fields: Fields, { flags }: Word, index: number): Arg {
  const named = [...flags].find((flag) => flag.startsWith('DYNPTR_TYPE_'));
  const type = DYNPTRS.find((one) => `DYNPTR_TYPE_${one.toUpperCase()}` === named);
  const typed = type === undefined ? {} : { type };
  if (!flags.has('MEM_UNINIT')) {
    const release = flags.has('OBJ_RELEASE') ? { release: true as const } : {};
    return {
      kind: 'dynptr',
      state: 'init',
      ...typed,
      ...(flags.has('MEM_RDONLY') ? { rdonly: true } : {}),
      ...release,
    };
  }
  if (type === undefined) fields.fail(`argument ${index + 1}: a new dynptr has a DYNPTR_TYPE_ flag`);
  return { kind: 'dynptr', state: 'uninit', ...typed };
}

/** Pointers by the end of their RET_PTR_TO_ word, and the class of what they may hold. */
const SOCKET_RESULTS: Readonly<Record<string, PointerKind>> = {
  RET_PTR_TO_SOCKET: { kind: 'sock', type: 'sock' },
  RET_PTR_TO_SOCK_COMMON: { kind: 'sock', type: 'sock_common' },
  RET_PTR_TO_TCP_SOCK: { kind: 'sock', type: 'tcp_sock' },
};

function returnedBy(fields: Fields, word: Word, args: readonly Arg[]): Returned {
  const { base, nullable, inside } = word;
  if (base === 'RET_INTEGER') return { kind: 'number', signed: true };
  if (base === 'RET_VOID') return { kind: 'void' };
  const held = (to: PointerKind, known: Resource): Returned => {
    const said = fields.get('acquires');
    if (said === 'cast') {
      if (args[0]?.kind !== 'sock')
        fields.fail(`acquires: 'cast' is for a function whose first argument is a socket`);
      return { kind: 'pointer', to, nullable, derives: 0 };
    }
    const acquires = fields.boolean('acquires');
    if (acquires === undefined)
      fields.ask(
        `acquires: true if what it returns must be given back, else false ('cast': it is argument 1 seen otherwise)`,
      );
    return {
      kind: 'pointer',
      to,
      nullable,
      ...(acquires === false ? {} : { acquires: classOf(fields, known) }),
    };
  };
  const socket = SOCKET_RESULTS[base];
  if (socket !== undefined) return held(socket, 'socket');
  switch (base) {
    case 'RET_PTR_TO_RINGBUF_MEM':
      if (!args.some(({ kind }) => kind === 'alloc_size'))
        fields.fail(`${base} needs an argument ARG_CONST_ALLOC_SIZE_OR_ZERO`);
      return { kind: 'pointer', to: { kind: 'record' }, nullable, acquires: 'ringbuf_record' };
    case 'RET_PTR_TO_BTF_ID':
    case 'RET_PTR_TO_BTF_ID_TRUSTED': {
      if (inside === undefined)
        fields.ask(`the struct that it returns, in brackets: ${word.text} [task_struct]`);
      const struct = inside ?? 'task_struct';
      const trust = base.endsWith('_TRUSTED') || fields.get('acquires') === true ? 'trusted' : 'none';
      return held({ kind: 'btf', struct, trust }, CLASS_OF_STRUCT[struct] ?? 'reference');
    }
    default:
      return fields.fail(`ret: ${base} is not modelled for declared helpers`);
  }
}
