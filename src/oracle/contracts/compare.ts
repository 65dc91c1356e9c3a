/**
 * Holds a contract against what Linux knows after a call. The program was accepted, and its log of level 2 shows the states before and after: what
 * is in r0, whether it may be NULL, what was acquired and what was given back. Nothing here trusts the contract to read the log, but for the
 * kinds of locks, of which the log shows ids alone.
 */
import { decodeAll } from '../../isa/decode.js';
import { contractOf } from '../../kernel/catalog.js';
import type { Contract, Effect, Outcome, PointerKind } from '../../kernel/contract.js';
import { iteratorRole } from '../../kernel/describe.js';
import type { Program } from '../../object/program.js';
import { greater, lesser } from '../../verifier/scalar/scalar.js';
import type { LogValue } from '../walk-log/value.js';
import { type LogPoint, readWalk } from '../walk-log/walk.js';

/** What came of a comparison. */
export interface Comparison {
  /** States that the log shows right after a call of the function. */
  readonly states: number;
  /** One phrase for each way in which the contract says something else than Linux; none where it is confirmed. */
  readonly contradictions: readonly string[];
}

/** Its range ends at the number of CPUs of the machine. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['bpf_get_smp_processor_id']);

/** Compares the contract with all calls of its function in an accepted program, by the log of level 2. */
export function compareCalls(contract: Contract, program: Program, log: string): Comparison {
  const ops = decodeAll(program.insns);
  const calls = new Set(
    [...ops.keys()].filter((slot) => {
      const op = ops[slot];
      return op !== undefined && contractOf(program, op)?.name === contract.name;
    }),
  );
  const before = new Map<number, LogPoint>();
  const after: After[] = [];
  readWalk(log, program, (point) => {
    const open = before.get(point.from);
    if (open !== undefined && point.slot === point.from + 1 && point.frame === open.frame)
      after.push({ point, held: open.held });
    if (calls.has(point.slot)) before.set(point.slot, point);
  });
  const states = after.flatMap(({ point }) => point.regs.get(0) ?? []);
  const contradictions = [
    ...states.flatMap((value) => valueFlaws(contract, value)),
    ...rangeFlaws(contract, states),
    ...holdFlaws(contract, after),
    ...numberFlaws(contract, after),
  ];
  return { states: after.length, contradictions: [...new Set(contradictions)] };
}

/** The maps of these programs hold no sockets. */
const ofSockets = ({ guard }: Outcome): boolean => guard?.kind === 'map_of_sockets' && guard.is;

/** What is wrong with one value of r0. */
function valueFlaws(c: Contract, seen: LogValue): string[] {
  const outcomes = c.outcomes.filter((one) => !ofSockets(one));
  const mayBeNull = outcomes.some(({ r0 }) => r0.kind === 'null');
  if (seen.type === 'scalar') {
    const { smin, smax } = seen.num;
    if (mayBeNull && smin === 0n && smax === 0n) return [];
    const ranges = outcomes.flatMap(({ r0 }) => (r0.kind === 'scalar' ? [r0] : []));
    if (ranges.length === 0) return ['r0 is a number'];
    if (ranges.some(({ min, max }) => min <= smin && smax <= max)) return [];
    return [`r0 is from ${smin} to ${smax}`];
  }
  const pointers = outcomes.flatMap(({ r0 }) => (r0.kind === 'pointer' ? [r0] : []));
  const shown = [...seen.flags, seen.type, seen.struct].filter((word) => word !== '').join(' ');
  const fits = pointers.find(({ to, acquires }) => pointsThere(to, acquires !== undefined, seen));
  if (fits === undefined) return [`r0 is ${shown}`];
  const out: string[] = [];
  // An iterator's next is walked both ways at once, and a reference that is held can be taken again: no NULL to check for.
  const checked = outcomes.some((one) => one.r0.kind === 'null' && one.guard?.kind !== 'not_owning');
  // Whether a key may miss is up to the call as well.
  const open = outcomes.some(({ guard }) => guard?.kind === 'key_may_miss');
  if (!open && seen.nullable !== (checked && iteratorRole(c) === undefined))
    out.push(seen.nullable ? `r0 may be NULL (${shown})` : `r0 is never NULL (${shown})`);
  // Whether an argument that is only looked at holds a reference is up to the call.
  if (
    fits.derives === undefined &&
    fits.to.kind !== 'mem' &&
    (seen.ref !== 0) !== (fits.acquires !== undefined)
  )
    out.push(seen.ref === 0 ? `r0 holds no reference (${shown})` : `r0 holds a reference (${shown})`);
  return out;
}

