/** Mutants that tables over all of a kind notice: every pointer in every use, every field of a state, every value of a declaration. */
import { type Mutant, mutantsOf } from './mutant.js';

const POINTERS = ['verifier/insn/every-pointer-is-used-as-in-linux'];
const STATES = ['verifier/walk/states-that-differ-in-one-thing-are-told-apart'];

export const KIND_MUTANTS: readonly Mutant[] = [
  ...mutantsOf('src/verifier/call/args-memory.ts', POINTERS, [
    {
      name: 'a-key-of-no-size',
      inside: 'checkHelperMem',
      node: 'if (size === 0) refuse(`R${regno} min value is outside of the allowed memory range`);',
      becomes: '',
      wrong: 'A pointer to a key of a map may be passed with a size of 0.',
    },
    {
      name: 'slices-from-the-middle',
      inside: 'checkHelperMem',
      node: "if (reg.struct !== '') checkPointerOffset(reg, regno, reg.readonly ? 'rdonly_mem' : 'mem');",
      becomes: '',
      wrong: "A slice of a packet's dynptr may be passed from its middle.",
    },
    {
      name: 'attached-buffers-are-passed',
      inside: 'checkHelperMem',
      node: 'if (reg.struct === ATTACHED) break;',
      becomes: '',
      wrong: 'The buffer of a writable tracepoint may be passed to a function.',
    },
  ]),
  ...mutantsOf('src/verifier/call/args.ts', POINTERS, [
    {
      name: 'owned-objects-of-each-cpu',
      inside: 'checkArg',
      node: "(reg.type === 'object' && reg.trust !== 'rcu')",
      becomes: 'false',
      wrong: 'The copy of one CPU may be asked for of an object that the program owns.',
    },
  ]),
  ...mutantsOf('src/verifier/call/globals.ts', POINTERS, [
    {
      name: 'trusted-parameters-take-null',
      inside: 'checkTrusted',
      node: 'reg.nullable && !param.nullable',
      becomes: 'false',
      wrong: 'A pointer that may be NULL is passed for a trusted parameter that is not to be NULL.',
    },
  ]),
  ...mutantsOf('src/verifier/state/stack.ts', POINTERS, [
    {
      name: 'attached-buffers-are-spilled',
      inside: 'writeFixed',
      node: "value.type === 'dynptr' || value.struct === ATTACHED",
      becomes: "value.type === 'dynptr'",
      wrong: 'The buffer of a writable tracepoint is read back from the stack as what it was.',
    },
  ]),
  ...mutantsOf('src/verifier/walk/regsafe.ts', STATES, [
    {
      name: 'any-frame-is-covered',
      inside: 'RegComparison.regsafe',
      node: 'old.frame !== cur.frame',
      becomes: 'false',
      wrong: 'Pointers into the stacks of two frames cover each other.',
    },
  ]),
  ...mutantsOf('src/verifier/walk/stacksafe.ts', STATES, [
    {
      name: 'whoever-saved-the-flags',
      inside: 'StackComparison.object',
      node: 'a.by === b.by',
      becomes: 'true',
      wrong: 'Flags that a lock saved are covered by flags that the program saved.',
    },
  ]),
  ...mutantsOf('src/verifier/walk/looping.ts', STATES, [
    {
      name: 'lost-owners-end-loops',
      inside: 'COMPARED',
      node: "field !== 'unowned'",
      becomes: 'true',
      wrong: 'A loop counts as ending because a pointer lost its owner.',
    },
  ]),
  ...mutantsOf(
    'src/verifier/text/fastcall.ts',
    ['verifier/text/stores-around-a-fastcall-are-paired-with-their-loads'],
    [
      {
        name: 'half-loads-are-paired',
        inside: 'countPairs',
        node: 'load.size !== 8',
        becomes: 'false',
        wrong: 'A load of half a register is taken out with the store of all of it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/explain/value.ts',
    ['verifier/state/a-register-is-told-in-the-words-of-the-log'],
    [
      {
        name: 'ends-have-a-range',
        inside: 'valueInWords',
        node: "type !== 'packet_end'",
        becomes: 'true',
        wrong: 'The end of the packet is told with the bytes that were checked of it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/nearest.ts',
    ['isa/a-misspelled-name-is-told-its-nearest'],
    [
      {
        name: 'half-a-swap',
        inside: 'editDistance',
        node: 'a[i - 2] === b[j - 1]',
        becomes: 'true',
        wrong: 'Two letters count as swapped when only one of them is in the place of the other.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/write/elf.ts',
    ['object/an-object-that-is-written-reads-back'],
    [
      {
        name: 'one-local-too-few',
        inside: 'writeElf',
        node: 'locals.length + 1',
        becomes: 'locals.length',
        wrong: 'The symbol table says that its last local symbol is a global one.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/long-form.ts',
    ['kernel/the-long-form-takes-what-it-names'],
    [
      {
        name: 'a-sixth-argument',
        inside: 'index',
        node: 'value < 5',
        becomes: 'value <= 5',
        wrong: 'A declaration may speak of a sixth argument.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/vocabulary.ts',
    ['kernel/the-long-form-takes-what-it-names'],
    [
      {
        name: 'no-dispatch-queues',
        inside: 'ITERATORS',
        node: "'scx_dsq'",
        becomes: "'num'",
        wrong: 'No declaration may speak of an iterator over a dispatch queue.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/catalog.ts',
    ['kernel/declared-functions-are-found-by-name-and-number'],
    [
      {
        name: 'any-helper-calls-the-declared',
        inside: 'declaredIn',
        node: 'op.imm === one.id',
        becomes: 'true',
        wrong: 'A program that calls any helper is kept with all helpers that are declared.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/contracts/compare.ts',
    ['oracle/a-contract-is-held-against-what-the-log-shows'],
    [
      {
        name: 'memory-that-may-be-written-is-confirmed',
        inside: 'pointsThere',
        node: "flags === (to.readonly === true ? 'rdonly' : '')",
        becomes: 'true',
        wrong: 'Memory that Linux lets programs only read confirms a contract that lets them write it.',
      },
      {
        name: 'references-of-nobody-are-confirmed',
        inside: 'holdFlaws',
        node: "if (brought && !takes) out.push('something is acquired');",
        becomes: '',
        wrong: 'A contract without a reference is confirmed by a call that takes one.',
      },
    ],
  ),
];
