/** A case as data of the page: replayed under its rules, unkilled, and under `sound`, with what is to blame. */
import { type Cause, causeOf } from '../../campaign/kill/cause.js';
import {
  type PreparedProgram,
  pathOf,
  prepareProgram,
  runOptions,
} from '../../campaign/kill/prepared-program.js';
import { invariantsOfText, type NamedRules, rulesNamed, rulesOfText } from '../../campaign/naming/rules.js';
import { sizeMark } from '../../campaign/shrink/marks.js';
import { insnCount } from '../../campaign/shrink/size.js';
import type { KernelProfile } from '../../kernel/profile.js';
import { type CallSite, callSites } from '../../patch/fast-path.js';
import type { RuleSet } from '../../patch/rule.js';
import { shippedRuleSet } from '../../patch/sets/index.js';
import type { RuleWitness } from '../../smt/rule-proof.js';
import { whyWrong } from '../../smt/site-proof.js';
import { fastPathUnder } from '../../strategies/fast-path.js';
import { shippedStrategy } from '../../strategies/index.js';
import { endingOf, optionsUnder } from '../../strategies/killed-run.js';
import type { Prepared, Untaken } from '../../strategies/strategy.js';
import { boundOf, type Case, parseCase } from '../../vm/case/case.js';
import { expectationOf, matches, printExpectation } from '../../vm/case/expectation.js';
import { type Violation, worstFirst } from '../../vm/state/trap.js';
import { type Trace, traceOf } from '../../vm/trace.js';
import type { VmOptions } from '../../vm/vm.js';
import { listingOf } from './listing.js';
import { mailOf } from './mail.js';
import { callsOf, runView, stubsOf } from './run-view.js';
import type { PageCase } from './shape.js';
import { storyOf, type Told } from './story.js';

/** What is known of a case besides its text. */
export interface AboutCase {
  readonly id: string;
  /** What the page calls the file. */
  readonly file: string;
  readonly status?: PageCase['status'];
  readonly firstSeen?: PageCase['firstSeen'];
  readonly goneSince?: PageCase['goneSince'];
  readonly hits?: number;
  /** The kernel to replay for, where it is not the one that the case says. */
  readonly kernel?: KernelProfile;
  /** Throws InputError for a case that cannot be read, instead of telling so on the page. */
  readonly strict?: boolean;
}

/** Makes the data of cases. What equal questions were answered is kept between them: rule sets, and what the rule proof says of a call. */
export class CaseViewer {
  private readonly rules = new Map<string, Promise<NamedRules>>();
  private readonly answers = new Map<string, RuleWitness | undefined>();

  /** The data of one case; one that cannot be read or run says why, unless it is `strict`. `path`: where its rule file is looked for. */
  async view(text: string, path: string, about: AboutCase): Promise<PageCase> {
    try {
      return await this.viewed(text, path, about);
    } catch (error) {
      if (about.strict === true || !(error instanceof Error)) throw error;
      const named = rulesNamed(text) ?? 'sound';
      const expected = /^\.expect +(.*\S)/m.exec(text)?.[1] ?? 'holds';
      const trouble = error.message.trim().replace(/\s*\n\s*/g, ' ');
      return withoutRun(text, about, named, expected, trouble);
    }
  }

  private async viewed(text: string, path: string, about: AboutCase): Promise<PageCase> {
    const rules = await this.rulesOf(text, path);
    const one = parseCase(text, path, { first: [], last: rules.declared ?? [] });
    const expected = one.expect === undefined ? 'holds' : printExpectation(one.expect);
    const kernel = about.kernel ?? one.kernel;
    const invariants = await invariantsOfText(text, path);
    const prepared = prepareProgram(one.program, one.profile, { kernel, invariants });
    if (typeof prepared === 'string')
      return withoutRun(text, about, rules.rules.name, expected, `our verifier refuses it: ${prepared}`, one);
    const way = wayOf(one, prepared, rules.rules);
    if ('cannot' in way)
      return withoutRun(text, about, way.name, expected, `${way.name} cannot take it: ${way.cannot}`, one);
    const subject = new Subject(one, prepared, way);
    const broken = subject.broken;
    const cause = subject.cause;
    const listing = listingOf(prepared.code);
    const killed = subject.run('killed');
    const unkilled = subject.run('unkilled');
    const sound = way.name === 'sound' || one.kill === undefined ? undefined : subject.run('sound');
    const told: Told = {
      ...{ listing, killed, unkilled, sound, by: subject.by },
      broken: killed.broken[subject.brokenIndex],
      blamed: await this.blamed(subject, cause),
    };
    const story = storyOf(told);
    const got = expectationInWords(one, broken, subject.main.result.violations);
    const common = commonOf(text, about, way.name, one);
    const judged = {
      ...common,
      title: broken?.message ?? common.title,
      check: broken?.check ?? null,
      rule: cause?.rule ?? null,
      function: cause?.function ?? null,
    };
    return {
      ...judged,
      expected,
      got,
      ok: got === expected,
      mail: mailOf({ ...judged, story }),
      trouble: null,
      listing,
      runs: [killed, ...(one.kill === undefined ? [] : [unkilled]), ...(sound === undefined ? [] : [sound])],
      story,
    };
  }

