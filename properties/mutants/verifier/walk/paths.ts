/** Mutants of the verifier's walk: paths, precision, liveness, facts, the call graph, explanations. */
import { type Mutant, mutantsOf } from '../../mutant.js';

const PRECISION = 'verifier/walk/what-a-check-relies-on-is-found-as-by-linux';
const LOOPS = 'verifier/walk/loops-end-where-linux-ends-them';
const STACK = 'verifier/walk/stack-slots-that-differ-are-compared-as-by-linux';
const LIMITS = 'verifier/walk/programs-fit-the-limits-of-linux';
const FACTS = 'verifier/walk/facts-hold-every-state-of-the-whole-walk';

export const WALK_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/explain/explanation.ts',
    ['verifier/explain/an-explanation-leads-from-what-is-held-to-the-refusal'],
    [
      {
        name: 'acquired-on-another-round',
        inside: 'acquiredAt',
        node: 'index < before && step.slot === ref.at',
        becomes: 'step.depth === 0 && index < before',
        wrong: 'The calls that are told of an acquisition are those of another insn.',
      },
      {
        name: 'branches-told-the-wrong-way',
        inside: 'branchesFrom',
        node: 'to === targetOf(op, slot)',
        becomes: 'to !== targetOf(op, slot)',
        wrong: 'A branch is told to be taken where it is not.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/precision/backtrack.ts',
    [PRECISION],
    [
      {
        name: 'only-sums-mark-their-second-operand',
        inside: 'Backtracker.insn',
        node: "if (wanted.hasReg(d, op.dst) && 'reg' in op.src) wanted.addReg(d, op.src.reg);",
        becomes:
          "if (wanted.hasReg(d, op.dst) && 'reg' in op.src && op.op === 'add') wanted.addReg(d, op.src.reg);",
        wrong: 'Going back over a op= b marks b for additions only.',
      },
      {
        name: 'stored-numbers-come-from-nowhere',
        inside: 'Backtracker.insn',
        node: "if (op.kind !== 'st') wanted.addReg(d, op.src);",
        becomes: '',
        wrong: 'Nothing is marked that a stored number came from.',
      },
      {
        name: 'the-other-side-of-a-jump-is-not-marked',
        inside: 'Backtracker.insn',
        node: 'if (!wanted.hasReg(d, op.dst) && !wanted.hasReg(d, op.src.reg)) return;',
        becomes: 'if (!wanted.hasReg(d, op.dst)) return;',
        wrong: 'Of a jump between two numbers only the left one leads to the right one.',
      },
      {
        name: 'results-are-not-followed-into-the-callee',
        inside: 'Backtracker.toCallee',
        node: 'if (fromCall && wanted.hasReg(outer, 0)) wanted.addReg(inner, 0);',
        becomes: '',
        wrong: 'What a subprogram returns comes from nowhere.',
      },
      {
        name: 'linked-numbers-are-not-marked-together',
        inside: 'Backtracker.backtrackInsn',
        node: 'const linked = steps.access(step) === LINKED ? steps.linked(step) : undefined;',
        becomes: 'const linked = undefined as readonly number[] | undefined;',
        wrong: 'A number that learned from a check of its copy does not lead to that copy.',
      },
      {
        name: 'stores-are-not-gone-back-over',
        inside: 'Backtracker.concerns',
        node: 'return access === LINKED || (access >= 0 && (touched & STORES) !== 0);',
        becomes: 'return access === LINKED;',
        wrong: 'What was stored in a stack slot is not where its number came from.',
      },
      {
        name: 'marks-on-the-stack-are-not-kept',
        inside: 'Backtracker.markState',
        node: 'precise.addSlot(d, i);',
        becomes: '',
        wrong: 'A number in a stack slot is never marked in the states on the way.',
      },
      {
        name: 'return-value-not-followed',
        inside: 'Backtracker.toCallee',
        node: 'if (fromCall && wanted.hasReg(outer, 0)) wanted.addReg(inner, 0);',
        becomes: '',
        wrong:
          'What was relied on of the return value of a subprogram is not followed into the subprogram, so that its states cover others that return something else.',
      },
      {
        name: 'a-jump-asks-for-its-left-side-only-if-it-is-wanted',
        inside: 'Backtracker.insn',
        node: 'wanted.addReg(d, op.dst);',
        becomes: 'wanted.addReg(d, op.src.reg);',
        wrong:
          'Where the right side of a comparison of two registers is relied on, the left side does not count as relied on with it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/precision/precise-operands.ts',
    [PRECISION],
    [
      {
        name: 'a-number-that-a-pointer-is-added-to-does-not-matter',
        inside: 'preciseOperands',
        node: 'only(1 << (dst ? op.src.reg : op.dst))',
        becomes: 'only(dst ? 1 << op.src.reg : 0)',
        wrong: 'Where a pointer is added to a number, the number is not marked.',
      },
      {
        name: 'counts-of-callbacks-do-not-matter',
        inside: 'preciseArgs',
        node: 'regs |= 1 << (arg.callback.countArg + 1);',
        becomes: '',
        wrong: 'How often a callback is entered is not marked.',
        noticedBy: [PRECISION, LOOPS],
      },
      {
        name: 'keys-do-not-matter',
        inside: 'preciseArgs',
        node: 'slots = [fixedSlot(p.reg(i + 1), 0)];',
        becomes: 'slots = NO_SLOTS;',
        wrong: 'A key for which a lookup cannot miss is not marked.',
      },
      {
        name: 'what-programs-return-does-not-matter',
        inside: 'checksReturn',
        node: 'p.depth === 0 && returnRange(p.program.type, p.program.attach) !== undefined',
        becomes: 'false',
        wrong: 'The number that a program returns is not marked.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/precision/stack-access.ts',
    [STACK],
    [
      {
        name: 'reads-end-a-slot-early',
        inside: 'readThrough',
        node: 'i <= slotOf(from)',
        becomes: 'i < slotOf(from)',
        wrong: 'The lowest slot that a function reads is taken for not read.',
      },
      {
        name: 'keys-are-not-read',
        inside: 'argumentReads',
        node: "arg.kind === 'map_key' ? map?.keySize : map?.valueSize",
        becomes: "arg.kind === 'map_key' ? 0 : map?.valueSize",
        wrong: 'The key of a map operation is not read from the stack.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/liveness.ts',
    [STACK],
    [
      {
        name: 'callees-read-nothing-of-their-callers',
        inside: 'StackLiveness.update',
        node: 'frame < of.depth',
        becomes: 'frame < of.depth - 1',
        wrong: 'What a function reads of the stack of its caller is not passed on to the call.',
      },
      {
        name: 'callback-returns-past-its-call',
        inside: 'StackLiveness.aliveSlots',
        node: 'contract !== undefined && callsSyncCallback(contract)',
        becomes: 'false',
        wrong:
          'What the next round of a callback reads of the stack of its caller is not needed while the callback runs.',
        noticedBy: ['verifier/text/the-stack-of-callers-is-alive-while-some-path-reads-it'],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/explored-states.ts',
    [LOOPS],
    [
      {
        name: 'covered-states-need-nothing',
        inside: 'ExploredStates.hit',
        node: 'this.propagatePrecision(edge);',
        becomes: '',
        wrong: 'What a covering state relies on is not marked on the path that it covers.',
        noticedBy: [PRECISION, LOOPS, STACK],
      },
      {
        name: 'rounds-of-may-goto-are-not-told-apart',
        inside: 'ExploredStates.endsLoop',
        node: "kind === 'may_goto' && old.state.mayGoto !== state.mayGoto",
        becomes: 'false',
        wrong: 'No loop ends at a may_goto because it has come round.',
      },
      {
        name: 'states-are-kept-twice-as-often',
        inside: 'ExploredStates.isDue',
        node: 'walked - this.lastWalked >= 8',
        becomes: 'walked - this.lastWalked >= 4',
        wrong: 'States are kept after four insns, not eight.',
        noticedBy: [PRECISION, LOOPS],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/insn-step.ts',
    [LOOPS],
    [
      {
        name: 'callbacks-return-anything',
        inside: 'InsnStep.exit',
        node: "requireRange(r0, callback.returns, 'At callback return');",
        becomes: '',
        wrong: 'A callback may return anything.',
      },
      {
        name: 'a-jump-that-is-decided-relies-on-its-left-side',
        inside: 'InsnStep.branch',
        node: '(1 << b.dst) | (b.src === undefined ? 0 : 1 << b.src)',
        becomes: '1 << b.dst',
        wrong: 'Of the two numbers that decide a jump only the left one is marked.',
        noticedBy: [PRECISION],
      },
      {
        name: 'may-goto-counts-no-rounds',
        inside: 'InsnStep.mayGoto',
        node: 'this.path.mayGoto++;',
        becomes: '',
        wrong: 'It is not counted how often a path took a may_goto.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/call-graph.ts',
    [LIMITS],
    [
      {
        name: 'nine-frames-fit',
        inside: 'Graph.descend',
        node: 'frame + 1 >= this.kernel.frames',
        becomes: 'frame >= this.kernel.frames',
        wrong: 'Calls may be nested one deeper.',
      },
      {
        name: 'stacks-may-be-a-slot-larger',
        inside: 'Graph.descend',
        node: 'depth > STACK_SIZE',
        becomes: 'depth > STACK_SIZE + 16',
        wrong: 'The frames of a chain of calls may take 528 bytes together.',
      },
      {
        name: 'tail-calls-at-256-bytes',
        inside: 'Graph.descend',
        node: 'above >= TAIL_CALL_DEPTH',
        becomes: 'above > TAIL_CALL_DEPTH',
        wrong: 'A subprogram may make a tail call below exactly 256 bytes of frames.',
      },
      {
        name: 'frames-are-not-rounded-up',
        inside: 'Graph.size',
        node: 'Math.ceil(depth / ROUND) * ROUND',
        becomes: 'depth',
        wrong: 'Frames are counted in bytes, not in multiples of 16.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/walk.ts',
    [LIMITS],
    [
      {
        name: 'one-jump-more-may-wait',
        inside: 'Walk.push',
        node: 'this.work.length >= MOST_PENDING',
        becomes: 'this.work.length > MOST_PENDING',
        wrong: 'One more branch may wait to be walked than in Linux.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/facts.ts',
    [FACTS],
    [
      {
        name: 'heads-are-not-walked-from',
        inside: 'Closure.drain',
        node: 'this.walk!.from({ slot: head.slot, state: head.state });',
        becomes: '',
        wrong: 'What follows a state that covers paths is no fact.',
      },
      {
        name: 'paths-that-miss-their-head-go-on',
        inside: 'closeFacts',
        node: 'precise.walked * SURPRISED + AND_SOME',
        becomes: 'precise.walked * SURPRISED + AND_A_FEW',
        wrong: 'A path that misses the state it was to end at goes on for 10,000 insns.',
        noticedBy: ['verifier/walk/facts-of-long-programs-are-few'],
      },
      {
        name: 'paths-that-miss-their-head-go-on-at-first',
        inside: 'SURPRISED',
        node: '0.25',
        becomes: '1.25',
        wrong:
          'A path that misses the state it was to end at goes on until more was walked than the program took.',
        noticedBy: ['verifier/walk/facts-of-long-programs-are-few'],
      },
      {
        name: 'facts-stay-as-narrow-as-they-were',
        inside: 'Closure.widened',
        node: 'head.widen();',
        becomes: '',
        wrong: 'A fact is taken to hold for a path that differs in a number, without being widened.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/contained.ts',
    [FACTS],
    [
      {
        name: 'every-state-contains-what-ends-there',
        inside: 'containedWithout',
        node: "comparison.covers(old, state, 'range_within', {})",
        becomes: 'true',
        wrong: 'A state at which a path ended is a fact, though the path differs in a number.',
      },
      {
        name: 'dead-registers-are-facts',
        inside: 'containedWithout',
        node: 'return LEAVES_OUT.registers;',
        becomes: 'return LEAVES_OUT.nothing;',
        wrong: 'A dead register is told as it was on the path that was walked first.',
      },
      {
        name: 'dead-slots-are-facts',
        inside: 'containedWithout',
        node: '{ at: slot }',
        becomes: '{ at: slot, slots: liveSlots(code, state, slot) }',
        wrong: 'A dead stack slot is told as it was on the path that was walked first.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/walk.ts',
    [FACTS],
    [
      {
        name: 'what-is-no-fact-stays-one',
        inside: 'Walk.endsAt',
        node: 'this.visited = undefined',
        becomes: 'this.leavesOut = LEAVES_OUT.places',
        wrong: 'Facts are those of one walk, though a path ended at a state that is not true of it.',
      },
      {
        name: 'only-the-last-meeting-counts',
        inside: 'Walk.endsAt',
        node: 'leaves === LEAVES_OUT.places || this.leavesOut === LEAVES_OUT.nothing',
        becomes: 'true',
        wrong: 'What facts leave out depends on the path that ended last.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/clean-state.ts',
    [FACTS],
    [
      {
        name: 'dead-places-are-facts-behind-the-meeting',
        inside: 'stillDead',
        node: 'regs & ~code.live[slot]!',
        becomes: '0',
        wrong: 'What is left out where states are compared is a fact again at the next insn.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/heads.ts',
    [FACTS],
    [
      {
        name: 'heads-cover-what-has-the-same-calls-open',
        inside: 'Heads.find',
        node: 'this.covers(few[i]!.state, state)',
        becomes: 'sameCallsites(few[i]!.state, state)',
        wrong: 'A fact is taken to hold for every state in which the same functions run.',
      },
      {
        name: 'wider-facts-cover-what-has-the-same-calls-open',
        inside: 'Heads.findWidest',
        node: 'widest !== undefined && this.covers(widest, state)',
        becomes: 'widest !== undefined && sameCallsites(widest, state)',
        wrong: 'A fact that was widened is taken to hold for every state in which the same functions run.',
      },
    ],
  ),
];
