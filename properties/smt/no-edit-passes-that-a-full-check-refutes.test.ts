/**
 * `rules check --changed-since REV` never exits 0 where the full check does not: rule sets that are right for every function are edited at
 * random, in the text of any of their files, and what is left out of the check is proven all the same. What a full check says is
 * computed here from what each rule says of each function, without the code that compares decisions; proofs are kept by that.
 *
 * SWANSONG_EDITS=N makes N edits over all functions (`npm run edits` makes 1,000) and writes what they were to reports/edits.md.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { contracts } from '../../src/kernel/catalog.js';
import type { Contract } from '../../src/kernel/contract.js';
import { WORKING_TREE } from '../../src/patch/files.js';
import { asRuleSet } from '../../src/patch/load.js';
import { Modules } from '../../src/patch/modules.js';
import { Revision } from '../../src/patch/revision.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { situationsOf } from '../../src/patch/situations.js';
import { typescript } from '../../src/patch/syntax.js';
import { functionView, siteView } from '../../src/patch/view.js';
import { rulesExit } from '../../src/report/exit.js';
import { decidedSince } from '../../src/smt/rule/decided-since.js';
import { proveRules } from '../../src/smt/rule-proof.js';
import { here } from '../support/cli.js';
import { EDIT_KINDS, type Edited, editedRules, RIGHT, type RuleFiles } from '../support/patch/edits.js';
import { seeded } from '../support/seed.js';

const EDITS = Number(process.env.SWANSONG_EDITS ?? 0);

/** One of twelve functions, and those that edits name; all in the long run. */
const NAMED =
  /^bpf_(spin_|loop$|sk_lookup_tcp|sk_release|tail_call|ringbuf_|map_lookup_elem|task_acquire|get_pr|ktime_get_ns|iter_num)/;
const asked = contracts().filter(({ name }, i) => EDITS > 0 || i % 24 === 0 || NAMED.test(name));

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'edits-')));
afterAll(() => rmSync(folder, { recursive: true }));

const git = (...args: string[]): void => {
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'gc.auto=0'];
  execFileSync('git', ['-C', folder, ...who, ...args], { stdio: 'ignore' });
};
function put(files: RuleFiles): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}
function commit(files: RuleFiles): void {
  for (const name of ['rules.ts', 'common.ts', 'words.ts', 'lists.ts'])
    rmSync(join(folder, name), { force: true });
  put(files);
  git('add', '-A');
  git('commit', '-q', '--allow-empty', '-m', 'one');
}
git('init', '-q');

