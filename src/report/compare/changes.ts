/**
 * What changed between two documents of one command, program by program: verdict, bound, insns, insns walked, time. Only what got worse fails a
 * comparison; a figure may be allowed to grow by some part.
 */
import { basename } from 'node:path';
import { InputError } from '../../isa/errors.js';
import { schemaName } from '../document.js';
import type { Change, Changes, Growing } from './change.js';
import type { Judged, Standing } from './judged.js';
import { JUDGEMENTS } from './judgements.js';

/** By how many percent figures may grow before that is worse. */
export type Allowed = Readonly<Record<Growing, number>>;

/** A bound is a promise, so it may not grow at all. Insns and walks of a program that is worked on may grow a little. Times are taken on busy machines. */
export const ALLOWED: Allowed = { bound: 0, insns: 10, walked: 10, ms: 200 };

/** Milliseconds that a time may grow whatever part of it that is: short times differ by chance. */
const SHORT_MS = 500;

/** What a document says of one program. */
interface Measured {
  readonly judged: Judged;
  readonly verdict: string;
  readonly figures: Figures;
}

interface Figures {
  readonly bound?: number | null;
  readonly boundKind?: string | null;
  readonly timeLimit?: { readonly ms: number; readonly insns: number };
  readonly insns?: number;
  readonly walked?: number | { readonly verified: number; readonly patched: number };
}

/** A document that was read from a file: of which command it is, and what it says. */
export interface ReadDocument {
  readonly command: string;
  readonly measured: readonly Measured[];
}

/** Reads a document of any command that judges. Throws InputError for a text that is none. */
export function readDocument(text: string, file: string): ReadDocument {
  const bad = (found: string): never => {
    throw new InputError(`expected a document that a command such as 'prove --json' wrote, ${found}`, {
      file,
    });
  };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return bad('but this is not JSON');
  }
  const schema: unknown =
    typeof document === 'object' && document !== null && 'schema' in document ? document.schema : undefined;
  if (typeof schema !== 'string') return bad('but it has no schema');
  const command = Object.keys(JUDGEMENTS).find((one) => schemaName(one) === schema);
  if (command === undefined) return bad(`but this is '${schema}', which judges nothing`);
  try {
    return { command, measured: measuredIn(command, document as object) };
  } catch {
    return bad('but members of it are missing');
  }
}

/** What a document of `command` says of each program. What is no such document makes it throw anything. */
export function measuredIn(command: string, document: object): readonly Measured[] {
  const judged = JUDGEMENTS[command]!(document as never);
  // Programs come first, in their order.
  const programs: readonly Figures[] =
    (command === 'prove' || command === 'verify') && 'programs' in document
      ? (document.programs as readonly Figures[])
      : [];
  return judged.map((one, i) => ({
    judged: one,
    verdict: one.standing === 'failed' && command === 'prove' ? `refuted: ${one.what}` : one.what,
    figures: programs[i] ?? {},
  }));
}

/** Compares two documents of one command. */
export function changesBetween(
  before: readonly Measured[],
  after: readonly Measured[],
  allowed: Allowed = ALLOWED,
): Changes {
  const { pairs, gone, added } = paired(before, after);
  const changes: Change[] = [];
  let worse = 0;
  for (const one of after) {
    const then = pairs.get(one);
    const found = then === undefined ? [newProgram(one)] : changesOf(then, one, allowed);
    if (found.some((change) => change.worse)) worse++;
    changes.push(...found);
  }
  for (const { judged, verdict } of gone)
    changes.push({
      ...{ file: judged.of, name: judged.name, field: 'program', from: verdict, to: null, worse: false },
    });
  return { compared: pairs.size, worse, gone: gone.length, new: added, changes };
}

const newProgram = ({ judged, verdict }: Measured): Change => ({
  ...{ file: judged.of, name: judged.name, field: 'program', from: null, to: verdict },
  worse: RANK[judged.standing] > 0,
});

/** From what holds to what fails. */
const RANK: Readonly<Record<Standing, number>> = {
  holds: 0,
  warned: 0,
  'left out': 0,
  unknown: 1,
  failed: 2,
};
const KINDS = ['exact', 'time-limited', 'unbounded'];

