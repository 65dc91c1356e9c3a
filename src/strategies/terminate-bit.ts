/**
 * A terminate bit, looked at where a program can be told "no" without a stub: may_goto (cond_break) ends its loop, an iterator is dry, bpf_loop
 * stops, a resilient lock is not taken. All other insns run as ever. A program that makes one cheap call after the other never looks.
 */
import { subprogTarget } from '../isa/target.js';
import { NULL, rule, ruleSet } from '../patch/define.js';
import { fastPath } from '../patch/fast-path.js';
import type { Code } from '../vm/state/code.js';
import type { Strategy } from './strategy.js';

const LOOP = 'bpf_loop';

const RULES = ruleSet('terminate-bit', [
  rule('an iterator is dry')
    .when((f) => f.iterator === 'next')
    .stub({ r0: NULL }),
  rule('bpf_loop calls nothing')
    .when((f) => f.name === LOOP)
    .stub({ r0: 0 }),
  rule('a resilient lock is not taken')
    .when((f) => f.name.startsWith('bpf_res_spin_lock'))
    .stub((f) => f.failure),
  rule('everything else runs').keep(),
]);

/** Runs the program on to its exit; loops, iterators and resilient locks end at the bit. */
export const terminateBit: Strategy = {
  name: 'terminate-bit',
  does: 'runs the program on; may_goto, iterators, bpf_loop and resilient locks look at a bit, and end',
  prepare({ code, facts }) {
    const path = fastPath(code.program, facts, RULES);
    const looks = samplePoints(code, path.stubs.keys());
    return {
      kind: 'runs out',
      bytes: 0,
      // One load each time.
      extra: ({ visits }) => looks.reduce((sum, slot) => sum + visits[slot]!, 0),
      fastPath: path,
      sampled: { mayGoto: 'all', helpers: new Set([LOOP]) },
    };
  },
};

/** Slots of the insns that look at the bit: the stubbed calls, may_goto, and for each round of bpf_loop the first insn of its callback. */
function samplePoints({ ops, contracts }: Code, stubbed: Iterable<number>): readonly number[] {
  const loops = contracts.some((contract) => contract?.name === LOOP);
  const starts = ops.flatMap((op, slot) => (op?.kind === 'ld_imm64' && subprogTarget(op, slot)) || []);
  const breaks = ops.flatMap((op, slot) => (op?.kind === 'may_goto' ? [slot] : []));
  return [...new Set([...stubbed, ...breaks, ...(loops ? starts : [])])];
}
