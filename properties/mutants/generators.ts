/** Mutants of the generators: something is made no more, or is not what its name says. */
import { type Mutant, mutantsOf } from './mutant.js';

const CHOICES = 'generators/choices-take-each-of-their-values';
const BREAKS = 'generators/each-break-does-what-it-says';
const ASKED = 'generators/generated-programs-are-what-was-asked-for';
const GUIDED = 'generators/guided-programs-depend-on-seed-and-number-alone';
const KINDS = 'generators/campaigns-make-programs-of-every-kind';

export const GENERATOR_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'generators/compile/touch.ts',
    ['generators/every-place-of-a-region-is-touched'],
    [
      {
        name: 'last-place-never-touched',
        inside: 'place',
        node: 'off + size <= region.size',
        becomes: 'off + size < region.size',
        wrong: 'Programs never touch the last bytes of a region.',
      },
    ],
  ),

  ...mutantsOf(
    'generators/choices.ts',
    [CHOICES],
    [
      {
        name: 'one-in-n-is-never',
        inside: 'oneIn',
        node: 'k === n - 1',
        becomes: 'k === n',
        wrong: 'What is to happen once in n draws never happens.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/breaks/values.ts',
    [BREAKS],
    [
      {
        name: 'greater-turns-into-less',
        inside: 'INVERSE',
        node: "gt: 'le'",
        becomes: "gt: 'lt'",
        wrong: 'An inverted branch on "greater" leaves out that both are equal.',
      },
      {
        name: 'bounds-are-off-by-two',
        inside: 'boundOffByOne',
        node: 'op.src.imm - 1',
        becomes: 'op.src.imm - 2',
        wrong: 'A bound that should be off by one is off by two.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/breaks/resources.ts',
    [BREAKS],
    [
      {
        name: 'early-exits-fall-through',
        inside: 'exitEarly',
        node: 'off: 2',
        becomes: 'off: 1',
        wrong: 'The branch around an early exit goes to the exit, so that every path ends there.',
      },
      {
        name: 'sections-are-left-by-entering',
        inside: 'RESOURCE_BREAKS',
        node: "has(contract, 'leave', 'irq_restore')",
        becomes: "has(contract, 'enter', 'irq_restore')",
        wrong: 'To leave a section open, the call that enters it is dropped.',
      },
      {
        name: 'swapped-arguments-are-copied',
        inside: 'swapArguments',
        node: "{ kind: 'mov', width: 64, dst: first + 1, src: { reg: 0 } }",
        becomes: "{ kind: 'mov', width: 64, dst: first + 1, src: { reg: first } }",
        wrong: 'Of two arguments that should change places, the second stays as it is.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/edit.ts',
    [CHOICES],
    [
      {
        name: 'replaced-jumps-go-to-the-start',
        inside: 'Draft.replace',
        node: '{ ...before, op: op as Reference }',
        becomes: "{ ...before, op: op as Reference, target: 's0' }",
        wrong: 'A jump that is changed goes to the first insn, wherever it went before.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/environment.ts',
    [CHOICES],
    [
      {
        name: 'mostly-means-seldom',
        inside: 'chooserOf',
        node: 'count - 1',
        becomes: '0',
        wrong: 'In a world where calls mostly go well, most go badly.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/rule.ts',
    [CHOICES],
    [
      {
        name: 'the-largest-result-is-wrong',
        inside: 'r0Within',
        node: 'stub.r0 <= r0.max',
        becomes: 'stub.r0 < r0.max',
        wrong: 'A stub that returns the largest number of an outcome is called wrong.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/random.ts',
    [CHOICES, ASKED],
    [
      {
        name: 'seeds-add-up',
        inside: 'mix',
        node: 'scramble((scramble(seed | 0) + Math.imul(index + 1, 0x85ebca6b)) | 0)',
        becomes: '(seed + index) | 0',
        wrong: 'The second program of one campaign is the first of the next.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/compile/frame.ts',
    [CHOICES],
    [
      {
        name: 'stack-is-given-back-short',
        inside: 'Allocator.releaseStack',
        node: 'i < words',
        becomes: 'i < words - 1',
        wrong: 'The last word of a buffer on the stack is not given back.',
        noticedBy: ['generators/stack-that-is-given-back-is-free-again'],
      },
    ],
  ),
  ...mutantsOf(
    'generators/families/values.ts',
    [KINDS],
    [
      {
        name: 'no-operand-is-a-register',
        inside: 'emitStep',
        node: '!step.reg',
        becomes: 'step.reg || !step.reg',
        wrong: 'Arithmetic is done with constants only.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/families/functions.ts',
    [KINDS],
    [
      {
        name: 'every-function-is-static',
        inside: 'emitSubprogram',
        node: "global ? 'global' : 'static'",
        becomes: "'static'",
        wrong: 'Global functions are written as static ones.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/compile/touch.ts',
    [KINDS],
    [
      {
        name: 'nothing-is-extended-with-its-sign',
        inside: 'emitTouch',
        node: 'ldxs(size, r0, r1, off)',
        becomes: 'ldx(size, r0, r1, off)',
        wrong: 'No load extends the sign of what it loads.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/breaks/breaker.ts',
    [BREAKS],
    [
      {
        name: 'same-variant-on-every-round',
        inside: 'variant',
        node: '(which % count) + Math.floor(which / count)',
        becomes: 'which',
        wrong:
          'Where the number of places is a multiple of the number of variants, a place is only ever broken in one way.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/compile/producers.ts',
    ['generators/arguments-are-made-by-what-can-make-them'],
    [
      {
        name: 'no-dynptrs-over-packets-to-read',
        inside: 'fromTables',
        node: 'arg.rdonly !== true',
        becomes: 'arg.type === undefined',
        wrong: 'Functions that only read through a dynptr are never given one over a packet.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/compile/release.ts',
    ['generators/generated-programs-are-accepted-by-linux'],
    [
      {
        name: 'records-are-always-submitted',
        inside: 'closing',
        node: 'names[which % names.length]',
        becomes: 'names[0]',
        wrong:
          'What is held is only ever given back by the first function for it, so that no ring-buffer record is discarded on its way out.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/families/packet.ts',
    ['generators/programs-use-things-in-every-way-that-they-did'],
    [
      {
        name: 'packet-bounds-are-compared-in-one-way',
        inside: 'packetArbitrary',
        node: "strict ? 'gt' : 'ge'",
        becomes: "'gt'",
        wrong: 'No program compares a packet pointer with the end of the packet by `>=`.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/families/locks.ts',
    ['generators/programs-use-things-in-every-way-that-they-did'],
    [
      {
        name: 'at-most-two-locks-nest',
        inside: 'nestedLocksArbitrary',
        node: 'maxLength: 3',
        becomes: 'maxLength: 2',
        wrong: 'No program is generated that holds three locks, one inside the other.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/guide/trees.ts',
    ['generators/edited-trees-write-what-the-edit-says'],
    [
      {
        name: 'a-replaced-fragment-stays',
        inside: 'graft',
        node: 'one === child ? instead : [one]',
        becomes: '[one]',
        wrong: 'A tree says that it still has the fragment that another has taken the place of.',
      },
      {
        name: 'what-is-nested-goes-with-what-is-around-it',
        inside: 'smallerTrees',
        node: 'node.body.length > 0',
        becomes: 'false',
        wrong: 'When a tree is shortened no fragment gives way to what is nested in it.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/compile/compiler.ts',
    ['generators/edited-trees-write-what-the-edit-says'],
    [
      {
        name: 'only-the-first-edit-counts',
        inside: 'Compiler.replacing',
        node: 'new Map([...outer, ...inner])',
        becomes: 'instead',
        wrong: 'Of two edits in the same fragment the later one is forgotten.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/guide/block.ts',
    [GUIDED],
    [
      {
        name: 'every-block-begins-with-the-same-functions',
        inside: 'Block.constructor',
        node: '(number * TURNS) % all.length',
        becomes: '0',
        wrong: 'Every block gives the same functions their turns.',
      },
      {
        name: 'turns-are-not-counted',
        inside: 'Block.wanted',
        node: '2 * ran + (this.turns.get(turn.name) ?? 0)',
        becomes: '0',
        wrong: 'The same functions get every turn of a block.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/guided.ts',
    [GUIDED],
    [
      {
        name: 'blocks-are-told-apart-by-seed-alone',
        inside: 'guided',
        node: '[seed, number, constraints]',
        becomes: '[seed, number]',
        wrong: 'A program that was asked for under other constraints is one made before.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/families/shapes.ts',
    ['generators/harder-shapes-are-made-and-accepted'],
    [
      {
        name: 'nothing-is-merged',
        inside: 'emitMerged',
        node: 'if (orNull) c.emit(mov(r0, 0));\n    else acquire(second);',
        becomes: 'c.emit(mov(r0, 0));',
        wrong: 'The register that two references should meet in holds the first or NULL.',
      },
      {
        name: 'maps-stay-empty',
        inside: 'emitFilled',
        node: 'key < choices.elements',
        becomes: 'key < 0',
        wrong: 'The map that is walked with a callback is never filled.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/straight/writer.ts',
    ['generators/numbers-where-operations-break-are-drawn'],
    [
      {
        name: 'the-largest-number-is-not-drawn',
        inside: 'EDGES',
        node: '0x7fff_ffff',
        becomes: '5',
        wrong: 'No program has the largest signed number of 32 bits.',
      },
    ],
  ),
];
