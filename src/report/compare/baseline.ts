/**
 * What is new beside an earlier run. A check of a change is red only for what its base did not have: `--baseline FILE` takes the
 * JSON document that the same command wrote for the base.
 */
import { InputError } from '../../isa/errors.js';
import { schemaName } from '../document.js';
import { type ExitCode, worst } from '../exit.js';
import type { Change } from './change.js';
import { type Allowed, changesBetween, measuredIn, type ReadDocument } from './changes.js';
import {
  type ComparedThing,
  type ComparedWithBaseline,
  type Judged,
  judgedExit,
  judgedKey,
} from './judged.js';
import { JUDGEMENTS } from './judgements.js';

/** The things of an earlier document. */
export interface Baseline {
  readonly file: string;
  readonly judged: readonly Judged[];
  /** With what it says of each program. */
  readonly measured?: ReadDocument['measured'];
}

/** Reads the document that `command` wrote earlier. Throws InputError for a text that is none, or another command's. */
export function readBaseline(text: string, file: string, command: string): Baseline {
  const bad = (found: string): never => {
    throw new InputError(`expected a document that '${command} --json' wrote, ${found}`, { file });
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return bad('but this is not JSON');
  }
  const schema: unknown =
    typeof document === 'object' && document !== null && 'schema' in document ? document.schema : undefined;
  if (schema !== schemaName(command))
    return bad(typeof schema === 'string' ? `but this is '${schema}'` : 'but it has no schema');
  const read = JUDGEMENTS[command];
  if (read === undefined) return bad('but that command judges nothing');
  try {
    return { file, judged: read(document as never), measured: measuredIn(command, document as object) };
  } catch {
    return bad('but members of it are missing');
  }
}

const isOpen = ({ standing }: Judged): boolean => standing === 'failed' || standing === 'unknown';
const thing = ({ of, name, what, message }: Judged): ComparedThing => ({ of, name, what, message });
const nameKey = ({ of, name }: Judged): string => `${of}\n${name}`;

/**
 * Whether this fails or is unknown and was not so in the base. What failed then and is unknown now is no worse; what was unknown then and
 * fails now is.
 */
export function isNew(one: Judged, base: readonly Judged[]): boolean {
  if (!isOpen(one)) return false;
  const then = base.filter((other) => isOpen(other) && nameKey(other) === nameKey(one));
  return one.standing === 'unknown'
    ? then.length === 0
    : !then.some((other) => judgedKey(other) === judgedKey(one));
}

/** Compares what was judged now with an earlier document. */
export function compareWithBaseline(
  now: readonly Judged[],
  { file, judged: base }: Baseline,
): ComparedWithBaseline {
  const judged = new Set(now.map(nameKey));
  const open = new Set(now.filter(isOpen).map(nameKey));
  const keys = new Set(now.filter(isOpen).map(judgedKey));
  const was = base.filter(isOpen);
  return {
    file,
    new: now.filter((one) => isNew(one, base)).map(thing),
    known: now.filter((one) => isOpen(one) && !isNew(one, base)).map(thing),
    mended: was
      .filter(
        (one) =>
          judged.has(nameKey(one)) &&
          (!open.has(nameKey(one)) || (one.standing === 'failed' && !keys.has(judgedKey(one)))),
      )
      .map(thing),
    missing: was.filter((one) => !judged.has(nameKey(one))).map(thing),
  };
}

/** Figures of programs that are in both documents, where they changed: bounds, insns, walks, times. What became of verdicts is told as new or mended. */
export function figuresBeside(
  command: string,
  document: object,
  { measured = [] }: Baseline,
  allowed?: Allowed,
): Pick<ComparedWithBaseline, 'worse' | 'changed'> {
  if (command !== 'prove' && command !== 'verify') return {};
  const { changes } = changesBetween(measured, measuredIn(command, document), allowed);
  const figures = changes.filter(({ field }) => field !== 'program' && field !== 'verdict');
  return { worse: figures.filter(({ worse }) => worse), changed: figures.filter(({ worse }) => !worse) };
}

/** The exit code when only what is new counts, and figures that got worse. */
export const baselineExit = (
  now: readonly Judged[],
  { judged: base }: Baseline,
  { worse: figures = [] }: Pick<ComparedWithBaseline, 'worse'> = {},
): ExitCode =>
  worst([judgedExit(now.filter((one) => isNew(one, base))), ...(figures.length > 0 ? [1 as const] : [])]);

/** The comparison in words: each new and each missing thing, and how many there are of all. */
export function baselineInWords(compared: ComparedWithBaseline): string {
  const line =
    (word: string) =>
    ({ of, name, what, message }: ComparedThing) =>
      `${word}: ${name === '' ? of : `${of}: ${name}`}: ${what}: ${message.split('\n')[0]}\n`;
  const { file, mended, missing, known, worse: figures = [], changed = [] } = compared;
  const figure =
    (word: string) =>
    ({ file: of, name, field, from, to }: Change) =>
      `${word}: ${name === '' ? of : `${of}: ${name}`}: ${field} ${from} -> ${to}\n`;
  const other = changed.length === 0 ? '' : `, ${changed.length} figures changed otherwise`;
  const grown = figures.length === 0 ? '' : `, ${figures.length} figures worse`;
  return [
    ...compared.new.map(line('new')),
    ...figures.map(figure('worse')),
    ...missing.map(line('not judged now')),
    `beside ${file}: ${compared.new.length} new, ${known.length} known, ${mended.length} mended, ${missing.length} not judged now${grown}${other}\n`,
  ].join('');
}
