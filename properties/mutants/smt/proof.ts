/** Mutants of the proofs of rules, call sites and programs. */
import { type Mutant, mutantsOf } from '../mutant.js';

const KNOWN = 'smt/known-programs-are-proven-as-pinned';
const RULES = 'smt/rule/rule-proofs-are-as-pinned';
const KILLS = 'smt/a-proven-program-survives-every-kill';

const QUESTIONS = 'smt/term/questions-read-back-with-the-same-answer';

export const PROOF_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/smt/absent-proof.ts',
    ['smt/a-weak-kfunc-is-proven-there-and-absent'],
    [
      {
        name: 'the-kernel-has-every-weak-kfunc',
        inside: 'withAbsent',
        node: 'worst = worse(worst, proof, names);',
        becomes: '',
        wrong: 'What a program does where a weak kfunc is absent counts for nothing.',
      },
      {
        name: 'bounds-of-the-kernel-that-has-it',
        inside: 'largerBounds',
        node: 'Math.max(a.bound ?? 0, b.bound ?? 0)',
        becomes: '(a.bound ?? 0)',
        wrong: 'The bound leaves out the way that is taken where a weak kfunc is absent.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/program-proof.ts',
    ['smt/what-a-kernel-lacks-has-another-kernel-as-its-way-on'],
    [
      {
        name: 'what-a-kernel-lacks-is-to-be-mended',
        inside: 'adviceOn',
        node: 'refusal.message === POISONED',
        becomes: 'false',
        wrong: 'A program that needs another kernel is said to be wrong.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/program-proof.ts',
    [KNOWN],
    [
      {
        name: 'every-program-is-proven',
        inside: 'proveAsLoaded',
        node: 'concerns.length === 0',
        becomes: 'true',
        wrong: 'Concerns are not followed up: every program is proven.',
      },
      {
        name: 'kept-calls-are-trusted',
        inside: 'concernsAbout',
        node: "settled === 'refusable'",
        becomes: 'false',
        wrong: 'A kept call that may acquire raises no concern.',
      },
      {
        name: 'kept-tail-calls-are-trusted',
        inside: 'concernsAbout',
        node: 'entersProgram(contract)',
        becomes: 'false',
        wrong: 'A tail call that is kept raises no concern.',
      },
      {
        name: 'calls-that-only-killed-runs-make-are-trusted',
        inside: 'callsOnlyKilledRunsReach',
        node: 'patched.facts.at(slot).length === 0',
        becomes: 'true',
        wrong: 'Call sites that only killed runs reach are not looked at.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/visit-graph.ts',
    [KNOWN],
    [
      {
        name: 'points-do-not-tell-callers-apart',
        inside: 'chainOfFrames',
        node: '`${f.subprog} ${f.callsite}`',
        becomes: '`${f.subprog}`',
        wrong: 'The same insn under two chains of calls counts as one termination point.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/site-proof.ts',
    [KNOWN],
    [
      {
        name: 'sites-ignore-guards',
        inside: 'proofAt',
        node: 'enabled.includes(outcome) === guardMustBe(guard)',
        becomes: 'guardMustBe(guard)',
        wrong: 'Every guarded outcome counts as possible at every call site.',
      },
      {
        name: 'one-stub-with-null-ends-an-iterator',
        inside: 'isAlwaysNull',
        node: 'sites.every',
        becomes: 'sites.some',
        wrong: 'One stub of a function is taken for all of them.',
        noticedBy: [KNOWN, RULES],
      },
      {
        name: 'answers-are-shared-between-sites-with-other-outcomes',
        inside: 'questionKey',
        node: 'site.enabled.map((o) => o.name).join()',
        becomes: "''",
        wrong: 'A call site is answered as another one at which other outcomes were possible.',
      },
      {
        name: 'refusable-calls-only-last',
        inside: 'answerFor',
        node: "proof.witness?.check === 'acquire'",
        becomes: "proof.witness?.check === 'bound'",
        wrong: 'A kept call that may acquire is taken for one that may take long, and the reverse.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/patched.ts',
    [KNOWN, KILLS],
    [
      {
        name: 'callbacks-called-after-the-kill-run-once',
        inside: 'killedStates',
        node: 'for (const { depth, call } of callbacks.reverse()) { if (path.stubs.has(call)) break; states.push(withLastCallbacks(state, depth)); }',
        becomes: '',
        wrong: 'A helper that is kept and called after the kill is taken to call back once only.',
      },
      {
        name: 'the-walk-keeps-quiet-about-failures',
        inside: 'walkOnce',
        node: 'failures.push({ message: error.message, slot: walk.slot, killed, path: pathTo(graph, walk.current), reason: error.reason, });',
        becomes: '',
        wrong: 'The walk of the fast path stops where something is refused, and does not say so.',
      },
      {
        name: 'only-the-first-stub-is-one',
        inside: 'walkOnce.newWalk',
        node: 'if (stub === undefined) return undefined;',
        becomes: 'if (stub === undefined || walk.walked > 1) return undefined;',
        wrong: 'Only a stub right at the kill is one: calls after it are made.',
      },
      {
        name: 'a-kill-in-a-callback-changes-nothing-at-its-exit',
        inside: 'mayLeaveNormalPath',
        node: "code.ops[visit.slot]?.kind !== 'exit'",
        becomes: "code.ops[visit.slot]?.kind !== 'call'",
        wrong: 'The exit of a callback during which the program is killed is not walked again.',
      },
      {
        name: 'kept-helper-called-after-the-kill-stops-too',
        inside: 'withLastCallbacks',
        node: 'at >= depth',
        becomes: 'at > depth',
        wrong:
          'A callback of a kept helper that is called after the kill counts as the last one, so that its further rounds are not walked.',
        noticedBy: [KILLS],
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/stubbed-call.ts',
    [KNOWN, 'patch/what-a-stub-leaves-unwritten-is-not-read'],
    [
      {
        name: 'stubs-fill-all-output',
        inside: 'stubbedCall',
        node: 'stub.writes.includes(index)',
        becomes: 'true',
        wrong: 'A stub is taken to write all memory that the call would have written.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/find-witness.ts',
    ['vm/state/full-maps-are-part-of-the-environment'],
    [
      {
        name: 'witnesses-are-sought-with-empty-maps',
        inside: 'findWitness',
        node: 'fill > 0 && isFillable(program)',
        becomes: 'false',
        wrong: 'No run of the search has anything in its maps, so no callback over them runs.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule-proof.ts',
    [RULES],
    [
      {
        name: 'guards-do-not-matter-to-rules',
        inside: 'proveOne.guardOf',
        node: 'guard === undefined',
        becomes: 'true',
        wrong: 'Every outcome is possible in every situation.',
      },
      {
        name: 'a-leak-is-taken-for-misuse',
        inside: 'checkOf',
        node: "kinds.has('given back')",
        becomes: "kinds.has('control')",
        wrong: 'A stub that gives nothing back is refuted for misuse.',
      },
      {
        name: 'the-nearest-outcome-may-have-another-r0',
        inside: 'penalty',
        node: '100',
        becomes: '0',
        wrong: 'A witness names the outcome that misses least, even where its r0 does not fit.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule/post-state.ts',
    [RULES],
    [
      {
        name: 'rule-proofs-ignore-memory',
        inside: 'PostState.demands',
        node: '...this.memoryDemands(outcome)',
        becomes: '',
        wrong: 'Whether output memory is written does not count.',
      },
      {
        name: 'rule-proofs-ignore-slots',
        inside: 'PostState.demands',
        node: '...this.slotDemands(outcome)',
        becomes: '',
        wrong: 'What is left in stack slots does not count.',
      },
      {
        name: 'rule-proofs-ignore-what-is-held',
        inside: 'PostState.demands',
        node: '...this.ledgerDemands(outcome)',
        becomes: '',
        wrong: 'What is taken and given back does not count.',
      },
      {
        name: 'rule-proofs-ignore-r0',
        inside: 'PostState.demands',
        node: '...this.r0Demands(outcome.r0)',
        becomes: '',
        wrong: 'The value of r0 does not count.',
      },
      {
        name: 'rule-proofs-ignore-time',
        inside: 'PostState.controlDemands',
        node: 'outcome.blocks === true',
        becomes: 'false',
        wrong: 'A stub may imitate an outcome that takes long.',
      },
      {
        name: 'r0-may-be-above-its-range',
        inside: 'PostState.r0Demands',
        node: 't.sle(this.r0, t.constant(64, r0.max))',
        becomes: 't.true',
        wrong: 'The value of r0 may be larger than any value that the function returns.',
        noticedBy: [RULES, 'smt/rule/sound-rules-are-proven-and-wrong-ones-refuted'],
      },
      {
        name: 'memory-that-is-not-written-may-be',
        inside: 'PostState.memoryDemands',
        node: 'writes ? wrote : this.t.not(wrote)',
        becomes: 'writes ? wrote : this.t.true',
        wrong: 'A stub may write memory that the outcome leaves as it was.',
        noticedBy: [RULES, 'smt/rule/sound-rules-are-proven-and-wrong-ones-refuted'],
      },
      {
        name: 'stub-may-write-what-the-outcome-leaves',
        inside: 'PostState.memoryDemands',
        node: 'writes ? wrote : this.t.not(wrote)',
        becomes: 'writes ? wrote : this.t.true',
        wrong: 'A stub that overwrites memory is inside an outcome that leaves this memory as it was.',
        noticedBy: ['smt/rule/sound-rules-are-proven-and-wrong-ones-refuted'],
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule/changes.ts',
    [RULES],
    [
      {
        name: 'a-null-dynptr-is-a-dynptr',
        inside: 'slotAfter',
        node: 'effect.null === true',
        becomes: 'false',
        wrong: 'A null dynptr counts as one that holds something.',
      },
      {
        name: 'moved-references-are-kept',
        inside: 'deltas',
        node: `case 'transfer': change(\`the reference in argument \${effect.arg}\`, -1); break;`,
        becomes: "case 'transfer': break;",
        wrong: 'A reference that is moved into a map or graph does not count as given away.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule/decided-since.ts',
    ['smt/what-a-comparison-leaves-out-needs-no-new-proof'],
    [
      {
        name: 'only-the-rule-that-decides-is-compared',
        inside: 'decisionsOf',
        node: '[rule?.name, action]',
        becomes: '[rule?.name]',
        wrong: 'A function whose stub returns another number since the revision is left out.',
      },
      {
        name: 'only-the-first-situation-is-compared',
        inside: 'decisionsOf',
        node: 'situationsOf(contract)',
        becomes: 'situationsOf(contract).slice(0, 1)',
        wrong: 'A function that is decided otherwise in some situation only is left out.',
      },
      {
        name: 'contracts-are-those-of-today',
        inside: 'decidedSince',
        node: "before.contracts === 'as now' ? contract : before.contracts.get(contract.name)",
        becomes: 'contract',
        wrong: 'A function whose contract changed since the revision is left out.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule/tool-revision.ts',
    ['smt/what-a-comparison-leaves-out-needs-no-new-proof'],
    [
      {
        name: 'the-prover-is-compared-at-its-roots',
        inside: 'changedFile',
        node: 'filesImportedBy(compiler, join(sources, path), WORKING_TREE)',
        becomes: '[join(sources, path)]',
        wrong: 'A change of a file that the prover imports is overlooked.',
      },
      {
        name: 'any-lock-file-will-do',
        inside: 'lockedAt',
        node: 'said === swansongIn(lock, revision)',
        becomes: 'true',
        wrong: 'The contracts are taken to be the same although another swansong was used.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/term/smtlib.ts',
    [QUESTIONS],
    [
      {
        name: 'a-zero-extension-is-written-as-a-sign-extension',
        inside: 'operator',
        node: '`(_ zero_extend ${width - args[0]!.width})`',
        becomes: '`(_ sign_extend ${width - args[0]!.width})`',
        wrong: 'A number that is widened with zeros is written as one that keeps its sign.',
      },
      {
        name: 'an-extraction-is-written-from-the-bottom',
        inside: 'operator',
        node: '`(_ extract ${Number(value) + width - 1} ${value})`',
        becomes: '`(_ extract ${width - 1} 0)`',
        wrong: 'An extraction is written as one of the lowest bits.',
      },
      {
        name: 'only-the-last-assertion-is-written',
        inside: 'toSmtLib',
        node: 'assertions.map',
        becomes: 'assertions.slice(-1).map',
        wrong: 'A question is written without all but its last assertion.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule-proof.ts',
    [QUESTIONS],
    [
      {
        name: 'a-question-is-told-with-another-answer',
        inside: 'proveRules',
        node: 'verdict: answer.verdict',
        becomes: "verdict: 'unsat'",
        wrong: 'Each question is written down as one that was answered unsat.',
      },
    ],
  ),
];
