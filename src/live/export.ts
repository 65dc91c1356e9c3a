/**
 * Exports an object: the same object, whose programs can be killed on a kernel that nobody patched. A program that is killed goes on in a
 * patched text of its own, and Linux's verifier walks both texts when it loads them.
 */

import { fromBytes, SLOT_BYTES } from '../isa/bytes.js';
import { decodeAll } from '../isa/decode.js';
import { InputError } from '../isa/errors.js';
import type { Op } from '../isa/insn.js';
import type { KernelProfile } from '../kernel/profile.js';
import type { ObjectFunction } from '../object/functions.js';
import { type ObjectSource, type ReadOptions, readObject, readSource } from '../object/load.js';
import { exceptionCallbackOf, type Program } from '../object/program.js';
import { kernelAvailable } from '../oracle/available.js';
import type { LoadResult } from '../oracle/load.js';
import { loadProgram } from '../oracle/load.js';
import { loadObject } from '../oracle/object.js';
import { callSites } from '../patch/fast-path.js';
import type { FastPath, RuleSet } from '../patch/rule.js';
import type { Origin } from '../patch/two-mode/lines.js';
import { type LeftOut, Plan } from '../patch/two-mode/plan.js';
import type { Accepted } from '../verifier/result.js';
import type { Profile } from '../verifier/state/profile.js';
import { hasPads } from '../verifier/text/pads.js';
import { verify } from '../verifier/verify.js';
import { type Assembled, assemble, type Rewritten } from './assemble.js';
import { type Flat, flatProgram } from './flat.js';
import { NoPoll, PollWriter } from './poll-text.js';
import { choosePolls, type Polls } from './polls.js';
import { Stretches } from './stretch.js';
import { writeTexts } from './text.js';
import { layoutOf, type Places, placesOf, type WordForm } from './words.js';

/** Insns between polls unless told otherwise. */
export const DISTANCE = 4096;

/** How an object is exported. */
export interface ExportOptions extends ReadOptions {
  /** The most insns from any place to a poll or the exit. */
  readonly distance?: number;
  /** Words besides the one of each program. */
  readonly form?: WordForm;
  /** Poll before the first insn, too: no run begins while the word is set. */
  readonly entry?: boolean;
  readonly profile?: Profile;
  /** The kernel that programs are judged for. */
  readonly kernel?: KernelProfile;
  /** Write programs that cannot be exported as they were. */
  readonly asIs?: boolean;
  /** False: Linux is not asked. */
  readonly load?: boolean;
}

/** What became of one program. */
export interface ExportedProgram {
  readonly name: string;
  readonly section: string;
  /**
   * `exported`: it can be killed, and Linux takes it. `refused`: Linux does not take the text that can be killed. `inexpressible`: there is no
   * such text, or it is too large. `unchecked`: written, but no kernel was asked.
   */
  readonly verdict: 'exported' | 'refused' | 'inexpressible' | 'unchecked';
  /** Why not; '' for an exported one. */
  readonly message: string;
  /** Slots of the program, and of what was written for it. */
  readonly insns: number;
  readonly exportedInsns: number;
  /** Places where it polls; those behind calls during which it may have been killed are counted apart. */
  readonly polls: number;
  readonly returnPolls: number;
  /** The most insns from any place to a poll or the exit; -1 where that is not known. */
  readonly longest: number;
  /** Offset of its word in the section of words, in bytes; -1: it has none. */
  readonly word: number;
  /** Offset of its limit in the same section; -1: it has none. */
  readonly limit: number;
  /** Offset in the same section of the times at which its runs that are going on began; -1: it notes none. */
  readonly running: number;
  readonly sitesStubbed: number;
  readonly sitesLeftOut: readonly LeftOut[];
}

/** An object after its export, and what became of each of its programs. */
export interface Exported {
  /** Undefined where a program cannot be exported and was not to be kept as it was. */
  readonly bytes: Uint8Array | undefined;
  readonly programs: readonly ExportedProgram[];
  /** By program and slot, as the written object is read, what an insn was written for. */
  origins(program: Program): readonly (Origin | undefined)[];
}

