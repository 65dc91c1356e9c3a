/** A load with all combinations of what is swept, each simulated. */
import { estimate } from '../../cost/estimate.js';
import { type CostOptions, callSpan, rowsOf } from '../../cost/span.js';
import { InputError } from '../../isa/errors.js';
import { contractOf } from '../../kernel/catalog.js';
import type { Program } from '../../object/program.js';
import type { RuleSet } from '../../patch/rule.js';
import { fastPathUnder } from '../../strategies/fast-path.js';
import { shippedStrategy } from '../../strategies/index.js';
import type { Prepared, Untaken } from '../../strategies/strategy.js';
import type { Accepted } from '../../verifier/result.js';
import { prepare } from '../../vm/state/code.js';
import { EMPTY, type Environment } from '../../vm/state/environment.js';
import type { HookLoad, Load } from '../load.js';
import { type Limit, limitOf, type Policy } from '../policy.js';
import { nanoseconds } from '../reader.js';
import { bytesOf } from './map-words.js';
import { profilesOf, type RunProfile, usualKill } from './profile.js';
import { type HookResult, type PreparedHook, simulate } from './simulate.js';

/** A program that a hook of the load runs. */
export interface HookProgram {
  readonly program: Program;
  readonly verified: Accepted;
}

/** What was simulated with one combination of values. */
export interface Point {
  /** The values that are swept, in the order of the file. */
  readonly values: Readonly<Record<string, number | string>>;
  readonly hooks: readonly HookResult[];
}

/** What the simulations need besides the policy. */
export interface Subjects {
  /** By the hook's place in the load; undefined: no program is attached. */
  readonly programs: readonly (HookProgram | undefined)[];
  readonly rules: RuleSet;
  readonly costs: CostOptions;
}

/** Most combinations that are simulated. */
const MOST_POINTS = 10_000;

/** Simulates every combination. `told` hears how many are done. Throws InputError for what cannot be simulated. */
export function sweep(
  policy: Policy,
  load: Load,
  subjects: Subjects,
  told: (done: number, all: number) => void = () => {},
): readonly Point[] {
  const all = combinations([...load.sweep]);
  if (all.length > MOST_POINTS)
    throw new InputError(`simulate.sweep: ${all.length} combinations, ${MOST_POINTS} at the most`, {
      file: policy.file,
    });
  const known = new Map<string, readonly RunProfile[]>();
  return all.map((values, done) => {
    told(done, all.length);
    return { values: Object.fromEntries(values), hooks: simulateOne(policy, load, subjects, values, known) };
  });
}

type Values = ReadonlyMap<string, number | string>;

function combinations(
  members: readonly (readonly [string, readonly (number | string)[]])[],
): readonly Values[] {
  return members.reduce<readonly Values[]>(
    (before, [name, values]) =>
      before.flatMap((one) => values.map((value): Values => new Map([...one, [name, value]]))),
    [new Map()],
  );
}

