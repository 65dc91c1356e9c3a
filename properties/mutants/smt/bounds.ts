/** Mutants of bounds: how often loops go round and what a path costs. */
import { type Mutant, mutantsOf } from '../mutant.js';

const KNOWN = 'smt/known-programs-are-proven-as-pinned';
const LINUX = 'smt/bound/a-bound-is-never-below-what-linux-runs';

export const LENGTH_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/smt/loop-cost.ts',
    ['smt/bound/every-small-nest-of-loops-ends-within-its-bound'],
    [
      {
        name: 'stretches-are-as-many-as-inner-rounds',
        inside: 'stretches',
        node: 'all += product;',
        becomes: 'all = product;',
        wrong: 'The insns before and after an inner loop are counted as part of its rounds.',
      },
      {
        name: 'loops-start-once-a-round',
        inside: 'loopCost',
        node: 'Math.max(1, loop.starts, entries)',
        becomes: '1',
        wrong: 'A loop that is started three times in a round of another counts as started once.',
      },
      {
        name: 'nested-loops-make-one-product',
        inside: 'stretches',
        node: 'loops.length === 1 && loops[0]!.starts === 1',
        becomes: 'loops.length > 0',
        wrong: 'Of nested loops only the first is counted.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/loop-limits.ts',
    ['smt/bound/the-worst-runs-are-within-their-bounds', 'smt/bound/loops-are-limited-as-in-linux'],
    [
      {
        name: 'one-word-of-bits-less',
        inside: 'MAX_BITS',
        node: '511 * 64',
        becomes: '500 * 64',
        wrong: 'An iterator over bits is promised to end eleven words early.',
      },
      {
        name: 'trees-are-flat',
        inside: 'MAX_DEPTH',
        node: '2 * 60',
        becomes: '3',
        wrong: 'An insertion into a tree is promised to compare three nodes at the most.',
      },
      {
        name: 'half-as-many-numbers',
        inside: 'MAX_LOOPS',
        node: '1 << 23',
        becomes: '1 << 13',
        wrong: 'An iterator over numbers is promised to end after 8,192 of them.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/loop-limits.ts',
    [KNOWN],
    [
      {
        name: 'a-count-at-the-limit-is-no-limit',
        inside: 'callbackLimit',
        node: 'count < BigInt(MAX_LOOPS) ? Number(count) : MAX_LOOPS',
        becomes: 'count < BigInt(MAX_LOOPS) - 1n ? Number(count) : MAX_LOOPS',
        wrong: 'A bpf_loop of one round less than the limit counts as one at the limit.',
      },
      {
        name: 'bits-are-counted-in-bytes',
        inside: 'MAX_BITS',
        node: '511 * 64',
        becomes: '511 * 8',
        wrong: 'An iterator over bits is taken to give one number a byte.',
      },
      {
        name: 'may-goto-is-counted-everywhere',
        inside: 'mayGotoLimit',
        node: 'behaviour.timedMayGoto',
        becomes: 'false',
        wrong: 'A loop that the clock ends is given a number of rounds.',
        noticedBy: [LINUX],
      },
      {
        name: 'the-clock-sees-all-rounds',
        inside: 'mayGotoLimit',
        node: '2 * UNTIMED_ROUNDS',
        becomes: 'UNTIMED_ROUNDS',
        wrong: 'The rounds after the last look at the clock are not counted.',
        noticedBy: [LINUX, KNOWN],
      },
      {
        name: 'a-hash-is-walked-once',
        inside: 'elementsLimit',
        node: '!ARRAYS.has(map.type)',
        becomes: 'false',
        wrong: 'A walk over a hash is taken to meet as many elements as it has room for.',
        noticedBy: [LINUX],
      },
      {
        name: 'samples-are-bytes-of-the-ring-buffer',
        inside: 'MAX_SAMPLES',
        node: '128 * 1024',
        becomes: '4096',
        wrong: 'A user ring buffer is taken to give fewer samples than user space may add.',
        noticedBy: [LINUX],
      },
      {
        name: 'lists-of-the-kernel-are-short',
        inside: 'callLimit',
        node: "arg.type === 'bits'",
        becomes: 'true',
        wrong: 'An iterator over a list of the kernel is given a number of rounds.',
        noticedBy: [LINUX],
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/cost.ts',
    [LINUX],
    [
      {
        name: 'frames-share-their-time-with-callees',
        inside: 'seenFrom',
        node: 'isAround(frame, chain)',
        becomes: 'true',
        wrong: 'A frame that is entered again and again is given its time once.',
      },
      {
        name: 'loops-of-a-frame-do-not-share-its-time',
        inside: 'seenFrom',
        node: 'isAround(frame, chain)',
        becomes: 'false',
        wrong: 'Each loop of a frame is given time of its own.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/loop-cost.ts',
    [KNOWN],
    [
      {
        name: 'loops-go-round-once',
        inside: 'loopCost',
        node: 'product * passesOf(loop)',
        becomes: 'product',
        wrong: 'Insns that control loops are passed once.',
      },
      {
        name: 'the-pass-that-ends-a-loop-is-free',
        inside: 'passesOf',
        node: 'starts * (limit.rounds + 1)',
        becomes: 'starts * limit.rounds',
        wrong: 'A loop of n rounds is counted n times, not n + 1.',
      },
      {
        name: 'only-one-control-of-a-loop-costs',
        inside: 'loopCost',
        node: 'plus(round, graph.cost(v))',
        becomes: 'graph.cost(v)',
        wrong: 'Of the insns that control a nest of loops only the last is counted.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/bound.ts',
    [KNOWN],
    [
      {
        name: 'callers-of-global-functions-are-free',
        inside: 'bounds',
        node: 'plus(inAll(worstOf.get(v)), after.of(v))',
        becomes: 'inAll(worstOf.get(v))',
        wrong: 'A kill in a global subprogram is over where that returns.',
      },
      {
        name: 'global-functions-nest-one-less-deep',
        inside: 'bounds',
        node: 'round <= globalEntries.size',
        becomes: 'round < globalEntries.size',
        wrong: 'The innermost of nested global subprograms is not counted.',
      },
      {
        name: 'every-path-is-as-long-as-its-last-branch',
        inside: 'countInsns',
        node: 'insns > longest',
        becomes: 'true',
        wrong: 'At a branch the way that was looked at last counts, not the longest.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/patched-graph.ts',
    [KNOWN],
    [
      {
        name: 'calls-of-global-functions-are-free',
        inside: 'PatchedGraph.cost',
        node: 'called === undefined ? own : plus(own, called)',
        becomes: 'own',
        wrong: 'A call of a global subprogram counts as one insn.',
      },
      {
        name: 'the-exception-callback-is-free',
        inside: 'PatchedGraph.throws',
        node: "this.code.contracts[this.slot(v)]?.name === 'bpf_throw'",
        becomes: 'false',
        wrong: 'What runs when a program throws is not counted.',
      },
      {
        name: 'kept-helper-stops-after-its-first-callback',
        inside: 'PatchedGraph.eachNext',
        node: 'if (!this.goesOnNormally(v)) return;',
        becomes: 'return;',
        wrong: 'The bound leaves out the further rounds of a kept helper that is called after the kill.',
        noticedBy: ['smt/a-proven-program-survives-every-kill'],
      },
      {
        name: 'a-kept-helper-stops-after-one-callback',
        inside: 'PatchedGraph.goesOnNormally',
        node: '!this.path.stubs.has(call)',
        becomes: 'false',
        wrong:
          'The bound does not count that a helper which the rules keep, called after the kill, goes on calling its callback.',
        noticedBy: ['smt/a-proven-program-survives-every-kill'],
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/graph-components.ts',
    ['verifier/text/strongly-connected-components'],
    [
      {
        name: 'a-node-that-follows-itself-is-no-loop',
        inside: 'eachComponent',
        node: 'if (next === node) followsItself[node] = 1;',
        becomes: '',
        wrong: 'An insn that follows itself is taken to run once.',
      },
      {
        name: 'components-do-not-pass-on-what-they-reach',
        inside: 'eachComponent',
        node: 'if (before !== undefined && low[node]! < low[before]!) low[before] = low[node]!;',
        becomes: '',
        wrong: 'A loop is seen only where an insn leads straight back into it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/loop-cost.ts',
    ['smt/bound/every-small-nest-of-loops-ends-within-its-bound'],
    [
      {
        name: 'a-counted-loop-takes-the-time-of-its-frame',
        inside: 'loopCost',
        node: 'limit.ms === 0',
        becomes: 'false',
        wrong: 'A counted loop beside a timed one takes its time away.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/loop-limits.ts',
    ['smt/bound/loops-are-limited-as-in-linux'],
    [
      {
        name: 'any-array-may-grow',
        inside: 'elementsLimit',
        node: "isInner && (map.type !== 'array' || (map.flags & F_INNER_MAP) !== 0)",
        becomes: "(map.type !== 'array' || (map.flags & F_INNER_MAP) !== 0)",
        wrong: 'A walk over an array of each CPU is bounded as if it could have any number of entries.',
      },
    ],
  ),
];
