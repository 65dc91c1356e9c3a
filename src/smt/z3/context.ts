/**
 * One Z3 context with one incremental solver. What a check answers depends only on what this context was asked before, never
 * on other contexts of the thread: a proof or an exploration opens its own, so that its models do not depend on which worker it ran on.
 */

import type { Assignment } from '../term/evaluate.js';
import { inOrder, type Term } from '../term/term.js';
import type { Handle, Z3Module } from './module.js';

/** Z3's answer; `model` gives values to the variables that make all assertions true. */
export type CheckResult =
  | { readonly verdict: 'sat'; readonly model: Assignment }
  | { readonly verdict: 'unsat' }
  | { readonly verdict: 'unknown' };

/** Most arguments a connective passes at once, in words of the argument buffer. */
const BUFFER_WORDS = 4096;

/** Translates terms to Z3 and asks whether they can be true together. Must be closed: Z3's memory is not collected. */
export class Z3Context {
  private readonly context: Handle;
  private readonly solver: Handle;
  private readonly buffer: number;
  private readonly names = new Map<string, number>();
  private open = true;

  constructor(private readonly z3: Z3Module) {
    const config = z3._Z3_mk_config();
    this.context = z3._Z3_mk_context_rc(config);
    z3._Z3_del_config(config);
    z3._set_noop_error_handler(this.context);
    this.solver = z3._Z3_mk_simple_solver(this.context);
    z3._Z3_solver_inc_ref(this.context, this.solver);
    this.buffer = z3._malloc(4 * BUFFER_WORDS);
  }

  /** Frees the context. It answers nothing after that. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.z3._Z3_solver_dec_ref(this.context, this.solver);
    this.z3._Z3_del_context(this.context);
    this.z3._free(this.buffer);
  }

  /**
   * Whether all of these can be true together. `rlimit` bounds the effort in Z3's own deterministic units (a million is about a third
   * of a second); beyond it the answer is unknown. Terms in `opaque` are taken as free variables.
   */
  check(assertions: readonly Term[], rlimit: number, opaque: ReadonlySet<Term> = new Set()): CheckResult {
    const { z3, context, solver } = this;
    this.limit(rlimit);
    const made = new Map<Term, Handle>();
    z3._Z3_solver_push(context, solver);
    try {
      for (const term of reachable(assertions, opaque)) made.set(term, this.translate(term, made, opaque));
      for (const term of assertions) z3._Z3_solver_assert(context, solver, made.get(term)!);
      this.checkError();
      const answer = z3._Z3_solver_check(context, solver);
      if (answer === 0) return { verdict: 'unknown' };
      if (answer < 0) return { verdict: 'unsat' };
      return { verdict: 'sat', model: this.model(made, opaque) };
    } finally {
      z3._Z3_solver_pop(context, solver, 1);
      for (const handle of made.values()) z3._Z3_dec_ref(context, handle);
    }
  }

  private limit(rlimit: number): void {
    const { z3, context } = this;
    const params = z3._Z3_mk_params(context);
    z3._Z3_params_inc_ref(context, params);
    const name = z3.ccall('Z3_mk_string_symbol', 'number', ['number', 'string'], [context, 'rlimit']);
    z3._Z3_params_set_uint(context, params, name, rlimit);
    z3._Z3_solver_set_params(context, this.solver, params);
    z3._Z3_params_dec_ref(context, params);
  }

  private model(made: ReadonlyMap<Term, Handle>, opaque: ReadonlySet<Term>): Assignment {
    const { z3, context } = this;
    const model = z3._Z3_solver_get_model(context, this.solver);
    z3._Z3_model_inc_ref(context, model);
    const values = new Map<string, bigint>();
    for (const [term, handle] of made) {
      if (term.op === 'var' && !opaque.has(term)) values.set(term.name, this.value(model, term, handle));
    }
    z3._Z3_model_dec_ref(context, model);
    this.checkError();
    return values;
  }

  private value(model: Handle, term: Term, handle: Handle): bigint {
    const { z3, context, buffer } = this;
    // Model completion: a variable that does not matter gets some value.
    z3._Z3_model_eval(context, model, handle, 1, buffer);
    const value = z3.HEAPU32[buffer >> 2]!;
    z3._Z3_inc_ref(context, value);
    let result: bigint;
    if (term.width === 0) {
      result = z3._Z3_get_bool_value(context, value) === 1 ? 1n : 0n;
    } else {
      z3._Z3_get_numeral_uint64(context, value, buffer);
      result = BigInt(z3.HEAPU32[buffer >> 2]!) | (BigInt(z3.HEAPU32[(buffer >> 2) + 1]!) << 32n);
    }
    z3._Z3_dec_ref(context, value);
    return result;
  }

