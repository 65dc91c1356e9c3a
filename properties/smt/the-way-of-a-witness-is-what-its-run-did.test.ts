/**
 * What is told of a run that refutes a program is what that run did: the kill where the case has it, each call after it as the rules decide, what is
 * taken and not given back is what is held in the end, and the checks that break are those of a replay.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pathOf, prepareProgram } from '../../src/campaign/kill/prepared-program.js';
import { loadRules } from '../../src/patch/load.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { type WitnessEvent, type WitnessPath, witnessPath } from '../../src/smt/witness-path.js';
import { type Case, parseCase } from '../../src/vm/case/case.js';
import { replay } from '../../src/vm/replay.js';
import { describeHold } from '../../src/vm/state/ledger.js';
import { Vm } from '../../src/vm/vm.js';
import { callRounds } from '../support/texts.js';

const folder = new URL('../../corpus/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.bpf'));

async function toldOf(one: Case) {
  const { rules } = await loadRules(one.rules ?? 'sound');
  const prepared = prepareProgram(one.program, one.profile);
  if (typeof prepared === 'string') throw new Error(prepared);
  const path = pathOf(prepared, rules);
  const { code, facts } = prepared.verdict;
  const { result } = replay(one, path, { facts });
  return { told: witnessPath(one, { code, facts, path, ruleAt: path.ruleAt }), result, path, prepared };
}

const of = <E extends WitnessEvent['event']>(told: WitnessPath, event: E) =>
  told.events.filter((one): one is Extract<WitnessEvent, { event: E }> => one.event === event);

it('of every case of the corpus', async () => {
  let calls = 0;
  for (const file of files) {
    const one = parseCase(readFileSync(new URL(file, folder), 'utf8'), file);
    const { told, result, path, prepared } = await toldOf(one);
    expect(told.eventsLeftOut).toBe(0);
    expect(of(told, 'killed').map(({ step }) => step)).toEqual([result.killedAt]);
    expect(of(told, 'broken').map(({ at, check, message }) => [at.slot, check, message])).toEqual(
      result.violations.map(({ slot, check, message }) => [slot, check, message]),
    );
    const held = of(told, 'acquired').map(({ what }) => what);
    for (const { what } of of(told, 'released')) held.splice(held.indexOf(what), 1);
    expect(held.sort()).toEqual(result.held.map(describeHold).sort());

    // The calls, told apart by stepping the other tier, which knows nothing of this.
    const vm = new Vm(one.program, {
      env: result.env,
      fastPath: path,
      facts: prepared.verdict.facts,
      strict: one.profile === 'strict',
      tier: 'definitional',
    });
    const expected: unknown[] = [];
    while (vm.running) {
      const { steps, pc } = vm.machine;
      if (steps === one.kill) vm.kill();
      const stubbed = path.stubs.has(pc);
      const called = vm.machine.killed && vm.code.contracts[pc] !== undefined;
      vm.step();
      if (!called || vm.machine.end === 'trap') continue;
      expected.push([steps, pc, stubbed ? 'stubbed' : 'kept', path.ruleAt.get(pc) ?? null]);
    }
    const kinds = [...of(told, 'stubbed'), ...of(told, 'kept')].sort((a, b) => a.step - b.step);
    expect(kinds.map(({ step, at, event, rule }) => [step, at.slot, event, rule])).toEqual(expected);
    for (const { at, r0, zeroed } of of(told, 'stubbed')) {
      const stub = path.stubs.get(at.slot)!;
      expect(r0).toBe(stub.r0 === 'void' ? null : `0x${BigInt.asUintN(64, stub.r0).toString(16)}`);
      expect(zeroed).toEqual(stub.writes.map((arg) => arg + 1));
    }
    calls += expected.length;
  }
  expect(calls).toBeGreaterThan(files.length / 2);
});

const NESTED = `
.type tc
.map m array key=4 value=16 entries=1 spin_lock@0
.rules rfc-v1
    r1 = 5
${callRounds('each')}
    r0 = 0
    exit
each:
    r6 = 0
    r1 = mapvalue m
    call bpf_spin_lock
    r1 = mapvalue m
    call bpf_spin_unlock
    r0 = r6
    exit
`;

it('of a run that is killed in a callback: the calls that are open, and that the helper stops', async () => {
  const one = parseCase(NESTED, 'nested.bpf');
  const { rules } = await loadRules('naive');
  const lines = [{ slot: 0, file: 'n.c', line: 7, column: 1, text: '\tloop();' }];
  const program = { ...one.program, lines };
  const { witness } = await proveProgram(program, rules);
  expect(witness).toBeDefined();
  // Killed while the lock is held, under rules that unlock: nothing breaks, and the loop ends.
  const { told } = await toldOf({ ...one, program, rules: 'sound', kill: 8, env: witness!.env });
  expect(of(told, 'killed')).toMatchObject([
    { at: { slot: 12 }, held: [expect.stringContaining('taken by bpf_spin_lock at 11')] },
  ]);
  expect(of(told, 'killed')[0]!.calls).toMatchObject([{ slot: 5, file: 'n.c', line: 7, source: 'loop();' }]);
  expect(of(told, 'stopped').map(({ at }) => at.slot)).toEqual([5]);
  expect(of(told, 'broken')).toEqual([]);
});

it('only where it was asked for', async () => {
  const one = parseCase(
    readFileSync(new URL(files.find((f) => f.startsWith('naive-leak'))!, folder), 'utf8'),
  );
  const { rules } = await loadRules('naive');
  const plain = await proveProgram(one.program, rules);
  const told = await proveProgram(one.program, rules, { explain: true });
  expect([plain.verdict, plain.witnessPath]).toEqual(['refuted', undefined]);
  const { witnessPath: path, ...rest } = told;
  expect(rest).toEqual(plain);
  expect(path?.events.some(({ event }) => event === 'broken')).toBe(true);
});
