/** `run FILE`: a program in the VM, perhaps killed; or, with --conformance, as a plug-in of the public conformance runner. */

import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import { killedAt } from '../../campaign/kill/kill-everywhere.js';
import { invariantOf, pathOf, prepareProgram, runOptions } from '../../campaign/kill/prepared-program.js';
import {
  givenFunctions,
  invariantsOfText,
  type NamedRules,
  rulesNamed,
  rulesOfCase,
  strategyNamedIn,
} from '../../campaign/naming/rules.js';
import { type NamedStrategy, strategyNamed } from '../../campaign/naming/strategies.js';
import { InputError } from '../../isa/errors.js';
import type { KernelProfile } from '../../kernel/profile.js';
import type { ProgType } from '../../object/program.js';
import { withoutKfuncs } from '../../object/weak.js';
import { type Invariants, loadInvariants } from '../../patch/invariants.js';
import { type KilledRun, runInWords } from '../../report/campaign/run.js';
import type { ConformanceDocument, RunDocument } from '../../report/documents.js';
import { killsUnder, optionsUnder } from '../../strategies/killed-run.js';
import type { Prepared, Strategy } from '../../strategies/strategy.js';
import type { Profile } from '../../verifier/state/profile.js';
import { boundOf } from '../../vm/case/case.js';
import { runConformance } from '../../vm/conformance.js';
import { seededChooser } from '../../vm/state/chooser.js';
import { type Code, prepare } from '../../vm/state/code.js';
import { EMPTY, type Environment, parseHex } from '../../vm/state/environment.js';
import { filled, MOST_ENTRIES } from '../../vm/state/fill.js';
import { describeHold } from '../../vm/state/ledger.js';
import { worstFirst } from '../../vm/state/trap.js';
import { DEFAULT_LIMIT, Vm, type VmOptions } from '../../vm/vm.js';
import { type Define, withCommon } from '../command.js';
import { kindOf, type LoadedProgram, loadPrograms, readText } from '../input/files.js';
import { type ProgramOptions, withPrograms } from '../input/judging.js';
import {
  CASE_PROFILE_HELP,
  judgedFor,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
} from '../input/kernel-profile.js';
import { INVARIANTS_HELP, integer, list } from '../input/options.js';
import type { Outcome } from '../output/outcome.js';
import { traced } from '../output/trace.js';

interface Options extends ProgramOptions {
  readonly conformance?: true;
  readonly kill?: string;
  readonly mem?: string;
  readonly trace?: true;
  readonly rules?: string;
  readonly strategy?: string;
  readonly invariants?: string;
  readonly seed?: number;
  readonly fill?: number;
  readonly without?: readonly string[];
  readonly profile?: ProfileChoice;
  readonly unverified?: true;
}

/** Adds `run` to the command line. With --conformance it speaks the plug-in protocol of bpf_conformance instead. */
export const run: Define = (program, act) => {
  const command = withCommon(program.command('run'))
    .description('run a program in the VM, and kill it')
    .argument('[FILE]', 'a program, or - for standard input; with --conformance its memory as hex')
    .option(
      '--kill <WHERE>',
      'step=N, call=NAME (before each call of it), all or random; where the program calls bpf_die_kfunc unless told',
    )
    .option(
      '--rules <RULES>',
      "rule set after the kill, by name or file; the case's own, or sound, unless told",
    )
    .addOption(
      new Option(
        '--strategy <NAME>',
        "kill it in this way, in place of the fast path; the case's own, or none, unless told",
      ).conflicts('rules'),
    )
    .option('--invariants <FILE>', `${INVARIANTS_HELP}; those of the case unless told`)
    .option('--profile <PROFILE>', CASE_PROFILE_HELP, profileChoice)
    .option('--mem <HEX>', 'the packet; for tracepoint and syscall programs the context')
    .option(
      '--seed <N>',
      'random outcomes of calls; everything goes well unless told',
      integer(0, 0xffff_ffff),
    )
    .option(
      '--fill <N>',
      'begin with so many entries in hash maps and tries, so that callbacks over them run',
      integer(0, MOST_ENTRIES),
    )
    .option('--without <NAMES>', 'weak kfuncs that the kernel is to lack, between commas', list)
    .option('--unverified', 'run it though our verifier refuses it; such a program is not killed')
    .option(
      '--trace',
      'print every insn and what it changed: of the killed run, or of the first that breaks a check',
    )
    .option('--conformance', 'read a program as hex from standard input and print r0 as hex');
  withPrograms(command).action((file: string | undefined, options: Options) =>
    act(options, () => (options.conformance ? conform(file) : runFile(file, options))),
  );
};

