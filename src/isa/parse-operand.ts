/** The small parts that insns are written with: registers, numbers, memory operands, targets. */
import type { Size, Width } from './insn.js';
import { REGISTERS } from './insn.js';
import type { Cursor, Token } from './lex.js';
import { isReserved } from './symbols.js';
import { SIZE_WORDS } from './words.js';

/** A register as it was written, `r3` or `w3`, with its token for error messages. */
export interface Register {
  readonly reg: number;
  readonly width: Width;
  readonly token: Token;
}

/** Whether the token is spelled like a register, `r3` or `w3`. The number may still be too large; `register` refuses that. */
export function isRegister(token: Token): boolean {
  return token.type === 'word' && /^[rw]\d+$/.test(token.text);
}

/** `r0` to `r10`, or `w0` to `w10`; of the given width, where one is given. */
export function register(cursor: Cursor, width?: Width): Register {
  const { token } = cursor;
  const prefix = width === undefined ? '' : width === 64 ? 'r' : 'w';
  if (!isRegister(token))
    cursor.expected(prefix === '' ? 'a register' : `a ${width}-bit register (${prefix}0 to ${prefix}10)`);
  const reg = Number(token.text.slice(1));
  if (reg >= REGISTERS) cursor.fail(`no register ${token.text}; they end at ${token.text[0]}10`);
  const found: Width = token.text[0] === 'r' ? 64 : 32;
  if (width !== undefined && found !== width)
    cursor.expected(`${prefix}${reg} (${width} bits, as the other side)`);
  cursor.take();
  return { reg, width: found, token };
}

/** A register that holds a value of `size` bytes: `r1`, or `w1` (as LLVM writes) up to 4 bytes. */
export function valueRegister(cursor: Cursor, size: Size): Register {
  const value = register(cursor);
  if (value.width === 32 && size === 8)
    cursor.expected(`r${value.reg}, as the access has 8 bytes`, value.token);
  return value;
}

/** The register must be the one written before. */
export function sameRegister(cursor: Cursor, other: Register): void {
  const found = register(cursor);
  if (found.reg !== other.reg || found.width !== other.width)
    cursor.expected(`${other.token.text} again`, found.token);
}

/** An optional sign and digits, decimal or after 0x. */
export function integer(cursor: Cursor, what: string): { readonly value: bigint; readonly token: Token } {
  const { token } = cursor;
  const negative = cursor.accept('-');
  if (!negative) cursor.accept('+');
  if (cursor.token.type !== 'number') cursor.expected(what);
  const value = BigInt(cursor.take().text);
  return { value: negative ? -value : value, token };
}

/** Whether a number, perhaps with a sign before it, comes next. Takes nothing. */
export function isInteger(cursor: Cursor): boolean {
  const { token, following } = cursor;
  return (
    token.type === 'number' || ((token.text === '-' || token.text === '+') && following.type === 'number')
  );
}

/** A signed number of 16 or 32 bits. */
export function signed(cursor: Cursor, bits: 16 | 32, what: string): number {
  const { value, token } = integer(cursor, what);
  if (BigInt.asIntN(bits, value) !== value)
    cursor.fail(`${what} ${value} does not fit ${bits} signed bits`, token);
  return Number(value);
}

/**
 * A 32-bit immediate. `wraps`: the upper half of the unsigned range is taken as well and means the same bits, as
 * where the operation is 32-bit, or where the kernel prints it so. Elsewhere sign extension would change the value.
 */
export function immediate(cursor: Cursor, wraps: boolean): number {
  const { value, token } = integer(cursor, 'an immediate');
  const asSigned = BigInt.asIntN(32, value);
  if (asSigned === value) return Number(value);
  if (BigInt.asUintN(32, value) !== value) cursor.fail(`immediate ${value} does not fit 32 bits`, token);
  if (!wraps) {
    cursor.fail(
      `immediate ${value} would be sign-extended; write ${asSigned}, or load it into a register with 'll'`,
      token,
    );
  }
  return Number(asSigned);
}

/** `(u32 *)`, the part before a memory operand. */
export function sizeCast(
  cursor: Cursor,
  signedToo: boolean,
): { readonly size: Size; readonly signed: boolean } {
  cursor.expect('(');
  const { token } = cursor;
  const found = token.type === 'word' ? SIZE_WORDS.get(token.text) : undefined;
  if (found === undefined || (found.signed && !signedToo)) {
    cursor.expected(signedToo ? 'u8, u16, u32, u64, s8, s16 or s32' : 'u8, u16, u32 or u64');
  }
  cursor.take();
  cursor.expect('*', ')');
  return found;
}

/** An address as it was written, `(r1 +8)`: number of the base register, and offset in bytes. */
export interface Memory {
  readonly base: number;
  readonly off: number;
}

/** `r1 +8`, `r1 - 0x8`, `r1`: a base register and an offset. */
export function address(cursor: Cursor): Memory {
  const base = register(cursor, 64).reg;
  const { text } = cursor.token;
  if (text !== '+' && text !== '-') return { base, off: 0 };
  return { base, off: signed(cursor, 16, 'an offset') };
}

/** `(r1 +8)`. */
export function memory(cursor: Cursor): Memory {
  cursor.expect('(');
  const found = address(cursor);
  if (cursor.token.text !== ')') cursor.expected("an offset or ')'");
  cursor.take();
  return found;
}

/** Where a jump leads: a label, or an offset in slots as `pc+3`, `+3`, `-0x2`. LLVM's `<LABEL>` after it is skipped. */
export function target(
  cursor: Cursor,
  bits: 16 | 32,
): { readonly to: number | string; readonly token: Token } {
  const { token, following } = cursor;
  const relative = token.text === 'pc' && (following.text === '+' || following.text === '-');
  if (relative) cursor.take();
  if (relative || token.text === '+' || token.text === '-') {
    const to = signed(cursor, bits, 'a jump offset');
    if (cursor.accept('<')) while (!cursor.atEnd && !cursor.accept('>')) cursor.take();
    return { to, token };
  }
  if (token.type !== 'word' || isReserved(token.text)) cursor.expected('a label, or an offset as pc+N');
  cursor.take();
  return { to: token.text, token };
}
