/**
 * What is proven of small programs whose loops and calls are known, in full: verdict and reason, termination points, every bound, every site,
 * insns walked. The table is known-programs.txt (rewritten by `vitest -u`; read the difference). What it says is held against killed runs.
 */
import { describe, expect, test } from 'vitest';
import { rule, ruleSet } from '../../src/patch/define.js';
import { fastPath } from '../../src/patch/fast-path.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { RULE_SETS } from '../../src/patch/sets/index.js';
import sound from '../../src/patch/sets/sound.js';
import type { Cost } from '../../src/smt/cost.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { ProgramProof } from '../../src/smt/proof.js';
import type { Accepted } from '../../src/verifier/result.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { defaultChooser, failingChooser, seededChooser } from '../../src/vm/state/chooser.js';
import { cannotRun } from '../../src/vm/state/runnable.js';
import { Vm } from '../../src/vm/vm.js';
import { KNOWN_PROGRAMS, type KnownProgram } from '../support/smt/known-programs.js';

const LOOPS = [
  'bpf_loop',
  'bpf_for_each_map_elem',
  'bpf_find_vma',
  'bpf_iter_num_next',
  'bpf_iter_bits_next',
];
const RULES: ReadonlyMap<string, RuleSet> = new Map(
  [
    ...RULE_SETS,
    ruleSet('keeps', []),
    ruleSet('loops-run', [
      rule('loops run')
        .when((f) => LOOPS.includes(f.name))
        .keep(),
      ...sound.rules,
    ]),
    // The call at slot 7 answers NULL, any other goes on.
    ruleSet('first-only', [
      rule('the first is stubbed')
        .when((f) => f.name === 'bpf_iter_num_next')
        .at((site) => site.slot === 7)
        .stub({ r0: 0 }),
      rule('others run').keep(),
    ]),
    ruleSet('no-number', [
      rule('the number of the CPU is none')
        .when((f) => f.name === 'bpf_get_smp_processor_id')
        .stub({ r0: -1 }),
      ...sound.rules,
    ]),
  ].map((rules) => [rules.name.replace(/^(loops|no|first)-/, '$1 '), rules]),
);

const CHOOSERS = [defaultChooser, failingChooser, ...[1, 2, 3, 4].map(seededChooser)];
/** Runs longer than this are killed up to there, and killed runs are left alone after it. */
const MAX_STEPS = 400;

interface Proved {
  readonly one: KnownProgram;
  readonly rules: string;
  readonly verified: Accepted;
  readonly program: ReturnType<typeof parseCase>['program'];
  readonly proof: ProgramProof;
}

async function prove(one: KnownProgram, rules: string): Promise<Proved> {
  const { program } = parseCase(one.text, one.name);
  const verified = verify(program);
  if (!verified.ok) throw new Error(`${one.name}: ${verified.message}`);
  const proof = await proveProgram(program, RULES.get(rules)!, { verified, maxRuns: 30 });
  return { one, rules, verified, program, proof };
}

function rowsOf({ one, rules, proof }: Proved): string {
  const limited = ({ ms, insns }: Cost): string => `${insns}+${ms}ms`;
  const bounds = [...proof.bounds]
    .map(([slot, bound]) => {
      const time = proof.timeLimits.get(slot);
      return `${slot}:${time === undefined ? (bound ?? '-') : limited(time)}`;
    })
    .join(' ');
  const bound = proof.timeLimit === undefined ? (proof.bound ?? '-') : limited(proof.timeLimit);
  const kept = proof.kept.map((call) => `${call.slot} ${call.may.join('+')}`).join(', ');
  const { patched } = proof.walked;
  const witness = proof.witness?.expect;
  return [
    `${one.name}, under ${rules}: ${proof.verdict}${proof.reason === '' ? '' : `: ${proof.reason}`}`,
    ...(witness?.kind === 'breaks'
      ? [`  witness breaks ${witness.check}, killed at step ${proof.witness?.kill}`]
      : []),
    `  ${proof.points} points, at most ${bound} insns; ${patched} walked after the kill; ${proof.queries} queries`,
    ...(kept === '' ? [] : [`  kept: ${kept}`]),
    ...(bounds === '' ? [] : [`  by slot ${bounds}`]),
    ...proof.sites.map((s) => `  ${s.slot} ${s.function}: ${s.action} by '${s.rule ?? ''}', ${s.settled}`),
    '',
  ].join('\n');
}

/** By slot, the most insns that killed runs took. */
function longestDeaths({ program, verified, rules }: Proved): ReadonlyMap<number, number> {
  const path = fastPath(program, verified.facts, RULES.get(rules)!);
  const most = new Map<number, number>();
  for (const chooser of CHOOSERS) {
    const vm = new Vm(program, { chooser, fastPath: path, facts: verified.facts });
    while (vm.running && vm.machine.steps < MAX_STEPS) {
      const { pc, steps } = vm.machine;
      const killed = vm.fork();
      killed.kill();
      while (killed.running && killed.machine.steps - steps < MAX_STEPS) killed.step();
      expect(killed.result().violations).toEqual([]);
      most.set(pc, Math.max(most.get(pc) ?? 0, killed.machine.steps - steps));
      vm.step();
    }
  }
  return most;
}

let known: Promise<readonly Proved[]> | undefined;

/** Proves each program under each of its rule sets, once. */
function all(): Promise<readonly Proved[]> {
  known ??= (async () => {
    const found: Proved[] = [];
    for (const one of KNOWN_PROGRAMS) for (const rules of one.rules) found.push(await prove(one, rules));
    return found;
  })();
  return known;
}

test('all that is proven is as pinned', async () => {
  const text = (await all()).map(rowsOf).join('\n');
  await expect(text).toMatchFileSnapshot('../support/smt/known-programs.txt');
});

describe('killed runs', () => {
  test('of a program that is proven break no check and end within the bound of their slot', async () => {
    for (const proved of await all()) {
      if (proved.proof.verdict !== 'proven' || cannotRun(proved.program) !== undefined) continue;
      for (const [slot, most] of longestDeaths(proved)) {
        const bound = proved.proof.bounds.get(slot) ?? proved.proof.timeLimits.get(slot)?.insns ?? 0;
        expect([proved.one.name, proved.rules, slot, most <= bound]).toEqual([
          proved.one.name,
          proved.rules,
          slot,
          true,
        ]);
      }
    }
  });

  test('take just as long as the bound of their slot where no loop is bounded by a limit of Linux', async () => {
    for (const proved of await all()) {
      const { one, rules, proof } = proved;
      if (proof.verdict !== 'proven' || one.exact !== true) continue;
      const deaths = longestDeaths(proved);
      expect([one.name, rules, [...deaths]]).toEqual([
        one.name,
        rules,
        [...deaths.keys()].map((slot) => [slot, proof.bounds.get(slot)]),
      ]);
    }
  });
});
