/** What the document of each command that judges says, thing by thing. A document may come from a file: it was written by an earlier run. */
import { basename, dirname } from 'node:path';
import type {
  CertifyDocument,
  CompareDocument,
  FuzzDocument,
  ProgramDocument,
  ProveDocument,
  ReplayDocument,
  RulesCheckDocument,
  SkippedProgram,
  VerifyDocument,
} from '../documents.js';
import type { ProofSummary } from '../programs/proofs.js';
import type { Checked } from '../rules/rules.js';
import type { Judged, JudgedPlace, Standing } from './judged.js';

/** Reads one document; what is no such document makes it throw anything. */
export type Judges = (document: never) => readonly Judged[];

function standingOf(verdict: string, holds: string, failed: string): Standing {
  return verdict === holds ? 'holds' : verdict === failed ? 'failed' : 'unknown';
}

/** A place in source that an object came from, as its line information has it; the file itself without. */
function placeOf(
  file: string,
  at: { readonly file?: string; readonly line?: number } | undefined,
): JudgedPlace {
  if (at?.file === undefined) return { file };
  return { file: at.file, object: file, ...(at.line === undefined ? {} : { line: at.line }) };
}

const proofs = ({ programs }: ProveDocument): readonly Judged[] =>
  programs.map((row): Judged => {
    const { file, name, verdict, ms, witness, reason, advice } = row;
    const [check = verdict] = witness?.expect.split(' ') ?? [];
    const message =
      witness === undefined
        ? [reason, advice].filter((part) => part !== '').join(': ')
        : `${witness.expect} after ${witness.kill} steps: ${reason}`;
    return {
      ...{ of: file, name, message: message === '' ? verdict : message, ms },
      standing: standingOf(verdict, 'proven', 'refuted'),
      what: verdict === 'refuted' ? check : verdict,
      place: placeOf(file, proofPlace(row)),
    };
  });

/** Where the run that refutes a program breaks a check; or where our verifier refuses the program. */
function proofPlace({
  witness,
  explanation,
}: ProofSummary): { readonly file?: string; readonly line?: number } | undefined {
  const broken = witness?.path?.events.findLast(({ event }) => event === 'broken');
  return broken?.at ?? explanation?.at;
}

const certificates = ({ programs, skipped }: CertifyDocument): readonly Judged[] => [
  ...programs.map(({ file, name, verdict, message, ms, explanation, log }): Judged => {
    const place = explanation?.at ?? log?.findLast(({ at }) => at !== undefined)?.at;
    return {
      ...{ of: file, name, ms, what: verdict, message: message === '' ? verdict : message },
      standing: standingOf(verdict, 'certified', 'refused'),
      place: placeOf(file, place),
    };
  }),
  ...skipped.map((one) => leftOut(one, 'unknown')),
];

function leftOut(
  { file, name, reason }: Pick<SkippedProgram, 'file' | 'name' | 'reason'>,
  standing: Standing,
): Judged {
  return { of: file, name, standing, what: 'left out', message: reason, place: { file } };
}

const verdicts = ({ programs, skipped, broken }: VerifyDocument): readonly Judged[] => [
  ...programs.map(({ file, name, verdict, message, ms, kernel, explanation }): Judged => {
    const head = { of: file, name, ms, place: placeOf(file, explanation?.at) };
    if (kernel?.verdict === 'rejected' && verdict !== 'rejected')
      return {
        ...head,
        standing: 'failed',
        what: 'rejected by Linux',
        message: `Linux refuses it: ${kernel.message}`,
      };
    const said = message === '' ? verdict : message;
    return { ...head, standing: standingOf(verdict, 'accepted', 'rejected'), what: verdict, message: said };
  }),
  ...skipped.map((one) => leftOut(one, 'left out')),
  ...broken.map(
    ({ file, reason }): Judged => ({ ...leftOut({ file, name: '', reason }, 'unknown'), what: 'unreadable' }),
  ),
];

