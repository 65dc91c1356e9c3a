/**
 * A case: a program with everything that replay needs, as one text file.
 *
 *     # leak: the lock is skipped, the unlock is not
 *     .type xdp
 *     .map m array key=4 value=16 entries=1 spin_lock@0
 *     .rules rfc-v1
 *     .kill step=9
 *     .env bpf_map_lookup_elem#1=found
 *     .expect misuse bpf_spin_unlock at 14
 *
 *         r1 = map m
 *         ...
 *
 * A case that was made for a kernel that is not the built-in one says so (case-profile.ts).
 *
 * `.bound N` says within how many insns the killed run must exit. `.strategy NAME` says by what mechanism it is killed (src/strategies), in place
 * of the fast path under `.rules`. `.invariants FILE` names what must hold of its maps after each run.
 *
 * Directives come first, in any order; comments start with `#` and are kept, those among the directives above them. What follows is
 * the program in the kernel's own syntax (isa/assemble.ts).
 */
import { assemble } from '../../isa/assemble.js';
import { InputError } from '../../isa/errors.js';
import type { Symbols } from '../../isa/symbols.js';
import { alreadyThere, declaredIn, symbolsWith } from '../../kernel/catalog.js';
import { DIE, dieDeclaration } from '../../kernel/die.js';
import type { KernelProfile } from '../../kernel/profile.js';
import { sparseBtf } from '../../object/btf/prune.js';
import { Btf } from '../../object/btf/read.js';
import type { BtfType } from '../../object/btf/types.js';
import { nothingTold, type Told, ToldTypes } from '../../object/kernel/told.js';
import type { DeclaredFunction, MapDef, Program } from '../../object/program.js';
import type { Profile } from '../../verifier/state/profile.js';
import type { Environment } from '../state/environment.js';
import { type Draft, directive } from './directives.js';
import { EnvironmentReader } from './environment-lines.js';
import type { Expectation } from './expectation.js';
import { readLines } from './lines.js';
import { Line } from './words.js';

/** All that is needed to run a program again and to see the same. */
export interface Case {
  readonly program: Program;
  /** Who loads the program. */
  readonly profile: Profile;
  /** The kernel that it was made for, as far as it concerns the program; undefined: the built-in one. */
  readonly kernel?: KernelProfile;
  /** Name of the rule set, or the file it is in. */
  readonly rules?: string;
  /** How it is killed, in place of a fast path under `rules`: the name of a strategy, or of the rule set or rule file that is one. */
  readonly strategy?: string;
  /** The file of invariants that must hold of its maps. */
  readonly invariants?: string;
  /** Insns executed before the kill; absent for a run that is not killed. */
  readonly kill?: number;
  /** Insns within which the killed run must exit, and no call that could have been refused may take long in it; else it breaks `bound`. */
  readonly bound?: number;
  readonly env: Environment;
  readonly expect?: Expectation;
  /** Comment lines, without the `#` and one blank. */
  readonly comments: readonly string[];
  /** The program's text as it was read, with its own comments; printed in place of a disassembly. */
  readonly body?: string;
}

/** How a run of this case is bounded, where the case says so. */
export function boundOf({ bound }: Pick<Case, 'bound'>): { readonly bound?: number; readonly prompt?: true } {
  return bound === undefined ? {} : { bound, prompt: true };
}

/** The names that a program's text may use. */
export function symbolsOf({
  maps,
  kfuncs,
  declared,
}: Pick<Program, 'maps' | 'kfuncs' | 'declared'>): Symbols {
  const { helperId, helperName, isKfunc } = symbolsWith(declared);
  return { helperId, helperName, isKfunc, maps: maps.map((map) => map.name), kfuncs };
}

/** Functions that are declared outside of a case. */
export interface GivenFunctions {
  /** They go before those of the same name that the case declares itself. */
  readonly first: readonly DeclaredFunction[];
  /** They go behind. */
  readonly last: readonly DeclaredFunction[];
}

