/** One insn from its text. Labels and names of kfuncs are left to assemble.ts, which sees the whole program. */
import { callHelper, callSub, ja, jal, jmp, mayGoto, type Reg, unwindGoto } from './build.js';
import type { Operand, Width } from './insn.js';
import type { Item } from './label.js';
import type { Cursor, Token } from './lex.js';
import {
  immediate,
  isInteger,
  isRegister,
  memory,
  register,
  signed,
  sizeCast,
  target,
  valueRegister,
} from './parse-operand.js';
import { parseValue } from './parse-value.js';
import type { Symbols } from './symbols.js';
import { ALU_MARKS, ALU_OF_MARK, COMPARISON_OF_MARK, LOCKED } from './words.js';

/** Anything that a line may say besides its label. */
export type Statement = Exclude<Item, { kind: 'label' }>;

/** One line that was understood. */
export interface Parsed {
  readonly item: Statement;
  /** The token to blame when the item cannot be linked: its target, or its first token. */
  readonly token: Token;
}

/** What the parser must ask the assembler about. */
export interface Scope {
  readonly symbols: Symbols;
  hasLabel(name: string): boolean;
  /** Index of a kfunc in the program's list, added if it is new. */
  kfunc(name: string): number;
}

/** Parses a whole line. Throws InputError with the column and what was expected there. */
export function parseInsn(cursor: Cursor, scope: Scope): Parsed {
  const parsed = statement(cursor, scope);
  if (!cursor.atEnd) cursor.expected('the end of the line');
  return parsed;
}

function statement(cursor: Cursor, scope: Scope): Parsed {
  const { token } = cursor;
  if (isRegister(token)) return { item: assignment(cursor, scope.symbols), token };
  if (token.text === '*') return { item: store(cursor), token };
  switch (token.text) {
    case 'exit':
    case 'unwind_exit':
      cursor.take();
      return { item: { kind: token.text }, token };
    case 'goto':
    case 'gotol': {
      const long = cursor.take().text === 'gotol';
      const { to, token: place } = target(cursor, long ? 32 : 16);
      return { item: long ? jal(to) : ja(to), token: place };
    }
    case 'may_goto': {
      cursor.take();
      const { to, token: place } = target(cursor, 16);
      return { item: mayGoto(to), token: place };
    }
    case 'unwind_goto': {
      cursor.take();
      const { to, token: place } = target(cursor, 16);
      return { item: unwindGoto(to), token: place };
    }
    case 'if':
      return branch(cursor);
    case 'call':
      return call(cursor, scope);
    case 'lock':
      return { item: locked(cursor), token };
    case 'store_release':
      return { item: storeRelease(cursor), token };
    default:
      return cursor.expected('an insn (rN = ..., *(uN *)(...) = ..., if, goto, call, exit)');
  }
}

function operand(cursor: Cursor, width: Width, wraps: boolean): Operand {
  if (isInteger(cursor)) return { imm: immediate(cursor, wraps) };
  if (isRegister(cursor.token)) return { reg: register(cursor, width).reg };
  return cursor.expected('a register or a number');
}

function assignment(cursor: Cursor, symbols: Symbols): Statement {
  const dst = register(cursor);
  if (cursor.accept('=')) return parseValue(cursor, dst, symbols);
  const op = ALU_OF_MARK.get(cursor.token.text);
  if (op === undefined) cursor.expected("'=' or an operator as '+='");
  cursor.take();
  return {
    kind: 'alu',
    op,
    width: dst.width,
    dst: dst.reg,
    src: operand(cursor, dst.width, dst.width === 32),
  };
}

function store(cursor: Cursor): Statement {
  cursor.expect('*');
  const { size } = sizeCast(cursor, false);
  const { base, off } = memory(cursor);
  cursor.expect('=');
  if (isInteger(cursor)) return { kind: 'st', size, dst: base, off, imm: immediate(cursor, size < 8) };
  return { kind: 'stx', size, dst: base, src: valueRegister(cursor, size).reg, off };
}

