/**
 * The data of the page, which the page embeds and `report --json` prints. It imports nothing, so that the page, which runs in a browser, can use
 * these types alone. Members are added, never renamed.
 */

/** One insn of a program. */
export interface PageInsn {
  readonly slot: number;
  readonly text: string;
  /** Slot that a jump leads to, where it is one. */
  readonly to?: number;
  /** Index into `lines`: the source line that it comes from. */
  readonly line?: number;
}

/** A function of the program, and its first slot. */
export interface PageFunction {
  readonly name: string;
  readonly start: number;
}

/** A line of C. Lines count from 1. */
export interface PageLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** A program as text. */
export interface PageListing {
  readonly insns: readonly PageInsn[];
  readonly functions: readonly PageFunction[];
  readonly lines: readonly PageLine[];
}

/** What a rule set does at one call. */
export interface PageCall {
  readonly slot: number;
  readonly function: string;
  readonly action: 'stub' | 'keep' | 'unwind';
  /** Null: no rule matches, so the call is kept. */
  readonly rule: string | null;
  /** `r0 = 0`: what the stub does; empty for others. */
  readonly does: string;
}

/** A check that broke in a run. */
export interface PageBroken {
  readonly check: string;
  readonly message: string;
  readonly slot: number;
  readonly step: number;
  readonly function: string | null;
  /** It follows from what broke before. */
  readonly after: boolean;
}

/** One executed insn, or several that are told as one. */
export interface PageStep {
  /** Insns that ran before. */
  readonly step: number;
  /** Insns that it stands for; absent for one. */
  readonly count?: number;
  readonly slot: number;
  /** No insn ran: the run was ended here, before the insn at `slot`. */
  readonly ended?: true;
  /** Depth of its frame; absent for the outermost. */
  readonly depth?: number;
  /** It ran after the kill. */
  readonly killed?: true;
  /** Registers and stack words that are different afterwards; null for what may not be read any more. */
  readonly changes?: Readonly<Record<string, string | null>>;
  /** Ids of lanes. */
  readonly taken?: readonly number[];
  readonly given?: readonly number[];
  /** What became of a call after the kill. */
  readonly patched?: 'stubbed' | 'kept' | 'unwound' | 'stopped';
  /** Indices into `broken` of the run. */
  readonly broken?: readonly number[];
}

/** Something that was held: from the step that took it to the one that gave it back. */
export interface PageLane {
  readonly id: number;
  readonly what: string;
  readonly by: string;
  readonly from: number;
  readonly slot: number;
  /** Null: it was never given back. */
  readonly to: number | null;
  readonly toSlot: number | null;
}

/** A call after the kill that would have taken something, had no stub taken its place. */
export interface PageNeverTaken {
  readonly step: number;
  readonly slot: number;
  readonly by: string;
}

/** One run of a case. */
export interface PageRun {
  /** The run of the case; the same run unkilled; the same kill under `sound`. */
  readonly kind: 'killed' | 'unkilled' | 'sound';
  /** Null for the run that is not killed. */
  readonly rules: string | null;
  readonly kill: number | null;
  /** Registers before the first step. */
  readonly initial: Readonly<Record<string, string>>;
  readonly steps: readonly PageStep[];
  /** Insns in all, and those after the kill. */
  readonly length: number;
  readonly afterKill: number;
  readonly lanes: readonly PageLane[];
  readonly neverTaken: readonly PageNeverTaken[];
  readonly broken: readonly PageBroken[];
  /** Index into `broken`: what the case is about, or else the gravest; null where nothing broke. */
  readonly about: number | null;
  /** exit, throw, tail_call, trap, limit. */
  readonly end: string;
  /** As a signed decimal. */
  readonly r0: string;
  readonly calls: readonly PageCall[];
}

/** What happened, in sentences. */
export interface PageStory {
  /** What was held when the run was killed. */
  readonly held: readonly string[];
  /** Where it was killed. */
  readonly killed: string;
  /** What the patched calls did. */
  readonly patched: readonly string[];
  /** What broke. */
  readonly broke: readonly string[];
  /** Why what the rules do is wrong. */
  readonly wrong: readonly string[];
  /** What a right rule does, and what comes of it. */
  readonly right: readonly string[];
}

/** When a finding was seen. */
export interface PageSeen {
  /** ISO 8601. */
  readonly at: string;
  readonly version: string;
  readonly code: string;
  readonly program: number | null;
}

/** A case: a program, a kill, and what came of it. */
export interface PageCase {
  /** Unique on the page; part of its links. */
  readonly id: string;
  /** Path from the page's folder, or as it was named. */
  readonly file: string;
  readonly title: string;
  /** The check that breaks; null for a case that holds. */
  readonly check: string | null;
  readonly rules: string;
  /** The rule and the functions that are to blame; null where nothing breaks. */
  readonly rule: string | null;
  readonly function: string | null;
  /** Type of the program. */
  readonly type: string;
  readonly insns: number;
  /** Nothing can be left out of it any more; null: nobody tried. */
  readonly minimal: boolean | null;
  /** What `.expect` says, what came, and whether that is the same. */
  readonly expected: string;
  readonly got: string;
  readonly ok: boolean;
  /** What it is to the last run of its campaign; `gone`: it does not show any more what it did. Null: it is of no campaign. */
  readonly status: 'new' | 'back' | 'still there' | 'gone' | null;
  readonly firstSeen: PageSeen | null;
  readonly goneSince: PageSeen | null;
  /** Programs of the campaign that show it; null: it is of no campaign. */
  readonly hits: number | null;
  /** The case itself. */
  readonly text: string;
  /** The finding as plain text of 72 columns. */
  readonly mail: string;
  /** The command that replays it. */
  readonly command: string;
  /** Why there is no run to show. */
  readonly trouble: string | null;
  readonly listing: PageListing | null;
  readonly runs: readonly PageRun[];
  readonly story: PageStory | null;
}

