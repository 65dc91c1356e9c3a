/**
 * Compares facts with Linux: for a generated program that both verifiers accept, what each knows before each insn. Linux's knowledge is
 * read from its level-2 log. The program is changed so that the log prints every state (`facts/print-every-state.ts`). In the strict
 * profile that is not possible, so there the log of the unchanged program is used. It shows only the registers that each insn touches.
 *
 * Held: at each insn, and with the same calls open, the same things are held in both: references with the insn that acquired them, locks,
 * saved flags, sections, in the order of acquisition. Neither verifier covers a state by one that holds other things.
 *
 * Known: each state of Linux is covered by one of our states in which the same is held: the same kinds in registers and slots, and ranges
 * that are equal or wider. Frames that wait for a callee are not printed; they were compared before the call. Callbacks and subprograms
 * run in a frame of their own on both sides; the calls that opened the frames must be the same.
 */
import { sample } from '../../../generators/sample.js';
import { straightProgram } from '../../../generators/straight/program.js';
import { decodeAll } from '../../isa/decode.js';
import type { Program, ProgType } from '../../object/program.js';
import { withRunningTypes } from '../../oracle/btf.js';
import { type LoadOptions, loadProgram } from '../../oracle/load.js';
import { insnsWalked } from '../../oracle/log.js';
import { runningProfile } from '../../oracle/profile/running.js';
import { type LogPoint, readWalk, type WalkSummary } from '../../oracle/walk-log/walk.js';
import type { Profile } from '../../verifier/state/profile.js';
import { verify } from '../../verifier/verify.js';
import type { Visit } from '../../verifier/walk/visit.js';
import type { JudgedFor, OpenComparison, Tally } from './comparison.js';
import { slotsAfterLoops } from './facts/after-loops.js';
import { heldAtPoint, heldInState, isHeldShown } from './facts/held.js';
import { sameFrames, type Uncovered, uncoveredParts } from './facts/point.js';
import { printEveryState } from './facts/print-every-state.js';

/** Which programs to compare facts on. */
export interface FactsOptions extends JudgedFor {
  /** Program types to draw from; all unless told. */
  readonly types?: readonly ProgType[];
  /** Programs of the generators that all campaigns draw from, or straight code that computes. The former, and with every fourth one of the latter, unless told. */
  readonly kind?: 'generated' | 'straight';
  /** Programs of which we walk more insns are left out, and counted: their logs are long. 3000 unless told. */
  readonly most?: number;
}

const MOST_WALKED = 3000;
/** Types of programs that straight code is written for. */
const STRAIGHT_TYPES: readonly ProgType[] = ['xdp', 'tc', 'socket_filter', 'syscall'];
/** The most insns that Linux may walk of the changed program. */
const MOST_LOGGED = 30_000;
/** Bytes of log, enough for as many insns. */
const LOG_LIMIT = 1 << 26;
/**
 * The registers that no call reads: r0 and r6 to r9. The others are not compared at such calls. For a function that this loader or
 * program type may not call, Linux does not compute which arguments it needs, and takes r1 to r5 for live.
 */
const NO_ARGUMENTS = 0b11_1100_0001;
/** Log level that prints statistics only. */
const STATISTICS = 4;

/** Opens the comparison. Throws InputError where bpf(2) is refused. */
export function openFacts(options: FactsOptions = {}): OpenComparison {
  const profiles = options.profiles ?? (['privileged', 'strict'] as const);
  const structs = withRunningTypes();
  const told = { ...options, kernel: options.kernel ?? runningProfile() };
  return {
    compare(seed, index, tally) {
      for (const [kind, drawn] of programsOf(seed, index, options)) {
        const program = { ...drawn, ...structs };
        for (const profile of profiles) {
          const about = `${profile}, ${program.type}, seed ${seed} ${kind} program ${index}`;
          compareFacts(program, profile, told, tally, about);
        }
      }
    },
    close() {},
  };
}

function* programsOf(
  seed: number,
  index: number,
  { kind, types }: FactsOptions,
): Iterable<readonly [string, Program]> {
  if (kind !== 'straight')
    yield ['generated', sample(seed, index, types === undefined ? {} : { types }).program];
  if (kind === 'straight' || (kind === undefined && index % 4 === 0))
    yield ['straight', straightProgram(seed, index, types ?? STRAIGHT_TYPES)];
}