interface Loaded {
  readonly rules: RuleSet;
  readonly modules: Modules;
}
async function load(): Promise<Loaded | undefined> {
  const file = join(folder, 'rules.ts');
  const modules = new Modules(await typescript(), WORKING_TREE);
  try {
    return { rules: asRuleSet(modules.load(file).default, file), modules };
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

type Verdict = 'proven' | 'refuted' | 'unknown' | 'error';
const kept = new Map<string, Verdict>();
const count = { proofs: 0, asked: 0, again: 0 };

/** What every rule of a set says of a function, in each situation: a proof depends on nothing else. */
function sayingsOf(rules: RuleSet, contract: Contract): string {
  const f = functionView(contract);
  const sites = situationsOf(contract).flatMap(({ enabled }) =>
    [false, true].map((hasPad) => siteView(contract, -1, enabled, hasPad)),
  );
  const said = sites.map((site) => {
    for (const rule of rules.rules) {
      if (!rule.matches(f) || rule.matchesSite?.(site, f) === false) continue;
      return rule.action(f, site);
    }
    return 'none';
  });
  const words = (_: string, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part);
  return JSON.stringify([contract, said], words);
}

async function verdictOf(rules: RuleSet, contract: Contract): Promise<Verdict> {
  try {
    const key = sayingsOf(rules, contract);
    const known = kept.get(key);
    count.asked++;
    // One in a hundred is proven again, so that what is kept cannot have gone wrong.
    if (known !== undefined && count.asked % 100 !== 0) return known;
    count.proofs++;
    if (known !== undefined) count.again++;
    const { functions } = await proveRules(rules, [contract]);
    const verdict =
      functions
        .map((one) => one.verdict)
        .sort()
        .at(-1) === 'unknown'
        ? 'unknown'
        : functions.some((one) => one.verdict === 'refuted')
          ? 'refuted'
          : 'proven';
    if (known !== undefined) expect([contract.name, verdict]).toEqual([contract.name, known]);
    kept.set(key, verdict);
    return verdict;
  } catch (error) {
    if (error instanceof InputError) return 'error';
    throw error;
  }
}

/** The exit code of a check of these functions. */
async function exitOf(rules: RuleSet, of: readonly Contract[]): Promise<number> {
  const found: Record<Verdict, number> = { proven: 0, refuted: 0, unknown: 0, error: 0 };
  for (const contract of of) found[await verdictOf(rules, contract)]++;
  return found.error > 0 ? 2 : rulesExit(found);
}

const tally = {
  edits: 0,
  unloadable: 0,
  wrong: 0,
  right: 0,
  nothing: 0,
  left: 0,
  compared: 0,
  kinds: new Map<string, { made: number; wrong: number }>(),
};

async function tryEdit({ then, now, kinds }: Edited): Promise<void> {
  commit(then);
  put(now);
  tally.edits++;
  const loaded = await load();
  const file = join(folder, 'rules.ts');
  if (loaded === undefined) {
    tally.unloadable++;
    return;
  }
  const { rules, modules } = loaded;
  const of = [...asked, ...contracts(modules.declared).slice(contracts().length)];
  const full = await exitOf(rules, of);
  let partly: number;
  let left = 0;
  try {
    const { same } = await decidedSince(rules, resolve(file), Revision.of(file, 'HEAD'), of, {
      declared: modules.declared,
    });
    left = same.length;
    const without = new Set(same);
    partly = await exitOf(
      rules,
      of.filter(({ name }) => !without.has(name)),
    );
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    partly = 2;
  }
  expect({ full, partly: partly === 0 && full !== 0 ? `passes: ${kinds.join('; ')}` : partly }).toEqual({
    full,
    partly,
  });
  tally.left += left;
  tally.compared += of.length;
  if (full === 0) tally.right++;
  else tally.wrong++;
  if (left === of.length) tally.nothing++;
  for (const kind of kinds) {
    const row = tally.kinds.get(kind) ?? { made: 0, wrong: 0 };
    tally.kinds.set(kind, { made: row.made + 1, wrong: row.wrong + (full === 0 ? 0 : 1) });
  }
}

describe('random edits', () => {
  it('begin with rule sets that are right', async () => {
    for (const files of RIGHT) {
      commit(files);
      const loaded = await load();
      expect(loaded).toBeDefined();
      const of = [...asked, ...contracts(loaded!.modules.declared).slice(contracts().length)];
      expect([files['rules.ts'], await exitOf(loaded!.rules, of)]).toEqual([files['rules.ts'], 0]);
    }
  }, 600_000);

  it('pass only where a full check does', async () => {
    await fc.assert(fc.asyncProperty(editedRules, tryEdit), {
      ...seeded(EDITS > 0 ? EDITS : 24),
      endOnFailure: true,
    });
    // Edits do something: they make rule sets wrong, leave them right, and leave most functions alone.
    expect(tally.wrong).toBeGreaterThan(tally.edits / 10);
    expect(tally.right).toBeGreaterThan(tally.edits / 10);
    expect(tally.left).toBeGreaterThan(tally.compared / 4);
    if (EDITS >= 500) for (const kind of EDIT_KINDS) expect(tally.kinds.has(kind), kind).toBe(true);
    if (EDITS > 0) report();
  }, 3_600_000);
});

function report(): void {
  const rows = [...tally.kinds].sort().map(([kind, { made, wrong }]) => `| ${kind} | ${made} | ${wrong} |`);
  writeFileSync(
    resolve(import.meta.dirname, '../../reports/edits.md'),
    `# Random edits of rule sets\n\n\`npm run edits\` makes ${EDITS} rule sets out of right ones, with one to three random edits each, and holds \`rules check --changed-since\` against the\nfull check over ${asked.length} functions and those that the rule files declare. None passes that a full check refutes.\n\n| | |\n|---|---|\n| edits | ${tally.edits} |\n| no rule file any more (exit 2 both ways) | ${tally.unloadable} |\n| full check fails | ${tally.wrong} |\n| full check passes | ${tally.right} |\n| nothing left to prove | ${tally.nothing} |\n| functions left out, of all compared | ${tally.left} of ${tally.compared} |\n| proofs made for the full checks (verdicts asked) | ${count.proofs} (${count.asked}) |\n\n| kind of edit | made in loadable files | where the full check fails |\n|---|---|---|\n${rows.join('\n')}\n`,
  );
}

describe('the edits that passed once', () => {
  const head = "import { NULL, rule, ruleSet } from 'swansong';\nvoid NULL;\n";
  const set = (rules: string, more = ''): RuleFiles => ({
    'rules.ts': `${head}${more}export default ruleSet('a', [${rules}]);\n`,
  });
  const refused = "rule('acq').at((s) => s.canFail).stub((_, s) => s.failure),";
  const made = (names: string): RuleFiles =>
    set(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is text of a rule file.
      "...names.map((n) => rule(`skip ${n}`).when((f) => f.name === n).stub({ r0: NULL })), rule('rest').keep()",
      `const names = [${names}];\n`,
    );
  const importing = (common: string): RuleFiles => ({
    ...set("...common, rule('rest').keep()", "import { common } from './common.js';\n"),
    'common.ts': `${head}export const common = [${common}];\n`,
  });
  it.each<readonly [what: string, name: string, then: RuleFiles, now: RuleFiles]>([
    ['a rule is deleted, and functions fall to no rule', 'bpf_sk_lookup_tcp', set(refused), set('')],
    [
      'a name in a list from which rules are made',
      'bpf_spin_lock',
      made("'bpf_sk_lookup_tcp'"),
      made("'bpf_sk_lookup_tcp', 'bpf_spin_lock'"),
    ],
    [
      'a broken rule in an imported file',
      'bpf_spin_lock',
      importing(''),
      importing("rule('broken').when((f) => f.name === 'bpf_spin_lock').stub({ r0: 'void' })"),
    ],
    [
      'the last rule is deleted',
      'bpf_loop',
      set(`rule('loops').when((f) => f.name === 'bpf_loop').stub({ r0: 0 }),`),
      set(''),
    ],
    [
      'a rule no longer matches',
      'bpf_loop',
      set(`rule('loops').when((f) => f.name === 'bpf_loop').stub({ r0: 0 }),`),
      set(`rule('loops').when((f) => f.name === 'bpf_lop').stub({ r0: 0 }),`),
    ],
  ])('%s', async (_, name, then, now) => {
    commit(then);
    const file = join(folder, 'rules.ts');
    expect((await here(['rules', 'check', file, '--function', name])).exit).toBe(0);
    put(now);
    const full = await here(['rules', 'check', file, '--function', name]);
    const since = await here(['rules', 'check', file, '--function', name, '--changed-since', 'HEAD']);
    expect([full.exit, since.exit]).toEqual([1, 1]);
  });
});
