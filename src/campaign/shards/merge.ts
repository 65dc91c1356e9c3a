/** Joins campaigns that have checked parts of one campaign: what comes out is what one machine would have come to. */
import { InputError } from '../../isa/errors.js';
import { causeKey } from '../kill/cause.js';
import type { Range } from './ranges.js';
import { withRange } from './ranges.js';
import type { CampaignState, Coverage, Found, RuleFigures } from './state.js';

/**
 * The state that has seen what both have seen. Throws InputError where both have checked the same program: it would count twice. They must be of
 * one campaign.
 */
export function joinStates(a: CampaignState, b: CampaignState): CampaignState {
  return {
    identity: a.identity,
    setting: a.setting,
    done: a.done + b.done,
    ranges: b.ranges.reduce((all: readonly Range[], range) => withoutOverlap(all, range), a.ranges),
    accepted: a.accepted + b.accepted,
    points: a.points + b.points,
    killedEverywhere: a.killedEverywhere + b.killedEverywhere,
    worst: Math.max(a.worst, b.worst),
    proven: a.proven + b.proven,
    refuted: a.refuted + b.refuted,
    unknown: a.unknown + b.unknown,
    kernelAccepted: a.kernelAccepted + b.kernelAccepted,
    kernelRejected: a.kernelRejected + b.kernelRejected,
    kernelUnjudged: a.kernelUnjudged + b.kernelUnjudged,
    byRules: joinFigures(a.byRules, b.byRules),
    unknowns: inOrder([...a.unknowns, ...b.unknowns], ({ program }) => program),
    found: joinFound(a.found, b.found),
    disagreements: inOrder([...a.disagreements, ...b.disagreements], ({ program }) => program),
    disagreementCount: a.disagreementCount + b.disagreementCount,
    coverage: joinCoverage(a.coverage, b.coverage),
    ms: a.ms + b.ms,
  };
}

function withoutOverlap(ranges: readonly Range[], range: Range): readonly Range[] {
  const overlap = ranges.find(([from, to]) => from < range[1] && range[0] < to);
  if (overlap === undefined) return withRange(ranges, range);
  const [from, to] = [Math.max(overlap[0], range[0]), Math.min(overlap[1], range[1])];
  throw new InputError(`programs ${from} to ${to - 1} are in more than one of the folders`);
}

/** In order of the programs; what one program gave stays in its order, and comes from one state. */
function inOrder<T>(all: readonly T[], indexOf: (one: T) => number): T[] {
  return [...all].sort((x, y) => indexOf(x) - indexOf(y));
}

/** Each cause once, as the first program shows it, with the hits of both. */
function joinFound(a: readonly Found[], b: readonly Found[]): Found[] {
  const byKey = new Map<string, Found>();
  for (const one of inOrder([...a, ...b], ({ index }) => index)) {
    const known = byKey.get(causeKey(one.cause));
    if (known === undefined) byKey.set(causeKey(one.cause), { ...one });
    else known.hits += one.hits;
  }
  return [...byKey.values()];
}

function joinCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...a };
  for (const [word, count] of Object.entries(b)) sum[word] = (sum[word] ?? 0) + count;
  return sum;
}

function joinCoverage(a: Coverage, b: Coverage): Coverage {
  return {
    types: joinCounts(a.types, b.types),
    functions: joinCounts(a.functions, b.functions),
    held: joinCounts(a.held, b.held),
    checks: joinCounts(a.checks, b.checks),
    cells: joinCounts(a.cells, b.cells),
    stubs: joinCounts(a.stubs, b.stubs),
    kept: joinCounts(a.kept, b.kept),
    outcomes: joinCounts(a.outcomes, b.outcomes),
    pairs: joinCounts(a.pairs, b.pairs),
  };
}

function joinFigures(a: CampaignState['byRules'], b: CampaignState['byRules']): Record<string, RuleFigures> {
  const joined: Record<string, RuleFigures> = {};
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const none = { proven: 0, refuted: 0, unknown: 0, broken: {} };
    const [x, y] = [a[name] ?? none, b[name] ?? none];
    joined[name] = {
      proven: x.proven + y.proven,
      refuted: x.refuted + y.refuted,
      unknown: x.unknown + y.unknown,
      broken: joinCounts(x.broken, y.broken),
    };
  }
  return joined;
}

/** The programs below the last one that is done which are not done. */
export function gaps({ ranges }: CampaignState): readonly Range[] {
  return ranges
    .map(([from], i) => [ranges[i - 1]?.[1] ?? 0, from] as const)
    .filter(([from, to]) => from < to);
}