/** Compares the facts of one program. `about` names it in what is tallied. */
export function compareFacts(
  program: Program,
  profile: Profile,
  options: Pick<FactsOptions, 'most' | 'kernel'>,
  tally: Tally,
  about: string,
): void {
  const most = options.most ?? MOST_WALKED;
  const ours = verify(program, {
    profile,
    kernel: options.kernel ?? runningProfile(),
    budget: most,
  });
  if (!ours.ok) {
    tally.count(`${profile}: left out, ${ours.reason === 'budget' ? 'long' : 'refused by us'}`);
    return;
  }
  const shown = profile === 'privileged' ? printEveryState(program) : { program, printedAt: undefined };
  const log = logOf(shown.program, profile, (why) => tally.count(`${profile}: left out, ${why}`));
  if (log === undefined) return;
  const points: LogPoint[] = [];
  const { printedAt } = shown;
  const summary = readWalk(log, shown.program, (point) => {
    const slot = printedAt === undefined ? point.slot : printedAt.get(point.slot);
    if (slot !== undefined) points.push(point);
  });
  tally.count(`${profile}: programs`);
  if (summary.unparsedCount > 0)
    tally.count(`${profile}: lines and words not understood`, summary.unparsedCount);
  new FactComparison(
    program,
    profile,
    (slot) => ours.facts.at(slot),
    summary,
    printedAt,
    tally,
    about,
  ).comparePoints(points);
}

/**
 * The level-2 log; undefined if Linux refuses the program or walks it for long. That is asked first, because the log can be very long.
 */
function logOf(program: Program, profile: Profile, leftOut: (why: string) => void): string | undefined {
  const options: LoadOptions = {
    strictCaps: profile === 'strict',
    everyState: profile === 'privileged',
    explain: false,
  };
  const asked = loadProgram(program, { ...options, logLevel: STATISTICS });
  if (!asked.ok) {
    leftOut(asked.stage === 'program' ? 'refused by Linux' : 'not judged by Linux');
    return undefined;
  }
  asked.close();
  const insns = insnsWalked(asked.log);
  if (insns === undefined || insns > MOST_LOGGED) {
    leftOut('long for Linux');
    return undefined;
  }
  const loaded = loadProgram(program, { ...options, logLevel: 2, logLimit: LOG_LIMIT });
  if (loaded.ok) loaded.close();
  if (loaded.ok && !loaded.logCut) return loaded.log;
  leftOut('log not to be had');
  return undefined;
}

class FactComparison {
  /** Slots of the program that Linux judged, by slot of the original. */
  private readonly slotOf: (shown: number) => number;
  private readonly origins: WalkSummary['origins'];
  private readonly afterLoops: ReadonlySet<number>;
  /** Linux does not compute which registers a legacy packet load reads, and takes all of them for live. */
  private readonly legacy: boolean;

  constructor(
    private readonly program: Program,
    private readonly profile: Profile,
    private readonly facts: (slot: number) => readonly Visit[],
    private readonly summary: WalkSummary,
    printedAt: ReadonlyMap<number, number> | undefined,
    private readonly tally: Tally,
    private readonly about: string,
  ) {
    if (printedAt === undefined) this.slotOf = (slot) => slot;
    else {
      // A call and the insn that shows the state before it stand two slots apart.
      const behind = new Map([...printedAt].map(([slot, original]) => [slot + 1, original]));
      this.slotOf = (slot) => printedAt.get(slot) ?? behind.get(slot) ?? slot;
    }
    this.afterLoops = slotsAfterLoops(program);
    this.legacy = decodeAll(program.insns).some((op) => op?.kind === 'ld_packet');
    this.origins = new Map(
      [...summary.origins].map(([id, { kind, at }]) => [id, { kind, at: this.slotOf(at) }]),
    );
  }

