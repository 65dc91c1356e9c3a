/**
 * A function that is declared is a function like any other: a copy of one of the tables, under a name of its own, gets the same verdict of the
 * verifier, the same proofs of rules and of programs, and the same runs wherever they are killed, in programs that were made with the
 * function itself. Only a model in the machine, which a declaration does not have, makes a difference; such functions are left out.
 */
import { describe, expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { coverageOf } from '../../generators/smallest-call.js';
import { runEnvironment } from '../../src/campaign/kill/environments.js';
import { killBeforeEveryInsn } from '../../src/campaign/kill/kill-everywhere.js';
import { pathOf, prepareProgram, runOptions } from '../../src/campaign/kill/prepared-program.js';
import { contracts } from '../../src/kernel/catalog.js';
import type { Contract } from '../../src/kernel/contract.js';
import { contractOfDeclared } from '../../src/kernel/declare/declare.js';
import type { DeclaredFunction, Program } from '../../src/object/program.js';
import { rule, ruleSet } from '../../src/patch/define.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { proveRules } from '../../src/smt/rule-proof.js';
import { verify } from '../../src/verifier/verify.js';
import { modelOf } from '../../src/vm/call/models/index.js';
import { parseCase } from '../../src/vm/case/case.js';
import { printCase } from '../../src/vm/case/print.js';
import { prepare } from '../../src/vm/state/code.js';
import { cannotRun } from '../../src/vm/state/runnable.js';
import { Vm } from '../../src/vm/vm.js';
import { exactCopyOf } from '../support/declare/print.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const SUFFIX = '_copy';

/** Functions that the verifier, the machine or the proofs know by name: a copy is not told to them. */
const BY_NAME =
  /^bpf_(throw|tail_call|loop|for_each_map_elem|find_vma|rbtree_add_impl|iter_num_\w+|res_spin_\w+|get_smp_processor_id|timer_\w+|wq_\w+|get_local_storage|dynptr_slice_rdwr|(un)?preempt\w*|map_(update|delete|lookup)\w*|setsockopt|getsockopt|get_retval|set_retval|bind|sys_bpf)$/;

interface Twin {
  readonly contract: Contract;
  readonly declared: DeclaredFunction;
}

const twins: readonly Twin[] = contracts().flatMap((contract) => {
  if (BY_NAME.test(contract.name) || modelOf(contract.name) !== undefined) return [];
  const declared = exactCopyOf(contract, `${contract.name}${SUFFIX}`);
  return declared === undefined ? [] : [{ contract, declared }];
});

/** The program with calls of the copy in place of calls of the function. */
function withCopy(program: Program, { contract, declared }: Twin): Program {
  const kfuncs = program.kfuncs.map((name) => (name === contract.name ? declared.name : name));
  let second = false;
  const insns = program.insns.map((insn) => {
    const calls = !second && insn.opcode === 0x85 && insn.src === 0 && insn.imm === contract.id;
    second = !second && insn.opcode === 0x18;
    return calls ? { ...insn, imm: declared.id } : insn;
  });
  return { ...program, insns, kfuncs, declared: [declared] };
}

/** The program with `r1 = 0` in place of the `nth` insn before its first call. */
function spoiltAt(program: Program, nth: number): Program {
  const call = program.insns.findIndex(({ opcode }) => opcode === 0x85);
  const at = call - nth;
  if (at < 0 || program.insns[at]!.opcode === 0 || program.insns[at]!.opcode === 0x18) return program;
  return {
    ...program,
    insns: program.insns.with(at, { opcode: 0xb7, dst: 1, src: 0, off: 0, imm: 0 }),
  };
}

/** Numbers and names of copies as those of the originals. */
const asOriginal = (value: unknown, { contract, declared }: Twin): string =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'bigint' ? `${one}` : one instanceof Map ? [...one] : one,
  )
    .replaceAll(declared.name, contract.name)
    .replaceAll(`#${declared.id}`, `#${contract.id}`);

/** A rule set that knows the function by either name. */
function rulesFor({ contract, declared }: Twin): readonly RuleSet[] {
  const its = (name: string): boolean => name === contract.name || name === declared.name;
  return [
    ruleSet('kept', [rule('everything runs').keep()]),
    ruleSet('stubbed', [
      rule('it fails')
        .when((f) => its(f.name) && f.canFailWithoutEffect)
        .stub((f) => f.failure),
      rule('it answers 1')
        .when((f) => its(f.name) && f.returnsInteger && !f.acquires)
        .stub({ r0: 1 }),
      rule('it does nothing')
        .when((f) => its(f.name) && f.returnsVoid)
        .stub({ r0: 'void' }),
    ]),
  ];
}

/** A few programs that call the function. */
function* programsOf({ contract }: Twin): Generator<Program> {
  for (let index = 0; index < 1; index++) {
    const { program } = sample(SEED, index, { only: [contract.name], maxInsns: 50 });
    if (coverageOf(program).has(contract.name) && cannotRun(program) === undefined) yield program;
  }
}