  private sort(width: number): Handle {
    return width === 0 ? this.z3._Z3_mk_bool_sort(this.context) : this.z3._Z3_mk_bv_sort(this.context, width);
  }

  private variable(name: string, width: number): Handle {
    const { z3, context } = this;
    const key = `${name}:${width}`;
    const index = this.names.get(key) ?? this.names.size;
    this.names.set(key, index);
    const sort = this.sort(width);
    z3._Z3_inc_ref(context, sort);
    const handle = z3._Z3_mk_const(context, z3._Z3_mk_int_symbol(context, index), sort);
    z3._Z3_inc_ref(context, handle);
    z3._Z3_dec_ref(context, sort);
    return handle;
  }

  /** A handle that the caller must let go. Arguments are in `made` already. */
  private translate(term: Term, made: ReadonlyMap<Term, Handle>, opaque: ReadonlySet<Term>): Handle {
    if (opaque.has(term)) return this.variable(`opaque ${term.id}`, term.width);
    if (term.op === 'var') return this.variable(term.name, term.width);
    const handle = this.build(
      term,
      term.args.map((arg) => made.get(arg)!),
    );
    this.z3._Z3_inc_ref(this.context, handle);
    return handle;
  }

  private build(term: Term, args: readonly Handle[]): Handle {
    const { z3, context } = this;
    const a = args[0]!;
    const b = args[1]!;
    switch (term.op) {
      case 'const': {
        if (term.width === 0) return term.value === 1n ? z3._Z3_mk_true(context) : z3._Z3_mk_false(context);
        return z3._Z3_mk_unsigned_int64(context, term.value, this.sort(term.width));
      }
      case 'add':
      case 'sub':
      case 'mul':
      case 'udiv':
      case 'urem':
      case 'sdiv':
      case 'srem':
      case 'and':
      case 'or':
      case 'xor':
      case 'shl':
      case 'lshr':
      case 'ashr':
        return z3[`_Z3_mk_bv${term.op}`](context, a, b);
      case 'ult':
      case 'ule':
      case 'slt':
      case 'sle':
        return z3[`_Z3_mk_bv${term.op}`](context, a, b);
      case 'concat':
        return z3._Z3_mk_concat(context, a, b);
      case 'extract': {
        const low = Number(term.value);
        return z3._Z3_mk_extract(context, low + term.width - 1, low, a);
      }
      case 'zext':
        return z3._Z3_mk_zero_ext(context, term.width - term.args[0]!.width, a);
      case 'sext':
        return z3._Z3_mk_sign_ext(context, term.width - term.args[0]!.width, a);
      case 'eq':
        return z3._Z3_mk_eq(context, a, b);
      case 'not':
        return z3._Z3_mk_not(context, a);
      case 'ite':
        return z3._Z3_mk_ite(context, a, b, args[2]!);
      case 'all':
      case 'any': {
        if (args.length > BUFFER_WORDS) throw new Error(`a connective of ${args.length} parts`);
        z3.HEAPU32.set(args, this.buffer >> 2);
        const make = term.op === 'all' ? z3._Z3_mk_and : z3._Z3_mk_or;
        return make(context, args.length, this.buffer);
      }
      case 'var':
        return this.variable(term.name, term.width);
    }
  }

  private checkError(): void {
    const code = this.z3._Z3_get_error_code(this.context);
    if (code === 0) return;
    throw new Error(`Z3: ${this.z3.UTF8ToString(this.z3._Z3_get_error_msg(this.context, code))}`);
  }
}

/** What the assertions are made of, not looking below opaque terms; arguments first. */
function reachable(assertions: readonly Term[], opaque: ReadonlySet<Term>): readonly Term[] {
  if (opaque.size === 0) return inOrder(assertions);
  const seen = new Set<Term>();
  const stack = [...assertions];
  while (stack.length > 0) {
    const term = stack.pop()!;
    if (seen.has(term)) continue;
    seen.add(term);
    if (!opaque.has(term)) stack.push(...term.args);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
