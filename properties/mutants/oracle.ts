/** Mutants of the kernel as an oracle: loads, logs, certificates. */
import { type Mutant, mutantsOf } from './mutant.js';

const VERDICTS = 'oracle/answers-of-linux-become-verdicts';
const LOADS = 'oracle/loads-are-asked-for-in-the-kernels-layout';
const WORDS = 'oracle/every-word-of-a-log-is-told-apart';
const WALKS = 'oracle/the-kernel-log-is-read-as-it-is-written';

export const ORACLE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/oracle/load.ts',
    ['oracle/what-the-log-refuses-is-refused-whatever-the-errno'],
    [
      {
        name: 'too-many-paths-are-no-verdict',
        inside: 'loadInsns',
        node: "errno === 'ENOMEM'",
        becomes: 'false',
        wrong:
          'A program that Linux refuses for too many paths counts as not judged, because memory was short.',
      },
      {
        name: 'the-verifier-is-asked-once',
        inside: 'retried',
        node: "errnoName(result) !== 'EAGAIN' || result >= 0",
        becomes: 'true',
        wrong: 'A load that a signal interrupted is not tried again.',
        noticedBy: [LOADS],
      },
      {
        name: 'sleepable-has-the-flag-of-states',
        inside: 'BPF_F_SLEEPABLE',
        node: '1 << 4',
        becomes: '1 << 3',
        wrong: 'Sleepable programs are loaded with the flag that keeps a state wherever it may.',
        noticedBy: [LOADS],
      },
      {
        name: 'the-end-of-a-log-is-enough',
        inside: 'logged',
        node: 'options.logLevel === undefined && needed > 0',
        becomes: 'needed > 0',
        wrong: 'A log that was asked for is cut where the first buffer ends.',
        noticedBy: [LOADS],
      },
      {
        name: 'what-fails-to-load-leaves-its-maps',
        inside: 'loadWith',
        node: '!keep',
        becomes: 'keep',
        wrong: 'Maps are closed when a program is loaded, and kept when it is refused.',
        noticedBy: [LOADS],
      },
      {
        name: 'a-lack-of-capability-is-a-verdict',
        inside: 'loadInsns',
        node: "errno === 'EPERM' && told.message === ''",
        becomes: 'false',
        wrong: 'EPERM without a word of the verifier counts as its verdict.',
        noticedBy: [LOADS],
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/certify.ts',
    [VERDICTS],
    [
      {
        name: 'a-certificate-from-the-first-form-only',
        inside: 'certifyAsLoaded',
        node: "judged.verdict === 'certified'",
        becomes: "judged.verdict !== 'inexpressible'",
        wrong: 'The first form that is refused decides, though another would be accepted.',
      },
      {
        name: 'a-refused-program-refuses-its-rules',
        inside: 'certifyAsLoaded',
        node: 'plain?.ok === false',
        becomes: 'false',
        wrong: 'A program that Linux refuses by itself counts against the rule set.',
      },
      {
        name: 'no-memory-is-a-refusal',
        inside: 'saysNothing',
        node: "errno === 'ENOMEM'",
        becomes: 'false',
        wrong: 'A load that failed for want of memory counts as a refusal.',
      },
      {
        name: 'stubs-that-write-some-memory-write-all',
        inside: 'leavesUnwritten',
        node: '!writes.includes(i)',
        becomes: 'writes.length > 0 && !writes.includes(i)',
        wrong: 'A stub that writes nothing at all is not judged for what it leaves unwritten.',
      },
      {
        name: 'the-longest-program-is-not-killed-everywhere',
        inside: 'formsFor',
        node: 'insns.length <= MOST_KILLED_EVERYWHERE',
        becomes: 'insns.length < MOST_KILLED_EVERYWHERE',
        wrong: 'The longest program that may be killed before every insn is not.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/maps.ts',
    ['oracle/maps-are-asked-for-in-the-kernels-layout'],
    [
      {
        name: 'the-inner-map-is-a-numa-node',
        inside: 'attributesOf',
        node: 'attr.u32(20, inner.fd)',
        becomes: 'attr.u32(24, inner.fd)',
        wrong: 'The descriptor of the inner map is put where the NUMA node belongs.',
      },
      {
        name: 'one-cpu-too-few',
        inside: 'possibleCpus',
        node: 'Number(last) + 1',
        becomes: 'Math.max(1, Number(last))',
        wrong: 'The last CPU that may come is not counted.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/ringbuf.ts',
    ['oracle/ring-buffers-are-read-as-the-kernel-lays-them-out'],
    [
      {
        name: 'records-do-not-wrap',
        inside: 'drainRingbuf',
        node: 'at & BigInt(size - 1)',
        becomes: 'at',
        wrong: 'Positions beyond the size of a ring buffer do not start over.',
      },
      {
        name: 'discarded-records-are-told',
        inside: 'drainRingbuf',
        node: '(head & DISCARD) === 0',
        becomes: 'true',
        wrong: 'Records that were discarded are given as submitted.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/testrun.ts',
    ['oracle/test-runs-are-asked-for-in-the-kernels-layout'],
    [
      {
        name: 'the-packet-is-given-back-as-long-as-the-room',
        inside: 'preparePacket',
        node: 'out.subarray(0, attr.bytes.readUInt32LE(12))',
        becomes: 'out',
        wrong: 'The packet after a run is as long as the room for it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/log.ts',
    [WORDS],
    [
      {
        name: 'only-the-last-leak-is-told',
        inside: 'complaint',
        node: '[...leaks, last]',
        becomes: '[...leaks.slice(-1), last]',
        wrong: 'Of several leaks only the last is in the message.',
        noticedBy: ['oracle/a-refusal-tells-its-reason', WORDS],
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/danger.ts',
    ['oracle/what-would-harm-linux-is-neither-run-nor-loaded'],
    [
      {
        name: 'the-first-function-may-be-idle',
        inside: 'mayLoseExceptionCallback',
        node: 'before.some(({ start }) => verdict.facts.at(start).length === 0)',
        becomes: 'before.slice(1).some(({ start }) => verdict.facts.at(start).length === 0)',
        wrong: 'The first function in front of the exception callback is not asked whether it is called.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/walk-log/value.ts',
    [WORDS],
    [
      {
        name: 'upper-bounds-of-32-bits-are-signed',
        inside: 'setBound',
        node: 'num.u32max = Number(BigInt.asUintN(32, n));',
        becomes: 'num.u32max = Number(BigInt.asIntN(32, n));',
        wrong: 'Large unsigned 32-bit bounds are read as negative ones.',
      },
      {
        name: 'offsets-are-always-positive',
        inside: 'attribute',
        node: 'told.off = Number(BigInt.asIntN(64, n));',
        becomes: 'told.off = Number(BigInt.asUintN(64, n));',
        wrong: 'Negative offsets of pointers are read as large ones.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/walk-log/forget.ts',
    [WORDS],
    [
      {
        name: 'a-call-keeps-all-saved-registers',
        inside: 'forgetAfter',
        node: 'n > 5 && survivesCall(value)',
        becomes: 'n > 5',
        wrong: 'After a call all that was known of saved registers is still taken for known.',
      },
      {
        name: 'linked-scalars-outlive-branches',
        inside: 'isSteady',
        node: 'value.id !== 0',
        becomes: 'false',
        wrong: 'What was known of the copy of a number is kept over a branch that narrows both.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/walk-log/held.ts',
    [WORDS],
    [
      {
        name: 'the-first-lock-is-unlocked',
        inside: 'heldAfterCall',
        node: 'left.findLast((hold) => isLock(hold) && hold.kind === effect.lock)',
        becomes: 'left.find((hold) => isLock(hold) && hold.kind === effect.lock)',
        wrong: 'Of two locks of a kind the one that was taken first is unlocked.',
      },
      {
        name: 'hidden-locks-are-lost-with-what-goes',
        inside: 'heldAsPrinted',
        node: 'n === i || hold.id === 0',
        becomes: 'n === i',
        wrong: 'A lock that is never printed is lost when what was taken after it is met.',
      },
      {
        name: 'unlock-gives-back-the-outer-lock',
        inside: 'heldAfterCall',
        node: 'left.findLast',
        becomes: 'left.find',
        wrong:
          'Of two locks of one kind the one that was taken first is counted as given back by the first unlock.',
      },
      {
        name: 'a-lock-without-an-id-is-lost-before-a-printed-reference',
        inside: 'heldAsPrinted',
        node: 'n === i || hold.id === 0',
        becomes: 'n === i',
        wrong:
          'A lock that the log does not print counts as given back as soon as a reference that was taken after it is printed again.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/walk-log/state.ts',
    [WALKS],
    [
      {
        name: 'bytes-the-highest-first',
        inside: 'parseSlot',
        node: '[...text].reverse() as LogByte[]',
        becomes: '[...text] as LogByte[]',
        wrong: 'Bytes of a slot are read in the wrong order.',
      },
    ],
  ),
];
