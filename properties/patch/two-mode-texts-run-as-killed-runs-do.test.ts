/**
 * The two-mode text of small programs: pinned in full in two-mode.txt (rewritten by `vitest -u`; read the difference), and run in the VM with
 * every choice of its switches. The runs are those of the program killed before each of its insns, insn by insn, to the same r0.
 */
import { describe, expect, test } from 'vitest';
import { sample } from '../../generators/sample.js';
import { decodeAll } from '../../src/isa/decode.js';
import { formatSlots } from '../../src/isa/disassemble.js';
import { type Op, slots } from '../../src/isa/insn.js';
import { jumpTarget, subprogTarget } from '../../src/isa/target.js';
import { callSites, fastPath } from '../../src/patch/fast-path.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import type { TwoModeOptions } from '../../src/patch/two-mode/plan.js';
import { type TwoMode, twoMode } from '../../src/patch/two-mode/two-mode.js';
import type { Accepted } from '../../src/verifier/result.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { defaultChooser, failingChooser, seededChooser } from '../../src/vm/state/chooser.js';
import { Vm } from '../../src/vm/vm.js';
import { TWO_MODE_PROGRAMS, type TwoModeProgram } from '../support/patch/two-mode-programs.js';
import { TELLING } from '../support/two-mode.js';

type Program = ReturnType<typeof parseCase>['program'];

const PROGRAMS: readonly (TwoModeProgram & { readonly parsed?: Program })[] = [
  ...TWO_MODE_PROGRAMS,
  ...TELLING.map(({ part, case: one, rules }) => ({ name: part, text: '', rules, parsed: one.program })),
];

interface Written {
  readonly program: Program;
  readonly verified: Accepted;
  readonly made: TwoMode;
}

function write({ name, text, rules, parsed }: (typeof PROGRAMS)[number], options: TwoModeOptions): Written {
  const program = parsed ?? parseCase(text, name).program;
  const verified = verify(program);
  if (!verified.ok) throw new Error(`${name}: ${verified.message}`);
  return {
    program,
    verified,
    made: twoMode(program, verified, callSites(program, verified.facts, rules), options),
  };
}

function listing({ program, origins, stubbed, leftOut }: TwoMode): string {
  const starts = new Map(program.subprogs.map(({ start, name, linkage }) => [start, `${name} (${linkage})`]));
  const lines = formatSlots(program.insns).flatMap((text, slot) => {
    if (text === undefined) return [];
    const { mode, slot: from } = origins[slot]!;
    const head = starts.get(slot);
    return [...(head === undefined ? [] : [`${head}:`]), `  ${slot}: ${text.padEnd(34)} ${mode} ${from}`];
  });
  return [
    ...lines,
    `${stubbed} stubs; maps ${program.maps.map((map) => map.name).join(' ')}`,
    ...leftOut.map(({ slot, function: name, reason }) => `left out: ${slot} ${name}: ${reason}`),
    '',
  ].join('\n');
}

const OPTIONS: Readonly<Record<string, TwoModeOptions>> = {
  'where needed, by may_goto': { points: 'needed', by: 'may_goto' },
  'everywhere, by compare': { points: 'every', by: 'compare' },
  'hiding what is unwritten': { points: 'needed', by: 'compare', hidesUnwritten: true },
  'not in callbacks': { points: 'needed', by: 'compare', killsInCallbacks: false },
};

/** Written with a kill before every insn, too; of the others it is enough that they run as they should. */
const EVERYWHERE: readonly string[] = [
  'zero to seven bytes',
  'functions two deep',
  'a callback of one round with a stub, in a loop that is kept',
  'an exception that a function catches',
];

test('the texts', async () => {
  const texts = PROGRAMS.flatMap((one) => {
    const seen = new Set<string>();
    return Object.entries(OPTIONS).flatMap(([how, options]) => {
      if (options.points === 'every' && !EVERYWHERE.includes(one.name)) return [];
      const text = listing(write(one, options).made);
      // The same text is written once.
      if (seen.has(text)) return [];
      seen.add(text);
      return [`${one.name}, ${how}\n${text}`];
    });
  });
  const keep = write(PROGRAMS.find(({ name }) => name === 'eight bytes, aligned')!, {
    points: 'needed',
    by: 'compare',
    keep: new Set([6]),
  });
  texts.push(`a call that is to be kept\n${listing(keep.made)}`);
  await expect(texts.join('\n')).toMatchFileSnapshot('../support/patch/two-mode.txt');
});

/** What was executed: `n4` before the kill, `p5` after it, without stubs; and how it ended. */
type Run = string;

function ending(vm: Vm): string {
  const { machine } = vm;
  const broken = vm.result().violations.map(({ check }) => check);
  const checks = [...new Set(broken)].join();
  const end = machine.end ?? 'trap';
  if (end === 'trap') return `trap ${checks}`;
  const r0 = (machine.readable & 1) === 0 ? 'unreadable' : String(machine.regs[0]);
  return `${end} r0=${r0} ${checks}`;
}