function locked(cursor: Cursor): Statement {
  cursor.expect('lock', '*');
  const { token } = cursor;
  const { size } = sizeCast(cursor, false);
  if (size !== 4 && size !== 8) return cursor.fail('an atomic operation is of u32 or u64', token);
  const { base, off } = memory(cursor);
  const op = LOCKED.find((word) => ALU_MARKS[word] === cursor.token.text);
  if (op === undefined) cursor.expected("'+=', '|=', '&=' or '^='");
  cursor.take();
  return { kind: 'atomic', op, fetch: false, size, dst: base, src: valueRegister(cursor, size).reg, off };
}

function storeRelease(cursor: Cursor): Statement {
  cursor.expect('store_release', '(');
  const { size } = sizeCast(cursor, false);
  const { base, off } = memory(cursor);
  cursor.expect(',');
  const src = valueRegister(cursor, size).reg;
  cursor.expect(')');
  return { kind: 'store_release', size, dst: base, src, off };
}

function branch(cursor: Cursor): Parsed {
  cursor.expect('if');
  const dst = register(cursor);
  const op = COMPARISON_OF_MARK.get(cursor.token.text);
  if (op === undefined) cursor.expected('a comparison (==, !=, <, s<, &, ...)');
  cursor.take();
  // The kernel prints the immediate of a comparison as unsigned hexadecimal, whatever the width.
  const src = operand(cursor, dst.width, true);
  cursor.expect('goto');
  const { to, token } = target(cursor, 16);
  const right: Reg | number = 'reg' in src ? { reg: src.reg, width: dst.width } : src.imm;
  return { item: jmp<Width>(op, dst, right, to), token };
}

function call(cursor: Cursor, scope: Scope): Parsed {
  cursor.expect('call');
  const { token, following } = cursor;
  if (token.type === 'number') return { item: callHelper(signed(cursor, 32, 'the id of a helper')), token };
  if (token.text === 'pc') return { item: callSub(target(cursor, 32).to), token };
  if (token.type !== 'word') cursor.expected('the name of a helper, a kfunc or a label');
  if (following.text === '#') return { item: numbered(cursor, scope), token };
  cursor.take();
  if (scope.hasLabel(token.text)) return { item: callSub(token.text), token };
  const id = scope.symbols.helperId(token.text);
  if (id !== undefined) return { item: callHelper(id), token };
  return { item: kfuncCall(cursor, scope, token), token };
}

/** `NAME#N`: a helper and its id; `kfunc#N`: by index; a kfunc and its BTF id in some kernel, as the verifier log prints it. */
function numbered(cursor: Cursor, scope: Scope): Statement {
  const { symbols } = scope;
  const name = cursor.take();
  cursor.expect('#');
  const number = cursor.token;
  const id = signed(cursor, 32, 'a number');
  if (name.text === 'kfunc') return { kind: 'call', target: 'kfunc', imm: id };
  if (name.text === 'unknown') return callHelper(id);
  const known = symbols.helperId(name.text);
  if (known === undefined && symbols.isKfunc?.(name.text)) return kfuncCall(cursor, scope, name);
  const other = symbols.helperName(id);
  if (known !== undefined && known !== id) cursor.fail(`${name.text} is helper ${known}, not ${id}`, number);
  if (known === undefined && other !== undefined)
    cursor.fail(`helper ${id} is ${other}, not ${name.text}`, name);
  return callHelper(id);
}

function kfuncCall(cursor: Cursor, scope: Scope, name: Token): Statement {
  if (scope.symbols.isKfunc !== undefined && !scope.symbols.isKfunc(name.text)) {
    cursor.fail(`no label, helper or kfunc ${name.text}`, name);
  }
  return { kind: 'call', target: 'kfunc', imm: scope.kfunc(name.text) };
}