function conform(memory = ''): Outcome {
  const r0 = runConformance(readFileSync(0, 'utf8'), memory);
  return { exit: 0, json: { r0 } satisfies ConformanceDocument, text: `${r0.toString(16)}\n` };
}

/** Where to kill. */
type Kill = { readonly step: number } | { readonly call: string } | 'all' | 'random' | 'never';

/** The kfunc by which a program asks to be killed: a termination point that it names itself (SATerm). It is declared, for no kernel has it. */
const ASKS = 'bpf_die_kfunc';

function killOf(text: string | undefined, one: LoadedProgram): Kill {
  if (text === undefined) {
    if (one.case?.kill !== undefined) return { step: one.case.kill };
    return one.program.kfuncs.includes(ASKS) ? { call: ASKS } : 'never';
  }
  if (text === 'all' || text === 'random') return text;
  const call = /^call=(\w+)$/.exec(text)?.[1];
  if (call !== undefined) return { call };
  const step = /^step=(\d+)$/.exec(text)?.[1];
  if (step === undefined)
    throw new InputError(`--kill: expected step=N, call=NAME, all or random, not '${text}'`);
  return { step: Number(step) };
}

/** The strategy that is asked for, or else that of the case; undefined for the fast path under the rules. */
async function wayOf(file: string, { strategy, rules }: Options): Promise<NamedStrategy | undefined> {
  if (strategy !== undefined) return strategyNamed(strategy);
  if (rules !== undefined || kindOf(file) !== '.bpf') return undefined;
  const own = strategyNamedIn(readText(file));
  return own === undefined ? undefined : strategyNamed(own, file);
}

/** The invariants that are asked for, or else those of the case. */
async function invariantsFor(file: string, { invariants }: Options): Promise<Invariants | undefined> {
  if (invariants !== undefined) return loadInvariants(invariants);
  return kindOf(file) === '.bpf' ? invariantsOfText(readText(file), file) : undefined;
}

/** The rule set that a case names; undefined for one that names none, and for files that are no cases. */
function ruleOf(file: string): string | undefined {
  return kindOf(file) === '.bpf' ? rulesNamed(readText(file)) : undefined;
}

