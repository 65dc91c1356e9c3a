/**
 * What insns and functions cost in time: a table in a text file. One row a line, columns separated by tabs:
 *
 *     kind    name                 per   best  usual  worst  contention  source
 *     insn    load                 call  0.2   0.4    4      1           measured
 *     helper  bpf_probe_read_kernel byte 0.01  0.02   0.1    1           measured
 *
 * Times are nanoseconds. `-` as worst: nothing bounds it. A function may have several rows, with one `per` each; they add up. `contention` is the factor by
 * which the worst grows where other CPUs use the same data at the same time. `source` says whether the row was measured or is assumed.
 */
import { InputError } from '../isa/errors.js';
import { didYouMean } from '../isa/nearest.js';
import type { MapType } from '../object/program.js';

/** Nanoseconds: the least, what is usual, and the most. `worst` may be Infinity. */
export interface Span {
  readonly best: number;
  readonly usual: number;
  readonly worst: number;
}

/**
 * What a row speaks of: a class of insns; one helper or kfunc; something that happens to a run as a whole (`event`); or all functions of a kind that
 * have no row of their own (`class`).
 */
export const KINDS = ['insn', 'helper', 'kfunc', 'event', 'class'] as const;
/** What a row speaks of. */
export type Kind = (typeof KINDS)[number];

/** What the cost is multiplied by: 1; bytes that the call reads or writes; entries of the map; calls of the callback. */
export const UNITS = ['call', 'byte', 'entry', 'round'] as const;
/** What the cost of a row is multiplied by. */
export type Unit = (typeof UNITS)[number];

/** Where a row comes from. `pair`: measured together with the function that gives back what it takes, and halved. */
export const SOURCES = ['measured', 'pair', 'assumed'] as const;
/** Where a row comes from. */
export type Source = (typeof SOURCES)[number];

/** One row of the table. */
export interface CostRow extends Span {
  readonly kind: Kind;
  readonly name: string;
  readonly per: Unit;
  /** At least 1. */
  readonly contention: number;
  readonly source: Source;
}

/** Classes of insns. `stack`: a load or store whose base is the frame pointer; `call` of a subprogram. */
export const INSN_CLASSES = [
  'alu',
  'mul',
  'div',
  'imm64',
  'stack',
  'load',
  'store',
  'atomic',
  'jump',
  'may_goto',
  'call',
  'exit',
  'packet_load',
] as const;
/** The class of an insn, by which its row is found. */
export type InsnClass = (typeof INSN_CLASSES)[number];

/**
 * What happens to a run as a whole. `run`: entering the program and leaving it. `kill`: from the decision to kill until the first insn that runs patched.
 */
export const EVENTS = ['run', 'kill'] as const;
/** Something that happens once in a run. */
export type CostEvent = (typeof EVENTS)[number];

/** Kinds of functions, for those without a row of their own. */
export const CLASSES = ['plain', 'blocks', 'sleeps'] as const;
/** The class of a function that has no row of its own. */
export type FunctionClass = (typeof CLASSES)[number];

/** The name of the row of a function on maps of one type: `bpf_map_lookup_elem@hash`. Such rows count before those of the function alone. */
export const nameOnMap = (name: string, type: MapType): string => `${name}@${type}`;

const HEAD = ['kind', 'name', 'per', 'best', 'usual', 'worst', 'contention', 'source'] as const;

/** A table of costs. Every class of insns, every event and every class of functions has a row. */
export class CostTable {
  private readonly byName = new Map<string, CostRow[]>();

  /** Throws InputError if a row is missing that every table must have. */
  constructor(readonly rows: readonly CostRow[]) {
    for (const row of rows) {
      const key = `${row.kind} ${row.name}`;
      this.byName.set(key, [...(this.byName.get(key) ?? []), row]);
    }
    const must: readonly [Kind, readonly string[]][] = [
      ['insn', INSN_CLASSES],
      ['event', EVENTS],
      ['class', CLASSES],
    ];
    for (const [kind, names] of must)
      for (const name of names)
        if (!this.byName.has(`${kind} ${name}`))
          throw new InputError(`costs: the row '${kind} ${name}' is missing`);
  }

  /** The rows of a name; none where it has none. */
  of(kind: Kind, name: string): readonly CostRow[] {
    return this.byName.get(`${kind} ${name}`) ?? [];
  }