function pointsThere(to: PointerKind, acquired: boolean, seen: LogValue): boolean {
  const flags = [...seen.flags].sort().join();
  switch (to.kind) {
    case 'map_value':
      return seen.type === 'map_value';
    case 'sock':
      return seen.type === to.type;
    case 'record':
      return seen.type === 'mem' && flags === 'ringbuf';
    case 'mem':
      return seen.type === 'mem' && flags === (to.readonly === true ? 'rdonly' : '');
    case 'btf': {
      // What is held is trusted through its reference, and carries no mark of its own.
      const trust = acquired || to.trust === 'none' ? '' : to.trust;
      return seen.type === 'ptr' && seen.struct === to.struct && flags === trust;
    }
    case 'object':
      return seen.type === 'ptr' && flags === (to.percpu === true ? 'percpu' : '');
    case 'graph_node':
    case 'same':
    case 'kptr':
    case 'cast':
    case 'kern_ctx':
    case 'percpu':
      return seen.type !== 'map_value';
  }
}

/** Numbers that the contract allows for and Linux does not: the ends of its ranges, over all states. */
function rangeFlaws(c: Contract, states: readonly LogValue[]): string[] {
  const numbers = states.filter(({ type }) => type === 'scalar').map(({ num }) => num);
  const ranges = c.outcomes.flatMap(({ r0 }) => (r0.kind === 'scalar' ? [r0] : []));
  if (numbers.length === 0 || ranges.length === 0 || ranges.some(({ upTo }) => upTo !== undefined)) return [];
  const out: string[] = [];
  const [min, max] = [
    ranges.map((one) => one.min).reduce(lesser),
    ranges.map((one) => one.max).reduce(greater),
  ];
  const [smin, smax] = [
    numbers.map((one) => one.smin).reduce(lesser),
    numbers.map((one) => one.smax).reduce(greater),
  ];
  if (min < smin) out.push(`r0 is never below ${smin}`);
  if (max > smax && !OF_THE_MACHINE.has(c.name)) out.push(`r0 is never above ${smax}`);
  return out;
}

const TAKES = (e: Effect): boolean =>
  e.kind === 'lock' ||
  e.kind === 'irq_save' ||
  e.kind === 'iter_new' ||
  (e.kind === 'init_dynptr' && e.acquires !== undefined);
const GIVES = (e: Effect): boolean =>
  ['release', 'unlock', 'irq_restore', 'iter_destroy', 'destroy_dynptr', 'transfer'].includes(e.kind);

/** A state right after a call, and what was held before it. */
interface After {
  readonly point: LogPoint;
  readonly held: LogPoint['held'];
}

/** How many things an outcome takes. */
const taken = ({ r0, effects }: Outcome): number =>
  effects.filter(TAKES).length + (r0.kind === 'pointer' && r0.acquires !== undefined ? 1 : 0);

/**
 * Of a function that says by a number whether it took something (a lock that may fail): how much a call takes with the number that it returns, and
 * numbers with which the contract lets it take as much, and Linux does not.
 */
function numberFlaws(c: Contract, after: readonly After[]): string[] {
  const outcomes = c.outcomes.flatMap((one) =>
    one.r0.kind === 'scalar' ? [{ ...one.r0, takes: taken(one) }] : [],
  );
  if (outcomes.length < c.outcomes.length || new Set(outcomes.map(({ takes }) => takes)).size < 2) return [];
  const seen = after.flatMap(({ point, held }) => {
    const r0 = point.regs.get(0);
    return r0?.type === 'scalar' ? [{ ...r0.num, takes: point.held.length - held.length }] : [];
  });
  const unfit = seen.flatMap(({ smin, smax, takes }) =>
    outcomes.some((one) => one.takes === takes && one.min <= smin && smax <= one.max)
      ? []
      : [`${takes} taken with r0 from ${smin} to ${smax}`],
  );
  const loose = outcomes.flatMap(({ min, max, takes }) => {
    const same = seen.filter((one) => one.takes === takes);
    if (same.length === 0 || takes === 0) return [];
    const fits = same.some(({ smin }) => smin <= min) && same.some(({ smax }) => smax >= max);
    return fits ? [] : [`${takes} taken with no r0 but those shown, and not from ${min} to ${max}`];
  });
  return [...unfit, ...loose];
}

/** Ids that a call brings or ends, and the contract does not say so; or that it says are brought, and none is. */
function holdFlaws(c: Contract, after: readonly After[]): string[] {
  const outcomes = c.outcomes.filter((one) => !ofSockets(one));
  const takes = outcomes.some(
    (one) => (one.r0.kind === 'pointer' && one.r0.acquires !== undefined) || one.effects.some(TAKES),
  );
  const gives = outcomes.some((one) => one.effects.some(GIVES));
  const ids = (held: LogPoint['held']): number[] => held.map(({ id }) => id).filter((id) => id !== 0);
  const brought = after.some(({ point, held }) => ids(point.held).some((id) => !ids(held).includes(id)));
  const ended = after.some(({ point, held }) => ids(held).some((id) => !ids(point.held).includes(id)));
  // A lock that lies in a variable has no id.
  const unseen = after.some(({ point }) => point.held.some(({ id }) => id === 0));
  const out: string[] = [];
  if (brought && !takes) out.push('something is acquired');
  if (!brought && takes && after.length > 0 && !unseen) out.push('nothing is acquired');
  if (ended && !gives) out.push('something is given back');
  return out;
}
