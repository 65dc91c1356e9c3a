/** Mutants of campaigns: checking, causes, storage, and what is said of them. */
import { type Mutant, mutantsOf } from '../mutant.js';

const DIVERSITY = 'campaign/kill/what-is-different-about-points-is-counted';
const LASTING = 'campaign/a-kept-call-that-lasts-is-shown-by-a-program';

export const CAMPAIGN_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/campaign/shards/state.ts',
    ['campaign/shards/a-state-is-the-sum-of-its-reports'],
    [
      {
        name: 'refused-programs-are-killed-everywhere',
        inside: 'add',
        node: 'report.accepted && report.everywhere',
        becomes: 'report.everywhere',
        wrong: 'Programs that were refused count among those killed before every insn.',
      },
      {
        name: 'worst-is-that-of-the-last-program',
        inside: 'add',
        node: 'Math.max(state.worst, report.worst)',
        becomes: 'report.worst',
        wrong: 'The longest way to the exit is that of the last program.',
      },
      {
        name: 'unjudged-counts-as-rejected',
        inside: 'add',
        node: 'report.kernel?.judged',
        becomes: 'report.kernel',
        wrong: 'Programs that the kernel cannot judge count as rejected by it.',
      },
      {
        name: 'a-hit-is-not-counted',
        inside: 'addSuspect',
        node: 'known.hits++;',
        becomes: '',
        wrong: 'Only the first program that breaks something for a cause is counted.',
      },
      {
        name: 'an-earlier-program-does-not-take-a-cause-over',
        inside: 'addSuspect',
        node: 'known.index < index',
        becomes: 'true',
        wrong: 'A cause is shown by the program whose shard ended first, and not by the first program.',
      },
      {
        name: 'what-comes-late-is-put-last',
        inside: 'insert',
        node: 'indexOf(into[at - 1]!) > indexOf(some[0]!)',
        becomes: 'false',
        wrong: 'What was found stands in the order in which shards ended.',
      },
      {
        name: 'the-case-of-an-earlier-program-is-left-out',
        inside: 'slim',
        node: '(known.get(causeKey(one.cause)) ?? Number.POSITIVE_INFINITY) < report.index',
        becomes: 'known.has(causeKey(one.cause))',
        wrong:
          'A case that shows a known cause is dropped, also where its program comes before that of the known one.',
      },
      {
        name: 'the-later-of-two-findings-of-a-size-is-reported',
        inside: 'findings',
        node: 'sizeOf(known) <= sizeOf(one)',
        becomes: 'sizeOf(known) < sizeOf(one)',
        wrong: 'Of two findings that shrink to one cause and one size the later is reported.',
      },
      {
        name: 'hits-of-merged-findings-are-lost',
        inside: 'findings',
        node: 'known?.hits ?? 0',
        becomes: '0',
        wrong: 'The hits of findings that shrink to the same cause are not added.',
      },
      {
        name: 'hits-of-merged-causes-are-lost',
        inside: 'findings',
        node: 'one.hits + (known?.hits ?? 0)',
        becomes: 'one.hits',
        wrong:
          'Where several findings turn out to have one cause, only the programs that break the last of them are counted.',
      },
      {
        name: 'the-smallest-finding-is-that-of-the-smallest-program',
        inside: 'sizeOf',
        node: 'small?.insns ?? insns',
        becomes: 'insns',
        wrong:
          'Of findings with one cause the one is reported that was met in the smallest program, not the one with the smallest case.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/kill/cause.ts',
    ['campaign/kill/a-cause-is-what-findings-have-in-common'],
    [
      {
        name: 'causes-of-all-kinds-are-one',
        inside: 'causeKey',
        node: '`${rules} ${check} ${name}: ${kind}`',
        becomes: '`${rules} ${check} ${name}`',
        wrong: 'Two causes that differ in the kind of message alone have one key.',
      },
      {
        name: 'part-of-another-check',
        inside: 'isSameOrPart',
        node: 'one.check !== other.check',
        becomes: 'false',
        wrong: 'A cause counts as part of one for another check.',
      },
      {
        name: 'one-function-in-common-is-enough',
        inside: 'isSameOrPart',
        node: "one.function.split('+').every((name) => blamed.has(name))",
        becomes: "one.function.split('+').some((name) => blamed.has(name))",
        wrong: 'A cause that blames other functions as well counts as part of one.',
      },
      {
        name: 'the-tenth-register-is-a-name',
        inside: 'kindOf',
        node: '/\\b[rw](10|\\d)\\b/g',
        becomes: '/\\b[rw]\\d\\b/g',
        wrong: 'Messages about r10 are not of the kind of those about other registers.',
      },
      {
        name: 'stubs-left-out-one-at-a-time',
        inside: 'causeOf',
        node: '[...needed]',
        becomes: '[...path.stubs]',
        wrong:
          'Each stub is left out of all of them and not of those that are still needed, so that stubs without a part in it are blamed.',
        noticedBy: ['campaign/kill/what-breaks-is-blamed-on-the-stubs-that-it-needs'],
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/kill/environments.ts',
    ['campaign/kill/environments-are-drawn-from-the-seed'],
    [
      {
        name: 'environments-ignore-the-program',
        inside: 'runEnvironment',
        node: 'mix(seed, index)',
        becomes: 'seed',
        wrong: 'Every program is run in the same environments.',
      },
      {
        name: 'frozen-maps-are-filled',
        inside: 'takesEntries',
        node: 'map.frozen !== true',
        becomes: 'true',
        wrong: 'Entries are put into maps that user space may not write any more.',
      },
      {
        name: 'maps-are-never-full',
        inside: 'contents',
        node: 'BigInt(map.maxEntries) < ENTRIES ? BigInt(map.maxEntries) : ENTRIES',
        becomes: 'BigInt(map.maxEntries) < ENTRIES ? BigInt(map.maxEntries) - 1n : ENTRIES',
        wrong: 'Small maps are never filled.',
      },
      {
        name: 'keys-of-hashes-are-small',
        inside: 'keyOf',
        node: "!map.type.endsWith('array')",
        becomes: "map.type.endsWith('array')",
        wrong: 'Arrays get keys beyond their end, and hashes none but small ones.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/kill/kill-everywhere.ts',
    ['campaign/kill/every-kill-is-tried-and-counted'],
    [
      {
        name: 'the-dense-part-is-one-longer',
        inside: 'killBeforeEveryInsn',
        node: 'new KillPoints(DENSE_STEPS, STRIDE)',
        becomes: 'new KillPoints(DENSE_STEPS + 1, STRIDE)',
        wrong: 'One more insn is killed before than the dense part has.',
      },
      {
        name: 'long-runs-are-killed-everywhere',
        inside: 'killBeforeEveryInsn',
        node: 'last >= DENSE_STEPS',
        becomes: 'last > DENSE_STEPS + 97',
        wrong: 'Runs that are a little too long are said to have been killed before every insn.',
      },
      {
        name: 'steps-to-the-exit-count-from-the-start',
        inside: 'killBeforeEveryInsn',
        node: 'result.steps - first',
        becomes: 'result.steps',
        wrong: 'The way to the exit is counted from the start of the run.',
      },
      {
        name: 'the-way-to-the-exit-is-that-of-the-last',
        inside: 'killBeforeEveryInsn',
        node: 'result.steps - first',
        becomes: 'result.steps - last',
        wrong: 'Of a class of points only the last is asked how far it is to the exit.',
      },
      {
        name: 'a-class-breaks-a-check-once',
        inside: 'killBeforeEveryInsn',
        node: 'step <= last',
        becomes: 'step <= first',
        wrong: 'A check that breaks after every kill of a class is told of its first one only.',
      },
      {
        name: 'the-run-itself-is-killed',
        inside: 'killedAt',
        node: 'vm.fork()',
        becomes: 'vm',
        wrong: 'The run itself is killed in place of a copy.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/check/check.ts',
    ['campaign/corpus/witnesses-that-disagree-are-reported'],
    [
      {
        name: 'proven-and-broken-is-fine',
        inside: 'ProgramCheck.compareProof',
        node: "proof.verdict === 'proven' && broken",
        becomes: 'false',
        wrong: 'A program that is proven and breaks a check when killed is no disagreement.',
      },
      {
        name: 'a-refutation-needs-no-witness',
        inside: 'ProgramCheck.compareProof',
        node: "typeof answer === 'string' || !answer.ok || witness?.expect?.kind !== 'breaks'",
        becomes: 'false',
        wrong: 'A refutation counts although its witness does not replay.',
      },
      {
        name: 'a-kernel-that-cannot-judge-disagrees',
        inside: 'ProgramCheck.askKernel',
        node: '!kernel.accepted && kernel.judged',
        becomes: '!kernel.accepted',
        wrong: 'A kernel that cannot judge a program counts as refusing it.',
      },
      {
        name: 'unknown-stays-unknown-although-it-broke',
        inside: 'ProgramCheck.checkUnderRules',
        node: "broken && proof.verdict === 'unknown'",
        becomes: 'false',
        wrong: 'A program that the VM has refuted is unknown where the proof gives up.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/campaign.ts',
    ['campaign/shards/shards-add-up-in-any-order'],
    [
      {
        name: 'stopping-abandons-shards',
        inside: 'Campaign.work',
        node: 'leaves || this.checking.size === 0 || this.overdue',
        becomes: 'true',
        wrong: 'A shard under way is not waited for when the campaign is stopped.',
      },
      {
        name: 'what-another-program-may-show-earlier-is-shrunk',
        inside: 'Campaign.nextToShrink',
        node: 'one.small === undefined && one.index < open && !this.shrinking.has(one)',
        becomes: 'one.small === undefined && !this.shrinking.has(one)',
        wrong: 'A finding is shrunk before it is known that its program is the first with its cause.',
      },
      {
        name: 'shrunk-findings-are-shrunk-again',
        inside: 'Campaign.nextToShrink',
        node: 'one.small === undefined',
        becomes: 'one.small !== undefined',
        wrong: 'A campaign that is taken up shrinks what was shrunk, and not what was not.',
      },
      {
        name: 'a-campaign-that-has-done-all-goes-on',
        inside: 'Campaign',
        node: 'this.schedule.peek() === undefined',
        becomes: 'false',
        wrong: 'A campaign that has done all is not finished.',
      },
      {
        name: 'a-timed-campaign-is-interrupted',
        inside: 'Campaign',
        node: '(this.options.programs !== undefined || this.stopped)',
        becomes: 'true',
        wrong: 'A campaign that ends by its time counts as interrupted.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/threads/pool.ts',
    ['campaign/threads/threads-do-every-job-once'],
    [
      {
        name: 'a-thread-does-one-job',
        inside: 'ThreadPool.onAnswer',
        node: 'this.idle.push(thread);',
        becomes: '',
        wrong: 'A thread that has done a job gets no other.',
      },
      {
        name: 'a-failed-job-has-a-result',
        inside: 'ThreadPool.onAnswer',
        node: 'answer.ok',
        becomes: "'ok' in answer",
        wrong: 'A job that failed is answered as if it had not.',
      },
      {
        name: 'jobs-wait-for-dead-threads',
        inside: 'ThreadPool.onError',
        node: 'this.threads.size === 0',
        becomes: 'false',
        wrong: 'Jobs that wait when the last thread dies are never answered.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/storage/corpus.ts',
    [
      'campaign/shrink/a-finding-is-shrunk-and-replays',
      'campaign/kill/a-cause-is-what-findings-have-in-common',
    ],
    [
      {
        name: 'a-case-is-overwritten',
        inside: 'storeCase',
        node: 'others.has(there) || mayBeReplaced(there, own)',
        becomes: 'true',
        wrong: 'A case that is there is written over.',
      },
      {
        name: 'file-names-are-cut-with-their-digest',
        inside: 'caseName',
        node: '`${readable.slice(0, 100)}-${digest}`',
        becomes: '`${readable}-${digest}`.slice(0, 107)',
        wrong: 'The digest of a long name is cut off, so that two causes have one file.',
        noticedBy: ['campaign/kill/a-cause-is-what-findings-have-in-common'],
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/witness/lasting-call.ts',
    [LASTING],
    [
      {
        name: 'a-refused-run-is-given-one-insn-more',
        inside: 'lastsAt',
        node: 'short.steps - step',
        becomes: 'short.steps - step + 1',
        wrong: 'The bound of a case is looser than what a stub needs.',
      },
      {
        name: 'a-lasting-call-is-left-unrefused',
        inside: 'lasting',
        node: 'stubs.set(slot, stub);',
        becomes: '',
        wrong: 'The run that a kept call is compared with keeps it too.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/invoke.ts',
    [LASTING],
    [
      {
        name: 'what-must-take-long-breaks-the-bound',
        inside: 'checkPrompt',
        node: 'if (refusal === undefined) return;',
        becomes:
          "if (refusal === undefined) { call.machine.report('bound', 'it may take long', call.name); return; }",
        wrong: 'A call that no stub could refuse breaks the bound by taking long.',
        noticedBy: ['campaign/a-kept-call-that-lasts-is-shown-by-a-program'],
      },
      {
        name: 'a-call-may-take-its-time',
        inside: 'carryOut',
        node: 'checkPrompt(call)',
        becomes: 'undefined',
        wrong: 'A call that takes long keeps any bound.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/replay.ts',
    [LASTING],
    [
      {
        name: 'a-case-forgets-its-bound',
        inside: 'replay',
        node: 'boundOf(one)',
        becomes: '{}',
        wrong: 'The bound that a case sets is not kept when it is replayed.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/trap.ts',
    ['campaign/kill/the-worst-that-a-program-shows-is-told'],
    [
      {
        name: 'taking-long-is-graver-than-a-leak',
        inside: 'gravity',
        node: 'BY_GRAVITY.indexOf(check)',
        becomes: '-BY_GRAVITY.indexOf(check)',
        wrong: 'The least of several broken checks is told.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/kill/diversity.ts',
    [DIVERSITY],
    [
      {
        name: 'points-at-calls-count-twice',
        inside: 'DiversityCounts.points',
        node: 'points - Number(atCall)',
        becomes: 'points',
        wrong: 'A termination point at a call is counted once more as one at no call.',
      },
      {
        name: 'stubs-count-as-kept',
        inside: 'DiversityCounts.patchedCall',
        node: "stubbed ? 'stubs' : 'kept'",
        becomes: "'kept'",
        wrong: 'Stubs that ran are counted as calls that were kept.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/diversity.ts',
    [DIVERSITY],
    [
      {
        name: 'each-kind-makes-a-pair-with-itself',
        inside: 'pairsOf',
        node: 'kinds.slice(i + 1)',
        becomes: 'kinds.slice(i)',
        wrong: 'What is held alone counts as held together with another of its kind.',
      },
      {
        name: 'callbacks-are-below-callbacks',
        inside: 'whereOf',
        node: 'frame.helper !== undefined',
        becomes: 'frame.helper !== undefined && frames.length > 9',
        wrong: 'Points in a callback count as points in what a callback calls.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/guidance/seeded-rules.ts',
    ['campaign/seeded-rules-are-wrong-each-for-one-function'],
    [
      {
        name: 'the-wrong-rule-comes-last',
        inside: 'wrongRule',
        node: '[wrong, ...sound.rules]',
        becomes: '[...sound.rules, wrong]',
        wrong: 'No seeded rule is wrong, since those of `sound` come before it.',
      },
    ],
  ),
];
