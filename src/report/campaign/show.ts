/**
 * A case as text for a terminal: what happened in sentences, then each run with its steps, and beside them the ledger as lanes: one column a thing
 * that is held, from where it is taken to where it is given back, or to the end where it never is.
 */
import { textAt } from '../page/listing.js';
import type { PageCase, PageLane, PageListing, PageRun, PageStep } from '../page/shape.js';
import { wrap } from '../text/wrap.js';

/** How words are coloured; identity where there is no terminal. */
export interface Paint {
  bad(text: string): string;
  good(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
}

/** No colours. */
export const PLAIN: Paint = { bad: same, good: same, dim: same, strong: same };

function same(text: string): string {
  return text;
}

/** Columns of a terminal. */
const WIDTH = 80;
/** Lanes that are drawn; more are counted. */
const MOST_LANES = 8;

/** The case in lines of at most 80 columns, ending in a newline. `all`: the runs unkilled and under `sound` as well. */
export function caseInWords(one: PageCase, all: boolean, paint: Paint = PLAIN): string {
  const head = one.check === null ? (one.trouble === null ? 'holds' : 'not run') : one.check;
  const lines = wrapped(`${head}: ${one.title}`).map((line) =>
    one.check === null ? paint.good(line) : paint.bad(line),
  );
  lines.push(
    ...wrapped(`${one.file}: ${one.type}, ${one.insns} insns, under ${one.rules}`).map((line) =>
      paint.dim(line),
    ),
  );
  if (!one.ok) lines.push(...wrapped(`expected: ${one.expected}; got: ${one.got}`));
  const { story, listing } = one;
  if (story === null || listing === null) return ended(lines);
  const { held, killed, patched, broke, wrong, right } = story;
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ['held', held],
    ['killed', [killed]],
    ['patched', patched],
    ['broke', broke],
    ['wrong', wrong],
    ['right', right],
  ];
  for (const [name, sentences] of parts)
    sentences.forEach((sentence, i) => {
      const label = i === 0 ? name.padEnd(9) : ' '.repeat(9);
      const [first = '', ...others] = wrapped(sentence, label, ' '.repeat(9));
      lines.push(paint.strong(first.slice(0, 9)) + first.slice(9), ...others);
    });
  for (const run of all ? one.runs : one.runs.slice(0, 1)) lines.push('', ...runLines(run, listing, paint));
  return ended(lines);
}

const ended = (lines: readonly string[]): string => `${lines.map((line) => plainQuotes(line)).join('\n')}\n`;
const wrapped = (text: string, first = '', indent = first): string[] => [...wrap(text, first, indent, WIDTH)];
const plainQuotes = (line: string): string => line.replace(/[‘’]/g, "'");

function titleOf({ kind, rules }: PageRun): string {
  if (kind === 'unkilled') return 'not killed';
  return kind === 'sound' ? 'the same kill under sound' : `killed under ${rules}`;
}

function runLines(run: PageRun, listing: PageListing, paint: Paint): string[] {
  const first = run.about === null ? undefined : run.broken[run.about];
  const outcome =
    first === undefined ? paint.good('holds') : paint.bad(`${first.check} at insn ${first.slot}`);
  const shown = lanesOf(run).slice(0, MOST_LANES);
  const lines = [
    `${paint.strong(titleOf(run))}: ${outcome}, ${run.length} insns`,
    ...shown.map((lane, i) => paint.dim(laneLine(lane, i))),
  ];
  const more = lanesOf(run).length - shown.length;
  if (more > 0) lines.push(paint.dim(`  and ${more} more, which have no lane here`));
  let next = 0;
  for (const step of run.steps) {
    if (step.step > next) lines.push(paint.dim(`      ${step.step - next} insns are left out`));
    next = step.step + (step.count ?? 1);
    if (step.step === run.kill) lines.push(paint.bad(killLine(shown, step.step)));
    if (step.count !== undefined) {
      lines.push(paint.dim(`      ${step.count} insns from insn ${step.slot} on are left out`));
      continue;
    }
    lines.push(stepLine(run, step, shown, listing, paint));
    lines.push(...brokenLines(run, step).map((line) => paint.bad(line)));
  }
  return lines;
}

const LETTERS = 'abcdefgh';

/** What is drawn as a lane: something that was held, or something that a replaced call did not take. */
type Lane = PageLane & { readonly never?: true };