/** One program on its way. */
interface Candidate {
  readonly index: number;
  readonly program: Program;
  readonly functions: readonly ObjectFunction[];
  readonly keep: Set<number>;
  failure?: Pick<ExportedProgram, 'verdict' | 'message'>;
  verified?: Accepted;
  polls?: Polls;
  plan?: Plan;
  insns?: number;
}

/**
 * Exports the object in `bytes`. Throws InputError for what is no BPF object or was exported before, and for rules whose own code fails.
 */
export function exportObject(
  bytes: Uint8Array,
  file: string,
  rules: RuleSet,
  options: ExportOptions = {},
): Exported {
  const source = readSource(bytes, file, options);
  const candidates = source.programs.map(
    ({ program, functions }, index): Candidate => ({ index, program, functions, keep: new Set() }),
  );
  for (const one of candidates) plan(one, rules, options);
  const asked = options.load !== false && kernelAvailable().ok;
  let made = write(source, candidates, rules, options);
  while (asked && judge(candidates, made, file, options)) made = write(source, candidates, rules, options);
  const layout = layoutOf(Math.max(1, source.programs.length), options.form);
  const rows = [
    ...candidates.map((one) => rowOf(one, asked, placesOf(layout, one.index, options.form))),
    ...source.skipped.map(
      ({ name, section, reason }): ExportedProgram => ({
        ...NOTHING,
        name,
        section,
        verdict: 'inexpressible',
        message: reason,
      }),
    ),
  ];
  const whole = rows.every(({ verdict }) => verdict === 'exported' || verdict === 'unchecked');
  const origins = (program: Program): (Origin | undefined)[] =>
    program.insns.map((_, slot) => originAt(program, made, slot));
  return { bytes: whole || options.asIs === true ? made.bytes : undefined, programs: rows, origins };
}

const NOTHING = {
  insns: 0,
  exportedInsns: 0,
  polls: 0,
  returnPolls: 0,
  longest: -1,
  word: -1,
  limit: -1,
  running: -1,
  sitesStubbed: 0,
  sitesLeftOut: [],
} as const;

const inexpressible = (message: string): Candidate['failure'] => ({ verdict: 'inexpressible', message });

/** Verifies a program and chooses its polls. */
function plan(one: Candidate, rules: RuleSet, options: ExportOptions): void {
  const { program } = one;
  const verified =
    one.verified ??
    verify(program, {
      ...(options.profile === undefined ? {} : { profile: options.profile }),
      ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
    });
  if (!verified.ok) {
    one.failure = inexpressible(`our verifier does not accept it: ${verified.message}`);
    return;
  }
  one.verified = verified;
  if (hasPads(verified.code)) {
    one.failure = inexpressible('no plain insn stands for a landing pad, which leaves a function early');
    return;
  }
  if (exceptionCallbackOf(program) !== undefined) {
    one.failure = inexpressible(
      'its exception callback cannot tell whether the program was killed before it threw',
    );
    return;
  }
  const leaves = options.form?.running === true ? leavesWithoutExit(verified) : undefined;
  if (leaves !== undefined) {
    one.failure = inexpressible(
      `${leaves} leaves it without its exit, so that nobody would note the end of a run`,
    );
    return;
  }
  const sites = callSites(program, verified.facts, rules).filter(({ action }) => action.kind !== 'unwind');
  // A stub that makes a dynptr has no words but the call itself.
  const keep = new Set(one.keep);
  for (const { slot, action } of sites)
    if (action.kind === 'stub' && action.stub.slots.length > 0) keep.add(slot);
  one.plan = new Plan(program, verified, sites, { points: 'needed', by: 'compare', keep });
  const distance = options.distance ?? DISTANCE;
  one.polls ??= choosePolls(one.plan, distance, options.entry === true || options.form?.running === true);
  if (one.polls.longest > distance)
    one.failure = inexpressible(`some way of ${one.polls.longest} insns has no place for a poll`);
}