const MOST = 2_000;

/** The program killed before each of its insns, and not at all. */
function killedRuns(
  { program, verified }: Written,
  rules: TwoModeProgram['rules'],
  chooser: typeof defaultChooser,
): Set<Run> {
  const found = new Set<Run>();
  const path = fastPath(program, verified.facts, rules);
  const { stubs } = path;
  const vm = new Vm(program, { chooser, fastPath: path });
  const executed: string[] = [];
  while (vm.running && vm.machine.steps < MOST) {
    const killed = vm.fork();
    killed.kill();
    const after = [...executed];
    // A killed run goes on behind a misuse. The text is an ordinary program, which stops there.
    while (killed.running && killed.machine.steps < MOST && killed.machine.violations.length === 0) {
      if (!stubs.has(killed.machine.pc)) after.push(`p${killed.machine.pc}`);
      killed.step();
    }
    found.add(`${after.join(' ')} ${ending(killed)}`);
    executed.push(`n${vm.machine.pc}`);
    vm.step();
  }
  found.add(`${executed.join(' ')} ${ending(vm)}`);
  return found;
}

/** The two-mode program, with every switch taken and not taken. */
function switchedRuns({ program, made }: Written, chooser: typeof defaultChooser): Set<Run> {
  const found = new Set<Run>();
  const original = decodeAll(program.insns);
  const ops = decodeAll(made.program.insns);
  const target = (op: Op, at: number): number => at + 1 + ('off' in op ? op.off : 0);
  const work: { readonly vm: Vm; readonly executed: string[] }[] = [
    { vm: new Vm(made.program, { chooser }), executed: [] },
  ];
  for (let one = work.pop(); one !== undefined; one = work.pop()) {
    const { vm, executed } = one;
    while (vm.running && vm.machine.steps < MOST) {
      const { pc } = vm.machine;
      const { mode, slot } = made.origins[pc]!;
      const op = ops[pc]!;
      if (mode === 'switch') {
        const taken = vm.fork();
        taken.machine.pc = target(op, pc);
        work.push({ vm: taken, executed: [...executed] });
        vm.machine.pc = pc + 1;
        continue;
      }
      if (mode === 'guard') executed.push('guard');
      // What is added beside the program's own insns is not one of its steps.
      const own = (mode === 'normal' || mode === 'patched') && original[slot]?.kind === op.kind;
      if (own) executed.push(`${mode === 'normal' ? 'n' : 'p'}${slot}`);
      vm.step();
    }
    found.add(`${executed.join(' ')} ${ending(vm)}`);
  }
  return found;
}

/** The text allows more than the killed runs: whichever callback it is that is given, and one that goes on after it was killed. */
const LOOSER: readonly string[] = ['one of two callbacks'];
/**
 * The VM calls a killed callback again, and reads memory that a stub left unwritten: a verifier is not misled by that. The last one's stub has
 * no text, so the call is kept.
 */
const UNLIKE: readonly string[] = [
  'kills inside callbacks',
  'a stub that writes nothing, where the buffer can be hidden',
  'a size that is known too badly',
];

describe('runs of the two-mode program are the killed runs', () => {
  const options: TwoModeOptions = { points: 'every', by: 'compare' };
  test.each(PROGRAMS.filter(({ name }) => !UNLIKE.includes(name)))('$name', (one) => {
    const written = write(one, options);
    for (const chooser of [defaultChooser, failingChooser]) {
      const killed = killedRuns(written, one.rules, chooser);
      const switched = switchedRuns(written, chooser);
      if (LOOSER.includes(one.name)) expect([...killed].filter((run) => !switched.has(run))).toEqual([]);
      else expect([...switched].sort()).toEqual([...killed].sort());
    }
  });
});

/** Programs of a campaign that are accepted. */
const ACCEPTED = Array.from(
  { length: 50 },
  (_, index) => sample(33, index, { maxInsns: 60 }).program,
).flatMap((program, index) => {
  const verified = verify(program, { budget: 20_000 });
  return verified.ok ? [{ index, program, verified }] : [];
});

/** Those whose stubs can all be written, with their two-mode text. */
function* generated(
  rules: RuleSet,
  options: TwoModeOptions,
): Generator<Written & { readonly index: number }> {
  for (const one of ACCEPTED) {
    const { program, verified } = one;
    const made = twoMode(program, verified, callSites(program, verified.facts, rules), options);
    if (made.leftOut.length === 0) yield { ...one, made };
  }
}
/** Insns of the runs that are looked at. */
const SHORT = 120;
const SHIPPED = ['sound', 'naive', 'rfc-v1'].map((name) => shippedRuleSet(name)!);

