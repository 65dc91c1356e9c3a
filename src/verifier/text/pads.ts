/**
 * Landing pads, which Linux 7.4 has: a call of a subprogram may be followed by an unwind_goto, and where the subprogram leaves by
 * unwind_exit, its caller goes on at the target of that insn, the pad. A pad is code like any other, and is walked like any other.
 *
 * No source of these kernels was to be had. The rules here are those that are publicly told of them; where nothing is told, what could be
 * misread is refused (docs/pads.md lists both).
 */
import type { Op } from '../../isa/insn.js';
import { jumpTarget } from '../../isa/target.js';
import type { Code } from './code.js';
import { Refusal } from './refusal.js';

/** The first slot of the landing pad of the call at a slot; undefined where no unwind_goto follows it. */
export function padOf(ops: readonly (Op | undefined)[], call: number): number | undefined {
  const op = ops[call + 1];
  return op?.kind === 'unwind_goto' ? jumpTarget(op, call + 1) : undefined;
}

/** Whether a program has an insn of landing pads. */
export function hasPads({ ops }: Pick<Code, 'ops'>): boolean {
  return ops.some((op) => op?.kind === 'unwind_goto' || op?.kind === 'unwind_exit');
}

/** Refuses an unwind_goto that does not directly follow a call of a subprogram, and a jump to one. */
export function checkPads({ ops, subprogStart }: Code): void {
  ops.forEach((op, at) => {
    if (op === undefined) return;
    if (op.kind === 'unwind_goto') {
      const call = subprogStart[at - 1] === subprogStart[at] ? ops[at - 1] : undefined;
      if (call?.kind !== 'call' || call.target !== 'subprog')
        throw new Refusal(`unwind_goto at insn ${at} does not follow a call of a subprogram`, 'rejected', at);
    }
    const to = jumpTarget(op, at);
    if (to !== undefined && ops[to]?.kind === 'unwind_goto')
      throw new Refusal(`jump from insn ${at} to unwind_goto at insn ${to}`, 'rejected', at);
  });
}

/** First slots of the subprograms that have an unwind_exit. */
export function unwindingSubprogs({
  ops,
  subprogStart,
}: Pick<Code, 'ops' | 'subprogStart'>): ReadonlySet<number> {
  const found = new Set<number>();
  for (let at = 0; at < ops.length; at++) if (ops[at]?.kind === 'unwind_exit') found.add(subprogStart[at]!);
  return found;
}
