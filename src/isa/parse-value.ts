/** What can stand right of `rN =`: moves, loads, byte swaps, 64-bit immediates, atomic operations that return something. */
import { ldFunc, words } from './build.js';
import type { Imm64Kind, Op } from './insn.js';
import type { Item } from './label.js';
import type { Cursor } from './lex.js';
import {
  address,
  immediate,
  integer,
  isInteger,
  isRegister,
  memory,
  type Register,
  register,
  sameRegister,
  signed,
  sizeCast,
  target,
  valueRegister,
} from './parse-operand.js';
import type { Symbols } from './symbols.js';
import { ATOMIC_WORDS, SIZE_WORDS } from './words.js';

const VALUE = 'a value (a register, a number, *(uN *)(...), map NAME, func LABEL)';

/** Parses the value and returns the operation that puts it into `dst`. */
export function parseValue(
  cursor: Cursor,
  dst: Register,
  symbols: Symbols,
): Exclude<Item, { kind: 'label' }> {
  const { token } = cursor;
  if (isInteger(cursor)) return number(cursor, dst);
  if (isRegister(token))
    return { kind: 'mov', width: dst.width, dst: dst.reg, src: { reg: register(cursor, dst.width).reg } };
  if (cursor.accept('-')) {
    sameRegister(cursor, dst);
    return { kind: 'neg', width: dst.width, dst: dst.reg };
  }
  if (token.text === '(') return extended(cursor, dst);
  if (cursor.accept('*')) return load(cursor, dst);
  if (token.type !== 'word') cursor.expected(VALUE);

  const swap = /^(le|be|bswap)(16|32|64)$/.exec(token.text);
  if (swap !== null) {
    cursor.take();
    wide(cursor, dst, 'a byte swap');
    sameRegister(cursor, dst);
    return {
      kind: 'end',
      op: swap[1] as 'le' | 'be' | 'bswap',
      bits: Number(swap[2]) as 16 | 32 | 64,
      dst: dst.reg,
    };
  }
  if (ATOMIC_WORDS.has(token.text)) return atomicFetch(cursor, dst);
  switch (token.text) {
    case 'load_acquire':
      return loadAcquire(cursor, dst);
    case 'addr_space_cast':
      return addressSpaceCast(cursor, dst);
    case 'func':
      cursor.take();
      wide(cursor, dst, 'a function reference');
      return ldFunc({ reg: dst.reg, width: 64 }, target(cursor, 32).to);
    case 'map':
    case 'mapvalue':
    case 'map_fd':
    case 'mapvalue_fd':
    case 'btf_id':
      return reference(cursor, dst, symbols);
    default:
      return cursor.expected(VALUE);
  }
}

function wide(cursor: Cursor, dst: Register, what: string): void {
  if (dst.width !== 64)
    cursor.fail(`${what} writes 64 bits: expected r${dst.reg}, found '${dst.token.text}'`, dst.token);
}

function number(cursor: Cursor, dst: Register): Op {
  if (!isLong(cursor)) {
    return { kind: 'mov', width: dst.width, dst: dst.reg, src: { imm: immediate(cursor, dst.width === 32) } };
  }
  wide(cursor, dst, 'a 64-bit immediate');
  const { value, token } = integer(cursor, 'a number');
  if (BigInt.asIntN(64, value) !== value && BigInt.asUintN(64, value) !== value) {
    cursor.fail(`immediate ${value} does not fit 64 bits`, token);
  }
  cursor.expect('ll');
  const [imm, hi] = words(value);
  return { kind: 'ld_imm64', dst: dst.reg, as: 'imm', imm, hi };
}

function isLong(cursor: Cursor): boolean {
  const sign = cursor.token.type === 'mark' ? 1 : 0;
  return cursor.ahead(sign + 1).text === 'll';
}

function extended(cursor: Cursor, dst: Register): Op {
  cursor.expect('(');
  const { token } = cursor;
  const from = SIZE_WORDS.get(token.text);
  if (from === undefined || !from.signed || (from.size === 4 && dst.width === 32)) {
    cursor.expected(dst.width === 64 ? 's8, s16 or s32' : 's8 or s16');
  }
  cursor.take();
  cursor.expect(')');
  const src = register(cursor, dst.width).reg;
  return { kind: 'movsx', bits: (from.size * 8) as 8 | 16 | 32, width: dst.width, dst: dst.reg, src };
}

function load(cursor: Cursor, dst: Register): Op {
  const { size, signed: extend } = sizeCast(cursor, true);
  if (cursor.token.text === 'skb') return packetLoad(cursor, dst, size, extend);
  if (extend) wide(cursor, dst, 'a sign-extending load');
  if (dst.width === 32 && size === 8) wide(cursor, dst, 'an 8-byte load');
  const { base, off } = memory(cursor);
  return { kind: 'ldx', size, signed: extend, dst: dst.reg, src: base, off };
}

