/** Mutants of strategies: at least three for each. */
import { type Mutant, mutantsOf } from '../mutant.js';

const PINNED = 'strategies/kills-of-known-programs-are-as-pinned';
const LEAVES = 'strategies/a-strategy-leaves-behind-what-it-says';

export const STRATEGY_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/strategies/abandon.ts',
    [PINNED, LEAVES],
    [
      {
        name: 'abandoned-runs-go-on',
        inside: 'abandon',
        node: "machine.finish('stopped')",
        becomes: 'machine.takesEffect()',
        wrong: 'A run that is abandoned goes on to its exit.',
      },
      {
        name: 'abandoned-runs-count-as-given-up',
        inside: 'abandon',
        node: "machine.finish('stopped')",
        becomes: "machine.finish('limit')",
        wrong: 'What an abandoned run holds is not told.',
      },
      {
        name: 'abandoning-costs-memory',
        inside: 'abandon',
        node: 'bytes: 0',
        becomes: 'bytes: 12',
        wrong: 'A program that is to be abandoned costs memory.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/throw.ts',
    [PINNED, LEAVES],
    [
      {
        name: 'a-throw-is-refused-nothing',
        inside: 'throwsToday.prepare',
        node: 'held !== undefined',
        becomes: 'false',
        wrong: 'An exception is raised while something is held.',
      },
      {
        name: 'what-throws-is-looked-at-only-in-part',
        inside: 'heldAtSites',
        node: 'sites[slot] !== 0',
        becomes: 'sites[slot] !== 0 && slot < 9',
        wrong: 'Only the first calls of a program are looked at for what is held there.',
      },
      {
        name: 'a-throw-returns-what-is-not-allowed',
        inside: 'throwsToday.prepare',
        node: 'BigInt(Math.max(0, least))',
        becomes: 'BigInt(77)',
        wrong: 'An exception returns a number that the hook does not allow.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/throw-sites.ts',
    [PINNED, LEAVES],
    [
      {
        name: 'releases-throw',
        inside: 'throwSites',
        node: '!releases(contract)',
        becomes: 'true',
        wrong: 'An exception is raised in a call that gives something back.',
      },
      {
        name: 'exceptions-are-raised-in-their-callback',
        inside: 'throwSites',
        node: 'owner[slot] !== onThrow',
        becomes: 'true',
        wrong: 'An exception is raised in the callback of an exception.',
        noticedBy: [LEAVES],
      },
      {
        name: 'callers-of-global-functions-hold-nothing',
        inside: 'globalCalls',
        node: "one.linkage === 'global'",
        becomes: "one.linkage !== 'global' && one.linkage !== 'static'",
        wrong: 'What is held around the call of a global function is forgotten.',
        noticedBy: [PINNED],
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/unwind-table.ts',
    [PINNED, LEAVES],
    [
      {
        name: 'an-exception-cleans-nothing-up',
        inside: 'unwindTable.prepare',
        node: "cleanUp(machine, table, 'the exception');",
        becomes: '',
        wrong: 'An exception gives nothing back.',
      },
      {
        name: 'everything-has-a-destructor',
        inside: 'describe',
        node: '!DESTRUCTORS.has(kind)',
        becomes: 'false',
        wrong: 'Locks, sections and kinds without destructor count as described.',
      },
      {
        name: 'an-unwritten-register-agrees-with-a-reference',
        inside: 'merge',
        node: 'emptyPlaces(frame)',
        becomes: '[]',
        wrong:
          'Paths agree though one of them leaves a register unwritten that holds a reference on the other.',
      },
      {
        name: 'a-lost-reference-is-no-matter',
        inside: 'describe',
        node: 'place === undefined',
        becomes: 'false',
        wrong: 'A reference that no kept pointer leads to counts as described.',
        noticedBy: [PINNED],
      },
      {
        name: 'r6-is-not-kept-by-an-exception',
        inside: 'CALLEE_SAVED',
        node: '[6, 7, 8, 9]',
        becomes: '[7, 8, 9]',
        wrong: 'A reference in r6 is not found.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/cleanup-table.ts',
    [PINNED, LEAVES],
    [
      {
        name: 'callers-are-not-cleaned-up',
        inside: 'cleanUp',
        node: 'depth >= 0',
        becomes: 'depth >= machine.depth',
        wrong: 'What the callers of the running function hold is not given back.',
      },
      {
        name: 'null-is-given-back',
        inside: 'cleanUpEntry',
        node: 'value === 0n',
        becomes: 'false',
        wrong: 'NULL in the place of a reference is given back, and that is a misuse.',
        noticedBy: [LEAVES],
      },
      {
        name: 'a-table-costs-nothing-for-a-frame',
        inside: 'tableBytes',
        node: '1 + length',
        becomes: 'length',
        wrong: 'The memory for a frame that has entries is not counted.',
      },
      {
        name: 'spilled-references-are-not-found',
        inside: 'inFrame',
        node: 'spilled && leadsTo(slot.reg!, ref, inSlots)',
        becomes: 'false',
        wrong: 'A reference that lies only on the stack is not found.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/object-table.ts',
    [PINNED, LEAVES],
    [
      {
        name: 'an-object-table-is-not-used',
        inside: 'objectTable.prepare',
        node: "cleanUp(machine, table, 'the object table');",
        becomes: '',
        wrong: 'What an object table names is not given back.',
      },
      {
        name: 'forward-jumps-are-back-edges',
        inside: 'backEdges',
        node: 'to <= slot',
        becomes: 'to !== slot',
        wrong: 'A run is cancelled at jumps that lead forward.',
      },
      {
        name: 'sections-need-no-entry',
        inside: 'unnamed',
        node: 'section !== undefined',
        becomes: 'false',
        wrong: 'A program that is in an RCU section at a back edge is taken, and the section leaks.',
      },
      {
        name: 'looking-at-a-back-edge-costs-nothing',
        inside: 'objectTable.prepare',
        node: 'sum + visits[slot]!',
        becomes: 'sum',
        wrong: 'The load at each back edge is not counted.',
        noticedBy: [PINNED],
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/pads.ts',
    [PINNED],
    [
      {
        name: 'a-program-without-pads-is-taken',
        inside: 'pads.prepare',
        node: 'livePads(code.ops, facts).size === 0',
        becomes: 'false',
        wrong: 'A program that has no landing pads counts as one that can be killed by them.',
      },
      {
        name: 'releases-end-in-pads',
        inside: 'RULES',
        node: 'f.releases',
        becomes: 'f.iterator !== undefined',
        wrong: 'A call that gives something back ends in a landing pad, and what it was to give back leaks.',
        noticedBy: [PINNED],
      },
      {
        name: 'pads-are-kept-calls',
        inside: 'RULES',
        node: "rule('every other call ends in its landing pad').unwind()",
        becomes: "rule('every other call ends in its landing pad').keep()",
        wrong: 'No call ends in its landing pad.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/ledger.ts',
    [PINNED, LEAVES],
    [
      {
        name: 'a-ledger-ends-what-cannot-be-preempted',
        inside: 'NOT_PREEMPTIBLE',
        node: "'preempt'",
        becomes: "'rcu'",
        wrong: 'A run is ended while preemption is off.',
      },
      {
        name: 'the-latest-of-a-ledger-stays',
        inside: 'ledger.stop',
        node: 'machine.ledger.holds.toReversed()',
        becomes: 'machine.ledger.holds.slice(0, -1)',
        wrong: 'What was taken last is not given back.',
      },
      {
        name: 'a-search-takes-one-step',
        inside: 'searchSteps',
        node: '1 + Math.ceil(Math.log2(entries + 1))',
        becomes: '1',
        wrong: 'A search among many entries counts as one step.',
        noticedBy: [PINNED],
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/terminate-bit.ts',
    [PINNED, LEAVES],
    [
      {
        name: 'iterators-do-not-look-at-the-bit',
        inside: 'RULES',
        node: "f.iterator === 'next'",
        becomes: "f.iterator === 'new' && f.returnsVoid",
        wrong: 'An iterator goes on after the kill.',
      },
      {
        name: 'a-bit-does-not-end-may-goto',
        inside: 'terminateBit.prepare',
        node: "mayGoto: 'all'",
        becomes: "mayGoto: 'open'",
        wrong: 'A may_goto goes on in functions that are called after the kill.',
      },
      {
        name: 'a-bit-ends-no-bpf-loop',
        inside: 'terminateBit.prepare',
        node: 'new Set([LOOP])',
        becomes: 'new Set()',
        wrong: 'A bpf_loop calls its callback again after the kill.',
      },
      {
        name: 'looking-at-a-bit-costs-nothing',
        inside: 'terminateBit.prepare',
        node: 'sum + visits[slot]!',
        becomes: 'sum',
        wrong: 'The load at each sample point is not counted.',
        noticedBy: [PINNED],
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/timed-may-goto.ts',
    [PINNED, LEAVES],
    [
      {
        name: 'all-functions-have-one-clock',
        inside: 'timedMayGoto.prepare',
        node: "'open'",
        becomes: "'all'",
        wrong: 'A may_goto ends in functions too that are called after the kill.',
      },
      {
        name: 'a-clock-stops-helpers',
        inside: 'timedMayGoto.prepare',
        node: 'helpers: new Set()',
        becomes: 'helpers: undefined',
        wrong: 'Helpers that call back stop, although they have no clock.',
        noticedBy: [PINNED],
      },
      {
        name: 'a-program-without-may-goto-has-a-clock',
        inside: 'timedMayGoto.prepare',
        node: 'slots.length === 0',
        becomes: 'false',
        wrong: 'A program without may_goto counts as one that can be killed by its clock.',
        noticedBy: [PINNED],
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/fast-path.ts',
    [PINNED],
    [
      {
        name: 'short-programs-are-cloned',
        inside: 'fastPathUnder.prepare',
        node: 'insns < SHORTEST_CLONED',
        becomes: 'false',
        wrong: 'The first posting clones a program of fewer than ten insns.',
      },
      {
        name: 'the-second-posting-has-no-clone',
        inside: 'CLONES',
        node: "'rfc-v2'",
        becomes: "'rfc-v3'",
        wrong: 'The second posting keeps a table in place of a clone, and the third a clone.',
      },
      {
        name: 'all-call-sites-are-in-the-table',
        inside: 'fastPathUnder.prepare',
        node: 'path.stubs.size',
        becomes: 'insns',
        wrong: 'The table of call sites has an entry for each insn.',
      },
      {
        name: 'a-fast-path-has-no-stubs',
        inside: 'fastPathUnder.prepare',
        node: 'fastPath: path',
        becomes: 'fastPath: { rules: rules.name, stubs: new Map() }',
        wrong: 'After the kill every call is made.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/unwind-table.ts',
    ['strategies/paths-agree-on-what-a-table-says'],
    [
      {
        name: 'plain-bytes-are-no-empty-place',
        inside: 'emptyPlaces',
        node: 'last === BYTE.misc',
        becomes: 'false',
        wrong: 'A stack slot of plain bytes on one path agrees with a reference on another.',
      },
      {
        name: 'stack-above-what-was-written-is-no-empty-place',
        inside: 'emptyPlaces',
        node: 'STACK_SIZE / 8',
        becomes: 'stack.length',
        wrong: 'Stack that was never written on one path agrees with a reference on another.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/object-table.ts',
    ['strategies/paths-agree-on-what-a-table-says'],
    [
      {
        name: 'half-a-null-is-null',
        inside: 'isNullAt',
        node: 'slot?.bytes.every((byte) => byte === BYTE.zero || (byte === BYTE.spill && isNull(slot.reg!)))',
        becomes:
          'slot?.bytes.some((byte) => byte === BYTE.zero || (byte === BYTE.spill && isNull(slot.reg!)))',
        wrong: 'A slot of which one byte is part of a NULL counts as NULL.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/release.ts',
    ['strategies/what-is-given-back-is-gone'],
    [
      {
        name: 'what-an-iterator-gave-outlives-it',
        inside: 'release',
        node: `object?.kind === 'iter' && object.element !== 0`,
        becomes: 'false',
        wrong: 'The element of an iterator that is given back can still be used.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/named-points.ts',
    ['strategies/points-that-a-program-names-are-behind-its-calls'],
    [
      {
        name: 'every-insn-names-a-point',
        inside: 'namedSteps',
        node: 'slots.has(machine.pc) && vm.advance(machine.steps + 1)',
        becomes: 'vm.advance(machine.steps + 1)',
        wrong: 'A program that names one point is killed behind every insn.',
      },
    ],
  ),
];
