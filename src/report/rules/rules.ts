/** What rule sets do, and what rule proofs say, in words. */

import type { Strength, Tally } from '../../campaign/strength.js';
import type { Contract } from '../../kernel/contract.js';
import type { Warning } from '../../patch/lint.js';
import type { Action, Stub } from '../../patch/rule.js';
import type { Compared } from '../../smt/rule/decided-since.js';
import type { RuleProof, RuleWitness } from '../../smt/rule-proof.js';
import type { Violation } from '../../vm/state/trap.js';
import { table } from '../text/table.js';

/** What a rule of a set does to one function. */
export interface RuleAction {
  readonly name: string;
  readonly kind: Contract['kind'];
  readonly rule: string | undefined;
  /** Null: it depends on the call site. */
  readonly action: Action['kind'] | null;
  readonly stub?: Stub;
}

/** The table for people of `rules show`. */
export function ruleActionsInWords(functions: readonly RuleAction[]): string {
  return table(
    ['function', 'action', 'rule'],
    functions.map((one) => [
      one.name,
      one.stub ? describeStub(one.stub) : one.action === null ? 'per call site' : IN_WORDS[one.action],
      one.rule ?? '',
    ]),
  );
}

/** What becomes of a call, in words. */
const IN_WORDS: Readonly<Record<Action['kind'], string>> = {
  keep: 'keep',
  stub: 'stub',
  unwind: 'unwind: ends in its landing pad, kept where it has none',
};

const KEPT: Readonly<Record<Action['kind'], string>> = {
  keep: 'kept',
  stub: 'stubbed',
  unwind: 'kept where it has no landing pad,',
};

/** `stub: r0 = 0, zeroes argument 2`. */
export function describeStub({ r0, writes, slots }: Stub): string {
  const parts = [
    r0 === 'void' ? 'nothing' : `r0 = ${r0}`,
    ...writes.map((arg) => `zeroes argument ${arg + 1}`),
    ...slots.map(({ arg }) => `null dynptr in argument ${arg + 1}`),
  ];
  return `stub: ${parts.join(', ')}`;
}

/** What shows that a rule is wrong. */
export interface RuleExample {
  /** The smallest program that the rule breaks, as a case, and the run that shows it; absent when none was found. */
  readonly case?: string;
  readonly insns?: number;
  readonly trace?: readonly string[];
  /** All that breaks in that run, the gravest first. */
  readonly breaks?: readonly Violation[];
  /** Where the case was written. */
  readonly file?: string;
  /** What the running kernel says of the program, where it was asked. */
  readonly kernel?: { readonly verdict: 'accepted' | 'rejected' | 'not judged'; readonly message: string };
  /** Why there is no program. The rule is wrong, but in no program that is known does it break a check. */
  readonly unwitnessed?: string;
}

/** A row of `rules check`. */
export type Checked = Omit<RuleProof, 'witness'> & {
  readonly file?: string;
  readonly line?: number;
  /** Of a call that is kept rightly although it may acquire or last: why no stub is possible. */
  readonly noStub?: string;
  readonly witness?: RuleWitness & RuleExample;
};

/** How many rules are right and wrong. `unwitnessed`: those among the refuted for which no program shows it. */
export interface RuleCounts {
  readonly proven: number;
  readonly refuted: number;
  readonly unknown: number;
  readonly unwitnessed: number;
}

/** What is wrong with each rule that is not proven, then, with `all`, the table of all functions, and the counts. */
export function ruleProofsInWords(
  functions: readonly Checked[],
  { proven, refuted, unknown, unwitnessed }: RuleCounts,
  { all }: { readonly all: boolean },
): string {
  const open = functions.filter(({ verdict }) => verdict === 'unknown');
  const wrong = functions.filter(({ verdict }) => verdict === 'refuted');
  const without = unwitnessed === 0 ? '' : ` (${unwitnessed} unwitnessed)`;
  const unrefusable = functions.flatMap(({ name, noStub }) => (noStub === undefined ? [] : [[name, noStub]]));
  const parts = [
    ...wrong.map(explain),
    ...(open.length === 0 ? [] : [rowsOf(open), ...reasonsOf(open)]),
    ...(all ? [rowsOf(functions)] : []),
    ...(all && unrefusable.length > 0 ? [table(['kept', 'because'], unrefusable)] : []),
    ...inLinux(wrong),
    `${proven} proven, ${refuted} refuted${without}, ${unknown} unknown\n`,
  ];
  return parts.join('\n');
}