function simulateOne(
  policy: Policy,
  load: Load,
  subjects: Subjects,
  values: Values,
  known: Map<string, readonly RunProfile[]>,
): readonly HookResult[] {
  const { costs } = subjects;
  const time = (name: string): number | undefined => {
    const value = values.get(name);
    return value === undefined ? undefined : nanoseconds(String(value));
  };
  const number = (name: string): number | undefined => {
    const value = values.get(name);
    return value === undefined ? undefined : Number(value);
  };
  const variables = new Map(
    [...values].flatMap(([name, value]) => (typeof value === 'number' ? [[name, value] as const] : [])),
  );
  const limited = time('limit');
  const way = String(values.get('strategy') ?? load.strategy);
  const hooks = load.hooks.map((hook, nth): PreparedHook => {
    const rate = number('rate');
    const clients = number('clients');
    const own: HookLoad = {
      ...hook,
      ...(rate !== undefined && hook.rate !== undefined ? { rate } : {}),
      ...(clients !== undefined && hook.clients !== undefined ? { clients } : {}),
    };
    const subject = subjects.programs[nth];
    if (subject === undefined) return { load: own, profiles: [], limit: undefined, refused: false };
    const limit = withTime(limitOf(policy.limits, subject.program), limited);
    const refused =
      limit?.action === 'refuse' && estimate(subject.program, subject.verified, costs).worst > limit.time;
    const prepared = preparedFor(way, subject, subjects.rules);
    if (prepared !== undefined && 'cannot' in prepared) {
      const cannot = `${way} cannot take ${subject.program.name}: ${prepared.cannot}`;
      return { load: own, profiles: [], limit, refused: true, cannot };
    }
    return {
      load: own,
      profiles: profiles(subject, prepared, way, subjects, hook, load, variables, known, nth, policy),
      limit,
      refused,
    };
  });
  return simulate({
    seed: load.seed,
    duration: load.duration,
    cpus: number('cpus') ?? load.cpus,
    hooks,
    stopping: {
      by: way === 'none' || way === 'budget' ? way : 'kill',
      watchdog: time('watchdog') ?? load.watchdog,
      kill: time('kill') ?? load.kill ?? usualKill(costs),
      clock: clockOf(costs),
    },
  });
}

/** The program made ready to be killed; undefined: nobody kills it. */
function preparedFor(
  way: string,
  { program, verified }: HookProgram,
  rules: RuleSet,
): Prepared | Untaken | undefined {
  if (way === 'none' || way === 'budget') return undefined;
  const strategy = way === 'fast-path' ? fastPathUnder(rules) : shippedStrategy(way);
  if (strategy === undefined) throw new Error(`no strategy is called ${way}`);
  return strategy.prepare({ code: prepare(program), facts: verified.facts });
}

const withTime = (limit: Limit | undefined, time: number | undefined): Limit | undefined =>
  limit === undefined || time === undefined ? limit : { ...limit, time };

function profiles(
  { program, verified }: HookProgram,
  prepared: Prepared | undefined,
  way: string,
  { costs }: Subjects,
  hook: HookLoad,
  load: Load,
  variables: ReadonlyMap<string, number>,
  known: Map<string, readonly RunProfile[]>,
  nth: number,
  { file }: Policy,
): readonly RunProfile[] {
  const maps = new Map<string, Map<string, string>>();
  for (const [name, entries] of hook.maps) {
    if (!program.maps.some((map) => map.name === name)) {
      const there = program.maps.map((map) => map.name).join(', ');
      throw new InputError(`simulate.hook.maps: ${program.name} has no map '${name}'; it has ${there}`, {
        file,
      });
    }
    maps.set(
      name,
      new Map([...entries].map(([key, words]) => [key, inFile(file, () => bytesOf(words, variables))])),
    );
  }
  const key = `${nth} ${prepared === undefined ? '' : way} ${JSON.stringify([...maps].map(([name, entries]) => [name, [...entries]]))}`;
  let found = known.get(key);
  if (found === undefined) {
    const env: Environment = { ...EMPTY, maps };
    const seeds = Array.from({ length: hook.worlds }, (_, world) => (load.seed + world * 7919) >>> 0);
    found = inFile(file, () => profilesOf({ program, verified, prepared, costs, env, seeds }));
    known.set(key, found);
  }
  return found;
}

/** Says of what is wrong in which file it stands. */
function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.message, { file, ...error.place });
  }
}

/** What asking for the time costs. */
function clockOf(costs: CostOptions): number {
  const contract = contractOf('bpf_ktime_get_ns');
  if (contract === undefined) throw new Error('bpf_ktime_get_ns is not described');
  if (rowsOf(costs.costs, contract).length === 0) throw new Error('bpf_ktime_get_ns has no cost');
  return callSpan(contract, { bytes: [0, 0], entries: [0, 0] }, costs).usual;
}
