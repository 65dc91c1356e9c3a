/**
 * The `.kernel` directives of a case: the kernel that it was made for, where that is not the built-in one. Only what concerns the case's
 * own program is kept: how the kernel behaves, and how it has the functions that the program names.
 *
 *     .kernel 6.18.44 2e366f6dd3d1 nestedRcu=true frames=16
 *     .kernel_types bpf_sk_storage_get tc xdp
 *     .kernel_prototype bpf_dynptr_size __u64 bpf_dynptr_size(const struct bpf_dynptr *p)
 *     .kernel_sleeps bpf_task_from_vpid true
 */
import { decodeAll } from '../../isa/decode.js';
import { MOST_FRAMES } from '../../isa/insn.js';
import { symbols } from '../../kernel/catalog.js';
import { type Behaviour, BUILT_IN, differencesOf, type KernelProfile } from '../../kernel/profile.js';
import { nameWord, wordName } from '../../object/btf/text.js';
import { PROG_TYPES, type Program, type ProgType } from '../../object/program.js';
import type { Line } from './words.js';

/** The part of a kernel's profile that matters for this program; undefined if for this program the kernel is like the built-in one. */
export function kernelOfCase(program: Program, kernel: KernelProfile = BUILT_IN): KernelProfile | undefined {
  const named = functionsOf(program);
  const own = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(record).filter(([name]) => named.has(name)));
  const { types, prototypes, sleeps } = kernel;
  const part = { ...kernel, types: own(types), prototypes: own(prototypes), sleeps: own(sleeps) };
  return differencesOf(part).length === 0 ? undefined : part;
}

/** Names of the helpers and kfuncs that a program names. */
function functionsOf({ insns, kfuncs }: Program): ReadonlySet<string> {
  const helpers = decodeAll(insns).flatMap((op) => {
    const name = op?.kind === 'call' && op.target === 'helper' ? symbols.helperName(op.imm) : undefined;
    return name === undefined ? [] : [name];
  });
  return new Set([...helpers, ...kfuncs]);
}

/** The `.kernel` lines of a profile that differs from the built-in one. */
export function printProfile(kernel: KernelProfile): string[] {
  const { release, digest, types, prototypes, sleeps, behaviour } = kernel;
  const differs = Object.entries(behaviour).filter(
    ([name, value]) => value !== BUILT_IN.behaviour[name as keyof Behaviour],
  );
  return [
    ['.kernel', nameWord(release), nameWord(digest), ...differs.map((one) => one.join('='))].join(' '),
    ...Object.entries(types).map(([name, all]) => ['.kernel_types', name, ...all].join(' ')),
    ...Object.entries(prototypes).map(([name, declared]) => `.kernel_prototype ${name} ${declared}`),
    ...Object.entries(sleeps).map(([name, may]) => `.kernel_sleeps ${name} ${may}`),
  ];
}

/** Collects what the directives say of the kernel. */
export type KernelDraft = { -readonly [K in keyof KernelProfile]: KernelProfile[K] };

/** Reads one of these directives. Answers undefined where it is none of them. Throws InputError with line and column. */
export function profileDirective(draft: KernelDraft | undefined, line: Line): KernelDraft | undefined {
  const [head] = line.words;
  if (head?.text === '.kernel') {
    if (draft !== undefined) line.fail('there are two .kernel lines', head);
    return readKernel(line);
  }
  const part = head && FUNCTION_DIRECTIVES.get(head.text);
  if (part === undefined) return undefined;
  if (draft === undefined) return line.fail(`${head!.text} needs a .kernel line above it`, head);
  const word = line.need(1, 'the name of a function');
  const name = word.text;
  if (Object.hasOwn(draft[part], name)) line.fail(`there are two ${head!.text} lines of ${name}`, word);
  switch (part) {
    case 'types':
      return { ...draft, types: { ...draft.types, [name]: readTypes(line) } };
    case 'prototypes': {
      line.need(2, 'a declaration in C');
      const declared = line.words.slice(2).map(({ text }) => text);
      return { ...draft, prototypes: { ...draft.prototypes, [name]: declared.join(' ') } };
    }
    case 'sleeps': {
      const may = line.need(2, 'true or false');
      line.end(3);
      if (may.text !== 'true' && may.text !== 'false')
        line.fail(`expected true or false, not '${may.text}'`, may);
      return { ...draft, sleeps: { ...draft.sleeps, [name]: may.text === 'true' } };
    }
  }
}

const FUNCTION_DIRECTIVES = new Map<string, 'types' | 'prototypes' | 'sleeps'>([
  ['.kernel_types', 'types'],
  ['.kernel_prototype', 'prototypes'],
  ['.kernel_sleeps', 'sleeps'],
]);

/** The directives, for messages. */
export const PROFILE_DIRECTIVES: readonly string[] = ['.kernel', ...FUNCTION_DIRECTIVES.keys()];

function readKernel(line: Line): KernelDraft {
  const [release, digest] = [line.need(1, 'a release'), line.need(2, 'a digest')];
  const behaviour: Record<string, boolean | number> = { ...BUILT_IN.behaviour };
  for (const word of line.words.slice(3)) {
    const [name = '', value = ''] = word.text.split('=');
    const known = Object.hasOwn(behaviour, name) ? BUILT_IN.behaviour[name as keyof Behaviour] : undefined;
    if (known === undefined)
      line.fail(
        `no behaviour is called '${name}'; there are ${Object.keys(BUILT_IN.behaviour).join(', ')}`,
        word,
      );
    const read = typeof known === 'number' ? frames(value) : truth(value);
    if (read === undefined)
      line.fail(
        `expected ${name}=${typeof known === 'number' ? `a number from 1 to ${MOST_FRAMES}` : 'true or false'}, not '${word.text}'`,
        word,
      );
    behaviour[name] = read!;
  }
  return {
    release: line.at(release, () => wordName(release.text)),
    digest: line.at(digest, () => wordName(digest.text)),
    types: {},
    prototypes: {},
    sleeps: {},
    // The words are checked: each is the name of a behaviour, with a value of its type.
    behaviour: behaviour as unknown as Behaviour,
  };
}

const truth = (text: string): boolean | undefined =>
  text === 'true' ? true : text === 'false' ? false : undefined;

function frames(text: string): number | undefined {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= MOST_FRAMES ? value : undefined;
}

function readTypes(line: Line): readonly ProgType[] {
  return line.words.slice(2).map((word) => {
    const type = PROG_TYPES.find((one) => one === word.text);
    return type ?? line.fail(`no program type '${word.text}'; there are ${PROG_TYPES.join(', ')}`, word);
  });
}