  comparePoints(points: readonly LogPoint[]): void {
    const bySlot = new Map<number, LogPoint[]>();
    for (const point of points) {
      const slot = this.slotOf(point.slot);
      const moved: LogPoint = {
        ...point,
        callsites: point.callsites.map(this.slotOf),
        held: point.held.map((hold) => ({ ...hold, at: this.slotOf(hold.at) })),
      };
      const list = bySlot.get(slot);
      if (list === undefined) bySlot.set(slot, [moved]);
      else list.push(moved);
    }
    for (const [slot, list] of [...bySlot].sort(([a], [b]) => a - b)) {
      this.tally.count(`${this.profile}: insns`);
      if (this.compareHeld(slot, list)) for (const point of list) this.compareKnown(slot, point);
    }
  }

  /** Whether the facts at this point can be compared. */
  private compareHeld(slot: number, points: readonly LogPoint[]): boolean {
    const theirs = points.map(heldAtPoint);
    const ours = this.facts(slot).map(({ state }) => heldInState(state));
    if (ours.length === 0 && this.afterLoops.has(slot)) {
      // Linux has lost a number by which we decide a branch.
      this.tally.count(`${this.profile}: insns after a loop that only Linux comes to`);
      return false;
    }
    const shown = points.every(isHeldShown);
    if (!shown) this.tally.count(`${this.profile}: insns under a lock that the log does not show`);
    for (const which of shown ? (['kinds', 'exact'] as const) : (['locks'] as const)) {
      const a = new Set(ours.map((held) => held[which]));
      const b = new Set(theirs.map((held) => held[which]));
      const onlyOurs = [...a].filter((held) => !b.has(held));
      const onlyTheirs = [...b].filter((held) => !a.has(held));
      if (onlyOurs.length === 0 && onlyTheirs.length === 0) continue;
      if (which === 'exact' && onlyTheirs.length === 0) {
        // The same kinds are held. Where a reference may come from several calls, Linux goes on with that of one of them.
        this.tally.count(`${this.profile}: insns that Linux walks with references of fewer calls`);
        continue;
      }
      const text = [...onlyOurs.map((x) => `only ours: ${x}`), ...onlyTheirs.map((x) => `only Linux: ${x}`)];
      this.tally.differ(`held: ${which}`, `${this.about}, slot ${slot}: ${text.join('; ')}`);
      return true;
    }
    this.tally.count(`${this.profile}: insns where the same is held`);
    return true;
  }

  private compareKnown(slot: number, point: LogPoint): void {
    this.tally.count(`${this.profile}: states of Linux`);
    const sides = {
      program: this.program,
      theirs: this.origins,
      dead: this.legacy ? 0 : ~(this.summary.live.get(point.slot) ?? -1),
      live: this.legacy ? 0 : (this.summary.live.get(point.slot) ?? 0) & NO_ARGUMENTS,
      strict: this.profile === 'strict',
    };
    const which = isHeldShown(point) ? 'exact' : 'locks';
    const held = heldAtPoint(point)[which];
    let best: readonly Uncovered[] | undefined;
    for (const { state } of this.facts(slot)) {
      if (!sameFrames(state, point)) continue;
      if (heldInState(state)[which] !== held) continue;
      const found = uncoveredParts(state, point, sides);
      if (found.length === 0) {
        this.tally.count(`${this.profile}: states of Linux that are covered`);
        return;
      }
      if (best === undefined || isWorse(best, found)) best = found;
    }
    if (best === undefined) {
      this.tally.differ('state: none of ours with these calls and holds', `${this.about}, slot ${slot}`);
      return;
    }
    const { where, what, text } = best[0]!;
    if (what === 'narrower' && this.afterLoops.has(slot)) {
      this.tally.count(`${this.profile}: states of Linux with wider ranges, after a loop`);
      return;
    }
    this.tally.differ(`${what}: ${text}`, `${this.about}, slot ${slot}, ${where}`);
  }
}

/** Fewer kinds that differ are better, then fewer ranges. */
function isWorse(a: readonly Uncovered[], b: readonly Uncovered[]): boolean {
  const kinds = (found: readonly Uncovered[]): number => found.filter(({ what }) => what === 'kind').length;
  return kinds(a) - kinds(b) > 0 || (kinds(a) === kinds(b) && a.length > b.length);
}
