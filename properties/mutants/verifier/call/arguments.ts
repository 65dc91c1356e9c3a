/** Mutants of what a call is allowed and which arguments it takes. */
import { type Mutant, mutantsOf } from '../../mutant.js';

const HELD = 'verifier/call/what-is-held-is-judged-as-by-linux';
const KNOWN = 'verifier/our-verifier-says-what-linux-says';
const SITES = 'verifier/call/calls-are-judged-by-where-they-are-made';
const PACKETS = 'verifier/insn/packets-are-judged-as-by-linux';
const PROFILES = 'verifier/nothing-but-the-profile-tells-kernels-apart';
const ARGUMENTS = 'verifier/call/arguments-are-judged-as-by-linux';

export const ARGUMENT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/call/allowed.ts',
    ['verifier/call/tasks-of-a-cgroup-are-for-code-that-may-sleep'],
    [
      {
        name: 'tasks-of-a-cgroup-anywhere',
        inside: 'AllowedCalls.check',
        node: 'c.name === CSS_TASK_NEW && !CSS_TASK_TYPES.has(p.program.type) && !p.sleepable',
        becomes: 'false',
        wrong: 'The callback of a timer, which may not sleep, goes through the tasks of a cgroup.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-slots.ts',
    [HELD],
    [
      {
        name: 'irq-order-ignored',
        inside: 'restoreIrq',
        node: 'ref !== p.irq',
        becomes: 'false',
        wrong: 'Saved IRQ states may be restored in any order.',
        noticedBy: [KNOWN],
      },
      {
        name: 'the-outermost-irq-state-comes-next',
        inside: 'restoreIrq',
        node: 'p.refs.findLast',
        becomes: 'p.refs.find',
        wrong: 'Of three nested saved IRQ states the outermost is expected next.',
      },
      {
        name: 'iterators-need-no-destroying',
        inside: 'makeIter',
        node: "p.acquire({ id: ref, kind: 'pointer', at });",
        becomes: '',
        wrong: 'Iterators need not be destroyed.',
        noticedBy: [KNOWN],
      },
      {
        name: 'iterators-may-be-made-over-each-other',
        inside: 'checkIter',
        node: 'p.slot(reg.frame, i)?.iter !== undefined',
        becomes: 'false',
        wrong: 'A new iterator may be made where one lies.',
        noticedBy: [KNOWN, HELD],
      },
      {
        name: 'restoring-an-irq-state-makes-the-outermost-the-next',
        inside: 'restoreIrq',
        node: "p.refs.findLast((r) => r.kind === 'irq')",
        becomes: "p.refs.find((r) => r.kind === 'irq')",
        wrong:
          'After the innermost of three saved IRQ states is restored the outermost is taken for the one that must be next.',
        noticedBy: ['verifier/runs-of-generated-programs-fit-the-facts'],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/calls.ts',
    [SITES],
    [
      {
        name: 'callbacks-run-once',
        inside: 'Calls.mayRunAgain',
        node: 'BigInt(this.p.frame.callbackDepth) < umax',
        becomes: 'this.p.frame.callbackDepth < 1 && umax > 0n',
        wrong: 'A callback is followed once.',
      },
      {
        name: 'callbacks-run-once-more',
        inside: 'Calls.mayRunAgain',
        node: 'BigInt(this.p.frame.callbackDepth) < umax',
        becomes: 'BigInt(this.p.frame.callbackDepth) <= umax',
        wrong: 'A callback is followed one round more than there are.',
      },
      {
        name: 'tail-calls-leave-packets',
        inside: 'Calls.leaveByTailCall',
        node: 'invalidatePackets(p);',
        becomes: '',
        wrong: 'After a tail call in a subprogram the caller keeps its packet pointers.',
        noticedBy: [PACKETS],
      },
      {
        name: 'tail-calls-may-hold',
        inside: 'Calls.callFunction',
        node: "checkResourceLeak(p, 'tail_call');",
        becomes: '',
        wrong: 'A program may hold anything when it leaves by a tail call.',
        noticedBy: [KNOWN, HELD],
      },
      {
        name: 'global-functions-under-locks',
        inside: 'Calls.callSubprogram',
        node: 'p.lockHeld !== undefined',
        becomes: 'false',
        wrong: 'Global functions may be called under a lock.',
        noticedBy: [HELD],
      },
      {
        name: 'global-functions-sleep-with-interrupts-off',
        inside: 'Calls.callSubprogram',
        node: 'p.irq !== 0',
        becomes: 'false',
        wrong: 'A global function that may sleep may be called with interrupts off.',
      },
      {
        name: 'global-functions-keep-packets',
        inside: 'Calls.callSubprogram',
        node: 'if (this.globals.movesPacket(target)) invalidatePackets(p);',
        becomes: '',
        wrong: 'A global function that moves the packet leaves packet pointers as they were.',
        noticedBy: [PACKETS],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/allowed.ts',
    [SITES],
    [
      {
        name: 'sections-may-sleep',
        inside: 'AllowedCalls.check',
        node: '!this.sleeps(c)',
        becomes: '!this.sleeps(c) || p.sleepable',
        wrong: 'Functions that sleep may be called in any section.',
        noticedBy: [KNOWN],
      },
      {
        name: 'types-of-a-profile-are-not-looked-at',
        inside: 'AllowedCalls.mayBeNamed',
        node: '!Object.hasOwn(kernel.types, c.name)',
        becomes: 'known',
        wrong: 'What a kernel gives to fewer types of programs is taken from all.',
        noticedBy: [PROFILES],
      },
      {
        name: 'contexts-are-alike-in-all-types',
        inside: 'AllowedCalls.mayBeNamed',
        node: '!isAlikeInAllTypes(c)',
        becomes: 'false',
        wrong: 'A function that takes a context takes that of types that it was never made for.',
        noticedBy: [PROFILES],
      },
      {
        name: 'other-declarations-are-the-same',
        inside: 'AllowedCalls.checkProgram',
        node: 'declared !== undefined',
        becomes: 'false',
        wrong: 'A kfunc that a kernel declares otherwise is taken for the one that is modelled.',
        noticedBy: [PROFILES],
      },
      {
        name: 'nested-preempt-sections-may-sleep',
        inside: 'AllowedCalls.check',
        node: 'p.preempt > 0',
        becomes: 'p.preempt === 1',
        wrong: 'Functions that sleep may be called in two preempt-disabled sections at once.',
      },
      {
        name: 'everything-is-allowed-under-a-lock',
        inside: 'AllowedCalls.check',
        node: 'p.lockHeld !== undefined && c.underLock !== true',
        becomes: "p.lockHeld?.kind === 'spin_lock' && c.underLock !== true",
        wrong: 'Any function may be called under a resilient lock.',
        noticedBy: [HELD],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/globals.ts',
    [SITES],
    [
      {
        name: 'globals-take-anything',
        inside: 'Globals.checkParams',
        node: "if (reg.type !== 'scalar') refuse(`R${regno} is not a scalar`);",
        becomes: '',
        wrong: 'A global function that takes a number may be called with a pointer.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-objects.ts',
    [ARGUMENTS],
    [
      {
        name: 'releases-need-no-reference',
        inside: 'requireReferenced',
        node: 'ownedRef(reg) === 0 && !isNull(reg)',
        becomes: 'false',
        wrong: 'What is given back need not be owned.',
        noticedBy: [KNOWN],
      },
      {
        name: 'releases-take-moved-pointers',
        inside: 'requireStart',
        node: 'fixedOffset(reg) !== 0',
        becomes: 'fixedOffset(reg) < 0',
        wrong: 'A pointer that was moved forwards may be given back.',
        noticedBy: [HELD],
      },
      {
        name: 'marked-kfuncs-trust-lesser-pointers',
        inside: 'takesLesser',
        node: '!trustsArguments(contract)',
        becomes: 'true',
        wrong: 'A kernel that trusts some kfuncs with lesser pointers trusts all of them.',
        noticedBy: [PROFILES],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-memory.ts',
    [ARGUMENTS],
    [
      {
        name: 'sizes-may-be-zero',
        inside: 'checkMem',
        node: 'size.num.umin === 0n && !zero',
        becomes: 'false',
        wrong: 'A size of 0 may be asked for where memory must be.',
      },
      {
        name: 'no-memory-of-any-size',
        inside: 'takesNoMemory',
        node: 'size.num.value === 0n',
        becomes: 'true',
        wrong: 'A kernel that takes NULL for memory of no size takes it for memory of any.',
        noticedBy: [PROFILES],
      },
      {
        name: 'no-memory-of-unknown-size',
        inside: 'takesNoMemory',
        node: 'isConst(size.num)',
        becomes: 'true',
        wrong: 'A kernel that takes NULL for memory of no size takes it where the size may be something.',
        noticedBy: [PROFILES],
      },
      {
        name: 'zero-size-only-if-certain',
        inside: 'checkMem',
        node: 'size.num.umin === 0n',
        becomes: 'size.num.umax === 0n',
        wrong:
          'A size that may be zero is let through where zero is not allowed, unless it is zero for certain.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-objects.ts',
    ['verifier/insn/sockets-that-were-moved-are-judged-as-by-linux'],
    [
      {
        name: 'the-middle-of-a-socket-is-a-socket',
        inside: 'isSocket',
        node: 'BTF_SOCKETS.has(reg.struct) && fixedOffset(reg) === 0',
        becomes: 'BTF_SOCKETS.has(reg.struct)',
        wrong: 'A pointer into the middle of a kernel socket is taken for a socket.',
      },
    ],
  ),
];
