/** Mutants that undo what keeps out programs of the kinds which later kernels mended: one a kind and more. */
import { type Mutant, mutantsOf, type OwnPart } from '../mutant.js';

const mended = (file: string, mutants: readonly OwnPart[]): readonly Mutant[] =>
  mutantsOf(`src/verifier/${file}`, ['verifier/what-later-kernels-mended-is-refused'], mutants);

export const MENDED_MUTANTS: readonly Mutant[] = [
  ...mended('insn/branch.ts', [
    {
      name: 'far-pointers-are-not-null',
      inside: 'mayBeZero',
      node: '!isNear(r)',
      becomes: 'false',
      wrong: 'A pointer that was moved any distance is taken not to be NULL.',
    },
  ]),
  ...mended('insn/access.ts', [
    {
      name: 'buffers-may-be-moved-back',
      inside: 'checkBuffer',
      node: 'a.reg.off + a.off < 0',
      becomes: 'a.off < 0',
      wrong: 'A buffer may be accessed in front of its start through a pointer that was moved there.',
    },
  ]),
  ...mended('insn/pointer-arithmetic.ts', [
    {
      name: 'sums-are-of-the-running-frame',
      inside: 'addToPointer',
      node: '{ ...pointer, off }',
      becomes: '{ ...pointer, off, frame: pointer.type === "stack" ? p.depth : pointer.frame }',
      wrong: 'A pointer to the stack that was moved points to the frame that runs now.',
    },
  ]),
  ...mended('state/linked-regs.ts', [
    {
      name: 'links-beyond-those-kept-stay-in-slots',
      inside: 'collectWithId',
      node: 'path.setSlot(depth, i, { ...stack[i]!, reg: unlinked(spilled) })',
      becomes: 'path.setSlot(depth, i, stack[i]!)',
      wrong: 'Numbers that are too many to be kept track of still learn from a jump.',
    },
  ]),
  ...mended('walk/explored-states.ts', [
    {
      name: 'rounds-of-callbacks-end-no-loop',
      inside: 'ExploredStates.visit',
      node: 'this.hit(old, arrival, true)',
      becomes: "this.hit(old, arrival, kind !== 'callback')",
      wrong:
        'What a later call of a callback relies on is not told to states that lead to it by way of one seen before.',
    },
  ]),
  ...mended('walk/precision/backtrack.ts', [
    {
      name: 'callbacks-forget-how-often',
      inside: 'Backtracker.toCallee',
      node: 'fromCall ? ARGS | 1 : 1',
      becomes: 'ARGS | 1',
      wrong:
        'Where the count of a loop came from is forgotten once its callback has returned, as in Linux 6.18.',
    },
  ]),
  ...mended('walk/precision/precise-operands.ts', [
    {
      name: 'null-is-no-number-for-objects',
      inside: 'isPreciseArg',
      node: 'return true;',
      becomes: "return arg.kind !== 'btf' && arg.kind !== 'stack_or_null';",
      wrong: 'That a number is 0, and so NULL, is not noted of what a function is given.',
    },
    {
      name: 'null-is-no-number-for-functions',
      inside: 'preciseSubprogArgs',
      node: 'if (isNull(p.reg(n))) regs |= 1 << n;',
      becomes: '',
      wrong: 'That a number is 0, and so NULL, is not noted of what a function of the program is given.',
    },
  ]),
  ...mended('walk/insn-step.ts', [
    {
      name: 'packet-loads-end-nothing',
      inside: 'InsnStep.legacyPacketLoad',
      node: 'if (path.depth > 0) this.endEarly(path);',
      becomes: '',
      wrong: 'A packet load of classic BPF is taken never to end the function that it is in.',
    },
  ]),
  ...mended('state/stack.ts', [
    {
      name: 'halves-of-a-zero-are-zero-for-good',
      inside: 'writeFixed',
      node: 'scrubbedByte(old?.bytes[i] ?? BYTE.invalid)',
      becomes:
        'old?.reg !== undefined && isZero(old.reg) ? BYTE.zero : scrubbedByte(old?.bytes[i] ?? BYTE.invalid)',
      wrong:
        'Of a spilled zero one half stays zero when the other is overwritten, and nothing says that it matters.',
    },
  ]),
  ...mended('text/code.ts', [
    {
      name: 'main-may-be-called-back',
      inside: 'checkJumps',
      node: "if (target === 0) fail(at, 'callback address is that of the main program');",
      becomes: '',
      wrong: 'The main program may be a callback.',
    },
    {
      name: 'fastcalls-may-be-jumped-into',
      inside: 'prepare',
      node: 'checkFastcalls(ops, contracts, owner);',
      becomes: '',
      wrong: 'A jump may lead between the stores and loads that Linux takes out around a call.',
    },
  ]),
  ...mended('text/fastcall.ts', [
    {
      name: 'the-call-itself-may-be-jumped-to',
      inside: 'checkFastcalls',
      node: 'at - pairs + 1',
      becomes: 'at + 1',
      wrong: 'A jump may lead past the stores to a call.',
    },
    {
      name: 'one-load-is-all-there-is',
      inside: 'countPairs',
      node: 'lowest + 8 * (i - 1)',
      becomes: 'lowest',
      wrong: 'Of several stores and loads around a call only the innermost are seen.',
    },
  ]),
  ...mended('call/calls.ts', [
    {
      name: 'results-narrow-what-r0-was',
      inside: 'Calls.setReturned',
      node: 'this.p.setReg(0, r0);',
      becomes:
        "const was = this.p.reg(0); this.p.setReg(0, r0.type === 'scalar' && was.type === 'scalar' && was.num.smin >= r0.num.smin && was.num.smax <= r0.num.smax ? was : r0);",
      wrong: 'What a call returns is narrowed by what r0 was before.',
    },
  ]),
  ...mended('call/args-objects.ts', [
    {
      name: 'counts-are-found-from-anywhere',
      inside: 'checkRefcounted',
      node: 'requireStart(reg, index + 1);',
      becomes: '',
      wrong: 'An object may be counted again through a pointer into its middle.',
    },
  ]),
  ...mended('call/args.ts', [
    {
      name: 'copies-of-a-cpu-start-anywhere',
      inside: 'checkArg',
      node: 'checkPointerOffset(reg, regno, typeName(reg));',
      becomes: '',
      wrong: 'The copy of one CPU may be asked for from the middle of what each CPU has.',
      noticedBy: ['verifier/insn/a-variable-of-each-cpu-is-reached-from-its-start'],
    },
  ]),
  ...mended('call/globals.ts', [
    {
      name: 'zero-is-not-null',
      inside: 'Globals.checkParams',
      node: 'reg.nullable || isNull(reg)',
      becomes: 'reg.nullable',
      wrong: 'The number 0 may be passed where a global function takes no NULL.',
    },
  ]),
  ...mended('walk/stacksafe.ts', [
    {
      name: 'iterators-forget-that-their-section-ended',
      inside: 'StackComparison.iter',
      node: 'a.stale === b.stale',
      becomes: 'true',
      wrong:
        'An iterator whose RCU section was ended and opened again is taken for one whose section went on.',
    },
  ]),
  ...mended('call/effects.ts', [
    {
      name: 'sections-end-for-the-running-frame',
      inside: 'leave',
      node: 'let depth = 0',
      becomes: 'let depth = p.depth',
      wrong: 'Where a function ends an RCU section, iterators of its callers stay good.',
    },
  ]),
];
