/**
 * Linux does not stop where a program gives back what it does not hold, or passes on bytes that nobody wrote. So a killed run goes on there, and what
 * breaks later is told too, as what follows. What broke up to there is the same as of a run that stops at once; nothing comes after an access
 * that Linux cannot carry out; and a run that was not killed stops at the first of these, because a verified program does none of them.
 */
import { describe, expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { type KillResults, killBeforeEveryInsn } from '../../../src/campaign/kill/kill-everywhere.js';
import { pathOf, prepareProgram, runOptions } from '../../../src/campaign/kill/prepared-program.js';
import type { FastPath, Stub } from '../../../src/patch/rule.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { brokenLines, gravity, worstFirst } from '../../../src/vm/state/trap.js';
import { type RunResult, Vm } from '../../../src/vm/vm.js';
import { seeded } from '../../support/seed.js';

const HEAD = `.type tc
.map m array key=4 value=24 entries=2 spin_lock@0
.map rb ringbuf entries=4096
`;

const SECTION = `    call bpf_rcu_read_lock
    call bpf_rcu_read_unlock
`;
const END = `    r0 = 0
    exit
`;
/** What stays held at the end, because its release is stubbed. */
const PREEMPT = `    call bpf_preempt_disable
    call bpf_preempt_enable
`;

interface Row {
  readonly what: string;
  readonly text: string;
  /** Slots of calls that are stubbed to nothing; r0 is 0. */
  readonly stubs: readonly number[];
  readonly breaks: readonly string[];
  readonly end: RunResult['end'];
}

const ROWS: readonly Row[] = [
  {
    what: 'a section that is not open is left',
    text: `${SECTION}${PREEMPT}${END}`,
    stubs: [0, 3],
    breaks: ['misuse bpf_rcu_read_unlock', 'leak bpf_preempt_disable, after'],
    end: 'exit',
  },
  {
    what: 'a lock that is not held is given back',
    text: `    r1 = mapvalue m
    call bpf_spin_lock
    r1 = mapvalue m
    call bpf_spin_unlock
${PREEMPT}${END}`,
    stubs: [2, 7],
    breaks: ['misuse bpf_spin_unlock', 'leak bpf_preempt_disable, after'],
    end: 'exit',
  },
  {
    what: 'a task is given back that others hold',
    text: `    call bpf_get_current_task_btf
    r1 = r0
    call bpf_task_release
${PREEMPT}${END}`,
    stubs: [4],
    breaks: ['misuse bpf_task_release', 'leak bpf_preempt_disable, after'],
    end: 'exit',
  },
  {
    what: 'a task is given back twice, and the second time it may be gone',
    text: `    call bpf_preempt_disable
    call bpf_get_current_task_btf
    r1 = r0
    call bpf_task_acquire
    if r0 == 0 goto out
    r6 = r0
    r1 = r6
    call bpf_task_release
    r1 = r6
    call bpf_task_release
out:
    call bpf_preempt_enable
${END}`,
    stubs: [10],
    breaks: ['acquire bpf_task_acquire', 'misuse bpf_task_release'],
    end: 'trap',
  },
  {
    what: 'saved interrupts are restored in the wrong order',
    text: `    r1 = r10
    r1 += -8
    call bpf_local_irq_save
    r1 = r10
    r1 += -16
    call bpf_local_irq_save
    r1 = r10
    r1 += -16
    call bpf_local_irq_restore
    r1 = r10
    r1 += -8
    call bpf_local_irq_restore
${END}`,
    stubs: [8],
    breaks: ['misuse bpf_local_irq_restore', 'leak bpf_local_irq_save, after'],
    end: 'exit',
  },
  {
    what: 'bytes that nobody wrote are passed on',
    text: `    r1 = r10
    r1 += -16
    r2 = 16
    call bpf_get_current_comm
    r1 = map rb
    r2 = r10
    r2 += -16
    r3 = 16
    r4 = 0
    call bpf_ringbuf_output
${PREEMPT}${END}`,
    stubs: [3, 12],
    breaks: ['disclosure bpf_ringbuf_output', 'leak bpf_preempt_disable, after'],
    end: 'exit',
  },
  {
    what: 'NULL is read',
    text: `    call bpf_preempt_disable
    call bpf_get_current_task_btf
    r0 = *(u64 *)(r0 +0)
    call bpf_preempt_enable
${END}`,
    stubs: [1, 3],
    breaks: ['fault'],
    end: 'trap',
  },
];

const NOTHING: Stub = { r0: 0n, writes: [], slots: [] };

function killed({ text, stubs }: Row, more: { stopsAtFirst?: true }): RunResult {
  const { program, env } = parseCase(`${HEAD}\n${text}`);
  const fastPath: FastPath = { rules: 'test', stubs: new Map(stubs.map((slot) => [slot, NOTHING])) };
  const vm = new Vm(program, { env, fastPath, ...more });
  vm.kill();
  return vm.run();
}

const shown = ({ violations }: RunResult): string[] =>
  violations.map(
    ({ check, function: name, after }) =>
      `${check}${name === undefined ? '' : ` ${name}`}${after ? ', after' : ''}`,
  );

describe.each(ROWS)('$what', (row) => {
  test('and the run tells what follows', () => {
    const run = killed(row, {});
    expect([shown(run), run.end]).toEqual([row.breaks, row.end]);
  });

  test('where a run that is not to go on ends at the first of these', () => {
    const [all, first] = [killed(row, {}), killed(row, { stopsAtFirst: true })];
    expect(first.violations).toEqual(all.violations.filter(({ after }) => !after));
    expect(first.end).toBe(all.violations.some(({ after }) => after) ? 'trap' : all.end);
  });
});

test('a run that was not killed stops where it gives back what it does not hold', () => {
  const { program } = parseCase(`${HEAD}\n    call bpf_rcu_read_unlock\n${PREEMPT}${END}`);
  const run = new Vm(program).run();
  expect([shown(run), run.end]).toEqual([['misuse bpf_rcu_read_unlock'], 'trap']);
});

const LOOP = `.type tc
.rules naive
.kill step=0
.bound 4

    call bpf_preempt_disable
    r1 = 1
    r1 = 2
    r1 = 3
    r1 = 4
    r0 = 0
    exit
`;

test('a run whose bound is over goes on to its exit', () => {
  const { program } = parseCase(LOOP);
  const run = (more: { stopsAtFirst?: true }): RunResult => {
    const vm = new Vm(program, { bound: 4, ...more });
    vm.kill();
    return vm.run();
  };
  const [all, first] = [run({}), run({ stopsAtFirst: true })];
  expect([shown(all), all.end, all.steps]).toEqual([['bound', 'leak bpf_preempt_disable, after'], 'exit', 7]);
  expect([shown(first), first.end, first.steps]).toEqual([['bound'], 'limit', 4]);
});

/** Killed runs of generated programs under rules that break many checks, to their end and to the first check that breaks. */
function* killedRuns(): Iterable<{ readonly all: KillResults; readonly first: KillResults }> {
  const { seed = 0 } = seeded(1);
  for (let index = 0; index < 16; index++) {
    const { program } = sample(seed, index);
    const prepared = prepareProgram(program, 'privileged');
    if (typeof prepared === 'string') continue;
    for (const name of ['naive', 'rfc-v1']) {
      const path = pathOf(prepared, shippedRuleSet(name)!);
      const run = {
        ...runOptions(prepared, path),
        ...runEnvironment(program, seed, index, 0),
        maxSteps: 300,
      };
      yield {
        all: killBeforeEveryInsn(prepared.code, run),
        first: killBeforeEveryInsn(prepared.code, { ...run, stopsAtFirst: true }),
      };
    }
  }
}

test('of generated programs: the same breaks up to there, faults end a run, and the gravest is told first', () => {
  let more = 0;
  for (const { all, first } of killedRuns()) {
    const before = all.broken.filter(({ violation }) => !violation.after);
    const plain = ({ violation, step }: (typeof before)[number]): unknown => ({ violation, step });
    expect(before.map(plain)).toEqual(first.broken.map(plain));
    more += all.broken.length - before.length;
    for (const { violation, all: run } of all.broken) {
      const fault = run.findIndex(({ check }) => check === 'fault');
      expect(fault === -1 || fault === run.length - 1).toBe(true);
      const graves = worstFirst(run).map(({ check }) => gravity(check));
      expect(graves).toEqual([...graves].sort((a, b) => a - b));
      const lines = brokenLines(run, violation);
      expect(lines[0]).toMatch(new RegExp(`^${worstFirst(run)[0]!.check}: `));
      expect(lines).toContain(`${violation.check}: ${violation.message}`);
    }
  }
  expect(more).toBeGreaterThan(3);
});