const NONE_GIVEN: GivenFunctions = { first: [], last: [] };

/** Reads a case. Throws InputError with file, line and column for an unknown directive, a bad value or a bad insn. */
export function parseCase(text: string, file?: string, given: GivenFunctions = NONE_GIVEN): Case {
  const lines = text.split('\n');
  const comments: string[] = [];
  const draft: Draft = {
    type: 'xdp',
    name: 'case',
    profile: 'privileged',
    maps: [],
    innerMaps: [],
    btf: new Map(),
    funcTypes: [],
    told: nothingTold(),
    inner: new Map(),
    structs: [],
    pointers: [],
    kfuncs: [],
    weakKfuncs: [],
    globals: [],
    globalLines: [],
    declared: [],
    env: new EnvironmentReader(),
  };
  let body = 0;
  for (; body < lines.length; body++) {
    const raw = lines[body]!.replace(/\r$/, '');
    const trimmed = raw.trim();
    if (trimmed === '') continue;
    if (trimmed.startsWith('#')) comments.push(trimmed.replace(/^# ?/, ''));
    else if (trimmed.startsWith('.') && !trimmed.endsWith(':'))
      directive(draft, new Line(raw, file, body + 1));
    else break;
  }
  const own = draft.declared;
  const die = text.includes(DIE) ? [dieDeclaration()] : [];
  draft.declared = together([...given.first, ...own, ...given.last, ...die], file);
  const read = finish(draft, comments, lines.slice(body).join('\n'), body + 1, file);
  if (given.first.length + given.last.length + die.length === 0) return read;
  // What it declares is kept even where it is not called; of what is given, what it calls.
  const called = declaredIn(read.program, draft.declared);
  const { declared: _, ...program } = read.program;
  const declared = draft.declared.filter((one) => own.includes(one) || called.includes(one));
  return { ...read, program: declared.length === 0 ? program : { ...program, declared } };
}

/** Of several functions of one name the first. Throws InputError where two helpers have one number. */
function together(all: readonly DeclaredFunction[], file?: string): readonly DeclaredFunction[] {
  const kept: DeclaredFunction[] = [];
  for (const one of all) {
    if (kept.some(({ name }) => name === one.name)) continue;
    const why = alreadyThere(one, kept);
    if (why !== undefined)
      throw new InputError(`declaration ${one.name}: ${why}`, file === undefined ? {} : { file });
    kept.push(one);
  }
  return kept;
}

function finish(draft: Draft, comments: string[], body: string, firstLine: number, file?: string): Case {
  const { type, name, structs, license, section, sleepable, rules, strategy, kill, bound, expect } = draft;
  const { invariants } = draft;
  const known = [...draft.maps, ...draft.innerMaps];
  const maps = draft.maps.map((map): MapDef => {
    const named = draft.inner.get(map.name);
    if (named === undefined) return map;
    return { ...map, inner: known.find((one) => one.name === named.name) ?? named.missing() };
  });
  const assembly = assemble(body, {
    symbols: symbolsOf({ maps, kfuncs: draft.kfuncs, declared: draft.declared }),
    firstLine,
    ...(file === undefined ? {} : { file }),
    ...(draft.exceptionCallback === undefined ? {} : { functions: [draft.exceptionCallback[0].text] }),
  });
  if (assembly.insns.length === 0) {
    throw new InputError('the case has no program', file === undefined ? {} : { file });
  }
  const [onThrow, onThrowLine] = draft.exceptionCallback ?? [];
  if (
    onThrow !== undefined &&
    !assembly.functions.some((one) => one.name === onThrow.text && one.start !== 0)
  )
    onThrowLine!.fail(`no function but the main program is called ${onThrow.text}`, onThrow);
  draft.globals.forEach((word, index) => {
    if (assembly.functions.some((one) => one.name === word.text)) return;
    draft.globalLines[index]!.fail(`no function is called ${word.text}`, word);
  });
  const funcIds = new Map<string, number>();
  for (const [func, id, line] of draft.funcTypes) {
    if (!assembly.functions.some((one) => one.name === func.text))
      line.fail(`no function is called ${func.text}`, func);
    if (draft.btf.get(id)?.kind !== 'func') line.fail(`the type ${id} is no function`, line.words[2]);
    funcIds.set(func.text, id);
  }
  const lines = readLines(body, assembly.lines, firstLine);
  const btf = draft.btf.size === 0 ? undefined : typesOf(draft, file);
  const globals = new Set(draft.globals.map((word) => word.text));
  return {
    program: {
      name,
      type,
      insns: assembly.insns,
      maps,
      kfuncs: assembly.kfuncs,
      ...(draft.weakKfuncs.length === 0 ? {} : { weakKfuncs: draft.weakKfuncs }),
      subprogs: assembly.functions.map((one) => ({
        ...one,
        linkage: globals.has(one.name) ? ('global' as const) : ('static' as const),
        ...(funcIds.has(one.name) ? { btfId: funcIds.get(one.name)! } : {}),
        ...(one.name === onThrow?.text ? { exceptionCallback: true as const } : {}),
      })),
      localTypes: structs,
      ...(draft.pointers.length === 0 ? {} : { kernelPointers: draft.pointers }),
      ...(license === undefined ? {} : { license }),
      ...(section === undefined ? {} : { section }),
      ...(sleepable === undefined ? {} : { sleepable }),
      ...(btf === undefined ? {} : { btf }),
      ...(lines.length === 0 ? {} : { lines }),
      ...(isTold(draft.told) ? { kernelTypes: new ToldTypes(draft.told) } : {}),
      ...(draft.attach === undefined ? {} : { attach: draft.attach }),
      ...(draft.replaces === undefined ? {} : { replaces: { function: draft.replaces } }),
      ...(draft.declared.length === 0 ? {} : { declared: draft.declared }),
    },
    profile: draft.profile,
    ...(draft.kernel === undefined ? {} : { kernel: draft.kernel }),
    ...(rules === undefined ? {} : { rules }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(invariants === undefined ? {} : { invariants }),
    ...(kill === undefined ? {} : { kill }),
    ...(bound === undefined ? {} : { bound }),
    env: draft.env.finish(maps, type, draft.declared),
    ...(expect === undefined ? {} : { expect }),
    comments,
    body,
  };
}

const isTold = ({ args, ...tables }: Told): boolean =>
  args !== undefined || Object.values(tables).some((table) => table.size > 0);

/** BTF of the `.btf` lines. Throws InputError where one of them names a type that is not there, or nothing that is a map's. */
function typesOf({ btf, maps, innerMaps, structs }: Draft, file: string | undefined): Uint8Array {
  const place = file === undefined ? {} : { file };
  const need = (id: number, who: string): void => {
    if (id !== 0 && !btf.has(id))
      throw new InputError(`${who} names the BTF type ${id}, which no .btf line has`, place);
  };
  for (const [id, type] of btf) for (const named of namedBy(type)) need(named, `.btf ${id}`);
  for (const { name, btfKey = 0, btfValue = 0 } of [...maps, ...innerMaps])
    for (const id of [btfKey, btfValue]) need(id, `map ${name}`);
  for (const { name, id } of structs) need(id, `struct ${name}`);
  try {
    const bytes = sparseBtf(btf);
    new Btf(bytes, file ?? 'the case');
    return bytes;
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(error.message, place);
    throw error;
  }
}

/** Ids of the types that a type names. */
function namedBy(type: BtfType): readonly number[] {
  switch (type.kind) {
    case 'array':
      return [type.element, type.index];
    case 'struct':
    case 'union':
      return type.members.map((one) => one.type);
    case 'func_proto':
      return [type.returns, ...type.params.map((one) => one.type)];
    case 'datasec':
      return type.vars.map((one) => one.type);
    default:
      return 'type' in type ? [type.type] : [];
  }
}