const replays = ({ cases }: ReplayDocument): readonly Judged[] =>
  cases.map(({ file, expected, got, ok, line, column }): Judged => {
    const at = { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
    return {
      ...{ of: dirname(file), name: basename(file), place: at },
      standing: ok ? 'holds' : 'failed',
      what: 'replay',
      message: ok ? got : `expected ${expected}, got ${got}`,
    };
  });

const ruleProofs = ({ rules, functions, warnings }: RulesCheckDocument): readonly Judged[] => [
  ...functions.map((one): Judged => {
    const { name, verdict, witness, file, line } = one;
    return {
      ...{ of: rules, name, message: ruleMessage(one) },
      standing: standingOf(verdict, 'proven', 'refuted'),
      what: verdict === 'refuted' ? (witness?.check ?? verdict) : verdict,
      ...(file === undefined || line === undefined ? {} : { place: { file, line } }),
    };
  }),
  ...warnings.map(
    ({ message, file, line, column }): Judged => ({
      ...{ of: rules, name: message, standing: 'warned', what: 'warning', message },
      ...(file === undefined
        ? {}
        : {
            place: {
              file,
              ...(line === undefined ? {} : { line }),
              ...(column === undefined ? {} : { column }),
            },
          }),
    }),
  ),
];

function ruleMessage({ name, action, rule, verdict, witness }: Checked): string {
  const by = rule === undefined ? 'no rule matches' : `rule '${rule}'`;
  const head = `${name} is ${action === 'keep' ? 'kept' : 'stubbed'} (${by})`;
  if (witness === undefined) return `${head}: ${verdict}`;
  const missed = witness.missed.map(({ outcome, why }) => `not its outcome '${outcome}': ${why.join('; ')}`);
  const none = witness.unwitnessed === undefined ? [] : [`no program shows it: ${witness.unwitnessed}`];
  return [`${head}: ${witness.check}: ${witness.state.join('; ')}`, ...missed, ...none].join('\n');
}

/** One program of a campaign by itself. */
const oneProgram = (one: ProgramDocument): readonly Judged[] => {
  const [of, name] = [one.rules.join(', '), `program ${one.program}`];
  const unknown = one.proofs.filter(({ verdict }) => verdict === 'unknown');
  return [
    { of, name, standing: 'holds', what: 'checked', message: `${one.points} points` },
    ...one.findings.map(
      ({ check, rules, rule, function: blamed, message }): Judged => ({
        ...{
          of: rules,
          name: blamed,
          standing: 'failed',
          what: check,
          message: `rule '${rule}': ${message}`,
        },
      }),
    ),
    ...one.disagreements.map(
      ({ between, message }): Judged => ({
        ...{ of, name, standing: 'failed', what: `disagreement: ${between}` },
        message: `swansong's own checkers disagree: ${message}`,
      }),
    ),
    ...unknown.map(
      ({ rules, reason = 'the proof gave up' }): Judged => ({
        ...{ of: rules, name, standing: 'unknown', what: 'unknown', message: reason },
      }),
    ),
  ];
};

const campaign = (one: FuzzDocument | ProgramDocument): readonly Judged[] => {
  if ('program' in one) return oneProgram(one);
  const of = one.rules.join(', ');
  const counts = `${one.programs} programs, ${one.points} points, ${one.proven} proven`;
  return [
    one.finished
      ? { of, name: 'campaign', standing: 'holds', what: 'finished', message: counts, ms: one.ms }
      : {
          of,
          name: 'campaign',
          standing: 'unknown',
          what: 'stopped',
          message: `stopped before its end: ${counts}`,
          ms: one.ms,
        },
    ...one.findings.flatMap(({ check, rules, rule, at, ...first }) =>
      [first, ...first.also].map(
        (found): Judged => ({
          ...{ of: rules, name: found.function, standing: 'failed', what: check },
          message: `rule '${rule}': ${found.message} (${found.insns} insns${found.file === '' ? '' : `: ${found.file}`})`,
          ...(at === undefined && found.file === '' ? {} : { place: at ?? { file: found.file } }),
        }),
      ),
    ),
    ...one.disagreements.map(
      ({ program, between, message }): Judged => ({
        ...{ of, name: `program ${program}`, standing: 'failed', what: `disagreement: ${between}` },
        message: `swansong's own checkers disagree: ${message}`,
      }),
    ),
    ...(one.disagreementCount <= one.disagreements.length
      ? []
      : [
          {
            ...({
              of,
              name: 'disagreements',
              standing: 'failed',
              what: `${one.disagreementCount} disagreements`,
            } as const),
            message: `${one.disagreementCount} disagreements, of which ${one.disagreements.length} are told`,
          },
        ]),
    ...(one.unknown === 0
      ? []
      : [
          {
            ...({ of, name: 'program proofs', standing: 'unknown', what: 'unknown' } as const),
            message: `${one.unknown} program proofs gave up`,
          },
        ]),
  ];
};

/** Of two documents: only what got worse fails. */
const comparison = ({ b, changes }: CompareDocument): readonly Judged[] =>
  changes.map(
    ({ file, name, field, from, to, worse }): Judged => ({
      ...{ of: file, name, standing: worse ? 'failed' : 'holds', what: field },
      ...{
        message: `${field}: ${from ?? 'none'} -> ${to ?? 'none'}`,
        place: { file: file === '' ? b : file },
      },
    }),
  );

/** How to read the document of each command that judges. */
export const JUDGEMENTS: Readonly<Record<string, Judges>> = {
  prove: proofs,
  certify: certificates,
  verify: verdicts,
  replay: replays,
  'rules check': ruleProofs,
  fuzz: campaign,
  compare: comparison,
};
