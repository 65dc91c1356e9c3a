/** Reports of programs, drawn at random: what checking them might have said. */
import fc from 'fast-check';
import type { ProgramReport, Suspect, WitnessDisagreement } from '../../../src/campaign/check/check.js';
import type { Cause } from '../../../src/campaign/kill/cause.js';
import type { Identity } from '../../../src/campaign/shards/identity.js';
import { CHECKS } from '../../../src/vm/state/trap.js';

/** A campaign of no build, under rule sets of these names. */
export const identityOf = (...sets: readonly string[]): Identity => ({
  version: '0',
  code: '0',
  rules: sets.map((set) => ({ name: set, set, digest: '0' })),
});

const words = (...all: readonly string[]): fc.Arbitrary<Record<string, number>> =>
  fc.dictionary(fc.constantFrom(...all), fc.integer({ min: 1, max: 9 }), { maxKeys: 3 });

/** Few of each member, so that causes that differ in one of them alone come up. */
export const causes: fc.Arbitrary<Cause> = fc.record({
  rules: fc.constantFrom('one', 'two'),
  check: fc.constantFrom('leak' as const, 'fault' as const),
  rule: fc.constantFrom('a', 'b'),
  function: fc.constantFrom('bpf_f', 'bpf_g', 'bpf_f+bpf_g'),
  kind: fc.constantFrom('k', 'l'),
});

const suspects: fc.Arbitrary<Suspect> = fc.record({
  cause: causes,
  world: fc.integer({ min: -1, max: 3 }),
  text: fc.constantFrom('x', 'y', 'z'),
  insns: fc.integer({ min: 1, max: 30 }),
});

const disagreements: fc.Arbitrary<WitnessDisagreement> = fc.record({
  between: fc.constantFrom('verifier', 'run', 'proof', 'replay', 'kernel', 'itself'),
  message: fc.constantFrom('no', 'yes'),
});

const judgements = fc.constantFrom(
  undefined,
  { accepted: true, judged: true },
  { accepted: false, judged: true },
  { accepted: false, judged: false },
);

/** The report of program `index`. A program has a cause once at the most, as `checkProgram` says. */
export function reportOf(index: number): fc.Arbitrary<ProgramReport> {
  return fc
    .record({
      type: fc.constantFrom('xdp', 'tc', 'syscall'),
      insns: fc.integer({ min: 1, max: 99 }),
      accepted: fc.boolean(),
      points: fc.nat({ max: 99 }),
      everywhere: fc.boolean(),
      worst: fc.nat({ max: 99 }),
      proofs: fc.array(
        fc.record({
          rules: fc.constantFrom('one', 'two'),
          verdict: fc.constantFrom('proven' as const, 'refuted' as const, 'unknown' as const),
        }),
        { maxLength: 3 },
      ),
      brokenUnder: fc.record({ one: words(...CHECKS), two: words(...CHECKS) }),
      broken: words(...CHECKS),
      suspects: fc.uniqueArray(suspects, {
        maxLength: 3,
        selector: ({ cause }) => `${cause.rules} ${cause.check} ${cause.function} ${cause.kind}`,
      }),
      disagreements: fc.array(disagreements, { maxLength: 2 }),
      calls: words('bpf_f', 'bpf_g', 'bpf_h'),
      held: words('socket', 'lock', 'nothing'),
      diversity: fc.record({
        cells: words('bpf_f, stub, socket, depth 1, main', 'exit, nothing, depth 2, callback'),
        stubs: words('bpf_f', 'bpf_g'),
        kept: words('bpf_g', 'bpf_h'),
        outcomes: words('bpf_f found', 'bpf_f null'),
        pairs: words('lock+socket', 'socket+socket'),
      }),
      kernel: judgements,
    })
    .map(({ kernel, ...report }) => ({ index, ...report, ...(kernel === undefined ? {} : { kernel }) }));
}

/** The reports of the programs 0, 1, 2 and so on. */
export const reportLists: fc.Arbitrary<readonly ProgramReport[]> = fc
  .nat({ max: 12 })
  .chain((length) => fc.tuple(...Array.from({ length }, (_, index) => reportOf(index))));
