/** The load of a simulation: hooks with the work behind them, how often that comes, and what is tried one after the other. */
import { nanoseconds, type Table } from './reader.js';
import { WAYS } from './words.js';

/** A hook, and the operations that come through it. Times are nanoseconds. */
export interface HookLoad {
  readonly name: string;
  /** The work of one operation behind the hook. */
  readonly work: number;
  /** Runs of the program in one operation, on the average. */
  readonly runs: number;
  /** What an operation takes for each run besides the program itself, where a program is attached. */
  readonly overhead: number;
  /** A closed loop of so many clients, each of which waits for its operation and then for `think`; or operations at random, so many a second. */
  readonly clients: number | undefined;
  readonly think: number;
  readonly rate: number | undefined;
  /** Object or case, and the name of the program in it. No program is attached where this is undefined. */
  readonly object: string | undefined;
  readonly program: string | undefined;
  /** Random worlds of the program's runs; 0: the one in which everything goes well. */
  readonly worlds: number;
  /** Contents of maps at the start: by map and key (hex) a value in words, such as `u32 $work, u64 10`. `$work` is a variable of the sweep. */
  readonly maps: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** What is tried: every combination of the values. */
export type Sweep = ReadonlyMap<string, readonly (number | string)[]>;

/** What is simulated. */
export interface Load {
  readonly seed: number;
  readonly duration: number;
  readonly cpus: number;
  /** The watchdog looks at each CPU so often; 0: it is there at once when a limit is over. */
  readonly watchdog: number;
  /** One of `WAYS`. */
  readonly strategy: string;
  /** What stopping a run takes, from the watchdog's decision on; that of the table of costs unless told. */
  readonly kill: number | undefined;
  readonly hooks: readonly HookLoad[];
  readonly sweep: Sweep;
  /** The member of the sweep that a chart has as its x axis; its first unless told. */
  readonly x: string | undefined;
}

/** Names in a sweep that stand for a member of the load itself; all others are variables of map contents. */
export const SWEPT = ['strategy', 'cpus', 'watchdog', 'kill', 'rate', 'clients', 'limit'] as const;

const MOST_CPUS = 4096;
const MOST_CLIENTS = 1e6;

/** Reads the table `simulate` of a policy. Throws InputError. */
export function readLoad(table: Table): Load {
  const load: Load = {
    seed: table.number('seed', [0, 0xffff_ffff], true, 1),
    duration: table.time('duration'),
    cpus: table.number('cpus', [1, MOST_CPUS], true, 1),
    watchdog: table.time('watchdog', 0, true),
    strategy: table.word('strategy', WAYS, 'fast-path'),
    kill: table.has('kill') ? table.time('kill', undefined, true) : undefined,
    hooks: table.tables('hook').map(readHook),
    sweep: readSweep(table.table('sweep')),
    x: table.has('x') ? table.text('x') : undefined,
  };
  if (load.hooks.length === 0) throw table.wrong('hook', 'at least one [[simulate.hook]]');
  if (load.x !== undefined && !load.sweep.has(load.x))
    throw table.wrong('x', `a member of [simulate.sweep] (${[...load.sweep.keys()].join(', ')})`);
  table.end([]);
  return load;
}

function readHook(table: Table): HookLoad {
  const clients = table.has('clients') ? table.number('clients', [1, MOST_CLIENTS], true) : undefined;
  const rate = table.has('rate') ? table.number('rate', [1e-3, 1e12], false) : undefined;
  if ((clients === undefined) === (rate === undefined))
    throw table.wrong('clients', 'either clients (a closed loop) or rate (operations a second)');
  const maps = table.table('maps');
  const hook: HookLoad = {
    name: table.text('name'),
    work: table.time('work'),
    runs: table.number('runs', [0, 1e6], false, 1),
    overhead: table.time('overhead', 0, true),
    clients,
    think: table.time('think', 0, true),
    rate,
    object: table.has('object') ? table.text('object') : undefined,
    program: table.has('program') ? table.text('program') : undefined,
    worlds: table.number('worlds', [0, 10_000], true, 0),
    maps: new Map(
      maps.keys().map((name) => {
        const entries = maps.table(name);
        return [name, new Map(entries.keys().map((key) => [key.toLowerCase(), entries.text(key)]))];
      }),
    ),
  };
  table.end([]);
  return hook;
}

function readSweep(table: Table): Sweep {
  const sweep = new Map(table.keys().map((key) => [key, table.values(key)]));
  for (const [key, values] of sweep) {
    const fits = (value: number | string): boolean => {
      if (key === 'strategy') return WAYS.some((one) => one === value);
      if (key === 'watchdog' || key === 'kill' || key === 'limit')
        return typeof value === 'string' && nanoseconds(value) !== undefined;
      if (key === 'cpus' || key === 'clients') return Number.isInteger(value) && Number(value) >= 1;
      if (key === 'rate') return typeof value === 'number' && value > 0;
      return typeof value === 'number' && Number.isInteger(value);
    };
    if (values.every(fits)) continue;
    const expected =
      key === 'strategy'
        ? `strategies (${WAYS.join(', ')})`
        : SWEPT.some((one) => one === key)
          ? 'values that the member itself may have'
          : 'whole numbers, for the contents of maps';
    throw table.wrong(key, expected);
  }
  return sweep;
}
