/** Mutants of the proofs: of rules, of programs, of bounds, of terms, of the symbolic engine. */
import { type Mutant, mutantsOf } from './mutant.js';

const KNOWN = 'smt/known-programs-are-proven-as-pinned';
const RULES = 'smt/rule-proofs-are-as-pinned';
const TERMS = 'smt/small-terms-mean-what-they-say';
const SEARCH = 'smt/a-search-finds-every-path-of-a-small-tree';
const LINUX = 'smt/a-bound-is-never-below-what-linux-runs';
const KILLS = 'smt/a-proven-program-survives-every-kill';

export const SMT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/smt/program-proof.ts',
    [KNOWN],
    [
      {
        name: 'every-program-is-proven',
        inside: 'proveProgram',
        node: 'concerns.length === 0',
        becomes: 'true',
        wrong: 'Concerns are not followed up: every program is proven.',
      },
      {
        name: 'kept-calls-are-trusted',
        inside: 'concernsAbout',
        node: "settled === 'refusable'",
        becomes: 'false',
        wrong: 'A kept call that may acquire raises no concern.',
      },
      {
        name: 'kept-tail-calls-are-trusted',
        inside: 'concernsAbout',
        node: "e.kind === 'tail_call'",
        becomes: 'false',
        wrong: 'A tail call that is kept raises no concern.',
      },
      {
        name: 'calls-that-only-killed-runs-make-are-trusted',
        inside: 'callsOnlyKilledRunsReach',
        node: 'patched.facts.at(slot).length === 0',
        becomes: 'true',
        wrong: 'Call sites that only killed runs reach are not looked at.',
      },
      {
        name: 'points-do-not-tell-callers-apart',
        inside: 'countPoints',
        node: 'f.callsite',
        becomes: "''",
        wrong: 'The same insn under two chains of calls counts as one termination point.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/site-proof.ts',
    [KNOWN],
    [
      {
        name: 'sites-ignore-guards',
        inside: 'answerFor',
        node: 'enabled.includes(outcome) === guardMustBe(guard)',
        becomes: 'guardMustBe(guard)',
        wrong: 'Every guarded outcome counts as possible at every call site.',
      },
      {
        name: 'one-stub-with-null-ends-an-iterator',
        inside: 'proveSites.alwaysNull',
        node: 'sites.every',
        becomes: 'sites.some',
        wrong: 'One stub of a function is taken for all of them.',
        noticedBy: [KNOWN, RULES],
      },
      {
        name: 'answers-are-shared-between-sites-with-other-outcomes',
        inside: 'questionKey',
        node: 'site.enabled.map((o) => o.name).join()',
        becomes: "''",
        wrong: 'A call site is answered as another one at which other outcomes were possible.',
      },
      {
        name: 'refusable-calls-only-last',
        inside: 'answerFor',
        node: "proof.witness?.check === 'acquire'",
        becomes: "proof.witness?.check === 'bound'",
        wrong: 'A kept call that may acquire is taken for one that may take long, and the reverse.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/patched.ts',
    [KNOWN, KILLS],
    [
      {
        name: 'callbacks-called-after-the-kill-run-once',
        inside: 'killedStates',
        node: 'for (const { depth, call } of callbacks.reverse()) { if (path.stubs.has(call)) break; states.push(withLastCallbacks(state, depth)); }',
        becomes: '',
        wrong: 'A helper that is kept and called after the kill is taken to call back once only.',
      },
      {
        name: 'the-walk-keeps-quiet-about-failures',
        inside: 'walkOnce',
        node: 'failures.push({ message: error.message, slot: walk.slot, killed, path: pathTo(walk.current), reason: error.reason, });',
        becomes: '',
        wrong: 'The walk of the fast path stops where something is refused, and does not say so.',
      },
      {
        name: 'only-the-first-stub-is-one',
        inside: 'walkOnce.newWalk',
        node: 'if (stub === undefined) return undefined;',
        becomes: 'if (stub === undefined || walk.walked > 1) return undefined;',
        wrong: 'Only a stub right at the kill is one: calls after it are made.',
        noticedBy: [KNOWN, KILLS],
      },
      {
        name: 'a-kill-in-a-callback-changes-nothing-at-its-exit',
        inside: 'mayLeaveNormalPath',
        node: "code.ops[visit.slot]?.kind === 'exit'",
        becomes: "code.ops[visit.slot]?.kind === 'call'",
        wrong: 'The exit of a callback during which the program is killed is not walked again.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/stubbed-call.ts',
    [KNOWN, 'patch/what-a-stub-leaves-unwritten-is-not-read'],
    [
      {
        name: 'stubs-fill-all-output',
        inside: 'stubbedCall',
        node: 'stub.writes.includes(index)',
        becomes: 'true',
        wrong: 'A stub is taken to write all memory that the call would have written.',
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
    'src/vm/fill.ts',
    ['vm/full-maps-are-part-of-the-environment'],
    [
      {
        name: 'a-full-map-has-one-key',
        inside: 'filled',
        node: 'keyOf(map, i + 1)',
        becomes: 'keyOf(map, 1)',
        wrong: 'All entries of a full map have the same key, so there is one.',
      },
      {
        name: 'full-maps-overwrite-what-is-given',
        inside: 'filled',
        node: '(maps.get(map.name)?.size ?? 0) > 0',
        becomes: 'false',
        wrong: 'What a case puts into a map is lost where maps are filled.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/find-witness.ts',
    ['vm/full-maps-are-part-of-the-environment'],
    [
      {
        name: 'witnesses-are-sought-with-empty-maps',
        inside: 'findWitness',
        node: 'fill > 0 && isFillable(program)',
        becomes: 'false',
        wrong: 'No run of the search has anything in its maps, so no callback over them runs.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/load.ts',
    ['oracle/what-the-log-refuses-is-refused-whatever-the-errno'],
    [
      {
        name: 'too-many-paths-are-no-verdict',
        inside: 'loadInsns',
        node: "errno === 'ENOMEM'",
        becomes: 'false',
        wrong:
          'A program that Linux refuses for too many paths counts as not judged, because memory was short.',
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
    'src/kernel/delays.ts',
    ['kernel/what-may-hold-a-call-up-is-said'],
    [
      {
        name: 'what-sleeps-is-prompt',
        inside: 'delaysOf',
        node: 'sleepsUnder(kernel, name)',
        becomes: 'false',
        wrong: 'A kept call that may sleep is not said to.',
      },
      {
        name: 'buckets-have-no-locks',
        inside: 'delaysOf',
        node: 'CHANGES_MAPS.has(name)',
        becomes: 'false',
        wrong: 'A kept call that waits for the lock of a bucket is not said to.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/bound.ts',
    [KNOWN],
    [
      {
        name: 'loops-go-round-once',
        inside: 'loopCost',
        node: 'product * (limit.rounds + 1)',
        becomes: 'product',
        wrong: 'Every loop is gone round once.',
      },
      {
        name: 'the-pass-that-ends-a-loop-is-free',
        inside: 'loopCost',
        node: 'product * (limit.rounds + 1)',
        becomes: 'product * limit.rounds',
        wrong: 'A loop of n rounds is counted n times, not n + 1.',
      },
      {
        name: 'calls-of-global-functions-are-free',
        inside: 'callCost',
        node: '(target === undefined ? undefined : costs.get(target)) ?? NOTHING',
        becomes: 'NOTHING',
        wrong: 'A call of a global subprogram counts as one insn.',
      },
      {
        name: 'callers-of-global-functions-are-free',
        inside: 'bounds',
        node: 'plus(inAll(worstOf.get(v)!), after)',
        becomes: 'inAll(worstOf.get(v)!)',
        wrong: 'A kill in a global subprogram is over where that returns.',
      },
      {
        name: 'global-functions-nest-one-less-deep',
        inside: 'bounds',
        node: 'round <= globalEntry.size',
        becomes: 'round < globalEntry.size',
        wrong: 'The innermost of nested global subprograms is not counted.',
      },
      {
        name: 'the-exception-callback-is-free',
        inside: 'PatchedGraph.next',
        node: "this.code.contracts[v.slot]?.name === 'bpf_throw'",
        becomes: 'false',
        wrong: 'What runs when a program throws is not counted.',
      },
      {
        name: 'only-one-control-of-a-loop-costs',
        inside: 'loopCost',
        node: 'plus(round, graph.cost(v))',
        becomes: 'graph.cost(v)',
        wrong: 'Of the insns that control a nest of loops only the last is counted.',
        noticedBy: [KNOWN],
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule-proof.ts',
    [RULES],
    [
      {
        name: 'guards-do-not-matter-to-rules',
        inside: 'proveOne.guardOf',
        node: 'guard === undefined',
        becomes: 'true',
        wrong: 'Every outcome is possible in every situation.',
      },
      {
        name: 'a-leak-is-taken-for-misuse',
        inside: 'checkOf',
        node: "kinds.has('given back')",
        becomes: "kinds.has('control')",
        wrong: 'A stub that gives nothing back is refuted for misuse.',
      },
      {
        name: 'the-nearest-outcome-may-have-another-r0',
        inside: 'penalty',
        node: '100',
        becomes: '0',
        wrong: 'A witness names the outcome that misses least, even where its r0 does not fit.',
      },
      {
        name: 'arrays-may-hold-sockets',
        inside: 'usesOf',
        node: "guards.get('key_may_miss') === false",
        becomes: 'false',
        wrong: 'A rule is asked about a map of sockets whose keys are known to be there, which there is not.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule/post-state.ts',
    [RULES],
    [
      {
        name: 'rule-proofs-ignore-memory',
        inside: 'PostState.demands',
        node: '...this.memoryDemands(outcome)',
        becomes: '',
        wrong: 'Whether output memory is written does not count.',
      },
      {
        name: 'rule-proofs-ignore-slots',
        inside: 'PostState.demands',
        node: '...this.slotDemands(outcome)',
        becomes: '',
        wrong: 'What is left in stack slots does not count.',
      },
      {
        name: 'rule-proofs-ignore-what-is-held',
        inside: 'PostState.demands',
        node: '...this.ledgerDemands(outcome)',
        becomes: '',
        wrong: 'What is taken and given back does not count.',
      },
      {
        name: 'rule-proofs-ignore-r0',
        inside: 'PostState.demands',
        node: '...this.r0Demands(outcome.r0)',
        becomes: '',
        wrong: 'The value of r0 does not count.',
      },
      {
        name: 'rule-proofs-ignore-time',
        inside: 'PostState.controlDemands',
        node: 'outcome.blocks === true',
        becomes: 'false',
        wrong: 'A stub may imitate an outcome that takes long.',
      },
      {
        name: 'r0-may-be-above-its-range',
        inside: 'PostState.r0Demands',
        node: 't.sle(this.r0, t.constant(64, r0.max))',
        becomes: 't.true',
        wrong: 'The value of r0 may be larger than any value that the function returns.',
        noticedBy: [RULES, 'smt/sound-rules-are-proven-and-wrong-ones-refuted'],
      },
      {
        name: 'memory-that-is-not-written-may-be',
        inside: 'PostState.memoryDemands',
        node: 'writes ? wrote : this.t.not(wrote)',
        becomes: 'writes ? wrote : this.t.true',
        wrong: 'A stub may write memory that the outcome leaves as it was.',
        noticedBy: [RULES, 'smt/sound-rules-are-proven-and-wrong-ones-refuted'],
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule/changes.ts',
    [RULES],
    [
      {
        name: 'a-null-dynptr-is-a-dynptr',
        inside: 'slotAfter',
        node: 'effect.null === true',
        becomes: 'false',
        wrong: 'A null dynptr counts as one that holds something.',
      },
      {
        name: 'moved-references-are-kept',
        inside: 'deltas',
        node: `case 'transfer': change(\`the reference in argument \${effect.arg}\`, -1); break;`,
        becomes: "case 'transfer': break;",
        wrong: 'A reference that is moved into a map or graph does not count as given away.',
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
        noticedBy: [TERMS],
      },
      {
        name: 'neighbours-may-overlap',
        inside: 'Bits.concat',
        node: 'high.value === low.value + BigInt(low.width)',
        becomes: 'high.value >= low.value',
        wrong: 'Two parts of a term that do not touch are joined.',
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
        node: '(b >= BigInt(width) ? 0n : wrap(a << b))',
        becomes: 'wrap(a << (b % BigInt(width)))',
        wrong: 'A left shift by the width or more is taken modulo the width.',
      },
    ].map((one) => ({ ...one, node: 'b >= BigInt(width) ? 0n : wrap(a << b)' })),
  ),
  ...mutantsOf(
    'src/smt/arith.ts',
    ['smt/terms-mean-what-arithmetic-says'],
    [
      {
        name: 'dividing-by-zero-keeps-the-dividend',
        inside: 'narrow',
        node: 'divide(t, b, a, (divisor) => t.srem(a, divisor))',
        becomes: 'divide(t, b, t.constant(a.width, 0n), (divisor) => t.srem(a, divisor))',
        wrong: 'A signed remainder by 0 is 0, not the dividend.',
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
    ],
  ),
];
