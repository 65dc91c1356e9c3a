/** Mutants of the readers of BTF and of CO-RE relocations. */
import { type Mutant, mutantsOf } from '../mutant.js';

const MAPS = 'object/map-definitions-are-read-whole';
const WRITTEN = 'object/btf-reads-back-what-was-written';
const KERNEL = 'object/what-the-kernel-tells-is-read-exactly';
const CORE = 'object/core-relocations-are-those-of-a-plain-reading';

const TEXT = 'vm/case/a-text-keeps-the-types-of-its-object';

export const BTF_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/object/btf/text.ts',
    [TEXT],
    [
      {
        name: 'bits-of-a-member-are-not-written',
        inside: 'typeWords',
        node: "one.bitSize === 0 ? '' : `/${one.bitSize}`",
        becomes: "''",
        wrong: 'A bit field becomes a whole member in text.',
      },
      {
        name: 'names-are-written-as-they-are',
        inside: 'nameWord',
        node: 'encodeURIComponent(c)',
        becomes: 'c',
        wrong: 'A name with a blank breaks the line that it stands on.',
      },
      {
        name: 'a-member-begins-at-a-byte',
        inside: 'read',
        node: '8 * Number(at) + Number(bit ?? 0)',
        becomes: '8 * Number(at)',
        wrong: 'A bit field of a text begins at the byte that it lies in.',
      },
      {
        name: 'every-pointer-is-const',
        inside: 'read',
        node: 'return { kind, type: words.number() };',
        becomes: "return { kind: 'const', type: words.number() };",
        wrong: 'A pointer type of a text is the type that it points to.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/btf/prune.ts',
    [TEXT, 'vm/case/a-text-is-proven-as-its-object'],
    [
      {
        name: 'tags-are-left-out-of-texts',
        inside: 'Pruner.tags',
        node: 'this.kept.set(id, true);',
        becomes: '{}',
        wrong: 'The text of a program does not say which nodes a list holds.',
      },
      {
        name: 'arguments-of-functions-are-left-out-of-texts',
        inside: 'neededTypes',
        node: 'if (btfId !== undefined) pruner.visit(btfId, true);',
        becomes: '{}',
        wrong: 'The text of a program does not say what its global functions take.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/kernel/told.ts',
    [TEXT],
    [
      {
        name: 'what-is-not-told-may-be-read',
        inside: 'ToldTypes.access',
        node: "{ kind: 'refused', message }",
        becomes: "{ kind: 'scalar' }",
        wrong: 'Any load from a kernel struct is taken that the text says nothing of.',
      },
      {
        name: 'loads-are-not-written-down',
        inside: 'Asked.access',
        node: 'this.told.accesses.set(`${struct}\\n${offset}\\n${size}`, answer);',
        becomes: '',
        wrong: 'The text of a program does not say what its loads from kernel structs give.',
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
      {
        name: 'array-of-fields-starts-at-zero',
        inside: 'FieldFinder.walk',
        node: 'offset + i * size + field.offset',
        becomes: 'i * size + field.offset',
        wrong: 'Special fields in an array are placed as if the array were the first member of the value.',
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
      {
        name: 'a-signed-number-of-the-target-may-be-of-another-width',
        inside: 'widthOf',
        node: "b.encoding !== 'signed'",
        becomes: 'true',
        wrong:
          'A load of an unsigned member is given another width though the member is signed in the target, instead of being poisoned.',
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
      {
        name: 'bit-field-that-fills-its-unit-gets-a-wider-one',
        inside: 'storageUnit',
        node: 'spec.bitOffset + bitSize - start() * 8 > size * 8',
        becomes: 'spec.bitOffset + bitSize - start() * 8 >= size * 8',
        wrong:
          'A bit field that ends with the last bit of its storage unit is read with a load of twice the size, or refused at 64 bits.',
        noticedBy: ['object/core-relocations-follow-the-target'],
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
    ],
  ),
  ...mutantsOf(
    'src/object/kernel/hooks.ts',
    [KERNEL],
    [
      {
        name: 'fmod-ret-is-not-trusted',
        inside: 'Hooks.arguments',
        node: "type !== 'fentry' || attach === 26",
        becomes: "type !== 'fentry'",
        wrong: 'Arguments of a fmod_ret program are not trusted.',
      },
      {
        name: 'the-task-before-is-never-none',
        inside: 'Hooks.operationArguments',
        node: '(named === undefined && nullable?.includes(i) === true)',
        becomes: 'false',
        wrong: 'A scheduler that is read for its own types follows a task that may be NULL.',
        noticedBy: ['verifier/call/functions-of-kernel-structs-are-stood-in-for-as-by-linux'],
      },
      {
        name: 'a-socket-stays-a-socket',
        inside: 'Hooks.operationArguments',
        node: 'promoted?.[0] === arg.to',
        becomes: 'false',
        wrong: 'A congestion control sees a plain socket where the kernel gives it one of TCP.',
        noticedBy: ['verifier/call/functions-of-kernel-structs-are-stood-in-for-as-by-linux'],
      },
      {
        name: 'a-function-without-result-returns-a-number',
        inside: 'Hooks.returned',
        node: 'id === 0',
        becomes: 'false',
        wrong: 'A program that stands in for a function without a result must write r0.',
        noticedBy: ['verifier/call/functions-of-kernel-structs-are-stood-in-for-as-by-linux'],
      },
    ],
  ),
  ...mutantsOf(
    'src/object/core/match.ts',
    [CORE],
    [
      {
        name: 'element-behind-the-last-exists',
        inside: 'matchSpec',
        node: 'step.index >= array.count',
        becomes: 'step.index > array.count',
        wrong: 'The element right behind the end of an array of the target is relocated as if it were there.',
      },
      {
        name: 'members-of-anonymous-structs-lie-at-their-inner-offset',
        inside: 'findMember',
        node: 'inner.bitOffset + member.bitOffset',
        becomes: 'inner.bitOffset',
        wrong:
          'A member that the target has inside an anonymous struct is relocated without the offset of that struct.',
        noticedBy: ['object/sample-objects-are-proven'],
      },
    ],
  ),
];
