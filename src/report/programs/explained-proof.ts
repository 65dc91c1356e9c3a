/**
 * A proof read aloud: the program insn by insn with its C lines, the most insns from each to the exit, and at every call what a killed run does there, why it
 * may, and what may take long; then the worst place to be killed at, with the way from there to the exit.
 */
import { delaysInWords } from '../../kernel/delays.js';
import type { KeptCall } from '../../smt/kept-calls.js';
import type { ProgramProof, ProvedSite } from '../../smt/proof.js';
import type { Place, Places } from '../../verifier/explain/place.js';
import { describeStub } from '../rules/rules.js';
import { wrap } from '../text/wrap.js';
import { type TailCallRow, tailCallLines } from './tail-calls.js';

/** What is told of a program: its insns in order, and what was proven of them. */
export interface ToldProof {
  readonly file: string;
  readonly name: string;
  readonly proof: Pick<
    ProgramProof,
    'sites' | 'kept' | 'bounds' | 'timeLimits' | 'worstPath' | 'bound' | 'timeLimit' | 'loops' | 'reason'
  >;
  readonly places: Pick<Places, 'at'>;
  readonly tailCalls: readonly TailCallRow[];
  /** Slots of insns; the second half of a wide one is none. */
  readonly slots: readonly number[];
}

const COLUMNS = 79;
/** Parts of the worst way that are told at the most. */
const MOST_PARTS = 60;

/** Several lines; empty for a program of which no call and no bound is known, because it was not verified. */
export function explainedProof(told: ToldProof): string {
  const { file, name, proof } = told;
  if (proof.sites.length === 0 && proof.bounds.size === 0) return '';
  const head = `${file}:${name}: what a killed run does; on the left the most insns to the exit`;
  return [head, ...listing(told), '', ...worstPlace(told), ''].map((line) => `${line}\n`).join('');
}

function listing({ proof, places, slots, tailCalls }: ToldProof): readonly string[] {
  const { sites, kept, loops } = proof;
  const left = new Map(slots.map((slot) => [slot, boundAt(proof, slot)]));
  const width = Math.max(...[...left.values()].map((text) => text.length), 1);
  const number = `${slots.at(-1) ?? 0}`.length;
  const indent = ' '.repeat(width + number + 6);
  let above: Place | undefined;
  return slots.flatMap((slot) => {
    const place = places.at(slot);
    const heads = [
      ...(place.function !== above?.function && place.function !== '' ? [`${place.function}:`] : []),
      ...(place.line !== undefined && lineOf(place) !== (above && lineOf(above))
        ? [`  ; ${lineOf(place)}`]
        : []),
    ];
    above = place;
    const site = sites.find((one) => one.slot === slot);
    const call = kept.find((one) => one.slot === slot);
    const loop = loops.find((one) => one.slot === slot);
    const tail = tailCalls.find((one) => one.slot === slot);
    return [
      ...heads,
      `  ${left.get(slot)!.padStart(width)}  ${`${slot}`.padStart(number)}: ${place.insn}`,
      ...(site === undefined ? [] : siteInWords(site, call, indent)),
      ...(tail === undefined
        ? []
        : tailCallLines(tail).flatMap((text) => wrap(text, `${indent}> `, `${indent}  `, COLUMNS))),
      ...(loop === undefined ? [] : wrap(`loop: ${loop.endless ?? loop.by}`, indent, `${indent}  `, COLUMNS)),
    ];
  });
}

/** What becomes of a call, why that is right, and what may take long. */
function siteInWords(
  { action, stub, rule, why }: ProvedSite,
  kept: KeptCall | undefined,
  indent: string,
): readonly string[] {
  const by = rule === undefined ? 'no rule matches' : `rule '${rule}'`;
  const does =
    action === 'stub' && stub !== undefined
      ? describeStub(stub)
      : action === 'unwind'
        ? 'goes to its landing pad, kept where it has none'
        : 'kept';
  const delay =
    kept === undefined
      ? []
      : [`takes time: it may ${delaysInWords(kept.may)}; the bound does not count that`];
  return [`${does} (${by})`, `why: ${why}`, ...delay].flatMap((text) =>
    wrap(text, `${indent}> `, `${indent}  `, COLUMNS),
  );
}

/** `15`, `250ms+393`; `-` for an insn that no run reaches. */
function boundAt({ bounds, timeLimits }: ToldProof['proof'], slot: number): string {
  const timed = timeLimits.get(slot);
  if (timed !== undefined) return `${timed.ms}ms+${timed.insns}`;
  if (!bounds.has(slot)) return '-';
  return `${bounds.get(slot) ?? 'no bound'}`;
}

function worstPlace({ proof, places }: ToldProof): readonly string[] {
  const { worstPath, bound, timeLimit, reason, loops } = proof;
  const [first] = worstPath;
  if (first === undefined) return wrap(`no worst place to be killed at: ${reason}`, '', '  ', COLUMNS);
  const place = places.at(first);
  const most =
    bound === undefined
      ? timeLimit === undefined
        ? 'no bound'
        : `${timeLimit.ms} ms and ${timeLimit.insns} insns`
      : `${bound} insns`;
  const where = place.line === undefined ? '' : `, ${place.file}:${place.line}`;
  const parts = partsOf(worstPath, places);
  const shown =
    parts.length > MOST_PARTS ? [...parts.slice(0, MOST_PARTS - 10), undefined, ...parts.slice(-10)] : parts;
  const goesRound =
    loops.length === 0 && new Set(worstPath).size === worstPath.length ? '' : '; a loop is gone through once';
  return [
    ...wrap(
      `the worst place to be killed at: insn ${first} in ${place.function}${where}: at most ${most} to the exit`,
      '',
      '  ',
      COLUMNS,
    ),
    `the way from there${goesRound}:`,
    ...shown.map((part) =>
      part === undefined ? `  ... ${parts.length - MOST_PARTS} more` : partInWords(part),
    ),
  ];
}

/** Insns of one C line that follow each other; without lines, of one function. */
interface Part {
  readonly place: Place;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

function partsOf(path: readonly number[], places: Pick<Places, 'at'>): readonly Part[] {
  const parts: Part[] = [];
  for (const slot of path) {
    const place = places.at(slot);
    const before = parts.at(-1);
    const isSame =
      before !== undefined &&
      lineOf(before.place) === lineOf(place) &&
      before.place.function === place.function;
    if (isSame) parts[parts.length - 1] = { ...before, last: slot, count: before.count + 1 };
    else parts.push({ place, first: slot, last: slot, count: 1 });
  }
  return parts;
}

function partInWords({ place, first, last, count }: Part): string {
  const insns = first === last ? `insn ${first}` : `insns ${first} to ${last}`;
  const what = place.line === undefined ? `in ${place.function}` : lineOf(place);
  return `  ${`${count}`.padStart(4)}  ${insns.padEnd(18)}  ${what}`;
}

/** `lock.c:26: bpf_spin_lock(&e->lock);`; '' where there is no line. */
const lineOf = ({ file, line, source }: Place): string =>
  line === undefined ? '' : `${file}:${line}${source === undefined ? '' : `: ${source}`}`;
