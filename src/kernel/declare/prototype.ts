/**
 * Reads a function declaration in C as it stands in kernel source: `__bpf_kfunc struct task_struct *bpf_task_from_pid(s32 pid)`. Only what
 * says how the function is called is kept; attributes, storage classes and the body are passed over.
 */

export interface CType {
  /** The type as written, one blank between words, the stars at its end: `const struct bpf_dynptr *`. */
  readonly text: string;
  /** Without qualifiers and stars: `struct bpf_dynptr`, `u64`, `unsigned long`. */
  readonly base: string;
  readonly stars: number;
  readonly isConst: boolean;
  /** A function, or a pointer to one. */
  readonly isFunction: boolean;
}

/** What a function in C takes in one place: its type and what it is called. */
export interface CParam {
  readonly type: CType;
  /** Empty where it has none. */
  readonly name: string;
}

/** A function's declaration in C. */
export interface Prototype {
  readonly name: string;
  readonly ret: CType;
  readonly params: readonly CParam[];
}

/** Words that say nothing about how a function is called. */
const NOISE: ReadonlySet<string> = new Set([
  ...['static', 'extern', 'inline', '__inline', '__inline__', 'volatile', 'register', 'noinline', 'notrace'],
  ...['__bpf_kfunc', '__always_inline', '__weak', '__used', '__init', '__cold', '__ksym', '__hidden'],
  ...['__user', '__kernel', '__rcu', '__force', '__percpu', '__must_check', '__maybe_unused', '__retain'],
  ...[
    'noinline_for_stack',
    '__visible',
    'asmlinkage',
    '__no_caller_saved_registers',
    '__noclone',
    '__malloc',
  ],
]);

/** Words that can only be part of a type. */
const TYPE_WORDS: ReadonlySet<string> = new Set([
  ...['void', 'char', 'short', 'int', 'long', 'signed', 'unsigned', 'float', 'double', 'bool', '_Bool'],
  ...['u8', 'u16', 'u32', 'u64', 's8', 's16', 's32', 's64', '__u8', '__u16', '__u32', '__u64', '__s8'],
  ...['__s16', '__s32', '__s64', 'size_t', 'ssize_t', 'const', 'struct', 'union', 'enum'],
]);

/** Comments become blanks; strings do not occur in prototypes. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/\/\/[^\n]*/g, ' ');
}

/** Words and signs. Undefined where something else stands. */
function tokens(text: string): string[] | undefined {
  const found = text.match(/[A-Za-z_]\w*|\d+|\.\.\.|[*()[\],;{}]|\S/g) ?? [];
  return found.every((token) => /^([A-Za-z_]\w*|\d+|\.\.\.|[*()[\],;{}])$/.test(token)) ? found : undefined;
}

/** Takes out `__attribute__((...))`, `__printf(1, 2)` and the like. */
function withoutAttributes(all: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < all.length; i++) {
    const token = all[i]!;
    const attribute = /^(__attribute__|__attribute|__printf|__scanf|__aligned|__diag_\w+|__section)$/.test(
      token,
    );
    if (attribute && all[i + 1] === '(') {
      i = closing(all, i + 1);
      continue;
    }
    if (!NOISE.has(token)) kept.push(token);
  }
  return kept;
}

/** Index of the parenthesis that closes the one at `open`; the end where none does. */
function closing(all: readonly string[], open: number): number {
  let depth = 0;
  for (let i = open; i < all.length; i++) {
    if (all[i] === '(') depth++;
    if (all[i] === ')' && --depth === 0) return i;
  }
  return all.length;
}

/** The prototype, or in a few words what was expected. */
export function parsePrototype(source: string): Prototype | string {
  const all = tokens(withoutComments(source));
  if (all === undefined) return `a C prototype has words, stars and parentheses only`;
  const line = withoutAttributes(all);
  const open = line.indexOf('(');
  if (open < 2) return `expected a C prototype such as 'int bpf_foo(u64 flags)'`;
  const name = line[open - 1]!;
  if (!/^[A-Za-z_]\w*$/.test(name) || TYPE_WORDS.has(name))
    return `expected a C prototype such as 'int bpf_foo(u64 flags)'`;
  const ret = typeOf(line.slice(0, open - 1));
  if (typeof ret === 'string') return `what ${name} returns: ${ret}`;
  const close = closing(line, open);
  if (close === line.length) return `the parameters of ${name} have no closing parenthesis`;
  const rest = line[close + 1];
  if (rest !== undefined && rest !== ';' && rest !== '{')
    return `unexpected '${rest}' after the parameters of ${name}`;
  const params = paramsOf(line.slice(open + 1, close));
  return typeof params === 'string' ? params : { name, ret, params };
}

