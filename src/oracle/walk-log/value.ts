/**
 * What the verifier's log prints of one register or spilled value: `scalar(id=1,smin=...,var_off=(0x0; 0xff))`, `P5`, `fp[0]-16`,
 * `rcu_ptr_or_null_task_struct(id=4)`. Follows print_reg_state of kernel/bpf/log.c, Linux 6.18.
 */
import { constant, type Scalar, unknown } from '../../verifier/scalar/scalar.js';

/** One register or spilled value as the log prints it; a field that is not printed has a value that says so. */
export interface LogValue {
  /** The kernel's name of the type without what is told apart below: `scalar`, `map_value`, `fp`, `ptr`, `mem`. */
  readonly type: string;
  /** Words before the type: `rdonly`, `ringbuf`, `user`, `percpu`, `rcu`, `untrusted`, `trusted`. */
  readonly flags: readonly string[];
  readonly nullable: boolean;
  /** `ptr`: name of the struct; otherwise empty. */
  readonly struct: string;
  /** Constant part of a pointer's offset. */
  readonly off: number;
  /** A scalar's value, or a pointer's variable offset. */
  readonly num: Scalar;
  readonly precise: boolean;
  /** 0 for none. */
  readonly id: number;
  /** Constant by which a linked scalar differs from others with its id. */
  readonly delta: number;
  /** ref_obj_id; 0 for none. */
  readonly ref: number;
  readonly nonOwning: boolean;
  /** Map of a map pointer, value or key, as far as the kernel keeps its name (15 characters); key and value size. */
  readonly map: string;
  readonly keySize: number;
  readonly valueSize: number;
  /** Packet pointers: bytes checked. */
  readonly range: number;
  /** Bytes of memory; -1 where not printed. */
  readonly size: number;
  /** Stack pointers into another frame than the one printed: which. */
  readonly frame: number | undefined;
  /** Type of the dynptr that a callback is passed. */
  readonly dynptr: string;
}

const ZERO = constant(0n);

const BLANK: LogValue = {
  type: 'scalar',
  flags: [],
  nullable: false,
  struct: '',
  off: 0,
  num: unknown,
  precise: false,
  id: 0,
  delta: 0,
  ref: 0,
  nonOwning: false,
  map: '',
  keySize: 0,
  valueSize: 0,
  range: 0,
  size: -1,
  frame: undefined,
  dynptr: '',
};

const NUMBER = /^-?(?:0x[0-9a-f]+|0|[1-9][0-9]*)$/;
const FRAME_POINTER = /^fp(?:\[(\d+)\])?(-?(?:0x[0-9a-f]+|\d+))$/;
/** reg_type_str. */
const TYPES: ReadonlySet<string> = new Set([
  'scalar',
  'ctx',
  'map_ptr',
  'map_value',
  'map_key',
  'fp',
  'pkt',
  'pkt_meta',
  'pkt_end',
  'flow_keys',
  'sock',
  'sock_common',
  'tcp_sock',
  'xdp_sock',
  'tp_buffer',
  'mem',
  'buf',
  'func',
  'dynptr_ptr',
  'arena',
  'ptr',
  // Nothing: what was spilled is no longer known (NOT_INIT).
  '?',
]);
const FLAG = /^(rdonly|ringbuf|user|percpu|rcu|untrusted|trusted)_/;