/** A function by which a run ends somewhere else than at the exit of the program; undefined: it calls none. */
function leavesWithoutExit({ code }: Accepted): string | undefined {
  const names = code.contracts.map((contract) => contract?.name);
  return names.find((name) => name === 'bpf_tail_call' || name === 'bpf_throw');
}

/** Writes all programs that can be; those that cannot stay as they were. */
function write(
  source: ObjectSource,
  candidates: readonly Candidate[],
  rules: RuleSet,
  options: ExportOptions,
): Assembled {
  const rewritten: Rewritten[] = [];
  const layout = layoutOf(Math.max(1, source.programs.length), options.form);
  for (const one of candidates) {
    if (one.failure !== undefined) continue;
    if (one.plan === undefined) plan(one, rules, options);
    const { plan: planned, polls, verified, program, functions, index } = one;
    if (planned === undefined || polls === undefined || verified === undefined) continue;
    const starts = program.subprogs.map(({ start }) => start);
    try {
      const texts = polls.killable.has(0)
        ? writeTexts(
            planned,
            polls,
            new PollWriter(rawOps(program, functions), verified, placesOf(layout, index, options.form)),
          )
        : [];
      one.insns = texts.reduce((sum, { insns }) => sum + insns.length, 0);
      rewritten.push({ name: program.name, functions, starts, texts });
    } catch (error) {
      if (!(error instanceof NoPoll)) throw error;
      one.failure = inexpressible(error.message);
    }
  }
  return assemble(source, rewritten, layout);
}

/** By slot of the program, the insns as they are in the object: before relocation. */
function rawOps(program: Program, functions: readonly ObjectFunction[]): (Op | undefined)[] {
  const ops: (Op | undefined)[] = [];
  functions.forEach((fn, i) => {
    const [from, to] = [SLOT_BYTES * fn.start, SLOT_BYTES * (fn.start + fn.slots)];
    decodeAll(fromBytes(fn.section.data.subarray(from, to))).forEach((op, slot) => {
      ops[program.subprogs[i]!.start + slot] = op;
    });
  });
  return ops;
}

/** Has Linux load what was written. True: something has to be written otherwise. */
function judge(
  candidates: readonly Candidate[],
  made: Assembled,
  file: string,
  options: ExportOptions,
): boolean {
  const read = readObject(made.bytes, file, options);
  const strictCaps = options.profile === 'strict';
  const loaded = loadObject(read.programs, { strictCaps });
  try {
    let again = false;
    for (const one of candidates) {
      const at = read.programs.findIndex(({ name }) => name === one.program.name);
      if (at < 0 || one.failure !== undefined) continue;
      again = settle(one, read.programs[at]!, loaded.programs[at]!, made, strictCaps) || again;
    }
    return again;
  } finally {
    loaded.close();
  }
}

/** Takes Linux's answer for one program. True: it has to be written otherwise, or left as it was. */
function settle(
  one: Candidate,
  exported: Program,
  result: LoadResult,
  made: Assembled,
  strictCaps: boolean,
): boolean {
  if (result.ok) return false;
  const guard = guardedStub(exported, result, made);
  if (guard !== undefined && !one.keep.has(guard)) {
    one.keep.add(guard);
    delete one.plan;
    return true;
  }
  const plain = loadProgram(one.program, { strictCaps });
  if (plain.ok) plain.close();
  one.failure = plain.ok
    ? {
        verdict: tooMuch(result) ? 'inexpressible' : 'refused',
        message: result.errno === 'E2BIG' ? 'too large for Linux to walk (E2BIG)' : result.message,
      }
    : inexpressible(`Linux refuses the program itself: ${plain.message}`);
  return true;
}

const TOO_MUCH =
  /too large|too complex|combined stack size|stack depth .* exceeds|call stack of \d+ frames|too many subprograms|E2BIG|ENOMEM/;

