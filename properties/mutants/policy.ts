/** Mutants of policies: what limits match and do, how runs are stopped, and how hooks are simulated. */
import { type Mutant, mutantsOf } from './mutant.js';

const ENFORCED = 'policy/limits-are-enforced-as-they-say';
const READ = 'policy/a-policy-says-where-it-is-wrong';
const CHECKED = 'policy/programs-are-held-against-their-limits';

export const POLICY_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/policy/policy.ts',
    [READ],
    [
      {
        name: 'the-last-limit-counts',
        inside: 'limitOf',
        node: 'limits.find',
        becomes: '[...limits].reverse().find',
        wrong: 'Of two limits for a program the later one counts.',
      },
      {
        name: 'sections-are-no-hooks',
        inside: 'limitOf',
        node: 'section !== undefined && matches(hook, section)',
        becomes: 'false',
        wrong: 'A limit for a section is for no program.',
      },
      {
        name: 'dots-match-anything',
        inside: 'matches',
        node: "part.replace(/[.+?^${}()|[\\]\\\\]/g, '\\\\$&')",
        becomes: 'part',
        wrong: 'Signs in a pattern are taken for a regular expression.',
      },
      {
        name: 'members-of-other-actions-are-taken',
        inside: 'readLimit',
        node: "action !== 'detach' && table.has('after')",
        becomes: 'false',
        wrong: 'A limit that kills may say after how many kills it detaches, and never does.',
      },
    ],
  ),
  ...mutantsOf(
    'src/policy/reader.ts',
    [READ],
    [
      {
        name: 'unknown-members-are-taken',
        inside: 'Table.end',
        node: 'this.asked.has(key) || known.includes(key)',
        becomes: 'true',
        wrong: 'A misspelt member is left out without a word.',
      },
      {
        name: 'lines-count-from-nothing',
        inside: 'TomlFile.keyLine',
        node: 'return index + 1;',
        becomes: 'return index;',
        wrong: 'The line that is told is the one before.',
      },
      {
        name: 'microseconds-are-milliseconds',
        inside: 'UNITS',
        node: 'us: 1e3',
        becomes: 'us: 1e6',
        wrong: 'A limit in microseconds is a thousand times as long.',
      },
    ],
  ),
  ...mutantsOf(
    'src/policy/simulate/map-words.ts',
    [READ],
    [
      {
        name: 'contents-are-big-endian',
        inside: 'bytesOf',
        node: "bytes.subarray(0, size).toString('hex')",
        becomes: "bytes.subarray(0, size).reverse().toString('hex')",
        wrong: 'Numbers in maps have their bytes the wrong way round.',
      },
    ],
  ),
  ...mutantsOf(
    'src/policy/simulate/stop.ts',
    [ENFORCED],
    [
      {
        name: 'the-watchdog-is-always-there',
        inside: 'stopped',
        node: 'how.limit + how.watchdog * random.uniform()',
        becomes: 'how.limit',
        wrong: 'A watchdog that looks seldom sees each limit at once.',
      },
      {
        name: 'runs-that-ended-are-killed',
        inside: 'stopped',
        node: 'at >= time',
        becomes: 'at < 0',
        wrong: 'A run that ended before the kill came is killed all the same.',
      },
      {
        name: 'killed-runs-end-at-once',
        inside: 'stopped',
        node: 'at + toExit',
        becomes: 'at',
        wrong: 'A killed run takes no time to its exit.',
      },
      {
        name: 'killed-runs-leave-nothing-behind',
        inside: 'stopped',
        node: 'leaked: left',
        becomes: 'leaked: 0',
        wrong: 'What a killed run leaves behind is not counted.',
      },
      {
        name: 'checks-of-a-budget-are-free',
        inside: 'withBudget',
        node: 'time + rounds * clock',
        becomes: 'time',
        wrong: 'Asking for the time takes no time.',
      },
    ],
  ),
  ...mutantsOf(
    'src/policy/simulate/profile.ts',
    ['policy/a-simulated-kill-is-a-kill-under-its-strategy'],
    [
      {
        name: 'simulated-runs-end-anywhere',
        inside: 'killed',
        node: 'standsAtStop(vm, prepared)',
        becomes: 'true',
        wrong: 'A simulated kill ends a run where its strategy cannot.',
      },
      {
        name: 'strategies-add-nothing-to-simulated-runs',
        inside: 'added',
        node: 'prepared.extra(usageOf(prepare(program), options))',
        becomes: '0',
        wrong: 'What a strategy adds to a run takes no time.',
      },
      {
        name: 'simulated-runs-know-no-bit',
        inside: 'started',
        node: 'optionsUnder(prepared, options)',
        becomes: "{ ...options, ...(prepared.kind === 'runs out' ? { fastPath: prepared.fastPath } : {}) }",
        wrong: 'A simulated kill reaches neither may_goto nor helpers that call back.',
      },
    ],
  ),
  ...mutantsOf(
    'src/policy/simulate/sweep.ts',
    ['policy/a-simulated-kill-is-a-kill-under-its-strategy'],
    [
      {
        name: 'what-cannot-be-taken-is-simulated-without-its-program',
        inside: 'simulateOne',
        node: 'refused: true',
        becomes: 'refused: false',
        wrong: 'A program that a strategy cannot take counts as none at all.',
      },
    ],
  ),
  ...mutantsOf(
    'src/policy/simulate/simulate.ts',
    [ENFORCED],
    [
      {
        name: 'throttles-do-not-grow',
        inside: 'Hook.punish',
        node: 'limit.backOff ** this.inARow',
        becomes: '1',
        wrong: 'A hook is throttled for the same time again and again.',
      },
      {
        name: 'detached-programs-go-on',
        inside: 'Hook.runProgram',
        node: 'prepared.refused || this.detachedAt !== null',
        becomes: 'prepared.refused',
        wrong: 'A program that was detached runs on.',
      },
      {
        name: 'one-kill-is-enough-to-detach',
        inside: 'Hook.punish',
        node: 'this.kills >= limit.after',
        becomes: 'this.kills >= 1',
        wrong: 'A program is detached by its first kill.',
      },
      {
        name: 'cpus-are-never-given-back',
        inside: 'Simulation.leave',
        node: 'this.free++;',
        becomes: 'this.free += hook.latencies.length > 5 ? 0 : 1;',
        wrong: 'A CPU that has served five operations is lost.',
      },
      {
        name: 'fractions-of-runs-are-lost',
        inside: 'Hook.serve',
        node: 'this.owed += load.runs;',
        becomes: 'this.owed = Math.floor(load.runs);',
        wrong: 'Half a run in each operation is none at all.',
      },
    ],
  ),
  ...mutantsOf(
    'src/policy/check.ts',
    [CHECKED],
    [
      {
        name: 'the-best-is-held-against-the-limit',
        inside: 'checkProgram',
        node: 'found.worst <= limit.time',
        becomes: 'found.best <= limit.time',
        wrong: 'A program is within its limit if its shortest run is.',
      },
      {
        name: 'refuted-programs-are-killable',
        inside: 'checkProgram',
        node: "proof.verdict === 'proven'",
        becomes: "proof.verdict !== 'unknown'",
        wrong: 'A program that leaks when it is killed may be killed.',
      },
      {
        name: 'limits-that-refuse-kill',
        inside: 'checkProgram',
        node: "limit.action === 'refuse'",
        becomes: 'false',
        wrong: 'A program above a limit that refuses it is loaded, and killed.',
      },
    ],
  ),
  ...mutantsOf(
    'src/policy/simulate/sweep.ts',
    ['policy/what-is-swept-is-as-if-the-file-said-it'],
    [
      {
        name: 'sweeps-of-the-watchdog-change-nothing',
        inside: 'simulateOne',
        node: `time('watchdog') ?? load.watchdog`,
        becomes: 'load.watchdog',
        wrong: 'A sweep over the time of the watchdog simulates the same each time.',
      },
    ],
  ),
];
