/** A policy for `watch`: which loaded programs are looked after, how long their runs may last, and what happens to those that go over. */
import { InputError } from '../../isa/errors.js';

/** A descriptor that the process was given, or a path where the user pinned something. */
export type Handle = { readonly fd: number } | { readonly pinned: string };

/** What happens to a program that goes over: it is counted, killed for good, or killed for a while. */
export type WatchAction = 'count' | 'kill' | 'throttle';

/** Limits of one program. Times in nanoseconds. */
export interface ProgramLimits {
  readonly name: string;
  readonly program: Handle;
  /** The map of words of the exported object. */
  readonly kill: Handle;
  /** Offset of the program's word in it, in bytes, as `export` tells it. */
  readonly word: number;
  /** The most that a run may last, as the mean of those of an interval. */
  readonly runTime?: number;
  /** The most of one CPU's time that its runs may take together: 0.1 is a tenth. */
  readonly share?: number;
  /** Written to the program's own limit, at this offset: it ends runs itself. */
  readonly limit?: { readonly ns: number; readonly at: number };
  /** Where in the map of words the times are at which runs that are going on began: these are held against `runTime` as well. */
  readonly runningAt?: number;
  readonly action: WatchAction;
  /** How long the word of a throttled program stays set. */
  readonly backoff: number;
}

/** Programs with their limits, and how often they are looked at. */
export interface Policy {
  /** Milliseconds between two looks. */
  readonly every: number;
  readonly programs: readonly ProgramLimits[];
}

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9 };
const ACTIONS: readonly WatchAction[] = ['count', 'kill', 'throttle'];
const SECOND = 1e9;

type Fields = Readonly<Record<string, unknown>>;

/** Reads a policy. Throws InputError that names the file and the field. */
export function parsePolicy(text: string, file: string): Policy {
  const fail = (message: string): never => {
    throw new InputError(message, { file });
  };
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    return fail(`this is no JSON: ${(error as Error).message.split('\n')[0]}`);
  }
  const top = fields(read, 'the policy', ['every', 'programs'], fail);
  const every = top.every === undefined ? 10e6 : time(top.every, 'every', fail);
  if (!Array.isArray(top.programs) || top.programs.length === 0)
    return fail("'programs' must be a list of at least one program");
  const programs = top.programs.map((one: unknown, i) => limits(one, `programs[${i}]`, fail));
  const names = programs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fail(`two programs are called '${twice}'`);
  return { every: every / 1e6, programs };
}

type Fail = (message: string) => never;

function fields(value: unknown, what: string, known: readonly string[], fail: Fail): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return fail(`${what} must be an object with ${known.join(', ')}`);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) fail(`${what} has the unknown field '${unknown}', expected ${known.join(', ')}`);
  return value as Fields;
}

const FIELDS = [
  'name',
  'program',
  'kill',
  'word',
  'runTime',
  'share',
  'limit',
  'limitAt',
  'runningAt',
  'action',
  'backoff',
];

function limits(value: unknown, what: string, fail: Fail): ProgramLimits {
  const one = fields(value, what, FIELDS, fail);
  const { name, action = 'count', share } = one;
  if (typeof name !== 'string' || name === '') return fail(`${what}.name must be a name`);
  const known = ACTIONS.find((word) => word === action);
  if (known === undefined) return fail(`${what}.action must be one of ${ACTIONS.join(', ')}`);
  if (share !== undefined && !(typeof share === 'number' && share > 0))
    return fail(`${what}.share must be a number above 0: 0.1 is a tenth of a CPU`);
  const runTime = one.runTime === undefined ? undefined : time(one.runTime, `${what}.runTime`, fail);
  const limit = one.limit === undefined ? undefined : time(one.limit, `${what}.limit`, fail);
  if (runTime === undefined && share === undefined && limit === undefined)
    return fail(`${what} has no limit: expected runTime, share or limit`);
  if (limit !== undefined && one.limitAt === undefined)
    fail(`${what}.limit needs limitAt: where export says that the program's limit is`);
  if (one.runningAt !== undefined && runTime === undefined)
    fail(`${what}.runningAt needs runTime: the most that a run may last`);
  return {
    name,
    program: handle(one.program, `${what}.program`, fail),
    kill: handle(one.kill, `${what}.kill`, fail),
    word: offset(one.word ?? 0, 4, `${what}.word`, fail),
    action: known,
    backoff: one.backoff === undefined ? SECOND : time(one.backoff, `${what}.backoff`, fail),
    ...(runTime !== undefined && { runTime }),
    ...(one.runningAt !== undefined && { runningAt: offset(one.runningAt, 8, `${what}.runningAt`, fail) }),
    ...(share !== undefined && { share: share as number }),
    ...(limit !== undefined && { limit: { ns: limit, at: offset(one.limitAt, 8, `${what}.limitAt`, fail) } }),
  };
}

function handle(value: unknown, what: string, fail: Fail): Handle {
  const { fd, pinned } = fields(value, what, ['fd', 'pinned'], fail);
  if (typeof pinned === 'string' && pinned !== '' && fd === undefined) return { pinned };
  if (typeof fd === 'number' && Number.isInteger(fd) && fd >= 0 && pinned === undefined) return { fd };
  return fail(`${what} must be { "fd": NUMBER } or { "pinned": PATH }`);
}

function offset(value: unknown, step: number, what: string, fail: Fail): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value % step === 0) return value;
  return fail(`${what} must be an offset in bytes, a multiple of ${step}`);
}

function time(value: unknown, what: string, fail: Fail): number {
  const [, amount, unit] = (typeof value === 'string' && /^(\d+(?:\.\d+)?)(ns|us|ms|s|m)$/.exec(value)) || [];
  const ns = Math.round(Number(amount) * (UNITS[unit ?? ''] ?? Number.NaN));
  return ns > 0 ? ns : fail(`${what} must be a time such as "500us", "10ms" or "2s"`);
}
