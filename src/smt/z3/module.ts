/**
 * The Z3 WebAssembly module, used through its synchronous C functions. The package's own entry starts a thread for every check,
 * which costs more than most of our questions; called directly, a check takes a millisecond or two, starts no
 * thread and leaves nothing behind that would keep the process alive. It works in worker threads as on the main one.
 */
import { createRequire } from 'node:module';

/** Handles of the C interface are numbers. 0 is no handle. */
export type Handle = number;

/** The part of Z3's C interface that is used here, by its C names (src/api/z3_api.h). */
export interface Z3Module {
  _Z3_mk_config(): Handle;
  _Z3_del_config(config: Handle): void;
  _Z3_mk_context_rc(config: Handle): Handle;
  _Z3_del_context(context: Handle): void;
  /** Errors set a code instead of ending the process. */
  _set_noop_error_handler(context: Handle): void;
  _Z3_get_error_code(context: Handle): number;
  _Z3_get_error_msg(context: Handle, code: number): number;
  _Z3_inc_ref(context: Handle, ast: Handle): void;
  _Z3_dec_ref(context: Handle, ast: Handle): void;
  _Z3_mk_int_symbol(context: Handle, index: number): Handle;
  _Z3_mk_bool_sort(context: Handle): Handle;
  _Z3_mk_bv_sort(context: Handle, width: number): Handle;
  _Z3_mk_const(context: Handle, symbol: Handle, sort: Handle): Handle;
  _Z3_mk_true(context: Handle): Handle;
  _Z3_mk_false(context: Handle): Handle;
  _Z3_mk_unsigned_int64(context: Handle, value: bigint, sort: Handle): Handle;
  _Z3_mk_bvadd(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvsub(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvmul(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvudiv(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvurem(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvsdiv(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvsrem(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvand(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvor(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvxor(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvshl(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvlshr(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvashr(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvult(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvule(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvslt(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_bvsle(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_concat(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_extract(context: Handle, high: number, low: number, a: Handle): Handle;
  _Z3_mk_zero_ext(context: Handle, more: number, a: Handle): Handle;
  _Z3_mk_sign_ext(context: Handle, more: number, a: Handle): Handle;
  _Z3_mk_eq(context: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_not(context: Handle, a: Handle): Handle;
  _Z3_mk_ite(context: Handle, condition: Handle, a: Handle, b: Handle): Handle;
  _Z3_mk_and(context: Handle, count: number, args: number): Handle;
  _Z3_mk_or(context: Handle, count: number, args: number): Handle;
  _Z3_mk_params(context: Handle): Handle;
  _Z3_params_inc_ref(context: Handle, params: Handle): void;
  _Z3_params_dec_ref(context: Handle, params: Handle): void;
  _Z3_params_set_uint(context: Handle, params: Handle, name: Handle, value: number): void;
  _Z3_mk_simple_solver(context: Handle): Handle;
  _Z3_solver_inc_ref(context: Handle, solver: Handle): void;
  _Z3_solver_dec_ref(context: Handle, solver: Handle): void;
  _Z3_solver_set_params(context: Handle, solver: Handle, params: Handle): void;
  _Z3_solver_push(context: Handle, solver: Handle): void;
  _Z3_solver_pop(context: Handle, solver: Handle, count: number): void;
  _Z3_solver_assert(context: Handle, solver: Handle, ast: Handle): void;
  /** 1 satisfiable, -1 unsatisfiable, 0 unknown. */
  _Z3_solver_check(context: Handle, solver: Handle): number;
  _Z3_solver_get_model(context: Handle, solver: Handle): Handle;
  _Z3_model_inc_ref(context: Handle, model: Handle): void;
  _Z3_model_dec_ref(context: Handle, model: Handle): void;
  _Z3_model_eval(context: Handle, model: Handle, ast: Handle, complete: number, result: number): number;
  /** 1 true, -1 false, 0 neither. */
  _Z3_get_bool_value(context: Handle, ast: Handle): number;
  _Z3_get_numeral_uint64(context: Handle, ast: Handle, result: number): number;
  _malloc(bytes: number): number;
  _free(address: number): void;
  ccall(name: string, returns: string, kinds: readonly string[], args: readonly unknown[]): number;
  UTF8ToString(address: number): string;
  readonly HEAPU32: Uint32Array;
}

let started: Promise<Z3Module> | undefined;

/** The module of this thread, started at the first call (about 0.2 s, 100 MB). */
export function z3Module(): Promise<Z3Module> {
  started ??= (async () => {
    const start = createRequire(import.meta.url)('z3-solver/build/z3-built.js') as () => Promise<Z3Module>;
    return start();
  })();
  return started;
}
