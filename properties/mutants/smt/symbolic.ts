/** Mutants of terms, of the solver, and of the symbolic engine. */
import { type Mutant, mutantsOf } from '../mutant.js';

const TERMS = 'smt/term/small-terms-mean-what-they-say';
const SEARCH = 'smt/symbolic/a-search-finds-every-path-of-a-small-tree';

export const SYMBOLIC_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/smt/symbolic/calls.ts',
    ['smt/term/terms-of-a-run-have-the-values-of-the-run'],
    [
      {
        name: 'a-stub-fills-no-map-value',
        inside: 'afterStub',
        node: 'stub.writes.includes(index)',
        becomes: "contract.args[index]!.kind === 'mem'",
        wrong: 'What a stub of bpf_map_pop_elem wrote over is still taken to be there.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/term/term.ts',
    [TERMS],
    [
      {
        name: 'a-remainder-reaches-its-divisor',
        inside: 'interval',
        node: 'least(a!.hi, b!.hi - 1n)',
        becomes: 'least(a!.hi, b!.lo)',
        wrong: 'A remainder is said to be no larger than the smallest divisor.',
      },
      {
        name: 'sums-that-just-fit-are-said-to-wrap',
        inside: 'interval',
        node: 'a!.hi + b!.hi <= max',
        becomes: 'a!.hi + b!.hi < max',
        wrong: 'The interval of a sum that reaches the largest number is lost.',
      },
      {
        name: 'an-or-is-no-larger-than-its-operands',
        inside: 'covering',
        node: '(1n << BigInt(value.toString(2).length)) - 1n',
        becomes: 'value',
        wrong: 'The or of two terms is said to be no larger than the or of the largest operands.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/term/terms.ts',
    [TERMS],
    [
      {
        name: 'equal-bounds-are-below',
        inside: 'Terms.ult',
        node: 'a.hi < b.lo',
        becomes: 'a.hi <= b.lo',
        wrong: 'An order is settled where the operands may be equal.',
      },
      {
        name: 'the-sign-bit-is-positive',
        inside: 'Terms.sle',
        node: 'ones(a.width - 1)',
        becomes: 'ones(a.width)',
        wrong: 'Signed comparisons are made unsigned.',
      },
      {
        name: 'a-sign-extension-may-equal-any-number',
        inside: 'Terms.eq',
        node: 'this.sext(a.width, low) === b ? this.eq(p!, low) : this.false',
        becomes: 'this.eq(p!, low)',
        wrong: 'A sign-extended term is compared by its low bits only.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/term/bits.ts',
    [TERMS],
    [
      {
        name: 'a-shift-by-all-bits-but-one-is-none',
        inside: 'Bits',
        node: 'b.value < BigInt(a.width)',
        becomes: 'b.value < BigInt(a.width) - 1n',
        wrong: 'A shift by one less than the width is not simplified.',
      },
      {
        name: 'parts-of-differences-are-any-parts',
        inside: 'Bits.extract',
        node: 'if (from === 0) return this[a.op](this.extract(x!, 0, width), this.extract(y!, 0, width));',
        becomes: 'return this[a.op](this.extract(x!, from, width), this.extract(y!, from, width));',
        wrong: 'The high bits of a sum are said to depend on high bits only.',
      },
      {
        name: 'neighbours-may-overlap',
        inside: 'Bits.concat',
        node: 'high.value === low.value + BigInt(low.width)',
        becomes: 'high.value >= low.value',
        wrong: 'Two parts of a term that do not touch are joined.',
      },
      {
        name: 'remainder-of-the-divisor-itself',
        inside: 'Bits.urem',
        node: 'a.hi < b.value',
        becomes: 'a.hi <= b.value',
        wrong:
          'A value whose largest possible value is the divisor keeps that value instead of becoming zero.',
      },
      {
        name: 'the-remainder-by-the-greatest-value-is-the-value',
        inside: 'Bits.urem',
        node: 'a.hi < b.value',
        becomes: 'a.hi <= b.value',
        wrong:
          'The remainder of a number that may be as great as the divisor is taken to be the number itself.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/term/evaluate.ts',
    [TERMS],
    [
      {
        name: 'a-shift-by-the-width-shifts',
        inside: 'apply',
        node: 'b >= BigInt(width) ? 0n : wrap(a << b)',
        becomes: 'wrap(a << (b % BigInt(width)))',
        wrong: 'A left shift by the width or more is taken modulo the width.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/arith.ts',
    ['smt/term/terms-mean-what-arithmetic-says'],
    [
      {
        name: 'dividing-by-zero-keeps-the-dividend',
        inside: 'narrow',
        node: 'divide(t, b, a, (divisor) => t.srem(a, divisor))',
        becomes: 'divide(t, b, t.constant(a.width, 0n), (divisor) => t.srem(a, divisor))',
        wrong: 'A signed remainder by 0 is 0, not the dividend.',
      },
      {
        name: 'divisor-that-may-be-zero-counts-as-nonzero',
        inside: 'divide',
        node: 'divisor.lo > 0n',
        becomes: 'divisor.hi > 0n',
        wrong: 'A division by an unknown register gives all ones instead of zero where the register is zero.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/z3/context.ts',
    [TERMS],
    [
      {
        name: 'z3-takes-parts-one-bit-too-high',
        inside: 'Z3Context.build',
        node: 'z3._Z3_mk_extract(context, low + term.width - 1, low, a)',
        becomes: 'z3._Z3_mk_extract(context, low + term.width, low + 1, a)',
        wrong: 'Z3 is asked about the part of a term that lies one bit higher.',
      },
      {
        name: 'models-have-32-bits',
        inside: 'Z3Context.value',
        node: '(BigInt(z3.HEAPU32[(buffer >> 2) + 1]!) << 32n)',
        becomes: '0n',
        wrong: 'The high half of a number in a model is lost.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/solver.ts',
    [TERMS],
    [
      {
        name: 'a-quotient-is-below-its-dividend',
        inside: 'knownFacts',
        node: 't.any([t.ule(term, a), t.eq(b, zero)])',
        becomes: 't.any([t.ult(term, a), t.eq(b, zero)])',
        wrong: 'Z3 is told that a quotient is less than what is divided.',
      },
      {
        name: 'models-are-forgotten',
        inside: 'MAX_MODELS',
        node: '8',
        becomes: '0',
        wrong: 'No earlier model is tried.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/search.ts',
    [SEARCH],
    [
      {
        name: 'children-flip-their-own-event-again',
        inside: 'Search.flip',
        node: 'index + 1',
        becomes: 'index',
        wrong: 'A path is walked again from its child.',
      },
      {
        name: 'a-spent-budget-is-exact',
        inside: 'Search.exact',
        node: '!cut',
        becomes: 'true',
        wrong: 'A search whose budget is spent says that it has seen all paths.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/run.ts',
    [SEARCH],
    [
      {
        name: 'loops-of-no-rounds-run',
        inside: 'SymbolicRun.startLoop',
        node: 't.ult(t.constant(32, 0n), count)',
        becomes: 't.ule(t.constant(32, 0n), count)',
        wrong: 'A bpf_loop with a count of 0 is said to run its callback.',
      },
      {
        name: 'a-callback-never-ends-its-loop',
        inside: 'SymbolicRun.exit',
        node: "if (!stops) { state.branch(at, t.eq(r0, t.constant(64, 0n)), returned === 0n); if (helper.name === 'bpf_loop' && returned === 0n) this.nextRound(at, machine.frames.length === depth); }",
        becomes: '',
        wrong: 'What a callback returns is no branch.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/shadow.ts',
    [SEARCH],
    [
      {
        name: 'a-whole-store-is-loaded-from-any-byte',
        inside: 'Shadow.load',
        node: 'byte.index === i',
        becomes: 'true',
        wrong: 'A load that starts in the middle of a store gives the whole store.',
      },
      {
        name: 'callers-lose-r9',
        inside: 'Shadow.pop',
        node: 'reg < 10',
        becomes: 'reg < 9',
        wrong: 'After a call the term of r9 is that of the callee.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/machine.ts',
    [SEARCH],
    [
      {
        name: 'a-compare-and-exchange-always-exchanges',
        inside: 'TermMachine.atomic',
        node: 't.ite(t.eq(old, t.extract(expected!, 0, 8 * size)), operand, old)',
        becomes: 'operand',
        wrong: 'A compare-and-exchange stores its operand whatever is in memory.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/inputs.ts',
    [SEARCH],
    [
      {
        name: 'packets-may-be-one-byte-shorter',
        inside: 'Inputs.packetLength',
        node: 't.ule(t.constant(16, MIN_PACKET), length)',
        becomes: 't.ult(t.constant(16, MIN_PACKET - 10n), length)',
        wrong: 'Packets shorter than an Ethernet header are tried.',
      },
      {
        name: 'a-byte-of-a-context-member-is-added-to-the-old-one',
        inside: 'Draft.setContext',
        node: '(old & ~(0xffn << shift))',
        becomes: 'old',
        wrong:
          'A byte of a member of the context that had a value before becomes the old and the new one together.',
        noticedBy: ['smt/term/terms-of-a-run-have-the-values-of-the-run'],
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/calls.ts',
    [SEARCH],
    [
      {
        name: 'arrays-are-taken-for-maps-of-sockets',
        inside: 'SymbolicCall.isOfThisMap',
        node: "guard?.kind !== 'map_of_sockets' || ofSockets === guard.is",
        becomes: 'true',
        wrong: 'A lookup in an array counts as one that found a socket, so that other values are not tried.',
      },
      {
        name: 'iterators-count-unsigned',
        inside: 'SymbolicCall.forkOnNextNumber',
        node: 't.slt(next, end)',
        becomes: 't.ult(end, next)',
        wrong: 'Whether a numeric iterator gives another number is asked the wrong way round.',
      },
      {
        name: 'a-numeric-iterator-compares-without-sign',
        inside: 'SymbolicCall.forkOnNextNumber',
        node: 't.slt(next, end)',
        becomes: 't.ult(next, end)',
        wrong:
          'The condition for another number of a numeric iterator compares without sign, so that it is wrong for negative numbers.',
        noticedBy: ['smt/term/terms-of-a-run-have-the-values-of-the-run'],
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/state.ts',
    ['smt/term/terms-of-a-run-have-the-values-of-the-run'],
    [
      {
        name: 'moved-packet-end-goes-the-other-way',
        inside: 'RunState.packetEnd',
        node: 'end - HEADROOM - this.givenLength',
        becomes: 'HEADROOM + this.givenLength - end',
        wrong:
          'The symbolic end of a packet that was made shorter lies behind its old end, and that of a longer one before it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/run.ts',
    ['smt/symbolic/a-search-finds-every-path-of-a-small-tree'],
    [
      {
        name: 'offsets-of-packet-loads-stay-open',
        inside: 'SymbolicRun.loadPacket',
        node: 'op.src >= 0',
        becomes: 'false',
        wrong: 'A search goes on as if another offset had given the same bytes of the packet.',
      },
      {
        name: 'a-failed-packet-load-returns-what-was-there',
        inside: 'SymbolicRun.loadPacket',
        node: 'state.shadow.setReg(0, t.constant(64, 0n))',
        becomes: 'undefined',
        wrong: 'A search predicts that a packet load which fails leaves r0 as it was.',
      },
    ],
  ),
];