describe('a declared copy of a function', () => {
  const verdicts = (program: Program): unknown => {
    const verdict = verify(program, { profile: 'privileged', facts: false });
    return verdict.ok ? [verdict.walked, verdict.states] : [verdict.reason, verdict.message, verdict.slot];
  };

  it('is accepted and refused where the function is', () => {
    let [seen, refused] = [0, 0];
    for (const twin of twins)
      for (const program of programsOf(twin)) {
        const copy = withCopy(program, twin);
        expect(asOriginal(verdicts(copy), twin), twin.contract.name).toBe(
          asOriginal(verdicts(program), twin),
        );
        seen++;
        // And where something else is in its place: a number in a register that held an argument, or what was to be given back.
        for (const at of [1, 2, 3, 5, 8]) {
          const [spoilt, other] = [program, copy].map((one) => spoiltAt(one, at));
          expect(asOriginal(verdicts(other!), twin), twin.contract.name).toBe(
            asOriginal(verdicts(spoilt!), twin),
          );
          if (!verify(spoilt!, { profile: 'privileged', facts: false }).ok) refused++;
        }
      }
    expect(seen).toBeGreaterThan(150);
    expect(refused).toBeGreaterThan(150);
  });

  it('has the rule proofs of the function', async () => {
    for (const twin of twins.filter((_, i) => i % 3 === SEED % 3))
      for (const rules of rulesFor(twin)) {
        const [ours] = (await proveRules(rules, [twin.contract])).functions;
        const [its] = (await proveRules(rules, [contractOfDeclared(twin.declared)])).functions;
        const strip = ({ witness, verdict, action, rule: by }: NonNullable<typeof ours>) => [
          verdict,
          action,
          by,
          witness?.check,
          witness?.state,
        ];
        expect(asOriginal(its && strip(its), twin), twin.contract.name).toBe(
          asOriginal(ours && strip(ours), twin),
        );
      }
  }, 60_000);

  it('has the program proofs of the function', async () => {
    const asked = twins.filter((_, i) => i % 7 === SEED % 7);
    for (const twin of asked)
      for (const program of programsOf(twin)) {
        const answer = async (one: Program) => {
          const { verdict, bound, boundKind } = await proveProgram(one, rulesFor(twin)[1]!, { maxRuns: 20 });
          return [verdict, bound, boundKind];
        };
        expect(asOriginal(await answer(withCopy(program, twin)), twin), twin.contract.name).toBe(
          asOriginal(await answer(program), twin),
        );
      }
  }, 60_000);

  it('runs, and dies, as the function does', () => {
    let points = 0;
    for (const twin of twins)
      for (const program of programsOf(twin)) {
        const copy = withCopy(program, twin);
        const prepared = prepareProgram(program, 'privileged');
        const other = prepareProgram(copy, 'privileged');
        if (typeof prepared === 'string' || typeof other === 'string') throw new Error('refused');
        const rules = rulesFor(twin)[1]!;
        const { env, chooser } = runEnvironment(program, SEED, 0, 1);
        const ordinary = new Vm(prepared.code, {
          ...runOptions(prepared, pathOf(prepared, rules)),
          env,
          chooser,
        }).run();
        const renamed = new Map(
          [...ordinary.env.choices].map(([key, value]) => [
            key.replace(`${twin.contract.name}#`, `${twin.declared.name}#`),
            value,
          ]),
        );
        const original = killBeforeEveryInsn(prepared.code, {
          ...runOptions(prepared, pathOf(prepared, rules)),
          env: ordinary.env,
        });
        const its = killBeforeEveryInsn(other.code, {
          ...runOptions(other, pathOf(other, rules)),
          env: { ...ordinary.env, choices: renamed },
        });
        const shown = ({ ordinary: run, broken, points: tried, worst }: typeof original) => [
          run.r0,
          run.steps,
          run.end,
          run.violations,
          tried,
          worst,
          broken.map(({ violation, step }) => [violation, step]),
        ];
        expect(asOriginal(shown(its), twin), twin.contract.name).toBe(asOriginal(shown(original), twin));
        points += original.points;
      }
    expect(points).toBeGreaterThan(2000);
  }, 60_000);

  it('comes out of its case as it went in', () => {
    for (const twin of twins)
      for (const program of programsOf(twin)) {
        const copy = withCopy(program, twin);
        const text = printCase({
          program: copy,
          profile: 'privileged',
          env: { choices: new Map() },
          comments: [],
        });
        const read = parseCase(text);
        expect(read.program.declared).toEqual([twin.declared]);
        expect(prepare(read.program).contracts).toEqual(prepare(copy).contracts);
        expect(printCase(read)).toBe(text);
      }
  });
});