/** What was held, and what was not taken because its call was replaced: until a check breaks, or to the end. */
function lanesOf(run: PageRun): readonly Lane[] {
  const about = run.about === null ? undefined : run.broken[run.about];
  const never = run.neverTaken.map(({ step, slot, by }, i): Lane => {
    const to = about !== undefined && about.step > step ? about.step : null;
    return { id: -1 - i, what: '', by, from: step, slot, to, toSlot: null, never: true };
  });
  return [...run.lanes, ...never];
}

function laneLine({ what, by, slot, toSlot, never }: Lane, index: number): string {
  if (never === true)
    return cut(`  ${LETTERS[index]}  what ${by} takes is not taken at insn ${slot}: its call was replaced`);
  const until = toSlot === null ? 'never given back' : `until insn ${toSlot}`;
  return cut(`  ${LETTERS[index]}  ${what} taken by ${by} at insn ${slot}, ${until}`);
}

function killLine(lanes: readonly Lane[], step: number): string {
  const marks = lanes.map((lane) => (isOver(lane, step) ? '+' : '-')).join('');
  const tail = marks === '' ? '' : ` ${marks}`;
  return `${`---- killed before step ${step} `.padEnd(WIDTH - tail.length, '-')}${tail}`;
}

/** The lane is held just before this step. */
const isOver = ({ from, to }: Lane, step: number): boolean => from < step && (to === null || to >= step);

/** What stands in a lane beside a step: its letter where it is taken, `|` while it is held, `o` where it is given back. */
function laneMark(lane: Lane, index: number, { step }: PageStep, last: boolean): string {
  if (lane.never === true && lane.from !== step) return isOver(lane, step) ? ':' : ' ';
  if (lane.from === step) return LETTERS[index]!;
  if (lane.to === step) return 'o';
  if (last && lane.to === null && lane.from < step) return 'X';
  return isOver(lane, step) ? '|' : ' ';
}

const DID: Readonly<Record<NonNullable<PageStep['patched']>, string>> = {
  stubbed: ' [stub]',
  kept: ' [kept]',
  unwound: ' [to its pad]',
  stopped: ' [stopped]',
};
/** Columns of step, slot and insn. */
const INSN = 44;

function stepLine(
  run: PageRun,
  step: PageStep,
  lanes: readonly Lane[],
  listing: PageListing,
  paint: Paint,
): string {
  const mark = step.killed === true ? 'x' : ' ';
  const indent = ' '.repeat(Math.min(4, step.depth ?? 0));
  const did = step.patched === undefined ? '' : DID[step.patched];
  const text = `${indent}${step.ended ? '(ended here)' : textAt(listing, step.slot)}`;
  const room = INSN - 13 - did.length;
  const insn = `${text.length > room ? `${text.slice(0, room - 1)}…` : text}${did}`;
  const left = `${mark}${`${step.step}`.padStart(5)} ${`${step.slot}`.padStart(4)}  ${insn}`.padEnd(INSN);
  const last = step === run.steps.at(-1);
  const marks = lanes.map((lane, i) => laneMark(lane, i, step, last)).join('');
  const width = WIDTH - INSN - 1 - (lanes.length === 0 ? 0 : lanes.length + 1);
  const changes = changesInWords(step, width);
  const tail = lanes.length === 0 ? '' : ` ${marks}`;
  const line = `${left} ${changes.padEnd(width)}${tail}`.trimEnd();
  const isAfter = step.killed === true && (step.broken ?? []).length === 0;
  return step.patched === 'stubbed' ? paint.bad(line) : isAfter ? line : paint.strong(line);
}

/** `r0=0 r1 gone`, as many as there is room for. */
function changesInWords({ changes = {} }: PageStep, width: number): string {
  const entries = Object.entries(changes);
  const words = entries.flatMap(([place, word]) => (word === null ? [] : [`${place}=${word}`]));
  const gone = entries.flatMap(([place, word]) => (word === null ? [place] : []));
  const text = [...words, ...(gone.length === 0 ? [] : [`gone: ${gone.join(' ')}`])].join(' ');
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

function brokenLines(run: PageRun, step: PageStep): readonly string[] {
  return (step.broken ?? []).flatMap((index) => {
    const { check, message, after } = run.broken[index]!;
    return wrapped(`${check}: ${message}${after ? ', which follows' : ''}`, '      ^^^^  ', ' '.repeat(12));
  });
}

const cut = (line: string): string => (line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`);
