/** Mutants of what the verifier makes of a program before it walks it. */
import { type Mutant, mutantsOf } from '../mutant.js';

const LIVE = ['verifier/text/live-registers-are-read-before-they-are-written'];
const SLOTS = ['verifier/text/live-slots-are-read-before-they-are-written'];

export const TEXT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf('src/verifier/text/register-liveness.ts', LIVE, [
    {
      name: 'a-compared-exchange-does-not-read-r0',
      inside: 'useDef',
      node: "bit(op.dst) | bit(op.src) | (op.op === 'cmpxchg' ? bit(0) : 0)",
      becomes: 'bit(op.dst) | bit(op.src)',
      wrong: 'What a compared exchange compares with is not live before it.',
    },
    {
      name: 'a-call-reads-one-register-less',
      inside: 'useDef',
      node: 'contract.args.length + 1',
      becomes: 'contract.args.length',
      wrong: 'The last argument of a call is not live before it.',
    },
    {
      name: 'a-packet-load-keeps-its-index-register',
      inside: 'useDef',
      node: 'op.src >= 0',
      becomes: 'op.src > 7',
      wrong: 'The register that a packet load adds is not live before it.',
    },
    {
      name: 'cmpxchg-does-not-read-r0',
      inside: 'useDef',
      node: "op.op === 'cmpxchg' ? bit(0) : 0",
      becomes: '0',
      wrong:
        'Register r0 counts as dead before the cmpxchg that compares with it, so that states which differ in it are found alike.',
      noticedBy: ['verifier/state/what-is-held-is-what-the-kernel-log-says'],
    },
  ]),
  ...mutantsOf('src/verifier/text/code.ts', LIVE, [
    {
      name: 'a-may-goto-need-not-be-kept',
      inside: 'findPrunePoints',
      node: 'if (at < prunePoints.length && prunePoints[at]! < how) prunePoints[at] = how;',
      becomes: 'if (at < prunePoints.length) prunePoints[at] = PRUNE_POINT.point;',
      wrong: 'Every state that comes to a may_goto need not be kept.',
    },
    {
      name: 'what-follows-a-call-is-no-jump-point',
      inside: 'findPrunePoints',
      node: 'if (at < jumpPoints.length) jumpPoints[at] = 1;',
      becomes: 'if (at < jumpPoints.length && prunePoints[at] !== 1) jumpPoints[at] = 1;',
      wrong: 'Where a jump leads is not remembered, so that the way back is told wrongly.',
    },
    {
      name: 'a-jump-may-leave-its-subprogram',
      inside: 'checkJumps',
      node: 'owner[target] !== owner[at]',
      becomes: 'false',
      wrong: 'A jump into another subprogram is accepted.',
      noticedBy: ['verifier/bad-shapes-are-refused-as-by-linux'],
    },
    {
      name: 'a-subprogram-may-end-with-a-branch',
      inside: 'checkJumps',
      node: "op.kind !== 'ja'",
      becomes: "op.kind !== 'ja' && op.kind !== 'jmp'",
      wrong: 'A subprogram may fall off its end through a conditional jump.',
      noticedBy: ['verifier/bad-shapes-are-refused-as-by-linux'],
    },
    {
      name: 'a-callback-may-start-anywhere',
      inside: 'checkJumps',
      node: "op.kind === 'ld_imm64' && op.as === 'func'",
      becomes: 'false',
      wrong: 'The address of a function may be that of any insn.',
      noticedBy: ['verifier/bad-shapes-are-refused-as-by-linux'],
    },
    {
      name: 'what-is-not-reached-is-accepted',
      inside: 'prepare',
      node: 'ops[at] !== undefined && reached[at] === 0',
      becomes: 'ops[at] === undefined && reached[at] === 0 && at === 0',
      wrong: 'Insns that nothing leads to are accepted.',
      noticedBy: ['verifier/bad-shapes-are-refused-as-by-linux'],
    },
  ]),
  ...mutantsOf('src/verifier/text/insn-traits.ts', LIVE, [
    {
      name: 'a-signed-division-has-no-bad-form',
      inside: 'CHECKED',
      node: "'smod'",
      becomes: "'xor'",
      wrong: 'A signed remainder by the constant 0 is not looked at.',
    },
    {
      name: 'a-store-relies-on-nothing',
      inside: 'traits',
      node: 'TRAIT.stores | TRAIT.relies',
      becomes: 'TRAIT.stores',
      wrong: 'That a store may depend on numbers is forgotten.',
    },
  ]),
  ...mutantsOf('src/verifier/text/loops.ts', LIVE, [
    {
      name: 'a-loop-of-one-insn-is-none',
      inside: 'numberLoops',
      node: 'stack[stack.length - 1] === at && !step.next.includes(at)',
      becomes: 'stack[stack.length - 1] === at',
      wrong: 'An insn that jumps to itself is on no loop.',
    },
    {
      name: 'loops-that-share-an-entry-are-two',
      inside: 'numberLoops',
      node: 'Math.min(low[caller]!, low[at]!)',
      becomes: 'Math.min(low[caller]!, index[at]!)',
      wrong: 'What an inner insn leads back to is forgotten when its caller goes on.',
    },
  ]),
  ...mutantsOf('src/verifier/text/stack-accesses.ts', SLOTS, [
    {
      name: 'half-a-slot-is-all-of-it',
      inside: 'covered',
      node: 'size === 8 && (off & 7) === 0',
      becomes: 'size >= 4',
      wrong: 'A store of four bytes ends the life of the whole slot.',
    },
    {
      name: 'a-read-of-many-touches-the-first',
      inside: 'touched',
      node: 'Math.min(off + size, 0)',
      becomes: 'Math.min(off + 8, 0)',
      wrong: 'A read of many bytes keeps only the first eight alive.',
    },
    {
      name: 'an-address-in-a-sum-is-forgotten',
      inside: 'Follow.one',
      node: 'this.lose(right);',
      becomes: '',
      wrong: 'An address that is added to a number is taken to be used no more.',
    },
    {
      name: 'merged-addresses-are-not-lost',
      inside: 'Follow.merge',
      node: 'this.lose(x);',
      becomes: '',
      wrong: 'Where two addresses meet in one register, the slots of the first are taken for dead.',
    },
    {
      name: 'a-difference-is-a-sum-of-offsets',
      inside: 'Follow.one',
      node: 'left.off - right.value',
      becomes: 'left.off + right.value',
      wrong: 'An address from which a constant is taken is followed the wrong way.',
    },
    {
      name: 'a-dynptr-is-eight-bytes',
      inside: 'Follow.argument',
      node: 'DYNPTR_SIZE',
      becomes: '8',
      wrong: 'The second half of a dynptr that a function reads is taken for dead.',
    },
  ]),
  ...mutantsOf(
    'src/verifier/text/context-param.ts',
    ['verifier/call/a-parameter-is-the-context-by-name-as-in-linux'],
    [
      {
        name: 'flavours-are-the-context',
        inside: 'isContext',
        node: 'type.name === struct',
        becomes: "type.name.replace(/___.*$/, '') === struct",
        wrong: 'A flavour of the struct that a program type calls its context (___x) is the context too.',
      },
      {
        name: 'a-union-is-no-context',
        inside: 'isContext',
        node: "type.kind !== 'struct' && type.kind !== 'union'",
        becomes: "type.kind !== 'struct'",
        wrong: 'A union that has the name of the context is memory.',
      },
      {
        name: 'registers-of-users-are-known-everywhere',
        inside: 'isContext',
        node: "program.type === 'kprobe' && isUserRegs(btf, id)",
        becomes: 'isUserRegs(btf, id)',
        wrong: 'The typedef of the registers is the context in programs of every type.',
      },
      {
        name: 'typedefs-of-the-registers-are-looked-through',
        inside: 'isUserRegs',
        node: "if (type.kind === 'typedef') return type.name === 'bpf_user_pt_regs_t';",
        becomes: "if (type.kind === 'typedef' && type.name === 'bpf_user_pt_regs_t') return true;",
        wrong: 'A typedef of the typedef of the registers is the context.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/text/context-param.ts',
    ['verifier/call/a-parameter-is-the-context-by-name-as-in-linux'],
    [
      {
        name: 'any-pointer-may-be-tagged-context',
        inside: 'refusedAsContext',
        node: "type.kind === 'struct' && type.name === struct",
        becomes: "type.kind === 'struct'",
        wrong: 'A pointer to any struct may be tagged as the context.',
      },
      {
        name: 'words-are-tagged-everywhere',
        inside: 'isWord',
        node: "type.kind === 'int' && type.size === 8",
        becomes: "type.kind === 'int'",
        wrong: 'Where a pointer to u64 may be tagged as the context, a pointer to any number may.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/text/params.ts',
    ['verifier/call/parameters-of-global-functions-are-taken-as-by-linux'],
    [
      {
        name: 'a-declared-union-is-a-dynptr',
        inside: 'isDynptr',
        node: "type.kind === 'fwd' && type.of === 'struct'",
        becomes: "type.kind === 'fwd'",
        wrong: 'A declaration of a union called bpf_dynptr is one of the struct.',
      },
      {
        name: 'untrusted-may-be-nullable',
        inside: 'param',
        node: "if (tags.length > 1) return refused('untrusted cannot be combined with any other tags');",
        becomes: '',
        wrong: 'An untrusted argument may have other tags.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-memory.ts',
    ['verifier/call/parameters-of-global-functions-are-taken-as-by-linux'],
    [
      {
        name: 'every-context-is-memory',
        inside: 'isPlainContext',
        node: 'progType(type).bytes === undefined || !hasFixedOffset(reg)',
        becomes: '!hasFixedOffset(reg)',
        wrong: 'A context whose members the kernel rewrites is memory for a global function.',
      },
      {
        name: 'a-context-that-is-read-is-written',
        inside: 'isPlainContext',
        node: "(access === 'write' || isOpen('read')) && (access === 'read' || isOpen('write'))",
        becomes: "isOpen('read')",
        wrong: 'A context that may only be read is memory for a global function, which may write to it.',
      },
    ],
  ),
];