  private rulesOf(text: string, path: string): Promise<NamedRules> {
    const name = rulesNamed(text) ?? 'sound';
    const key = shippedRuleSet(name) === undefined ? `${path.replace(/[^/]*$/, '')} ${name}` : name;
    const known = this.rules.get(key) ?? rulesOfText(text, path);
    this.rules.set(key, known);
    return known;
  }

  /** The calls to blame, each with what the rule proof has against it. */
  private async blamed(subject: Subject, cause: Cause | undefined): Promise<Told['blamed']> {
    if (cause === undefined) return [];
    const names = new Set(cause.function.split('+'));
    const ran = new Set(
      subject.main.steps.filter(({ patched }) => patched !== undefined).map(({ slot }) => slot),
    );
    const sites = subject.sites.filter(({ slot, contract }) => names.has(contract.name) && ran.has(slot));
    const keys = sites.map((site) => keyOf(subject.rules, site));
    const open = sites.filter((_, i) => !this.answers.has(keys[i]!));
    const answers = await whyWrong(open, subject.sites);
    open.forEach((site, i) => {
      this.answers.set(keyOf(subject.rules, site), answers[i]);
    });
    return sites.map(({ slot, contract }, i) => {
      const why = this.answers.get(keys[i]!);
      return { slot, contract, ...(why === undefined ? {} : { why }) };
    });
  }
}

const keyOf = (rules: RuleSet, { contract, enabled, action, rule }: CallSite): string =>
  JSON.stringify(
    [rules.name, rule?.name, contract.name, enabled.map(({ name }) => name), action],
    (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value),
  );

/** How a case is killed: by the strategy that it names, or by its rules. */
interface Way {
  readonly name: string;
  /** Undefined for a strategy that is no rule set. */
  readonly rules: RuleSet | undefined;
  /** Undefined for a case that names no strategy. */
  readonly strategy: { readonly ready: Prepared; readonly does: string } | undefined;
}

function wayOf(
  one: Case,
  prepared: PreparedProgram,
  rules: RuleSet,
): Way | (Untaken & { readonly name: string }) {
  const { strategy: name, kill } = one;
  if (name === undefined) return { name: rules.name, rules, strategy: undefined };
  const strategy = shippedStrategy(name) ?? fastPathUnder(rules, name);
  const ready = strategy.prepare({ code: prepared.code, facts: prepared.verdict.facts });
  if ('cannot' in ready && kill !== undefined) return { ...ready, name };
  const own = shippedStrategy(name) === undefined ? rules : shippedRuleSet(name);
  if ('cannot' in ready) return { name, rules: own, strategy: undefined };
  return { name, rules: own, strategy: { ready, does: strategy.does } };
}

/** A case that is run in the ways that the page shows. */
class Subject {
  readonly main: Trace;
  readonly sites: readonly CallSite[];
  readonly brokenIndex: number;
  /** Those of the case; `sound` where its strategy is no rule set. */
  readonly rules: RuleSet;
  private readonly options: VmOptions;

