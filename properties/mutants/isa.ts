/** Mutants of the instruction set: encoding, text, labels. */
import { type Mutant, mutantsOf } from './mutant.js';

const ENCODINGS = 'isa/every-encoding-is-the-one-of-the-standard';
const SPELLINGS = 'isa/every-spelling-is-read';

export const ISA_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/isa/decode.ts',
    [ENCODINGS],
    [
      {
        name: 'a-division-may-have-any-odd-offset',
        inside: 'decodeAlu',
        node: 'insn.off !== 0 && insn.off !== 1',
        becomes: '(insn.off & 1) === 0 && insn.off !== 0',
        wrong: 'A division with off 3 or -1 is taken for a signed one.',
      },
      {
        name: 'a-32-bit-move-extends-32-bits',
        inside: 'decodeMove',
        node: 'off === 32 && width === 64',
        becomes: 'off === 32',
        wrong: 'A 32-bit move that extends 32 bits is taken, which Linux refuses.',
      },
      {
        name: 'the-second-slot-may-hold-an-offset',
        inside: 'decodeImm64',
        node: 'next.off !== 0',
        becomes: 'false',
        wrong: 'The second slot of a 64-bit immediate may hold an offset.',
      },
      {
        name: 'a-long-jump-may-have-a-short-offset-too',
        inside: 'decodeJmp',
        node: "zero('goto', insn, 'dst', 'src', long ? 'off' : 'imm');",
        becomes: "zero('goto', insn, 'dst', 'src');",
        wrong: 'The offset that a goto does not use is not checked to be 0.',
      },
      {
        name: 'a-packet-load-of-eight-bytes',
        inside: 'decodeLd',
        node: '(mode !== BPF_ABS && mode !== BPF_IND) || size === 8',
        becomes: 'mode !== BPF_ABS && mode !== BPF_IND',
        wrong: 'A packet load of 8 bytes is taken, which no kernel has.',
      },
      {
        name: 'there-is-a-register-r11',
        inside: 'register',
        node: 'number >= REGISTERS',
        becomes: 'number > REGISTERS',
        wrong: 'Register r11 is taken for one.',
      },
      {
        name: 'signed-word-load-decoded-unsigned',
        inside: 'decodeLdx',
        node: 'mode === BPF_MEMSX',
        becomes: 'mode === BPF_MEMSX && size < 4',
        wrong: 'A sign-extending load of four bytes is decoded as one that extends with zeroes.',
        noticedBy: ['isa/decoding-undoes-encoding'],
      },
      {
        name: 'a-64-bit-swap-may-say-big-endian',
        inside: 'decodeEnd',
        node: 'width === 64 && toBigEndian',
        becomes: 'false',
        wrong:
          'An unconditional byte swap whose reserved bit of direction is set is taken as one without it.',
        noticedBy: ['isa/decoding-undoes-encoding'],
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/encode.ts',
    [ENCODINGS],
    [
      {
        name: 'byte-swaps-are-written-in-the-other-class',
        inside: 'encode',
        node: "op.op === 'be' ? BPF_TO_BE : BPF_TO_LE",
        becomes: "op.op === 'be' ? BPF_TO_LE : BPF_TO_BE",
        wrong: 'Conversions to little and to big endian are written for each other.',
      },
      {
        name: 'offsets-end-one-too-late',
        inside: 'slot',
        node: '(off << 16) >> 16 !== off',
        becomes: 'off < -0x8000 || off > 0x8000',
        wrong: 'The offset 32768 is written, though it does not fit 16 bits.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/opcodes.ts',
    [ENCODINGS],
    [
      {
        name: 'signed-greater-and-greater-or-equal-change-places',
        inside: 'COMPARISON_CODES',
        node: 'sgt: BPF_JSGT',
        becomes: 'sgt: BPF_JSGE',
        wrong: 'A signed comparison for greater is encoded as one for greater or equal.',
      },
      {
        name: 'release-has-the-number-of-acquire',
        inside: 'BPF_STORE_REL',
        node: '0x110',
        becomes: '0x111',
        wrong: 'A store-release has another number than in the kernel.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/disassemble.ts',
    ['isa/every-operation-is-spelled-as-in-the-log', SPELLINGS],
    [
      {
        name: 'a-cast-is-printed-with-one-address-space',
        inside: 'formatOp',
        node: 'op.imm >>> 16',
        becomes: 'op.imm & 0xffff',
        wrong: 'The address space that is cast to is printed as the one that is cast from.',
      },
      {
        name: 'labels-hide-kfuncs',
        inside: 'labelsOf',
        node: '!taken.has(name)',
        becomes: 'true',
        wrong: 'A label may have the name of a kfunc or of another label.',
        noticedBy: [SPELLINGS],
      },
      {
        name: 'no-label-behind-the-last-insn',
        inside: 'labelsOf.put',
        node: 'slot === ops.length',
        becomes: 'false',
        wrong: 'A jump to behind the last insn has no label there.',
        noticedBy: [SPELLINGS],
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/parse-operand.ts',
    [SPELLINGS],
    [
      {
        name: 'immediates-wrap-everywhere',
        inside: 'immediate',
        node: '!wraps',
        becomes: 'false',
        wrong: 'A 64-bit move of 0xffffffff is taken for one of -1.',
      },
      {
        name: 'a-negative-offset-without-its-sign',
        inside: 'address',
        node: "text !== '+' && text !== '-'",
        becomes: "text !== '+'",
        wrong: 'Offsets with a minus sign are not read.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/parse-value.ts',
    [SPELLINGS],
    [
      {
        name: 'any-operand-may-be-compared-and-exchanged',
        inside: 'atomicFetch',
        node: 'compared.reg !== 0',
        becomes: 'compared.reg > 10',
        wrong: 'A cmpxchg that compares with another register than r0 is taken for one with r0.',
      },
      {
        name: 'a-64-bit-immediate-has-63-bits',
        inside: 'number',
        node: 'BigInt.asUintN(64, value) !== value',
        becomes: 'true',
        wrong: 'Immediates from 2^63 on are refused.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/assemble.ts',
    [SPELLINGS],
    [
      {
        name: 'a-function-has-its-first-label',
        inside: 'functionsOf',
        node: 'here.find((label) => called.has(label)) ?? here[0]',
        becomes: 'here[0]',
        wrong: 'Where several labels name a slot, the one that is called does not name the function.',
      },
      {
        name: 'functions-behind-the-end',
        inside: 'functionsOf',
        node: 'start !== undefined && start < insns.length',
        becomes: 'start !== undefined',
        wrong: 'A label behind the last insn is taken for a function.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/reach.ts',
    [SPELLINGS],
    [
      {
        name: 'reach-counts-from-the-jump',
        inside: 'addFar',
        node: '(labels.get(item.target) ?? at[index]!) - at[index]! - 1',
        becomes: '(labels.get(item.target) ?? at[index]!) - at[index]!',
        wrong: 'Whether a jump arrives is judged by a distance that is one too large.',
      },
      {
        name: 'detours-are-made-once',
        inside: 'withinReach',
        node: 'while (addFar(items, far));',
        becomes: 'addFar(items, far);',
        wrong: 'A jump that another jump’s detour pushed out of reach is left as it is.',
      },
      {
        name: 'detours-take-no-more-room-than-jumps',
        inside: 'addFar',
        node: "far.has(index) && item.op.kind !== 'ja'",
        becomes: 'false',
        wrong:
          'The slots that detours take are not counted, so that a jump over them may be left short though it does not arrive.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/target.ts',
    [SPELLINGS],
    [
      {
        name: 'functions-may-start-behind-the-end',
        inside: 'subprogStarts',
        node: 'target < insns.length',
        becomes: 'target <= insns.length',
        wrong: 'A call of what lies behind the last insn starts a function there.',
      },
      {
        name: 'subprograms-sorted-as-text',
        inside: 'subprogStarts',
        node: '[...starts].sort((a, b) => a - b)',
        becomes: '[...starts].sort()',
        wrong:
          'Subprograms are ordered by the digits of their first slots, so that one at slot 12 comes before one at slot 5.',
        noticedBy: ['isa/assembling-undoes-disassembling'],
      },
    ],
  ),
];