function packetLoad(cursor: Cursor, dst: Register, size: number, extend: boolean): Op {
  if (dst.reg !== 0 || dst.width !== 64)
    cursor.fail(`a packet load writes r0, not ${dst.token.text}`, dst.token);
  if (extend || (size !== 1 && size !== 2 && size !== 4)) cursor.fail('a packet load is of u8, u16 or u32');
  cursor.expect('skb', '[');
  let src = -1;
  let imm = 0;
  if (isRegister(cursor.token)) {
    src = register(cursor, 64).reg;
    // The kernel writes a negative offset as `r1 + -4`.
    if (cursor.token.text === '+' && cursor.following.text === '-') cursor.take();
    if (cursor.token.text !== ']') imm = signed(cursor, 32, 'an offset');
  } else {
    imm = signed(cursor, 32, 'an offset or a register');
  }
  cursor.expect(']');
  return { kind: 'ld_packet', size, src, imm };
}

function loadAcquire(cursor: Cursor, dst: Register): Op {
  cursor.expect('load_acquire', '(');
  const { size } = sizeCast(cursor, false);
  if (dst.width === 32 && size === 8) wide(cursor, dst, 'an 8-byte load');
  const { base, off } = memory(cursor);
  cursor.expect(')');
  return { kind: 'load_acquire', size, dst: dst.reg, src: base, off };
}

function addressSpaceCast(cursor: Cursor, dst: Register): Op {
  wide(cursor, dst, 'an address space cast');
  cursor.expect('addr_space_cast', '(');
  const src = register(cursor, 64).reg;
  cursor.expect(',');
  const { token } = cursor;
  const to = signed(cursor, 32, 'an address space');
  cursor.expect(',');
  const from = signed(cursor, 32, 'an address space');
  cursor.expect(')');
  if (!((to === 0 && from === 1) || (to === 1 && from === 0))) {
    cursor.fail(`a cast from address space ${from} to ${to}; expected 0 to 1 or 1 to 0`, token);
  }
  return { kind: 'addr_space_cast', dst: dst.reg, src, imm: (to << 16) | from };
}

function atomicFetch(cursor: Cursor, dst: Register): Op {
  const name = cursor.take();
  const how = ATOMIC_WORDS.get(name.text);
  if (how === undefined) return cursor.expected('an atomic operation', name);
  cursor.expect('(');
  let size = how.size;
  if (how.cast) {
    const { token } = cursor;
    const cast = sizeCast(cursor, false).size;
    if ((cast !== 4 && cast !== 8) || (size !== undefined && cast !== size)) {
      cursor.fail(`${name.text} is of ${size === 8 ? 'u64' : 'u32 or u64'}`, token);
    }
    size = cast;
  }
  const bytes = size ?? 8;
  const { base, off } = how.cast ? memory(cursor) : address(cursor);
  cursor.expect(',');
  if (how.op === 'cmpxchg') {
    if (dst.reg !== 0) cursor.fail(`cmpxchg returns into r0, not ${dst.token.text}`, dst.token);
    const compared = valueRegister(cursor, bytes);
    if (compared.reg !== 0) cursor.expected('r0, which cmpxchg compares with', compared.token);
    cursor.expect(',');
  }
  const src = valueRegister(cursor, bytes);
  if (how.op !== 'cmpxchg' && (src.reg !== dst.reg || src.width !== dst.width)) {
    cursor.expected(`${dst.token.text} again (the old value replaces the operand)`, src.token);
  }
  cursor.expect(')');
  return { kind: 'atomic', op: how.op, fetch: true, size: bytes, dst: base, src: src.reg, off };
}

function reference(cursor: Cursor, dst: Register, symbols: Symbols): Op {
  const { text } = cursor.take();
  wide(cursor, dst, 'a reference');
  const load = (as: Imm64Kind, imm: number, hi: number): Op => ({
    kind: 'ld_imm64',
    dst: dst.reg,
    as,
    imm,
    hi,
  });
  const offset = () => (cursor.atEnd ? 0 : signed(cursor, 32, 'an offset'));
  switch (text) {
    case 'map':
      return load('map', mapIndex(cursor, symbols), 0);
    case 'mapvalue':
      return load('map_value', mapIndex(cursor, symbols), offset());
    case 'map_fd':
      return load('map_fd', signed(cursor, 32, 'a file descriptor'), 0);
    case 'mapvalue_fd':
      return load('map_fd_value', signed(cursor, 32, 'a file descriptor'), offset());
    default: {
      const id = signed(cursor, 32, 'a BTF id');
      return load(
        'btf_id',
        id,
        cursor.accept('of') ? signed(cursor, 32, 'the file descriptor of a BTF object') : 0,
      );
    }
  }
}

/** `NAME`, or `#N` for a map without a name of its own. */
function mapIndex(cursor: Cursor, symbols: Symbols): number {
  if (cursor.accept('#')) return signed(cursor, 32, 'the index of a map');
  const name = cursor.token;
  if (name.type !== 'word') cursor.expected('the name of a map, or # and its index');
  const index = symbols.maps.indexOf(name.text);
  if (index < 0) {
    const known = symbols.maps.length === 0 ? 'there are none' : `known: ${symbols.maps.join(', ')}`;
    cursor.fail(`no map ${name.text}; ${known}`);
  }
  cursor.take();
  return index;
}
