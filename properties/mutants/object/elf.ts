/** Mutants of the reader of objects: sections, functions, maps, linking. */
import { type Mutant, mutantsOf } from '../mutant.js';

const MADE = 'object/an-object-reads-back-as-it-was-made';
const TABLES = 'object/sections-and-map-types-are-those-of-libbpf';
const MAPS = 'object/map-definitions-are-read-whole';
const KERNEL = 'object/what-the-kernel-tells-is-read-exactly';

export const OBJECT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/object/weak.ts',
    ['smt/a-weak-kfunc-is-proven-there-and-absent'],
    [
      {
        name: 'weak-kfuncs-go-together',
        inside: 'withoutWeakKfuncs',
        node: '((i + 1) & (1 << bit)) !== 0',
        becomes: 'true',
        wrong: 'A kernel has all weak kfuncs of a program, or none.',
      },
      {
        name: 'an-absent-kfunc-is-called',
        inside: 'withoutKfuncs',
        node: '{ ...insn, src: BPF_HELPER_CALL, imm: MISSING_KFUNC }',
        becomes: 'insn',
        wrong: 'A program calls a kfunc that the kernel does not have.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/functions.ts',
    ['object/what-an-old-compiler-left-out-is-read-the-same'],
    [
      {
        name: 'basic-blocks-are-functions',
        inside: 'functionSymbols',
        node: '!/^\\.?LBB\\d+_\\d+$/.test(name)',
        becomes: 'true',
        wrong: 'The name of a basic block cuts a function without a size in two.',
      },
      {
        name: 'untyped-functions-end-with-their-section',
        inside: 'functionSymbols',
        node: 'symbol.value > one.symbol.value',
        becomes: 'false',
        wrong: 'A function without a size goes on into the next.',
      },
      {
        name: 'untyped-names-are-always-functions',
        inside: 'functionSymbols',
        node: 'typed.length > 0',
        becomes: 'typed.length > 1',
        wrong: 'A name without a type is a function though another has one.',
      },
    ],
  ),
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
        node: 'size % SLOT_BYTES !== 0',
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
        node: "rule('lsm_cgroup(?:/(.+))?', 'lsm', 43, 'target')",
        becomes: "rule('lsm_cgroup(?:/(.+))?', 'lsm', 27, 'target')",
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
      {
        name: 'user-ring-buffers-keep-their-odd-size',
        inside: 'definedMap',
        node: "type.endsWith('ringbuf')",
        becomes: "type === 'ringbuf'",
        wrong: 'The size of a user ring buffer is not rounded up to a power of two of pages.',
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
];