/** A number as verbose_snum and verbose_unum print it: decimal, or hexadecimal of its 64 bits. */
function integer(text: string): bigint | undefined {
  if (!NUMBER.test(text)) return undefined;
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

/** A number that is an offset, which may be printed as 64 bits of two's complement. */
function offset(text: string): number | undefined {
  const value = integer(text);
  return value === undefined ? undefined : Number(BigInt.asIntN(64, value));
}

/** Undefined where the text is not understood. */
export function parseValue(text: string): LogValue | undefined {
  const precise = /^P(?=[-0-9s])/.test(text);
  const rest = precise ? text.slice(1) : text;
  const known = integer(rest);
  if (known !== undefined) return { ...BLANK, num: constant(known), precise };
  const fp = FRAME_POINTER.exec(rest);
  if (fp !== null) {
    const off = offset(fp[2]!);
    const frame = fp[1] === undefined ? undefined : Number(fp[1]);
    return off === undefined ? undefined : { ...BLANK, type: 'fp', num: ZERO, off, frame };
  }
  const open = rest.indexOf('(');
  if (open <= 0 || !rest.endsWith(')')) return undefined;
  const named = nameOf(rest.slice(0, open));
  if (!TYPES.has(named.type)) return undefined;
  const told = attributes(rest.slice(open + 1, -1), named.type === 'scalar');
  return told === undefined ? undefined : { ...BLANK, ...named, ...told, precise };
}

function nameOf(name: string): Pick<LogValue, 'type' | 'flags' | 'nullable' | 'struct'> & { frame?: number } {
  const flags: string[] = [];
  let rest = name;
  for (let flag = FLAG.exec(rest); flag !== null; flag = FLAG.exec(rest)) {
    flags.push(flag[1]!);
    rest = rest.slice(flag[0].length);
  }
  if (rest.startsWith('ptr_')) {
    const nullable = rest.startsWith('ptr_or_null_');
    return { type: 'ptr', flags, nullable, struct: rest.slice(nullable ? 'ptr_or_null_'.length : 4) };
  }
  const frame = /^fp\[(\d+)\]$/.exec(rest);
  if (frame !== null) return { type: 'fp', flags, nullable: false, struct: '', frame: Number(frame[1]) };
  const nullable = rest.endsWith('_or_null');
  return { type: nullable ? rest.slice(0, -'_or_null'.length) : rest, flags, nullable, struct: '' };
}

/** Splits at commas that are in no brackets. */
function pieces(text: string): string[] {
  return text === '' ? [] : text.split(/,(?![^(]*\))/);
}

type Bounds = { -readonly [K in keyof Scalar]: Scalar[K] };
type Told = { -readonly [K in keyof LogValue]?: LogValue[K] };

function attributes(text: string, scalar: boolean): Told | undefined {
  const told: Told = {};
  // A pointer without bounds has no variable offset; one with any that is not told is unknown there.
  const num: Bounds = { ...unknown };
  let bounded = false;
  for (const piece of pieces(text)) {
    if (piece === 'non_own_ref') {
      told.nonOwning = true;
      continue;
    }
    const tnum = /^var_off=\((0x[0-9a-f]+|0); (0x[0-9a-f]+|0)\)$/.exec(piece);
    if (tnum !== null) {
      num.value = BigInt(tnum[1]!);
      num.mask = BigInt(tnum[2]!);
      bounded = true;
      continue;
    }
    const names = piece.split('=');
    const value = names.pop()!;
    if (names.length === 0) return undefined;
    if (isBound(names[0]!)) {
      const n = integer(value);
      if (n === undefined || !names.every((name) => setBound(num, name, n))) return undefined;
      bounded = true;
    } else if (!attribute(told, names[0]!, value)) return undefined;
  }
  if (scalar || bounded) told.num = num;
  else told.num ??= ZERO;
  return told;
}

function attribute(told: Told, name: string, value: string): boolean {
  if (name === 'map') {
    told.map = value;
    return true;
  }
  if (name === 'type') {
    told.dynptr = value;
    return true;
  }
  if (name === 'id') {
    const id = /^(\d+)(?:([+-]\d+))?$/.exec(value);
    if (id === null) return false;
    told.id = Number(id[1]);
    told.delta = Number(id[2] ?? 0);
    return true;
  }
  const n = integer(value);
  if (n === undefined) return false;
  switch (name) {
    case 'ref_obj_id':
      told.ref = Number(n);
      return true;
    case 'ks':
      told.keySize = Number(n);
      return true;
    case 'vs':
      told.valueSize = Number(n);
      return true;
    case 'off':
      told.off = Number(BigInt.asIntN(64, n));
      return true;
    case 'r':
      told.range = Number(BigInt.asIntN(64, n));
      return true;
    case 'sz':
      told.size = Number(n);
      return true;
    case 'imm':
      told.num = constant(n);
      return true;
    default:
      return false;
  }
}

const isBound = (name: string): boolean => /^[su](min|max)(32)?$/.test(name);

function setBound(num: Bounds, name: string, n: bigint): boolean {
  switch (name) {
    case 'smin':
    case 'smax':
      num[name] = BigInt.asIntN(64, n);
      return true;
    case 'umin':
    case 'umax':
      num[name] = BigInt.asUintN(64, n);
      return true;
    case 'smin32':
      num.s32min = Number(BigInt.asIntN(32, n));
      return true;
    case 'smax32':
      num.s32max = Number(BigInt.asIntN(32, n));
      return true;
    case 'umin32':
      num.u32min = Number(BigInt.asUintN(32, n));
      return true;
    case 'umax32':
      num.u32max = Number(BigInt.asUintN(32, n));
      return true;
    default:
      return false;
  }
}
