/** What a campaign says, in words for a person. */
import type { CoverageSummary, Finding, Instance, SeenWith, Summary } from './summary.js';

/** `812 kinds of termination points, stubs of 93 functions ran, 210 outcomes, 31 pairs held together` */
function inDiversity({ diversity: { cells, stubs, outcomes, pairs } }: CoverageSummary): string {
  return `${cells} kinds of termination points, stubs of ${stubs} functions ran, ${outcomes} outcomes, ${pairs} pairs held together`;
}

/** Disagreements, and unknowns, that are told one by one; all are in the document. */
const MOST_LINES = 20;

/** Writes the summary for a person, several lines: counts, then findings, the gravest first, then what is unknown, then disagreements. */
export function inWords(one: Summary): string {
  const lines = [
    `seed ${one.seed}, rules ${one.rules.join(', ')}${one.finished ? '' : ' (stopped before its end)'}`,
    `${one.programs} programs, ${one.accepted} accepted, ${one.killedEverywhere} killed everywhere (${one.points} points)`,
    ...proofs(one),
    inDiversity(one.coverage),
  ];
  if (one.kernelAccepted !== null) {
    const unjudged = one.kernelUnjudged === 0 ? '' : `, ${one.kernelUnjudged} it cannot judge`;
    lines.push(`Linux accepts ${one.kernelAccepted}, refuses ${one.kernelRejected}${unjudged}`);
  }
  lines.push(`${one.findings.length} findings${one.findings.length > 0 ? ':' : ''}`);
  lines.push(...one.findings.flatMap(findingInWords));
  lines.push(...goneInWords(one));
  lines.push(...unknowns(one), ...disagreements(one), ...unsavedCases(one));
  return lines.map((line) => `${line}\n`).join('');
}

/** Of one rule set in one line; of several first all together, then each. */
function proofs(one: Summary): readonly string[] {
  const verdicts = (of: { proven: number; refuted: number; unknown: number }): string =>
    `${of.proven} proven, ${of.refuted} refuted, ${of.unknown} unknown`;
  const worst = `at most ${one.worst} insns from a kill to the exit`;
  const all = `${verdicts(one)}; ${worst}`;
  if (one.byRules.length < 2) return [all];
  return [all, ...one.byRules.map((of) => `    ${of.rules}: ${verdicts(of)}; ${of.causes} causes`)];
}

function findingInWords(found: Finding): readonly string[] {
  return [
    `    ${found.check} under ${found.rules}, rule '${found.rule}'`,
    `        ${found.function}: ${found.message}: ${instanceInWords(found)}`,
    ...(found.checks.length > 1 ? [`        its run breaks ${found.checks.join(', ')}`] : []),
    ...found.also.map((other) => `        also ${other.function}: ${instanceInWords(other)}`),
  ];
}

function instanceInWords({ insns, minimal, shrunk, hits, file, status, firstSeen }: Instance): string {
  const size = `${insns} insns${minimal || shrunk ? '' : ' (still shrinking)'}`;
  // Of a first run all is new.
  const since = status === undefined || status === 'new' ? '' : `, ${status} since ${day(firstSeen)}`;
  return `${size}, ${hits} hits${since}: ${file === '' ? 'not saved, see below' : file}`;
}

const day = (seen: SeenWith | undefined): string => seen?.at.slice(0, 10) ?? '?';

function goneInWords({ gone }: Summary): readonly string[] {
  if (gone.length === 0) return [];
  return [
    `${gone.length} gone:`,
    ...gone.map(
      ({ check, rules, function: name, firstSeen, goneSince, new: isNew, file }) =>
        `    ${check} under ${rules}, ${name}: seen since ${day(firstSeen)}, gone since ${isNew ? 'this run' : day(goneSince)}${file === undefined ? '' : `: ${file}`}`,
    ),
  ];
}

function unknowns({ unknowns: all }: Summary): readonly string[] {
  if (all.length === 0) return [];
  return [
    'unknown:',
    ...cut(all.map(({ program, rules, reason }) => `    program ${program}, ${rules}: ${reason}`)),
  ];
}

function disagreements({ disagreements: all, disagreementCount }: Summary): readonly string[] {
  if (disagreementCount === 0) return [];
  return [
    `${disagreementCount} disagreements, which are bugs of swansong's own:`,
    ...cut(
      all.map(
        ({ program, rules, between, message }) =>
          `    program ${program}, ${between}${rules === undefined ? '' : `, ${rules}`}: ${message}`,
      ),
    ),
  ];
}

function cut(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES), `    and ${lines.length - MOST_LINES} more, see --json`];
}

/** The cases that no file could be written for, so that they are not lost. */
function unsavedCases({ findings }: Summary): readonly string[] {
  const all: readonly Instance[] = findings.flatMap((one) => [one, ...one.also]);
  return all.flatMap((one) => (one.case === undefined ? [] : ['', one.case.trimEnd()]));
}