/** How long a run killed somewhere may take. */
export interface PageBound {
  /** Insns; null: no number of insns bounds it. */
  readonly insns: number | null;
  /** Milliseconds, where it is time that bounds it. */
  readonly ms: number | null;
}

/** A call of an object's program, and what the rules do there. */
export interface PageSite extends PageCall {
  /** Whether that is right there, as Z3 decides: outcome, kept, pad; no outcome, refusable, lasting, unknown. */
  readonly settled: string;
  /** Ways in which a kept call may take long. */
  readonly may: readonly string[];
}

/** A program of an object, with its proof. */
export interface PageObject {
  readonly id: string;
  readonly file: string;
  readonly name: string;
  readonly type: string;
  readonly rules: string;
  readonly verdict: 'proven' | 'refuted' | 'unknown';
  readonly reason: string;
  readonly advice: string;
  /** Why our verifier refuses it, in lines; none where it does not. */
  readonly refusal: readonly string[];
  readonly insns: number;
  readonly points: number;
  readonly queries: number;
  /** exact, time-limited, unbounded; null where no bound was worked out. */
  readonly boundKind: string | null;
  readonly bound: PageBound | null;
  /** By slot. */
  readonly bounds: Readonly<Record<string, PageBound>>;
  /** Slots from the worst place to be killed at to the exit. */
  readonly worstPath: readonly number[];
  readonly loops: readonly { readonly slot: number; readonly by: string; readonly endless: string | null }[];
  readonly sites: readonly PageSite[];
  readonly listing: PageListing | null;
  /** Id of the case that refutes it. */
  readonly witness: string | null;
}

/** How far a campaign was at some moment. */
export interface PageSample {
  /** Index into `runs`. */
  readonly run: number;
  /** Seconds since that run began. */
  readonly at: number;
  readonly programs: number;
  readonly points: number;
  /** Different things that were exercised so far. */
  readonly features: number;
  readonly causes: number;
}

/** A start of a campaign, and what it found. */
export interface PageNightRun {
  readonly begun: string;
  readonly ended: string | null;
  readonly how: string | null;
  readonly version: string;
  readonly code: string;
  readonly seed: number;
  readonly rules: readonly string[];
  readonly programs: number;
  /** Causes that were seen in it first, all that it had, and those that it missed first. */
  readonly new: number;
  readonly there: number;
  readonly gone: number;
}

/** What a rule set does with a function, and what is known of that. */
export interface PageCell {
  readonly function: string;
  readonly rules: string;
  /** Name of the rule; null: none matches. */
  readonly rule: string | null;
  readonly action: 'stub' | 'keep' | 'unwind';
  /** Decided by the rule proof for all programs; null: it was not asked. */
  readonly verdict: 'proven' | 'refuted' | 'unknown' | null;
  /** Runs in which such a call really ran after a kill, under any of the campaign's rule sets. */
  readonly ran: number;
  /** Ids of cases that blame it. */
  readonly cases: readonly string[];
}

/** Program proofs, causes and broken runs under one rule set. */
export interface PageRuleFigures {
  readonly rules: string;
  readonly proven: number;
  readonly refuted: number;
  readonly unknown: number;
  readonly causes: number;
  readonly broken: Readonly<Record<string, number>>;
}

/** How often each thing was met, under its name. */
export type PageCounts = Readonly<Record<string, number>>;

/** Everything that is told of a campaign beside its cases. */
export interface PageNight {
  readonly seed: number;
  readonly rules: readonly string[];
  readonly finished: boolean;
  readonly programs: number;
  readonly accepted: number;
  readonly points: number;
  readonly killedEverywhere: number;
  readonly kernelAccepted: number | null;
  readonly kernelRejected: number | null;
  readonly kernelUnjudged: number | null;
  readonly proven: number;
  readonly refuted: number;
  readonly unknown: number;
  readonly worst: number;
  readonly seconds: number;
  readonly programsPerSecond: number;
  readonly byRules: readonly PageRuleFigures[];
  readonly unknowns: readonly { readonly program: number; readonly rules: string; readonly reason: string }[];
  readonly disagreements: readonly {
    readonly program: number;
    readonly between: string;
    readonly message: string;
  }[];
  readonly disagreementCount: number;
  readonly runs: readonly PageNightRun[];
  readonly samples: readonly PageSample[];
  readonly matrix: readonly PageCell[];
  /** Findings that were there before, and whose saved case does not show them any more. */
  readonly gone: readonly {
    readonly check: string;
    readonly rules: string;
    readonly rule: string;
    readonly function: string;
    readonly firstSeen: PageSeen;
    readonly goneSince: PageSeen;
    /** The last run is the first that misses it. */
    readonly new: boolean;
    /** Id of its case. */
    readonly case: string | null;
  }[];
  readonly called: number;
  readonly contracts: number;
  readonly missed: readonly string[];
  readonly counts: {
    readonly types: PageCounts;
    readonly held: PageCounts;
    readonly checks: PageCounts;
    readonly outcomes: PageCounts;
    readonly pairs: PageCounts;
    readonly functions: PageCounts;
  };
}

/** A document of another command that the page shows as it is: `design`, `policy`, `costs`. */
export interface PageDocument {
  /** What it says of itself: `swansong/design/1`. */
  readonly schema: string;
  readonly file: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Everything that the page shows. */
export interface PageData {
  readonly title: string;
  readonly cases: readonly PageCase[];
  readonly objects: readonly PageObject[];
  readonly night: PageNight | null;
  readonly documents: readonly PageDocument[];
}