async function runFile(file: string | undefined, options: Options): Promise<Outcome> {
  if (file === undefined) throw new InputError('a FILE is missing');
  const named = options.rules ?? ruleOf(file);
  const rules = await rulesOfCase(named, options.rules === undefined ? file : undefined);
  const way = await wayOf(file, options);
  const declared = await givenFunctions(options.functions, rules, way?.declared);
  const { programs, skipped } = loadPrograms([file], { ...options, declared });
  if (programs.length === 0) throw new InputError(skipped[0]!.reason, { file });
  const one = lacking(programs[0]!, options.without ?? []);
  if (programs.length > 1) {
    const names = programs.map(({ program }) => program.name).join(', ');
    throw new InputError(`there are several programs, choose one with --prog: ${names}`, { file });
  }
  if (options.unverified && options.kill !== undefined)
    throw new InputError('--unverified: a program that was not verified cannot be killed');
  const kill = options.unverified ? 'never' : killOf(options.kill, one);
  const judged = judgedProfile(options.profile ?? {}, 'built-in');
  const { profile, kernel, madeFor } = judgedFor(judged, one.case);
  const { code, ...bare } = subject(file, one, rules, { profile, kernel }, options);
  const run = { ...bare, ...invariantOf({ invariants: await invariantsFor(file, options) }) };
  const prepared = way === undefined ? undefined : preparedBy(way.strategy, file, code, run);
  const vm = prepared === undefined ? run : optionsUnder(prepared, run);
  const known = <T>(work: () => T): T => (options.unverified ? asFarAsKnown(file, work) : work());
  const ordinary = known(() => new Vm(code, vm).run());
  mustReach(kill, ordinary.steps, file);
  const steps =
    kill === 'never'
      ? []
      : typeof kill === 'object' && 'call' in kill
        ? stepsBefore(code, vm, kill.call)
        : stepsOf(kill, ordinary.steps, options.seed ?? 0);
  const killed = prepared === undefined ? kills(code, vm, steps) : killsBy(prepared, code, vm, steps);
  const shown = shownKill(kill, killed);
  const trace = options.trace ? known(() => traced(code, vm, shown, prepared)) : undefined;
  const failed = ordinary.violations.length > 0 || killed.some(({ checks }) => checks.length > 0);
  const json = {
    file,
    name: one.program.name,
    profile: judged.json,
    ...(madeFor === undefined ? {} : { madeFor }),
    rules: rules.name,
    ...(way === undefined ? {} : { strategy: way.strategy.name }),
    end: ordinary.end,
    r0: ordinary.r0,
    steps: ordinary.steps,
    held: ordinary.held.map(describeHold),
    checks: worstFirst(ordinary.violations),
    killed,
    ...(trace ? { traced: shown ?? null, trace } : {}),
  } satisfies RunDocument;
  return {
    exit: failed ? 1 : 0,
    json,
    text: runInWords(ordinary, killed, trace && { steps: trace, killed: shown }),
  };
}

/** The program as a kernel loads it that lacks these of its weak kfuncs. Throws InputError for others. */
function lacking(one: LoadedProgram, names: readonly string[]): LoadedProgram {
  if (names.length === 0) return one;
  const { file, program } = one;
  const weak = program.weakKfuncs ?? [];
  const absent = names.map((name) => {
    const there = weak.length === 0 ? 'has none' : `has ${weak.map((each) => each.name).join(', ')}`;
    const found = weak.find((each) => each.name === name);
    if (found === undefined)
      throw new InputError(`--without: '${name}' is no weak kfunc of it; it ${there}`, { file });
    return found;
  });
  return { ...one, program: withoutKfuncs(program, absent).program };
}

/** What the VM makes of a program that was not verified. Throws InputError where that is something it does not know. */
function asFarAsKnown<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof InputError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new InputError(`--unverified: the VM cannot run what this program does: ${why}`, { file });
  }
}

/** What is run, and how. Throws InputError for what our verifier refuses, unless that is asked for. */
function subject(
  file: string,
  one: LoadedProgram,
  rules: NamedRules,
  { profile, kernel }: { readonly profile: Profile; readonly kernel: KernelProfile },
  { mem, seed, fill, unverified }: Options,
): VmOptions & { readonly code: Code } {
  const { program } = one;
  const prepared = unverified ? undefined : prepareProgram(program, profile, { kernel });
  if (typeof prepared === 'string') throw new InputError(`our verifier refuses it: ${prepared}`, { file });
  const given = one.case?.env ?? EMPTY;
  const plain = fill === undefined ? given : filled(program, given, fill);
  return {
    ...(prepared === undefined
      ? { strict: profile === 'strict', code: prepare(program) }
      : {
          ...runOptions(prepared, pathOf(prepared, rules.rules)),
          ...boundOf(one.case ?? {}),
          code: prepared.code,
        }),
    env: mem === undefined ? plain : withMemory(plain, program.type, mem),
    ...(seed === undefined ? {} : { chooser: seededChooser(seed) }),
  };
}