/** How many of the programs Linux accepts, where it was asked, and a line for each that it does not. */
function inLinux(wrong: readonly Checked[]): readonly string[] {
  const asked = wrong.flatMap(({ name, witness }) =>
    witness?.kernel === undefined ? [] : [{ name, ...witness.kernel }],
  );
  if (asked.length === 0) return [];
  const count = (verdict: string): number => asked.filter((one) => one.verdict === verdict).length;
  const others = asked.filter(({ verdict }) => verdict !== 'accepted');
  return [
    [
      `programs in Linux: ${count('accepted')} accepted, ${count('rejected')} rejected, ${count('not judged')} not judged`,
      ...others.map(({ name, verdict, message }) => `    ${name}: ${verdict}: ${message}`),
    ]
      .map((line) => `${line}\n`)
      .join(''),
  ];
}

/** What `rules check` calls a verdict: a refutation that no program shows has a word of its own. */
export function verdictWord({ verdict, witness }: Checked): string {
  return witness?.unwitnessed === undefined ? verdict : 'unwitnessed';
}

const rowsOf = (rows: readonly Checked[]): string =>
  table(
    ['function', 'action', 'verdict', 'rule', ''],
    rows.map((one) => [one.name, one.action, verdictWord(one), one.rule ?? '', placeOf(one)]),
  );

/** Why functions are unknown, each reason once. */
const reasonsOf = (open: readonly Checked[]): readonly string[] =>
  [...new Set(open.flatMap(({ reason }) => (reason === undefined ? [] : [reason])))].map(
    (reason) => `unknown: ${reason}\n`,
  );

const placeOf = ({ file, line }: Checked): string => (line === undefined ? '' : `${file}:${line}`);

/** The table for people of `rules strength`. */
export function strengthInWords(
  rows: readonly Strength[],
  { programs, refused }: { readonly programs: number; readonly refused: number },
): string {
  const part = ({ stubbed, could }: Tally): string =>
    could === 0 ? '-' : `${stubbed} of ${could} (${((100 * stubbed) / could).toFixed(1)} %)`;
  const head = ['rules', 'functions stubbed', 'wrong', 'refusable', 'sites stubbed', 'wrong ', 'refusable '];
  const listed = table(
    head,
    rows.map(({ rules, functions: f, sites: s }) => [
      ...[rules, part(f), f.wrong, f.refusable],
      ...[part(s), s.wrong, s.refusable],
    ]),
    head.slice(1),
  );
  const left = refused === 0 ? '' : `, ${refused} left out that our verifier refuses`;
  return `${listed}${programs} programs${left}\n`;
}

/** What changed since a git revision: rules by their syntax, and functions by what is decided for them. */
export interface RulesSince {
  readonly changed: readonly string[];
  readonly below: readonly string[];
  readonly compared: Compared & { readonly revision: string };
}

/** The lines below the table of `rules check --changed-since`: what was compared, what is new, and what was left out. */
export function comparisonInWords({ changed, compared }: RulesSince): string {
  const { revision, decisions, contracts, same, assumed, because } = compared;
  if (because !== undefined) return `since ${revision}: every function is checked, because ${because}\n`;
  const rules = changed.length === 0 ? '' : `, rules edited: ${changed.join(', ')}`;
  return [
    `since ${revision}: ${named(decisions, 'decided otherwise')}; ${named(contracts, 'contract changed or new')}${rules}`,
    `left out: ${same.length} with the same contract and the same decision in every situation`,
    ...(assumed === undefined ? [] : [`assumed: ${assumed}`]),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** One line a warning, each with its place. */
export function warningsInWords(warnings: readonly Warning[]): string {
  return warnings
    .map(({ message, file, line, column }) => {
      const place = [file, line, column].filter((part) => part !== undefined).join(':');
      return `${place === '' ? '' : `${place}: `}warning: ${message}\n`;
    })
    .join('');
}

const NAMED = 8;

/** `2 functions decided otherwise (bpf_loop, bpf_spin_lock)`, with the first few names. */
function named(functions: readonly string[], what: string): string {
  if (functions.length === 0) return `none ${what}`;
  const names = functions.slice(0, NAMED).join(', ');
  return `${functions.length} ${what} (${names}${functions.length > NAMED ? ', …' : ''})`;
}

function explain(one: Checked): string {
  const { name, action, rule, witness } = one;
  if (witness === undefined) return '';
  const place = placeOf(one);
  const lines = [
    `${name}: ${witness.check}${witness.unwitnessed === undefined ? '' : ', unwitnessed'}`,
    `    ${KEPT[action]} ${rule === undefined ? 'as no rule matches' : `by '${rule}'`}${place === '' ? '' : `, ${place}`}`,
    ...witness.state.map((line) => `    after the call: ${line}`),
    ...witness.missed.map(({ outcome, why }) => `    not its outcome '${outcome}': ${why.join('; ')}`),
  ];
  if (witness.unwitnessed !== undefined) lines.push(`    no program: ${witness.unwitnessed}`);
  if (witness.file !== undefined) lines.push(`    written to ${witness.file}`);
  if (witness.case !== undefined) lines.push('', witness.case.trimEnd(), '', ...(witness.trace ?? []));
  return lines.map((line) => `${line}\n`).join('');
}