  /** The one row of an insn, event or class. */
  one(kind: 'insn' | 'event' | 'class', name: InsnClass | CostEvent | FunctionClass): CostRow {
    return this.of(kind, name)[0]!;
  }

  /** This table for a machine that takes `factor` times as long for everything. */
  scaled(factor: number): CostTable {
    return new CostTable(
      this.rows.map((row) => ({
        ...row,
        best: row.best * factor,
        usual: row.usual * factor,
        worst: row.worst * factor,
      })),
    );
  }

  /** This table, in which rows of `others` take the place of those of the same name. */
  with(others: readonly CostRow[]): CostTable {
    const replaced = new Set(others.map(({ kind, name }) => `${kind} ${name}`));
    return new CostTable([
      ...this.rows.filter(({ kind, name }) => !replaced.has(`${kind} ${name}`)),
      ...others,
    ]);
  }
}

function numberOf(text: string, column: string, place: { file: string; line: number }): number {
  if (text === '-' && column === 'worst') return Number.POSITIVE_INFINITY;
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value))
    throw new InputError(`${column}: expected nanoseconds, not below 0, found '${text}'`, place);
  return value;
}

function oneOf<T extends string>(
  text: string,
  allowed: readonly T[],
  column: string,
  place: { file: string; line: number },
): T {
  const found = allowed.find((one) => one === text);
  if (found !== undefined) return found;
  throw new InputError(
    `${column}: expected one of ${allowed.join(', ')}, found '${text}'${didYouMean(text, allowed)}`,
    place,
  );
}

/** Reads a table. Lines that begin with `#` are comments. Throws InputError with file and line for what is no row. */
export function parseCosts(text: string, file: string): CostTable {
  const rows: CostRow[] = [];
  const seen = new Set<string>();
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const place = { file, line: index + 1 };
    const cells = line.trimEnd().split('\t');
    if (cells.join('\t') === HEAD.join('\t')) return;
    if (cells.length !== HEAD.length)
      throw new InputError(
        `expected ${HEAD.length} columns between tabs (${HEAD.join(', ')}), found ${cells.length}`,
        place,
      );
    const [kind, name, per, best, usual, worst, contention, source] = cells as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const row: CostRow = {
      kind: oneOf(kind, KINDS, 'kind', place),
      name,
      per: oneOf(per, UNITS, 'per', place),
      best: numberOf(best, 'best', place),
      usual: numberOf(usual, 'usual', place),
      worst: numberOf(worst, 'worst', place),
      contention: numberOf(contention, 'contention', place),
      source: oneOf(source, SOURCES, 'source', place),
    };
    if (row.kind === 'insn') oneOf(name, INSN_CLASSES, 'name', place);
    if (row.kind === 'event') oneOf(name, EVENTS, 'name', place);
    if (row.kind === 'class') oneOf(name, CLASSES, 'name', place);
    if (row.best > row.usual || row.usual > row.worst)
      throw new InputError(`expected best <= usual <= worst, found ${best}, ${usual}, ${worst}`, place);
    if (row.contention < 1)
      throw new InputError(`contention: expected a factor of at least 1, found ${contention}`, place);
    const key = `${kind} ${name} ${per}`;
    if (seen.has(key)) throw new InputError(`a second row for '${key}'`, place);
    seen.add(key);
    rows.push(row);
  });
  try {
    return new CostTable(rows);
  } catch (error) {
    if (error instanceof InputError) throw new InputError(error.message, { file });
    throw error;
  }
}

const text = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(4))) : '-');

/** Writes a table, as `parseCosts` reads it: sorted by kind and name. `comments` come first, one a line. */
export function printCosts({ rows }: CostTable, comments: readonly string[] = []): string {
  const sorted = [...rows].sort(
    (a, b) =>
      KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
      (a.name < b.name ? -1 : a.name > b.name ? 1 : UNITS.indexOf(a.per) - UNITS.indexOf(b.per)),
  );
  const lines = sorted.map((row) =>
    [
      row.kind,
      row.name,
      row.per,
      text(row.best),
      text(row.usual),
      text(row.worst),
      text(row.contention),
      row.source,
    ].join('\t'),
  );
  return `${[...comments.map((line) => `# ${line}`), HEAD.join('\t'), ...lines].join('\n')}\n`;
}
