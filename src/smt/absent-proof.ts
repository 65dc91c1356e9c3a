/** The proof of a program that has weak kfuncs: it must hold on kernels that have them and on those that do not. */
import type { Program } from '../object/program.js';
import { MISSING_KFUNC, MOST_WEAK, withoutWeakKfuncs } from '../object/weak.js';
import type { AbsentProof, ProgramProof } from './proof.js';

/** In our verifier's words, as in Linux's, for the call that libbpf puts in place of one of a kfunc that is absent. */
const POISONED = `#${MISSING_KFUNC}`;

/**
 * The proof `present`, of a program whose weak kfuncs are all there, made to hold where they are absent as well. `prove` proves the program
 * as another kernel loads it. The worst verdict counts, and the largest bounds.
 */
export async function withAbsent(
  present: ProgramProof,
  program: Program,
  prove: (without: Program) => Promise<ProgramProof>,
): Promise<ProgramProof> {
  const others = withoutWeakKfuncs(program);
  if (others === undefined) {
    if (present.verdict !== 'proven') return present;
    return {
      ...present,
      ...UNBOUNDED,
      verdict: 'unknown',
      reason: `it has more than ${MOST_WEAK} weak kfuncs, and kernels may lack any of them`,
      advice: 'declare those that every kernel has without __weak',
    };
  }
  let worst = present;
  const absent: AbsentProof[] = [];
  for (const { absent: names, program: without } of others) {
    const proof = await prove(without);
    if (proof.refusal !== undefined && proof.reason.includes(POISONED)) {
      absent.push({ absent: names, verdict: 'not loaded', reason: proof.reason });
      continue;
    }
    absent.push({ absent: names, verdict: proof.verdict, reason: proof.reason });
    worst = worse(worst, proof, names);
  }
  return { ...worst, absent };
}

const UNBOUNDED = {
  boundKind: 'unbounded',
  bound: undefined,
  bounds: new Map<number, undefined>(),
  timeLimits: new Map<number, never>(),
  worstPath: [],
} as const;

const ORDER = ['proven', 'unknown', 'refuted'] as const;

/** The worse of both by verdict, then by bound. Both speak of the same slots: nothing is moved where a kfunc is absent. */
function worse(a: ProgramProof, b: ProgramProof, names: readonly string[]): ProgramProof {
  const queries = a.queries + b.queries;
  const walked = {
    verified: a.walked.verified + b.walked.verified,
    patched: a.walked.patched + b.walked.patched,
  };
  const common = {
    queries,
    walked,
    points: Math.max(a.points, b.points),
    tailCalls: bothTailCalls(a, b),
    callbacks: bothCallbacks(a, b),
  };
  const where = `without ${names.join(', ')}`;
  if (ORDER.indexOf(b.verdict) > ORDER.indexOf(a.verdict)) {
    const { witness } = b;
    return {
      ...b,
      ...common,
      reason: `${where}: ${b.reason}`,
      ...(witness === undefined ? {} : { witness: { ...witness, comments: [...witness.comments, where] } }),
    };
  }
  // Where the first is proven so is the other, which is not worse.
  if (a.verdict !== 'proven') return { ...a, ...common };
  return { ...a, ...common, ...largerBounds(a, b), ...heavier(a, b), ...bothSites(a, b) };
}

/** The greater weights of both, where insns are weighed. */
function heavier({ weighed: a }: ProgramProof, { weighed: b }: ProgramProof): Pick<ProgramProof, 'weighed'> {
  if (a === undefined || b === undefined) return {};
  const bySlot = new Map(a.bySlot);
  for (const [slot, cost] of b.bySlot) bySlot.set(slot, maximum(cost, bySlot.get(slot) ?? cost));
  return { weighed: { worst: maximum(a.worst, b.worst), bySlot } };
}

