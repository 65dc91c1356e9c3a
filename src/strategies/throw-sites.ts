/**
 * Where an exception may be raised: in a call of a kernel function that gives nothing back. A call that gives something back is no place to stop
 * at, since the run comes nearer to its end by it. Exceptions cannot be raised in the exception callback.
 */
import { subprogTarget } from '../isa/target.js';
import { releases } from '../kernel/describe.js';
import { exceptionCallbackOf } from '../object/program.js';
import { PAUSE, type Pauses } from '../vm/insn/pauses.js';
import type { Code } from '../vm/state/code.js';

/** The calls in which an exception may be raised. */
export function throwSites({ contracts, owner, program }: Code): Pauses {
  const onThrow = exceptionCallbackOf(program)?.start;
  return Uint8Array.from(contracts, (contract, slot) =>
    contract !== undefined && !releases(contract) && owner[slot] !== onThrow ? PAUSE.always : PAUSE.never,
  );
}

/**
 * Calls of global functions: these are verified alone, so what is held around the call is known only at the call. An exception that is raised in
 * one passes by the call.
 */
export function globalCalls({ ops, program }: Code): readonly number[] {
  const globals = new Set(program.subprogs.filter((one) => one.linkage === 'global').map((one) => one.start));
  return ops.flatMap((op, slot) => {
    const target = op?.kind === 'call' ? subprogTarget(op, slot) : undefined;
    return target !== undefined && globals.has(target) ? [slot] : [];
  });
}