function changesOf(then: Measured, now: Measured, allowed: Allowed): readonly Change[] {
  const { of: file, name } = now.judged;
  const changes: Change[] = [];
  const add = (field: Change['field'], from: Change['from'], to: Change['to'], worse: boolean): void => {
    changes.push({ file, name, field, from, to, worse });
  };
  if (then.verdict !== now.verdict || then.judged.standing !== now.judged.standing) {
    const rank = RANK[now.judged.standing];
    // To fail otherwise is another failure.
    add('verdict', then.verdict, now.verdict, rank > RANK[then.judged.standing] || rank === RANK.failed);
  }
  const [a, b] = [then.figures, now.figures];
  // Where a proof failed there is no bound; the verdict tells.
  if (a.boundKind && b.boundKind) {
    if (a.boundKind !== b.boundKind)
      add('boundKind', a.boundKind, b.boundKind, KINDS.indexOf(b.boundKind) > KINDS.indexOf(a.boundKind));
    const [from, to] = [boundOf(a), boundOf(b)];
    if (from !== undefined && to !== undefined && from.shown !== to.shown)
      add(
        'bound',
        from.shown,
        to.shown,
        a.boundKind === b.boundKind &&
          (grew(from.ms, to.ms, allowed.bound) ||
            (from.ms === to.ms && grew(from.insns, to.insns, allowed.bound))),
      );
  }
  const isSame = then.verdict === now.verdict;
  for (const field of ['insns', 'walked'] as const) {
    const [from, to] = [figure(a[field]), figure(b[field])];
    // Another verdict takes other work.
    if (field === 'walked' && !isSame) continue;
    if (from !== undefined && to !== undefined && from !== to)
      add(field, from, to, grew(from, to, allowed[field]));
  }
  if (!isSame) return changes;
  const [from, to] = [then.judged.ms, now.judged.ms];
  if (from !== undefined && to !== undefined) {
    const isLonger = to - from > SHORT_MS && grew(from, to, allowed.ms);
    const isShorter = from - to > SHORT_MS && grew(to, from, allowed.ms);
    if (isLonger || isShorter) add('ms', from, to, isLonger);
  }
  return changes;
}

const grew = (from: number, to: number, percent: number): boolean => to > from * (1 + percent / 100);

function figure(walked: Figures['walked']): number | undefined {
  return typeof walked === 'object' ? walked.verified + walked.patched : walked;
}

/** A bound as it is shown, and as numbers; undefined where nothing bounds a killed run. */
function boundOf({
  bound,
  timeLimit,
}: Figures): { readonly shown: string | number; readonly ms: number; readonly insns: number } | undefined {
  if (timeLimit !== undefined) return { shown: `${timeLimit.ms}ms+${timeLimit.insns}`, ...timeLimit };
  return bound === null || bound === undefined ? undefined : { shown: bound, ms: 0, insns: bound };
}

/**
 * What is the same program in both: by file and name, and where a file is in one of the documents only, by its name without the folder. Of several programs
 * of one name the first is that of the first, and so on.
 */
function paired(
  before: readonly Measured[],
  after: readonly Measured[],
): {
  readonly pairs: ReadonlyMap<Measured, Measured>;
  readonly gone: readonly Measured[];
  readonly added: number;
} {
  const pairs = new Map<Measured, Measured>();
  const left = new Set(before);
  const by = (key: (one: Judged) => string, isOneOfOne: boolean): void => {
    const groups = grouped([...left], key);
    const open = after.filter((one) => !pairs.has(one));
    for (const [name, now] of grouped(open, key)) {
      const then = groups.get(name) ?? [];
      // Two files of one name in different folders are not told apart by that name.
      if (isOneOfOne && (then.length !== 1 || now.length !== 1)) continue;
      now.forEach((one, i) => {
        const found = then[i];
        if (found === undefined) return;
        pairs.set(one, found);
        left.delete(found);
      });
    }
  };
  by(({ of, name }) => `${of}\n${name}`, false);
  by(({ of, name }) => `${basename(of)}\n${name}`, true);
  return { pairs, gone: [...left], added: after.length - pairs.size };
}

function grouped(all: readonly Measured[], key: (one: Judged) => string): Map<string, Measured[]> {
  const groups = new Map<string, Measured[]>();
  for (const one of all) {
    const name = key(one.judged);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [one]);
    else group.push(one);
  }
  return groups;
}