const tooMuch = ({ stage, errno, message }: Extract<LoadResult, { ok: false }>): boolean =>
  stage !== 'program' || errno === 'E2BIG' || TOO_MUCH.test(message);

/** The stub whose guard Linux can reach: the last one that it walked. */
function guardedStub(
  program: Program,
  result: Extract<LoadResult, { ok: false }>,
  made: Assembled,
): number | undefined {
  if (result.insn === undefined || originAt(program, made, result.insn)?.mode !== 'guard') return undefined;
  const walked = [...result.log.matchAll(/^(\d+): \([0-9a-f]{2}\)/gm)].map((match) => Number(match[1]));
  return walked.map((insn) => originAt(program, made, insn)).findLast((origin) => origin?.mode === 'stub')
    ?.slot;
}

/** What an insn of a written program was written for; undefined in a function that stayed as it was. */
function originAt(program: Program, made: Assembled, slot: number): Origin | undefined {
  const subprog = program.subprogs.findLast(({ start }) => start <= slot);
  const text = subprog && made.texts.get(subprog.name);
  return subprog && text?.text.origins[slot - subprog.start];
}

function rowOf(one: Candidate, asked: boolean, places: Places): ExportedProgram {
  const { program, polls, plan: planned, failure } = one;
  const row = { ...NOTHING, name: program.name, section: program.section ?? '', insns: program.insns.length };
  if (failure !== undefined) return { ...row, ...failure };
  const killable = polls?.killable.has(0) === true;
  return {
    ...row,
    verdict: asked ? 'exported' : 'unchecked',
    message: asked ? '' : 'no kernel was asked',
    exportedInsns: killable ? one.insns! : program.insns.length,
    polls: polls?.chosen.size ?? 0,
    returnPolls: polls?.returns.size ?? 0,
    longest: Number.isFinite(polls?.longest) ? polls!.longest : -1,
    word: places.word,
    limit: places.deadline?.limit ?? -1,
    running: places.running ?? -1,
    sitesStubbed: killable ? (planned?.stubs.size ?? 0) : 0,
    sitesLeftOut: killable ? (planned?.leftOut ?? []) : [],
  };
}

/**
 * How far a program runs before it polls, and how far it runs at all without polls, in insns. -1 and Infinity for one that our verifier does not
 * accept.
 */
export function promisedBy(
  program: Program,
  rules: RuleSet,
  distance: number,
  entry?: boolean,
): { readonly longest: number; readonly insns: number } {
  const one: Candidate = { index: 0, program, functions: [], keep: new Set() };
  plan(one, rules, { distance, ...(entry === undefined ? {} : { entry }) });
  if (one.verified === undefined) return { longest: -1, insns: Number.POSITIVE_INFINITY };
  const longest = one.polls?.longest ?? -1;
  return {
    longest: Number.isFinite(longest) ? longest : -1,
    insns: new Stretches(program, one.verified).measure(() => false),
  };
}

/**
 * The text that polls, as a program. Throws InputError where there is none: our verifier refuses the program, or no register and no stack is
 * left for a poll.
 */
export function killableProgram(
  program: Program,
  rules: RuleSet,
  options: Omit<ExportOptions, 'asIs' | 'load'> = {},
): Flat & { readonly polls: Polls; readonly path: FastPath } {
  const one: Candidate = { index: 0, program, functions: [], keep: new Set() };
  plan(one, rules, options);
  if (one.failure !== undefined) throw new InputError(one.failure.message);
  const [made, polls] = [one.plan!, one.polls!];
  const stubs = new Map(
    callSites(program, one.verified!.facts, rules).flatMap(({ slot, action }) =>
      action.kind === 'stub' && made.stubs.has(slot) ? [[slot, action.stub] as const] : [],
    ),
  );
  try {
    return { ...flatProgram(made, polls, options.form), polls, path: { rules: rules.name, stubs } };
  } catch (error) {
    if (error instanceof NoPoll) throw new InputError(error.message);
    throw error;
  }
}
