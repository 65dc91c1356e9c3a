/** Mutants of how programs are judged one by one, and how their rows are told. */
import { type Mutant, mutantsOf } from './mutant.js';

const LIMITS = ['cli/a-program-that-takes-too-much-costs-no-other-its-verdict'];
const COMPARED = ['cli/a-comparison-fails-only-for-what-got-worse'];
const EXPLAINED = ['cli/an-explained-proof-says-what-becomes-of-each-call'];
const TABLES = ['cli/tables-of-programs-fit-80-columns'];

export const JUDGE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf('src/cli/judge/supervisor.ts', LIMITS, [
    {
      name: 'programs-take-as-long-as-they-like',
      inside: 'Supervisor.onSaid',
      node: 'timeout !== undefined',
      becomes: 'false',
      wrong: 'The option --timeout ends nothing.',
    },
    {
      name: 'a-thread-goes-on-behind-its-time',
      inside: 'Supervisor.onSaid',
      node: "this.lose('timeout')",
      becomes: "this.lose('interrupted')",
      wrong: 'A program over its time is taken for one that a person stopped.',
    },
    {
      name: 'no-thread-comes-after-a-lost-one',
      inside: 'Supervisor.lose',
      node: 'this.thread = undefined',
      becomes: 'void thread',
      wrong: 'What is asked after a program over its time goes to the thread that was ended.',
    },
  ]),
  ...mutantsOf('src/cli/judge/supervisor.ts', LIMITS, [
    {
      name: 'too-much-memory-ends-all',
      inside: 'Supervisor.start',
      node: "error.code === 'ERR_WORKER_OUT_OF_MEMORY'",
      becomes: 'false',
      wrong: 'A program that takes too much memory is told to have met a bug.',
    },
    {
      name: 'a-bug-with-one-program-ends-all',
      inside: 'Supervisor.start',
      node: 'this.waiting?.judging === true',
      becomes: 'false',
      wrong: 'A thread that falls over one program takes the verdicts of all others with it.',
    },
  ]),
  ...mutantsOf('src/cli/judge/drive.ts', LIMITS, [
    {
      name: 'rows-of-lost-programs-are-not-shown',
      inside: 'judgeAll',
      node: "answer.lost !== 'interrupted'",
      becomes: 'false',
      wrong: 'The row of a program over its time is not printed.',
    },
    {
      name: 'an-interrupt-is-forgotten',
      inside: 'Collected.addLost',
      node: "loss !== 'interrupted'",
      becomes: 'true',
      wrong: 'Nobody is told that a person stopped the work.',
    },
  ]),
  ...mutantsOf('src/smt/program-proof.ts', LIMITS, [
    {
      name: 'verification-takes-any-effort',
      inside: 'proveAsLoaded',
      node: 'Math.min(effort, INSN_BUDGET)',
      becomes: 'INSN_BUDGET',
      wrong: 'The verification of a program may take more insns than the program may.',
    },
    {
      name: 'searches-take-any-effort',
      inside: 'proveAsLoaded',
      node: 'left - patched.walked',
      becomes: 'Number.POSITIVE_INFINITY',
      wrong: 'The search for a counterexample may take any number of insns.',
    },
  ]),
  ...mutantsOf('src/report/text/object-table.ts', TABLES, [
    {
      name: 'objects-stand-above-each-program',
      inside: 'ObjectTable.add',
      node: 'this.file === file',
      becomes: 'false',
      wrong: 'A table names its object before each of its programs.',
    },
    {
      name: 'long-names-push-figures-away',
      inside: 'ObjectTable.line',
      node: '`${name}`.length > width',
      becomes: 'false',
      wrong: 'A long name makes a line wider than 80 columns.',
    },
  ]),
  ...mutantsOf('src/report/programs/proofs.ts', TABLES, [
    {
      name: 'a-summary-has-each-insn',
      inside: 'proofSummary',
      node: '{ ...rest, timeToDie: { kill, run } }',
      becomes: '{ ...rest, timeToDie }',
      wrong: 'The summary has the time to die of each insn.',
    },
  ]),
  ...mutantsOf('src/report/programs/verdicts.ts', TABLES, [
    {
      name: 'all-of-many-verdicts-are-listed',
      inside: 'VerdictTable.add',
      node: 'this.rows > LISTED',
      becomes: 'false',
      wrong: 'Of thousands of programs each has its row, whether the two verifiers differ or not.',
    },
  ]),
  ...mutantsOf('src/cli/judge/prover.ts', TABLES, [
    {
      name: 'the-worst-place-is-where-programs-begin',
      inside: 'placesOf',
      node: 'places.at(first)',
      becomes: 'places.at(first + 1)',
      wrong: 'The worst place to be killed at is told one insn too far.',
    },
  ]),
  ...mutantsOf('src/report/compare/changes.ts', COMPARED, [
    {
      name: 'a-longer-bound-is-no-worse',
      inside: 'changesOf',
      node: 'add(field, from, to, grew(from, to, allowed[field]))',
      becomes: 'add(field, from, to, false)',
      wrong: 'A program may become longer, and longer to walk, without anybody being told that it is worse.',
    },
    {
      name: 'figures-may-not-grow-at-all',
      inside: 'grew',
      node: 'from * (1 + percent / 100)',
      becomes: 'from',
      wrong: 'What is allowed to grow by some part is worse for any growth.',
    },
    {
      name: 'times-limit-less-than-insns',
      inside: 'changesOf',
      node: 'KINDS.indexOf(b.boundKind) > KINDS.indexOf(a.boundKind)',
      becomes: 'KINDS.indexOf(b.boundKind) < KINDS.indexOf(a.boundKind)',
      wrong: 'A bound that becomes a time is held to be better.',
    },
    {
      name: 'another-failure-is-the-same',
      inside: 'changesOf',
      node: 'rank > RANK[then.judged.standing] || rank === RANK.failed',
      becomes: 'rank > RANK[then.judged.standing]',
      wrong: 'A program that fails in another way than before is no worse.',
    },
    {
      name: 'new-programs-may-fail',
      inside: 'newProgram',
      node: 'RANK[judged.standing] > 0',
      becomes: 'false',
      wrong: 'A new program that is refuted does not fail a comparison.',
    },
    {
      name: 'objects-of-one-name-are-one',
      inside: 'paired.by',
      node: 'isOneOfOne && (then.length !== 1 || now.length !== 1)',
      becomes: 'false',
      wrong: 'Programs of different objects are compared because their files are called alike.',
    },
    {
      name: 'short-times-count',
      inside: 'changesOf',
      node: 'to - from > SHORT_MS && grew(from, to, allowed.ms)',
      becomes: 'grew(from, to, allowed.ms)',
      wrong: 'A program that takes 3 ms instead of 1 is worse.',
    },
  ]),
  ...mutantsOf('src/report/compare/baseline.ts', COMPARED, [
    {
      name: 'figures-beside-a-baseline-are-not-red',
      inside: 'baselineExit',
      node: 'figures.length > 0',
      becomes: 'false',
      wrong: 'A bound that grew since the baseline does not change the exit code.',
    },
  ]),
  ...mutantsOf('src/report/compare/changes-in-words.ts', COMPARED, [
    {
      name: 'bars-in-names-end-cells',
      inside: 'code',
      node: "text.replace(/[\\r\\n]+/g, ' ').replaceAll('|', '\\\\|')",
      becomes: "text.replace(/[\\r\\n]+/g, ' ')",
      wrong: 'A name with a bar breaks the table of a step summary.',
    },
  ]),
  ...mutantsOf('src/report/programs/explained-proof.ts', EXPLAINED, [
    {
      name: 'delays-of-kept-calls-are-not-told',
      inside: 'siteInWords',
      node: 'kept === undefined',
      becomes: 'true',
      wrong: 'An explained proof does not say that a kept call may take long.',
    },
    {
      name: 'lines-of-the-way-are-joined',
      inside: 'partsOf',
      node: 'count: before.count + 1',
      becomes: 'count: before.count',
      wrong: 'The way from the worst place has fewer insns than the run.',
    },
    {
      name: 'insns-that-no-run-reaches-have-no-bound',
      inside: 'boundAt',
      node: '!bounds.has(slot)',
      becomes: 'false',
      wrong: 'An insn that is never reached is told to be one from which a run has no bound.',
    },
  ]),
  ...mutantsOf('src/smt/why-allowed.ts', EXPLAINED, [
    {
      name: 'stubs-look-like-outcomes-that-acquire',
      inside: 'imitated',
      node: 'imitableOutcomes(contract, names)',
      becomes: 'contract.outcomes',
      wrong: 'A stub is told to look like an outcome that acquires something.',
    },
  ]),
  ...mutantsOf('src/report/programs/hot-lines.ts', EXPLAINED, [
    {
      name: 'a-line-has-the-insns-of-its-first',
      inside: 'hotLines',
      node: 'known.walked += walked',
      becomes: 'known.walked = walked',
      wrong: 'Of a C line only the insns of one of its places are counted.',
    },
  ]),
  ...mutantsOf('src/verifier/walk/walk.ts', EXPLAINED, [
    {
      name: 'the-insn-over-the-limit-is-not-counted',
      inside: 'Walk.run',
      node: 'tally[slot]!++',
      becomes: 'this.atStart || tally[slot]!++',
      wrong: 'The first insn of a walk is missing in the heat map.',
    },
  ]),
  ...mutantsOf(
    'src/smt/bound.ts',
    ['smt/bound/the-worst-way-is-as-long-as-its-bound'],
    [
      {
        name: 'the-worst-way-stays-in-its-loop',
        inside: 'wayOut',
        node: '!isMore(inside, worstOf.get(next))',
        becomes: 'true',
        wrong: 'The way from the worst place ends in the first loop.',
      },
    ],
  ),
];