  constructor(
    private readonly one: Case,
    private readonly prepared: PreparedProgram,
    private readonly way: Way,
  ) {
    const rules = way.rules ?? shippedRuleSet('sound')!;
    this.rules = rules;
    this.sites = way.rules === undefined ? [] : callSites(prepared.program, prepared.verdict.facts, rules);
    const options = { ...runOptions(prepared, pathOf(prepared, rules)), ...boundOf(one), env: one.env };
    this.options = options;
    const ready = one.kill === undefined ? undefined : way.strategy?.ready;
    if (ready === undefined) this.main = traceOf(prepared.code, options, one.kill);
    else {
      const under = optionsUnder(ready, options);
      const ending = endingOf(ready, prepared.code, under, one.kill!);
      this.main = traceOf(prepared.code, under, one.kill, { ending });
    }
    const { violations } = this.main.result;
    const { expect } = one;
    const wanted = expect && violations.findIndex((each) => matches(expect, each));
    const [worst] = worstFirst(violations);
    this.brokenIndex = wanted !== undefined && wanted >= 0 ? wanted : worst ? violations.indexOf(worst) : -1;
  }

  /** The broken check that the case is about: the one that it expects, or else the gravest. */
  get broken(): Violation | undefined {
    return this.main.result.violations[this.brokenIndex];
  }

  get cause(): Cause | undefined {
    const { broken, one, prepared, main, way } = this;
    if (broken === undefined || one.kill === undefined || way.rules === undefined) return undefined;
    const at = { violation: broken, step: one.kill, env: main.result.env };
    return causeOf(prepared.code, this.options, pathOf(prepared, this.rules), at);
  }

  /** The strategy of the case, where that is no rule set. */
  get by(): Told['by'] {
    const { strategy, rules } = this.way;
    if (strategy === undefined || rules !== undefined) return undefined;
    return { does: strategy.does, ends: strategy.ready.kind === 'ends the run' };
  }

  /** What is done at each call after the kill. */
  private get calls(): ReturnType<typeof callsOf> {
    const { strategy, rules } = this.way;
    if (strategy === undefined || rules !== undefined) return callsOf(this.sites);
    return strategy.ready.kind === 'runs out' ? stubsOf(strategy.ready.fastPath, this.prepared.code) : [];
  }

  run(kind: 'killed' | 'unkilled' | 'sound'): ReturnType<typeof runView> {
    const { prepared, one, options, way, main } = this;
    const { code } = prepared;
    const name = one.strategy ?? one.rules ?? way.name;
    if (kind === 'killed') {
      const about = this.brokenIndex < 0 ? undefined : this.brokenIndex;
      return runView(kind, main, code, name, this.calls, about);
    }
    if (kind === 'unkilled') {
      const { bound: _, prompt: __, ...plain } = options;
      return runView(kind, traceOf(code, plain), code, null, []);
    }
    const sound = shippedRuleSet('sound')!;
    const sites = callSites(prepared.program, prepared.verdict.facts, sound);
    const trace = traceOf(code, { ...options, fastPath: pathOf(prepared, sound) }, one.kill);
    return runView(kind, trace, code, 'sound', callsOf(sites));
  }
}

function expectationInWords(
  { expect }: Case,
  broken: Violation | undefined,
  all: readonly Violation[],
): string {
  if (expect !== undefined && expect.kind !== 'holds' && broken !== undefined && matches(expect, broken))
    return printExpectation(expect);
  return printExpectation(expectationOf(all.length === 0 ? undefined : broken));
}

type Common = Omit<
  PageCase,
  | 'check'
  | 'rule'
  | 'function'
  | 'expected'
  | 'got'
  | 'ok'
  | 'mail'
  | 'trouble'
  | 'listing'
  | 'runs'
  | 'story'
>;

function commonOf(text: string, about: AboutCase, rules: string, one: Case | undefined): Common {
  const { id, file, status, firstSeen, goneSince, hits } = about;
  const size = sizeMark(text);
  return {
    ...{ id, file, rules, text },
    title: one?.comments[0] ?? file,
    type: one?.program.type ?? '',
    insns: one === undefined ? 0 : insnCount(one.program),
    minimal: size === 'unmarked' ? null : size === 'minimal',
    status: status ?? null,
    firstSeen: firstSeen ?? null,
    goneSince: goneSince ?? null,
    hits: hits ?? null,
    command: `swansong replay ${file}`,
  };
}

function withoutRun(
  text: string,
  about: AboutCase,
  rules: string,
  expected: string,
  trouble: string,
  one?: Case,
): PageCase {
  const judged = { ...commonOf(text, about, rules, one), check: null, rule: null, function: null };
  return {
    ...judged,
    expected,
    got: trouble,
    ok: false,
    mail: mailOf({ ...judged, story: null }),
    trouble,
    listing: null,
    runs: [],
    story: null,
  };
}
