/** Mutants of the readers of objects and BTF. */
import { type Mutant, mutantsOf } from './mutant.js';

const MADE = 'object/an-object-reads-back-as-it-was-made';
const TABLES = 'object/sections-and-map-types-are-those-of-libbpf';
const MAPS = 'object/map-definitions-are-read-whole';
const CORE = 'object/core-relocations-are-those-of-a-plain-reading';
const KERNEL = 'object/what-the-kernel-tells-is-read-exactly';
const WRITTEN = 'object/btf-reads-back-what-was-written';

export const OBJECT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/object/elf.ts',
    [MADE],
    [
      {
        name: 'visibility-has-one-bit',
        inside: 'readSymbols',
        node: 'table.u8(at + 5) & 3',
        becomes: 'table.u8(at + 5) & 1',
        wrong: 'A hidden symbol is taken for one that is seen everywhere.',
      },
      {
        name: 'relocations-with-addends-are-passed-over',
        inside: 'readElf',
        node: 'header.type === SHT_RELA',
        becomes: 'false',
        wrong: 'Sections of relocations with addends are ignored, not refused.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/functions.ts',
    [MADE],
    [
      {
        name: 'hidden-functions-are-global',
        inside: 'Functions.constructor',
        node: 'symbol.bind === STB_LOCAL || hidden',
        becomes: 'symbol.bind === STB_LOCAL',
        wrong: 'A hidden function is verified as a global one.',
      },
      {
        name: 'a-function-may-end-half-an-insn-too-late',
        inside: 'Functions.constructor',
        node: 'symbol.size % SLOT_BYTES !== 0',
        becomes: 'false',
        wrong: 'A function that is no whole number of insns is taken.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/link.ts',
    [MADE],
    [
      {
        name: 'what-the-insn-adds-to-data-is-lost',
        inside: 'Linker.load',
        node: '(insn.imm + symbol.value) | 0',
        becomes: 'symbol.value | 0',
        wrong: 'The offset that an insn adds to a symbol of a data section is lost.',
      },
      {
        name: 'a-call-against-a-section-goes-to-its-start',
        inside: 'Linker.call',
        node: 'symbol.value / 8 + insn.imm + 1',
        becomes: 'symbol.value / 8',
        wrong: 'A call that is relocated against a section always goes to its first function.',
      },
      {
        name: 'calls-count-from-themselves',
        inside: 'Linker.setCall',
        node: 'this.place(target) - slot - 1',
        becomes: 'this.place(target) - slot',
        wrong: 'Offsets of calls are one too large.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/sections.ts',
    [TABLES],
    [
      {
        name: 'lsm-of-cgroups-attaches-as-lsm',
        inside: 'RULES',
        node: "rule('lsm_cgroup/(.+)', 'lsm', 43, 'target')",
        becomes: "rule('lsm_cgroup/(.+)', 'lsm', 27, 'target')",
        wrong: 'LSM programs of cgroups attach as plain LSM programs.',
      },
      {
        name: 'sleepable-only-with-a-target',
        inside: 'programKind',
        node: String.raw`/\.s(?:\/|$)/`,
        becomes: String.raw`/\.s\//`,
        wrong: 'A section that ends in .s is not sleepable.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/maps.ts',
    [MAPS],
    [
      {
        name: 'ring-buffers-of-any-size',
        inside: 'ringbufSize',
        node: 'size < bytes',
        becomes: 'size * 2 <= bytes',
        wrong: 'A ring buffer is rounded down to a power of two.',
      },
      {
        name: 'a-key-is-given-twice-and-the-last-counts',
        inside: 'parseDefinition.setSize',
        node: 'out[which] !== undefined && out[which] !== size',
        becomes: "which === 'valueSize' && out[which] !== undefined && out[which] !== size",
        wrong: 'Two different key sizes are taken, and the last counts.',
      },
      {
        name: 'a-stack-trace-has-128-entries',
        inside: 'STACK_TRACE_SIZE',
        node: '127',
        becomes: '128',
        wrong: 'A stack trace whose size is left open is one address too long.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/btf/fields.ts',
    [MAPS],
    [
      {
        name: 'elements-all-at-the-first',
        inside: 'FieldFinder.walk',
        node: 'offset + i * size + field.offset',
        becomes: 'offset + field.offset',
        wrong: 'Special fields of all elements of an array are found in the first.',
      },
      {
        name: 'twelve-special-fields',
        inside: 'FieldFinder.push',
        node: 'out.length === FIELDS_MAX',
        becomes: 'out.length > FIELDS_MAX',
        wrong: 'One special field too many is taken.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/btf/read.ts',
    [WRITTEN],
    [
      {
        name: 'bit-fields-are-23-bits-in',
        inside: 'Btf.decode',
        node: 'offset & 0xffffff',
        becomes: 'offset & 0x7fffff',
        wrong: 'The highest bit of a bit field’s offset is lost.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/btf/ext.ts',
    [KERNEL],
    [
      {
        name: 'records-are-as-long-as-ours',
        inside: 'readInfo',
        node: 'at += size',
        becomes: 'at += least',
        wrong: 'Records that are longer than we know are not stepped over whole.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/core/compat.ts',
    [CORE],
    [
      {
        name: 'forward-declarations-match-anything',
        inside: 'Compat.matches',
        node: 'behindPointer && b.kind === a.of',
        becomes: 'b.kind === a.of',
        wrong: 'A forward declaration matches a struct that is not behind a pointer.',
      },
      {
        name: 'arrays-of-any-length-match',
        inside: 'Compat.matches',
        node: 'a.count !== b.count',
        becomes: 'false',
        wrong: 'Arrays match though they have different numbers of elements.',
      },
      {
        name: 'parameters-need-not-be-compatible',
        inside: 'Compat.types',
        node: '!this.types(x, y, level - 1)',
        becomes: 'false',
        wrong: 'Functions are compatible whatever their parameters are.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/core/relocate.ts',
    [CORE],
    [
      {
        name: 'a-load-of-a-signed-number-follows-its-width',
        inside: 'widthOf',
        node: "b.encoding !== 'signed'",
        becomes: 'true',
        wrong: 'A load of what is signed in the target only is made wider.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/core/value.ts',
    [CORE],
    [
      {
        name: 'signedness-of-enums-is-lost',
        inside: 'fieldValue',
        node: "'signed' in type && type.signed",
        becomes: 'false',
        wrong: 'A member that is a signed enum is said to be unsigned.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/core/patch.ts',
    [CORE],
    [
      {
        name: 'half-of-a-64-bit-immediate-is-poisoned',
        inside: 'poison',
        node: 'insns[slot]?.opcode === LD_IMM64 && slot + 1 < insns.length',
        becomes: 'false',
        wrong: 'Of a poisoned 64-bit immediate the second slot stays.',
      },
      {
        name: 'offsets-of-relocated-loads-end-one-early',
        inside: 'patchInsn',
        node: 'patch.to > 32767n',
        becomes: 'patch.to >= 32767n',
        wrong: 'The offset 32767 is said not to fit.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/kconfig.ts',
    [KERNEL],
    [
      {
        name: 'a-module-is-yes',
        inside: 'settingOf',
        node: "text === 'm' ? undefined : little(TRISTATE[text]!, size)",
        becomes: 'little(TRISTATE[text]!, size)',
        wrong: 'A bool of what is built as a module is 2.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/ksyms.ts',
    [KERNEL],
    [
      {
        name: 'the-last-symbol-of-a-name-counts',
        inside: 'kernelSymbol',
        node: '!found.has(symbol)',
        becomes: 'true',
        wrong: 'Of several symbols of one name the last is taken.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/kernel/types.ts',
    [KERNEL],
    [
      {
        name: 'half-a-pointer-may-be-loaded',
        inside: 'KernelStructs.inMember',
        node: 'size !== 8 || offset !== at',
        becomes: 'offset !== at',
        wrong: 'A load of a part of a pointer in a struct gives a pointer.',
      },
      {
        name: 'fmod-ret-is-not-trusted',
        inside: 'KernelStructs.arguments',
        node: "type !== 'fentry' || attach === 26",
        becomes: "type !== 'fentry'",
        wrong: 'Arguments of a fmod_ret program are not trusted.',
      },
    ],
  ),
];