function largerBounds(
  a: ProgramProof,
  b: ProgramProof,
): Pick<ProgramProof, 'boundKind' | 'bound' | 'bounds' | 'timeLimit' | 'timeLimits' | 'worstPath'> {
  const bounds = new Map<number, number | undefined>();
  const timeLimits = new Map<number, Limit>();
  for (const slot of [...new Set([...a.bounds.keys(), ...b.bounds.keys()])].sort((x, y) => x - y)) {
    const limit = maximum(limitAt(a, slot), limitAt(b, slot));
    bounds.set(slot, limit.ms > 0 ? undefined : limit.insns);
    if (limit.ms > 0) timeLimits.set(slot, limit);
  }
  const timed = a.timeLimit !== undefined || b.timeLimit !== undefined;
  const whole = (one: ProgramProof): Limit => one.timeLimit ?? { insns: one.bound ?? 0, ms: 0 };
  const [ofA, ofB] = [whole(a), whole(b)];
  const isLonger = ofB.ms > ofA.ms || (ofB.ms === ofA.ms && ofB.insns > ofA.insns);
  return {
    boundKind: timed ? 'time-limited' : 'exact',
    bound: timed ? undefined : Math.max(a.bound ?? 0, b.bound ?? 0),
    bounds,
    ...(timed && { timeLimit: maximum(ofA, ofB) }),
    timeLimits,
    worstPath: (isLonger ? b : a).worstPath,
  };
}

/** Of a run killed there; nothing for a slot that no run comes to. */
const limitAt = ({ bounds, timeLimits }: ProgramProof, slot: number): Limit =>
  timeLimits.get(slot) ?? { insns: bounds.get(slot) ?? 0, ms: 0 };

type Limit = NonNullable<ProgramProof['timeLimit']>;

const maximum = (a: Limit, b: Limit): Limit => ({
  insns: Math.max(a.insns, b.insns),
  ms: Math.max(a.ms, b.ms),
});

function both<T extends { readonly slot: number }>(one: readonly T[], other: readonly T[]): readonly T[] {
  const slots = new Set(one.map(({ slot }) => slot));
  return [...one, ...other.filter(({ slot }) => !slots.has(slot))].sort((x, y) => x.slot - y.slot);
}

/** Tail calls of both. A killed run makes one that it makes on either kernel. */
function bothTailCalls(a: ProgramProof, b: ProgramProof): ProgramProof['tailCalls'] {
  return both(a.tailCalls, b.tailCalls).map((call) => ({
    ...call,
    killedMayEnter: [a, b].some(({ tailCalls }) =>
      tailCalls.some(({ slot, killedMayEnter }) => slot === call.slot && killedMayEnter),
    ),
  }));
}

/** Callbacks of both, each with what is worse of it. */
function bothCallbacks(a: ProgramProof, b: ProgramProof): ProgramProof['callbacks'] {
  const starts = [...new Set([...a.callbacks, ...b.callbacks].map(({ start }) => start))];
  return starts
    .sort((x, y) => x - y)
    .map((start) => {
      const [one, ...others] = [a, b].flatMap(({ callbacks }) => callbacks.filter((c) => c.start === start));
      return others.reduce((worst, other) => (isWorse(other, worst) ? other : worst), one!);
    });
}

type Callback = ProgramProof['callbacks'][number];

function isWorse(one: Callback, other: Callback): boolean {
  if (one.verdict !== other.verdict) return one.verdict === 'unknown';
  const [ours, theirs] = [one, other].map(
    ({ timeLimit, bound }) => timeLimit ?? { ms: 0, insns: bound ?? 0 },
  );
  return ours!.ms > theirs!.ms || (ours!.ms === theirs!.ms && ours!.insns > theirs!.insns);
}

/** Calls, loops and sites of both, each slot once. */
function bothSites(a: ProgramProof, b: ProgramProof): Pick<ProgramProof, 'sites' | 'kept' | 'loops'> {
  return { sites: both(a.sites, b.sites), kept: both(a.kept, b.kept), loops: both(a.loops, b.loops) };
}
