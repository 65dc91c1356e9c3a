/** Mutants of costs: what insns and calls take, the shortest and the longest run, what is measured, and the time to die. */
import { type Mutant, mutantsOf } from './mutant.js';

const COUNTED = 'cost/small-programs-take-what-one-counts-by-hand';
const WITHIN = 'cost/a-run-takes-a-time-within-its-estimate';
const DIES = 'cost/a-killed-run-dies-within-its-time';
const TABLE = 'cost/a-table-of-costs-reads-back';
const ROWS = 'cost/rows-are-made-of-what-was-measured';

export const COST_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/cost/span.ts',
    [COUNTED],
    [
      {
        name: 'contention-is-not-counted',
        inside: 'scaled',
        node: 'contended ? row.contention : 1',
        becomes: '1',
        wrong: 'A lock that other CPUs want as well takes no longer.',
      },
      {
        name: 'values-of-maps-have-no-bytes',
        inside: 'amountsOf',
        node: "arg.kind === 'map_value'",
        becomes: 'false',
        wrong: 'Of a map helper only the key counts as bytes.',
      },
      {
        name: 'rows-of-map-types-are-not-looked-up',
        inside: 'rowsOf',
        node: 'onMap.length > 0 ? onMap : costs.of(kind, name)',
        becomes: 'costs.of(kind, name)',
        wrong: 'A helper costs the same on maps of all types.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/weigh.ts',
    [COUNTED, DIES],
    [
      {
        name: 'rounds-add-nothing',
        inside: 'endOfRound',
        node: 'contract === undefined ? ZERO : roundSpan(contract, this.options)',
        becomes: 'ZERO',
        wrong: 'A helper calls its callback in no time.',
      },
      {
        name: 'the-least-size-is-the-most',
        inside: 'amounts',
        node: '[small(regs[arg + 1]!.num.umin), small(regs[arg + 1]!.num.umax)]',
        becomes: '[small(regs[arg + 1]!.num.umin), small(regs[arg + 1]!.num.umin)]',
        wrong: 'A helper is promised to copy as few bytes as it may.',
      },
      {
        name: 'a-stub-takes-as-long-as-its-call',
        inside: 'VisitCosts.pass',
        node: 'if (stubbed) return stubSpan(this.options);',
        becomes: 'if (stubbed && this.options.contended) return stubSpan(this.options);',
        wrong: 'A stub takes the time of the function that it stands for.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/shortest.ts',
    [COUNTED, WITHIN],
    [
      {
        name: 'loops-never-end-early',
        inside: 'leastRounds',
        node: 'this.stopping.has(this.visits.slot(v)) ? Math.min(least, 1) : least',
        becomes: 'least',
        wrong: 'A callback that may end its loop is promised to run for all rounds.',
      },
      {
        name: 'loops-may-always-be-left',
        inside: 'leastRounds',
        node: 'least = umax > MAX_LOOPS ? 0 : Number(umin);',
        becomes: 'least = 0;',
        wrong: 'The shortest run makes no round of any loop.',
      },
      {
        name: 'the-nearest-end-is-the-cheapest',
        inside: 'Search.shortest',
        node: 'before + this.weight(v, within)',
        becomes: 'before + (ends(v) ? 0 : this.weight(v, within))',
        wrong: 'The last insn of the shortest run takes no time.',
      },
      {
        name: 'global-subprograms-take-no-time',
        inside: 'ofGlobal',
        node: "this.program.subprogs.find((s) => s.start === start)?.linkage !== 'global'",
        becomes: 'true',
        wrong: 'The shortest run goes through global subprograms in no time.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/estimate.ts',
    [COUNTED],
    [
      {
        name: 'tail-calls-lead-nowhere',
        inside: 'estimate',
        node: 'tail >= 0 ? Number.POSITIVE_INFINITY : run.worst + total',
        becomes: 'run.worst + total',
        wrong: 'The program that a tail call runs takes no time.',
      },
      {
        name: 'jumps-are-told-the-wrong-way-round',
        inside: 'pathOf',
        node: 'next === slot + 1',
        becomes: 'next !== slot + 1',
        wrong: 'The way of the worst run goes left where the run goes right.',
      },
      {
        name: 'assumed-costs-are-not-told',
        inside: 'assumedIn',
        node: 'rows.length === 0',
        becomes: 'rows.length < 0',
        wrong: 'An estimate does not say that it rests on a cost that nobody measured.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/actual.ts',
    [WITHIN, DIES],
    [
      {
        name: 'callbacks-return-in-no-time',
        inside: 'step',
        node: 'left?.helper !== undefined',
        becomes: 'left?.helper !== undefined && left.callsite < -1',
        wrong: 'The clock of a run stands still between two callbacks.',
        noticedBy: [WITHIN],
      },
      {
        name: 'the-clock-runs-twice-as-fast',
        inside: 'step',
        node: 'this.elapsed = add(this.elapsed, cost);',
        becomes: 'this.elapsed = add(this.elapsed, add(cost, cost));',
        wrong: 'Each insn is counted twice.',
      },
      {
        name: 'stubs-run-their-function',
        inside: 'costHere',
        node: 'if (stubbed) return stubSpan(this.options);',
        becomes: 'if (stubbed && this.options.contended) return stubSpan(this.options);',
        wrong: 'The clock counts the function that a stub stands for.',
        noticedBy: [DIES],
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/time-to-die.ts',
    [DIES],
    [
      {
        name: 'timed-loops-die-at-once',
        inside: 'timeToDie',
        node: 'insns + ms * NS_PER_MS',
        becomes: 'insns + ms',
        wrong: 'A loop that may go on for a quarter of a second is promised to end in nanoseconds.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/patched-graph.ts',
    [DIES],
    [
      {
        name: 'the-helper-in-flight-is-forgotten',
        inside: 'inFlight',
        node: 'this.weigh === undefined',
        becomes: 'true',
        wrong: 'A helper that runs at the kill is promised to be over.',
      },
      {
        name: 'helpers-start-for-nothing',
        inside: 'start',
        node: 'this.weigh.start(this.visits, v)',
        becomes: '0',
        wrong: 'Starting a helper that runs callbacks takes no time.',
        noticedBy: [COUNTED],
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/table.ts',
    [TABLE],
    [
      {
        name: 'endless-is-written-as-nothing',
        inside: 'text',
        node: "Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '-'",
        becomes: "Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '0'",
        wrong: 'A time that nothing bounds is written as none.',
      },
      {
        name: 'rows-may-be-out-of-order',
        inside: 'parseCosts',
        node: 'row.best > row.usual || row.usual > row.worst',
        becomes: 'row.best > row.worst',
        wrong: 'A row whose usual time is above its worst is taken.',
      },
      {
        name: 'rows-may-be-there-twice',
        inside: 'parseCosts',
        node: 'seen.has(key)',
        becomes: 'seen.has(key) && name.length > 99',
        wrong: 'Of two rows of one function both count.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/measure/measure.ts',
    [ROWS],
    [
      {
        name: 'pairs-are-charged-twice',
        inside: 'halved',
        node: 'usual: usual / 2',
        becomes: 'usual',
        wrong: 'What a lock and its unlock take together is charged to each.',
      },
      {
        name: 'the-worst-is-the-last',
        inside: 'rowsFrom',
        node: 'Math.max(...worst.map((span) => span.worst))',
        becomes: 'worst.at(-1)!.worst',
        wrong: 'The worst of a helper is that of the variant that was measured last.',
      },
      {
        name: 'bytes-are-charged-to-the-call',
        inside: 'bytesApart',
        node: 'few[of] * least - byte * least',
        becomes: 'few[of] * least',
        wrong: 'The few bytes of the smaller call are charged a second time.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/measure/rounds.ts',
    [ROWS],
    [
      {
        name: 'interrupted-rounds-count',
        inside: 'withoutInterrupted',
        node: 'ns <= limit',
        becomes: 'ns <= 1000 * limit',
        wrong: 'A round in which the CPU did something else counts as the function.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/shortest.ts',
    ['cost/small-programs-take-what-one-counts-by-hand'],
    [
      {
        name: 'a-walk-over-an-array-may-be-short',
        inside: 'Search.leastRounds',
        node: `map?.type === 'array' && !isInner ? map.maxEntries : 0`,
        becomes: '0',
        wrong: 'The least time of a walk over an array counts none of its entries.',
      },
    ],
  ),
];