describe('so they are of generated programs', () => {
  test.each(SHIPPED)('under $name', (rules) => {
    let runs = 0;
    for (const written of generated(rules, { points: 'every', by: 'compare' })) {
      const { index, program, verified } = written;
      // A helper may call back again after the kill in the text, each time with one more way to be killed.
      if (verified.code.contracts.some((one) => one?.args.some(({ kind }) => kind === 'callback'))) continue;
      const chooser = seededChooser(index);
      const run = new Vm(program, { chooser });
      run.advance(SHORT);
      if (run.running) continue;
      const killed = [...killedRuns(written, rules, chooser)];
      // A rule set that is not sound leaves unwritten what is read.
      if (killed.some((one) => one.includes('trap'))) continue;
      expect([index, [...switchedRuns(written, chooser)].sort()]).toEqual([index, killed.sort()]);
      if (program.subprogs.length > 1) runs += killed.length;
    }
    expect(runs).toBeGreaterThan(50);
  });
});

/** Functions that run later, in a context of their own, may be killed there. */
const RUNS_LATER = /^bpf_(timer_set_callback|wq_set_callback|task_work_schedule)/;

/** From each slot of a text, slots that an insn leads to, without functions that it calls. */
function leadsTo(ops: readonly (Op | undefined)[], at: number): readonly number[] {
  const op = ops[at]!;
  const jump = jumpTarget(op, at);
  return [
    ...(jump === undefined ? [] : [jump]),
    ...(op.kind === 'ja' || op.kind === 'exit' ? [] : [at + slots(op)]),
  ];
}

/** What is wrong with a two-mode text: a way from patched text into normal text, by a jump, by a call, by a callback. */
function waysBack(
  { program, origins }: TwoMode,
  contracts: Accepted['code']['contracts'],
): readonly string[] {
  const ops = decodeAll(program.insns);
  const stubbed = new Set(origins.flatMap(({ mode, slot }) => (mode === 'stub' ? [slot] : [])));
  const isLate = (at: number): boolean => {
    let next = at;
    while (ops[next]?.kind !== 'call' && next < ops.length) next++;
    return RUNS_LATER.test(contracts[origins[next]?.slot ?? -1]?.name ?? '');
  };
  /** Calls in this function, and in those that it calls, which have a stub but are made in normal text. */
  const unpatched = (start: number): readonly number[] => {
    const seen = new Set<number>();
    const found: number[] = [];
    for (const work = [start]; work.length > 0; ) {
      const at = work.pop()!;
      const op = ops[at];
      if (op === undefined || seen.has(at)) continue;
      seen.add(at);
      const { mode, slot } = origins[at]!;
      if (mode === 'normal' && stubbed.has(slot) && op.kind === 'call') found.push(slot);
      const called = subprogTarget(op, at);
      if (called !== undefined && op.kind === 'call') work.push(called);
      work.push(...leadsTo(ops, at));
    }
    return found;
  };
  return ops.flatMap((op, at) => {
    const { mode, slot } = origins[at]!;
    if (op === undefined || mode === 'normal' || mode === 'switch') return [];
    const back = leadsTo(ops, at).filter((to) => origins[to]?.mode === 'normal');
    const called = subprogTarget(op, at);
    const runs =
      called === undefined || (op.kind === 'ld_imm64' && (isLate(at) || !isGivenNext(ops, at)))
        ? []
        : unpatched(called);
    return [
      ...back.map((to) => `${mode} ${slot} goes to normal ${origins[to]!.slot}`),
      ...runs.map((to) => `${mode} ${slot} runs normal ${to}`),
    ];
  });
}

/** A pointer that is loaded anew for the call behind it: nothing else stands between. */
function isGivenNext(ops: readonly (Op | undefined)[], at: number): boolean {
  let next = at + 2;
  while (
    ops[next]?.kind === 'ja' ||
    (ops[next]?.kind === 'ld_imm64' && subprogTarget(ops[next]!, next) !== undefined)
  )
    next += slots(ops[next]!);
  return ops[next]?.kind === 'call';
}

describe('after the kill no way leads back', () => {
  test.each(Object.entries(OPTIONS))('in small programs, %s', (_, options) => {
    for (const one of PROGRAMS) {
      const { made, verified } = write(one, options);
      expect([one.name, waysBack(made, verified.code.contracts)]).toEqual([one.name, []]);
    }
  });

  test.each(Object.entries(OPTIONS))('in generated programs, %s', (_, options) => {
    let functions = 0;
    for (const rules of SHIPPED)
      for (const { index, made, verified } of generated(rules, options)) {
        expect([index, waysBack(made, verified.code.contracts)]).toEqual([index, []]);
        functions += made.program.subprogs.filter(({ name }) => /_patched$|_killed$/.test(name)).length;
      }
    expect(functions).toBeGreaterThan(10);
  });
});