function withMemory(env: Environment, type: ProgType, hex: string): Environment {
  const bytes = parseHex(hex.replace(/^0x/, ''));
  return type === 'syscall' || type === 'tracepoint' ? { ...env, ctx: bytes } : { ...env, packet: bytes };
}

function kills(code: Code, vm: VmOptions, steps: readonly number[]): readonly KilledRun[] {
  return killedAt(code, vm, steps).map(({ killedAt: at, steps: all, violations }) => ({
    at,
    steps: all - at,
    checks: worstFirst(violations),
  }));
}

/** The same under a strategy, with the insns to where it takes effect. */
function killsBy(
  prepared: Prepared,
  code: Code,
  vm: VmOptions,
  steps: readonly number[],
): readonly KilledRun[] {
  return killsUnder(prepared, code, vm, steps).map(
    ({ killedAt: at, tookEffect, steps: all, violations }) => ({
      at,
      steps: all - at,
      toEffect: tookEffect < 0 ? null : tookEffect - at,
      checks: worstFirst(violations),
    }),
  );
}

/** The program made ready by a strategy. Throws InputError where the strategy cannot take it. */
function preparedBy(strategy: Strategy, file: string, code: Code, { facts }: VmOptions): Prepared {
  if (facts === undefined)
    throw new InputError('--unverified: a program that was not verified cannot be killed');
  const prepared = strategy.prepare({ code, facts });
  if ('cannot' in prepared)
    throw new InputError(`the strategy ${strategy.name} cannot take it: ${prepared.cannot}`, { file });
  return prepared;
}

/** The killed run that a trace shows: the one that was asked for, or the first that breaks a check. */
function shownKill(kill: Kill, killed: readonly KilledRun[]): number | undefined {
  return typeof kill === 'object' && 'step' in kill
    ? kill.step
    : killed.find(({ checks }) => checks.length > 0)?.at;
}

/** A kill behind the end of a run checks nothing. Throws InputError for one. */
function mustReach(kill: Kill, steps: number, file: string): void {
  if (typeof kill !== 'object' || 'call' in kill || kill.step < steps) return;
  throw new InputError(
    `step=${kill.step}: the run ends after ${steps} steps; the last kill is step=${steps - 1}`,
    { file },
  );
}

/** Kills of `--kill random`. */
const RANDOM_KILLS = 16;

/** Steps before which to kill a run of this length, ascending. */
function stepsOf(
  kill: Exclude<Kill, 'never' | { readonly call: string }>,
  length: number,
  seed: number,
): readonly number[] {
  if (typeof kill === 'object') return [kill.step];
  if (kill === 'all') return Array.from({ length }, (_, step) => step);
  const chooser = seededChooser(seed);
  const drawn = Array.from({ length: RANDOM_KILLS }, (_, i) => {
    const bytes = Buffer.from(chooser.bytes(`kill ${i}`, 4));
    return bytes.readUInt32LE() % Math.max(1, length);
  });
  return [...new Set(drawn)].sort((a, b) => a - b);
}

/** Steps before each call of a function in an ordinary run, ascending. Throws InputError where it is called nowhere in the program. */
function stepsBefore(code: Code, options: VmOptions, name: string): readonly number[] {
  const names = new Set(
    code.contracts.flatMap((contract) => (contract === undefined ? [] : [contract.name])),
  );
  if (!names.has(name))
    throw new InputError(
      `--kill call=${name}: the program does not call it; it calls ${[...names].join(', ') || 'nothing'}`,
    );
  const vm = new Vm(code, options);
  const most = options.maxSteps ?? DEFAULT_LIMIT;
  const steps: number[] = [];
  while (vm.running && vm.machine.steps < most) {
    if (code.contracts[vm.machine.pc]?.name === name) steps.push(vm.machine.steps);
    vm.step();
  }
  return steps;
}
