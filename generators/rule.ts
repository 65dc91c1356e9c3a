/**
 * Rules and rule sets: any, and wrong by construction. A stub is wrong when its post-state lies in no outcome that a stub may imitate: r0
 * outside of all of them, output memory or a slot left unwritten, a call that takes or gives back something skipped.
 */
import fc from 'fast-check';
import { S64_MAX, S64_MIN } from '../src/isa/integer.js';
import { contracts } from '../src/kernel/catalog.js';
import type { Contract, Outcome, R0 } from '../src/kernel/contract.js';
import { imitableOutcomes } from '../src/kernel/describe.js';
import { rule, ruleSet } from '../src/patch/define.js';
import type { RuleSet, Stub } from '../src/patch/rule.js';

/** A stub for one function, as a whole rule set. */
export interface RuleChoice {
  /** The function that is stubbed. */
  readonly contract: Contract;
  readonly stub: Stub;
  /** One rule for the function, and one that keeps all others. */
  readonly rules: RuleSet;
}

const r0Arbitrary: fc.Arbitrary<bigint | 'void'> = fc.oneof(
  fc.constantFrom<(bigint | 'void')[]>(0n, -1n, 1n, 'void', -22n, S64_MIN, S64_MAX),
  fc.bigInt({ min: S64_MIN, max: S64_MAX }),
);

const stubArbitrary: fc.Arbitrary<Stub> = fc.record({
  r0: r0Arbitrary,
  writes: fc.subarray([0, 1, 2, 3, 4]),
  slots: fc.subarray([0, 1, 2, 3, 4]).map((args) => args.map((arg) => ({ arg, as: 'null_dynptr' as const }))),
});

function choice(contract: Contract, stub: Stub): RuleChoice {
  const rules = ruleSet(`stub-${contract.name}`, [
    rule(`stub ${contract.name}`)
      .when((f) => f.name === contract.name)
      .stub(stub),
    rule('everything else runs').keep(),
  ]);
  return { contract, stub, rules };
}

/** A rule set that stubs one function in any way at all, right or wrong. `names`: only these functions. */
export function ruleArbitrary(names?: readonly string[]): fc.Arbitrary<RuleChoice> {
  const all = contracts().filter(({ name }) => names === undefined || names.includes(name));
  return fc
    .record({ contract: fc.constantFrom(...all), stub: stubArbitrary })
    .map(({ contract, stub }) => choice(contract, fitted(contract, stub)));
}

/** Without writes and slots that no stub of the function may have. */
function fitted(contract: Contract, stub: Stub): Stub {
  return {
    r0: stub.r0,
    writes: stub.writes.filter((arg) => isWritten(contract, arg)),
    slots: stub.slots.filter(({ arg }) => isNewDynptr(contract, arg)),
  };
}

/** The function writes memory there: all that a stub may fill. */
function isWritten(contract: Contract, index: number): boolean {
  const arg = contract.args[index];
  return (arg?.kind === 'mem' && arg.access !== 'read') || (arg?.kind === 'map_value' && arg.uninit === true);
}

/** The function makes a dynptr there: the only slots that a stub may fill. */
function isNewDynptr(contract: Contract, index: number): boolean {
  const arg = contract.args[index];
  return arg?.kind === 'dynptr' && arg.state === 'uninit';
}

/** Whether a stub leaves r0 as the outcome has it. Where the function returns nothing, nobody may look at it. */
function r0Within(stub: Stub, r0: R0): boolean {
  switch (r0.kind) {
    case 'void':
      return true;
    case 'null':
      return stub.r0 === 0n;
    case 'scalar':
      return stub.r0 !== 'void' && stub.r0 >= r0.min && stub.r0 <= r0.max;
    case 'pointer':
      return false;
  }
}

function imitates(stub: Stub, outcome: Outcome): boolean {
  return (
    r0Within(stub, outcome.r0) &&
    outcome.effects.every((effect) => {
      if (effect.kind === 'write') return stub.writes.includes(effect.arg);
      if (effect.kind === 'init_dynptr') return stub.slots.some(({ arg }) => arg === effect.arg);
      return true;
    }) &&
    stub.slots.every(({ arg }) =>
      outcome.effects.some((effect) => effect.kind === 'init_dynptr' && effect.arg === arg),
    )
  );
}

/** Whether the stub lies in no outcome, whatever is known at the call: it is wrong for every program that calls the function. */
export function isWrong(contract: Contract, stub: Stub): boolean {
  return !imitableOutcomes(contract).some((outcome) => imitates(stub, outcome));
}

const NOTHING: Stub = { r0: 0n, writes: [], slots: [] };

/** Whether some stub of the function is wrong. Of a function without result and effect every stub is right. */
export function canBeWrong(contract: Contract): boolean {
  return isWrong(contract, spoilt(contract, NOTHING));
}

/** A rule set with one rule that is wrong for every call of its function. */
export function wrongRuleArbitrary(names?: readonly string[]): fc.Arbitrary<RuleChoice> {
  const possible = contracts()
    .filter((contract) => canBeWrong(contract) && (names === undefined || names.includes(contract.name)))
    .map(({ name }) => name);
  return ruleArbitrary(possible).map(({ contract, stub }) =>
    choice(contract, isWrong(contract, stub) ? stub : spoilt(contract, stub)),
  );
}

/** Makes a right stub wrong. */
function spoilt(contract: Contract, stub: Stub): Stub {
  const candidates: Stub[] = [
    { ...stub, writes: [], slots: [] },
    { ...stub, r0: 'void' },
    { ...stub, r0: 1n },
  ];
  return candidates.find((candidate) => isWrong(contract, candidate)) ?? stub;
}

/** Several rules for different functions, the rest kept. */
export function ruleSetArbitrary(): fc.Arbitrary<RuleSet> {
  return fc
    .uniqueArray(ruleArbitrary(), { minLength: 1, maxLength: 6, selector: ({ contract }) => contract.name })
    .map((choices) =>
      ruleSet('generated', [
        ...choices.flatMap(({ rules }) => rules.rules.slice(0, 1)),
        rule('everything else runs').keep(),
      ]),
    );
}