function paramsOf(inside: readonly string[]): readonly CParam[] | string {
  if (inside.length === 0 || (inside.length === 1 && inside[0] === 'void')) return [];
  const parts: string[][] = [[]];
  let depth = 0;
  for (const token of inside) {
    if (token === '(' || token === '[') depth++;
    if (token === ')' || token === ']') depth--;
    if (token === ',' && depth === 0) parts.push([]);
    else parts.at(-1)!.push(token);
  }
  const params: CParam[] = [];
  for (const [i, part] of parts.entries()) {
    const param = paramOf(part);
    if (typeof param === 'string') return `parameter ${i + 1}: ${param}`;
    if (param.name !== '' && params.some(({ name }) => name === param.name))
      return `two parameters are called ${param.name}`;
    params.push(param);
  }
  return params;
}

function paramOf(part: readonly string[]): CParam | string {
  if (part.length === 0) return 'expected a parameter';
  if (part.includes('...')) return 'a function that programs call takes no variable arguments';
  const paren = part.indexOf('(');
  if (paren >= 0) {
    // bool (*less)(struct bpf_rb_node *, const struct bpf_rb_node *), or the same without the star.
    const name = part.slice(paren, closing(part, paren)).find((token) => /^[A-Za-z_]\w*$/.test(token)) ?? '';
    if (paren === 0) return `'${part.join(' ')}' is no parameter`;
    return { type: { text: 'function', base: 'function', stars: 1, isConst: false, isFunction: true }, name };
  }
  const bracket = part.indexOf('[');
  // An array is passed as a pointer to its first element.
  const plain = bracket < 0 ? [...part] : part.slice(0, bracket);
  const last = plain.at(-1)!;
  const before = plain.at(-2);
  const named =
    plain.length > 1 &&
    /^[A-Za-z_]\w*$/.test(last) &&
    !TYPE_WORDS.has(last) &&
    !(before === 'struct' || before === 'union' || before === 'enum');
  const words = named ? plain.slice(0, -1) : plain;
  const type = typeOf(bracket < 0 ? words : [...words, '*']);
  return typeof type === 'string' ? type : { type, name: named ? last : '' };
}

function typeOf(all: readonly string[]): CType | string {
  const stars = all.filter((token) => token === '*').length;
  const words = all.filter((token) => token !== '*');
  const base = words.filter((word) => word !== 'const');
  const odd = words.find((word) => !/^[A-Za-z_]\w*$/.test(word));
  if (odd !== undefined) return `'${odd}' is no part of a type`;
  if (base.length === 0) return 'expected a type';
  const tagged = base[0] === 'struct' || base[0] === 'union' || base[0] === 'enum';
  if (tagged ? base.length !== 2 : base.length > 1 && !base.every((word) => TYPE_WORDS.has(word)))
    return `'${base.join(' ')}' is no type`;
  const firstStar = all.indexOf('*');
  const pointee = firstStar < 0 ? all : all.slice(0, firstStar);
  return {
    text: `${words.filter((word, i) => word !== 'const' || pointee[i] === 'const').join(' ')}${stars > 0 ? ` ${'*'.repeat(stars)}` : ''}`,
    base: base.join(' '),
    stars,
    isConst: pointee.includes('const'),
    isFunction: false,
  };
}

/** Bytes of C's numbers on a 64-bit machine. */
const NUMBERS: readonly (readonly [bytes: number, names: string])[] = [
  [1, 'char,signed char,unsigned char,u8,s8,__u8,__s8,bool,_Bool,uint8_t,int8_t'],
  [
    2,
    'short,short int,unsigned short,short unsigned int,u16,s16,__u16,__s16,__be16,__le16,uint16_t,int16_t,__sum16',
  ],
  [
    4,
    'int,signed,signed int,unsigned,unsigned int,u32,s32,__u32,__s32,__be32,__le32,uint32_t,int32_t,pid_t,gfp_t,__wsum,float',
  ],
  [
    8,
    'long,long int,signed long,unsigned long,unsigned long int,long unsigned int,long long,long long int,unsigned long long,' +
      'long long unsigned int,u64,s64,__u64,__s64,__be64,__le64,uint64_t,int64_t,size_t,ssize_t,loff_t,ktime_t,uintptr_t,dma_addr_t',
  ],
];
const BYTES = new Map(
  NUMBERS.flatMap(([bytes, names]) => names.split(',').map((name) => [name, bytes] as const)),
);

/** Bytes of a number of this type (enums are int); undefined for what is none. */
export function numberBytes(base: string): number | undefined {
  return base.startsWith('enum ') ? 4 : BYTES.get(base);
}

/** A number that cannot be below 0. */
export function isUnsigned(base: string): boolean {
  return /^(unsigned\b|u\d|__u\d|uint|size_t$|bool$|_Bool$|long unsigned|long long unsigned|short unsigned|__be|__le|__wsum|__sum)/.test(
    base,
  );
}
