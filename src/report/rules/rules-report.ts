/**
 * A rule set's refutations as a report that can be sent to a mailing list: plain text of 72 columns, or Markdown. Of each function it says which
 * rule is wrong and why, shows a program and where it is killed, what goes wrong then, and what a right rule would do.
 */

import type { RuleProof, RuleWitness } from '../../smt/rule-proof.js';
import type { Check } from '../../vm/state/trap.js';
import { COLUMNS, wrap } from '../text/wrap.js';
import type { RuleExample } from './rules.js';

/** A refuted rule, with the place of the rule and the program that shows what is wrong. */
export type Refutation = RuleProof & {
  readonly file?: string;
  readonly line?: number;
  readonly witness?: RuleWitness & RuleExample;
};

/** What a report is about. */
export interface RulesReport {
  /** The rule set. */
  readonly rules: string;
  readonly refuted: readonly Refutation[];
  /** How many functions the set was proven for. */
  readonly proven: number;
  readonly unknown: number;
  /** What a right rule does with a function, in words: from the rule set that is proven for all. */
  readonly right: (refutation: Refutation) => string;
}

/** The forms in which a report is written. */
export type ReportForm = 'text' | 'markdown';

/** The gravest check first. */
const GRAVITY: readonly Check[] = ['leak', 'misuse', 'fault', 'acquire', 'bound'];

const MEANS: Readonly<Record<string, string>> = {
  leak: 'something that the program holds is never given back',
  misuse: 'something is given back that is not held, or used after it was given back',
  fault: 'memory is accessed that the verifier has not allowed',
  acquire: 'something is acquired after the program was killed',
  bound: 'a killed program may go on for long',
};

/** The report, ending in a newline. */
export function rulesReport(report: RulesReport, form: ReportForm): string {
  const lines = [...head(report, form)];
  for (const check of GRAVITY) {
    const of = report.refuted.filter(({ witness }) => witness?.check === check);
    if (of.length === 0) continue;
    lines.push('', ...heading(form, 2, `${check}: ${MEANS[check]}`));
    for (const alike of groups(of)) lines.push('', ...section(report, alike, form));
  }
  return `${lines.join('\n')}\n`;
}

function head({ rules, refuted, proven, unknown }: RulesReport, form: ReportForm): readonly string[] {
  const functions = new Set(refuted.map(({ name }) => name)).size;
  const said = `The rules of '${rules}' are right for ${proven} functions and wrong for ${functions}${
    unknown === 0 ? '' : `; for ${unknown} it is not known`
  }.`;
  const how =
    'A rule is wrong for a function if a program that the verifier accepts can be killed so that a check breaks. The programs below are ' +
    'the smallest that were found. They are accepted by the verifier; what they do after the kill was run.';
  return [...heading(form, 1, `Rule set ${rules}`), '', ...wrap(said), '', ...wrap(how)];
}

/**
 * Functions that are kept for one reason and have no program to show are told together, because a list of them says all that there is to say.
 * All others are told one by one.
 */
function groups(refuted: readonly Refutation[]): readonly (readonly Refutation[])[] {
  const found = new Map<string, Refutation[]>();
  for (const one of refuted) {
    const alone = one.witness?.case !== undefined || one.action === 'stub';
    const key = alone ? `${one.name} ${one.rule}` : `${one.rule}: ${one.witness?.state.join('; ')}`;
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return [...found.values()];
}

function section({ right }: RulesReport, alike: readonly Refutation[], form: ReportForm): readonly string[] {
  const [first] = alike;
  const { rule, file, line, action, witness } = first!;
  const names = alike.map(({ name }) => name);
  const place = line === undefined ? '' : ` (${file}:${line})`;
  const by = rule === undefined ? 'No rule matches' : `Rule '${rule}'${place}`;
  const lines = [
    ...(names.length === 1
      ? heading(form, 3, names[0]!)
      : [...heading(form, 3, `${names.length} functions`), ...wrap(names.join(', '))]),
    '',
    ...wrap(`${by} ${rule === undefined ? '; the call is kept' : DOES[action]}: ${sentence(witness!)}`),
  ];
  for (const { outcome, why } of witness!.missed)
    lines.push(...wrap(`It is not the outcome '${outcome}', because ${why.join('; ')}.`, '  '));
  if (witness!.case !== undefined) {
    lines.push('', ...wrap(killed(witness!)), '', ...fenced(form, witness!.case.trimEnd().split('\n')));
    lines.push(
      '',
      ...wrap('The run; after the kill its lines begin with x:'),
      '',
      ...fenced(form, (witness!.trace ?? []).map(fitted)),
    );
  }
  lines.push('', ...wrap(`Right: ${right(first!)}`));
  return lines;
}

const DOES: Readonly<Record<RuleProof['action'], string>> = {
  stub: 'replaces the call',
  keep: 'keeps the call',
  unwind: 'keeps the call where it has no landing pad',
};

function sentence(witness: RuleWitness): string {
  const guards = Object.entries(witness.guards).map(
    ([guard, is]) => `${is ? '' : 'not '}${guard.replaceAll('_', ' ')}`,
  );
  const where = guards.length === 0 ? '' : ` (where ${guards.join(', ')})`;
  return `${witness.state.join('; ')}${where}.`;
}

/** The kill and what breaks, from the lines of the case. */
function killed(witness: RuleExample): string {
  const line = (word: string): string | undefined =>
    witness.case
      ?.split('\n')
      .find((one) => one.startsWith(`${word} `))
      ?.slice(word.length + 1);
  return `Killed before its ${ordinal(line('.kill'))} step, this program breaks the check ${line('.expect') ?? ''}:`;
}

/** `step=3`: the fourth. */
function ordinal(kill: string | undefined): string {
  const step = Number(/step=(\d+)/.exec(kill ?? '')?.[1] ?? 0) + 1;
  const suffix = step % 100 >= 11 && step % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][step % 10] ?? 'th');
  return `${step}${suffix}`;
}

function heading(form: ReportForm, level: 1 | 2 | 3, text: string): readonly string[] {
  if (form === 'markdown') return [`${'#'.repeat(level)} ${text}`];
  const lines = wrap(text);
  if (level === 3) return lines;
  const width = Math.max(...lines.map((line) => line.length));
  return [...lines, (level === 1 ? '=' : '-').repeat(width)];
}

function fenced(form: ReportForm, lines: readonly string[]): readonly string[] {
  if (form === 'markdown') return ['```', ...lines, '```'];
  return lines.map((line) => (line === '' ? '' : `    ${line}`));
}

/** A line of a run, cut where a mail ends. Cases are never cut: they are there to be pasted. */
function fitted(traced: string): string {
  const room = COLUMNS - 4;
  const line = traced.replace(/(\S) {2,}/g, '$1  ');
  return line.length <= room ? line : `${line.slice(0, room - 2).trimEnd()} …`;
}
