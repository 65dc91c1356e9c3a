/** Arithmetic on spans of time, and the span of one insn: from what the verifier knows before it, or from what a run has in its registers. */
import type { Op } from '../isa/insn.js';
import type { Contract } from '../kernel/contract.js';
import type { MapDef } from '../object/program.js';
import { functionClass, insnClass } from './classes.js';
import { type CostRow, type CostTable, nameOnMap, type Span, type Unit } from './table.js';

export const ZERO: Span = { best: 0, usual: 0, worst: 0 };

/** One after the other. */
export const add = (a: Span, b: Span): Span => ({
  best: a.best + b.best,
  usual: a.usual + b.usual,
  worst: a.worst + b.worst,
});

/** An amount of bytes, entries or rounds: the least and the most. */
export type Amount = readonly [least: number, most: number];

const ONCE: Amount = [1, 1];
const NONE: Amount = [0, 0];

/** Nothing times no bound is nothing. */
const product = (a: number, b: number): number => (a === 0 || b === 0 ? 0 : a * b);

function scaled(row: CostRow, [least, most]: Amount, contended: boolean): Span {
  return {
    best: product(row.best, least),
    usual: product(row.usual, (least + most) / 2),
    worst: product(row.worst, most) * (contended ? row.contention : 1),
  };
}

/** How costs are looked up. */
export interface CostOptions {
  readonly costs: CostTable;
  /** Other CPUs use the same data at the same time: the worst grows by the factor of each row. */
  readonly contended?: boolean;
}

/** The rows that a function is charged to: those for the type of its map, its own, or that of its class. */
export function rowsOf(costs: CostTable, contract: Contract, map?: MapDef): readonly CostRow[] {
  const { kind, name } = contract;
  const onMap = map === undefined ? [] : costs.of(kind, nameOnMap(name, map.type));
  const own = onMap.length > 0 ? onMap : costs.of(kind, name);
  return own.length > 0 ? own : [costs.one('class', functionClass(contract))];
}

/** What a call works on. */
export interface CallAmounts {
  readonly bytes: Amount;
  readonly entries: Amount;
  /** The map that it is called on, where that is known. */
  readonly map?: MapDef | undefined;
}

/** Looks up what a call works on: the number in a register (from r1, index 0), and the map that a register points to. */
export interface ArgumentsOf {
  number(arg: number): Amount;
  map(arg: number): MapDef | undefined;
}

/** How many bytes a call reads and writes, keys and values of maps among them, and how many entries its map may have. */
export function amountsOf(contract: Contract, given: ArgumentsOf): CallAmounts {
  let bytes = NONE;
  let map: MapDef | undefined;
  const more = ([least, most]: Amount): void => {
    bytes = [bytes[0] + least, bytes[1] + most];
  };
  contract.args.forEach((arg, index) => {
    if (arg.kind === 'map') map ??= given.map(index);
    else if (arg.kind === 'map_key') more([map?.keySize ?? 0, map?.keySize ?? 0]);
    else if (arg.kind === 'map_value') more([map?.valueSize ?? 0, map?.valueSize ?? 0]);
    else if (arg.kind === 'mem')
      more('bytes' in arg.size ? [arg.size.bytes, arg.size.bytes] : given.number(arg.size.arg));
  });
  const entries = map?.maxEntries ?? 0;
  return { bytes, entries: [entries, entries], map };
}

const amountFor = (unit: Unit, { bytes, entries }: CallAmounts): Amount => {
  if (unit === 'byte') return bytes;
  if (unit === 'entry') return entries;
  return unit === 'round' ? NONE : ONCE;
};

/** What the call of a function costs, without the callbacks that it runs. */
export function callSpan(contract: Contract, amounts: CallAmounts, options: CostOptions): Span {
  return rowsOf(options.costs, contract, amounts.map)
    .map((row) => scaled(row, amountFor(row.per, amounts), options.contended === true))
    .reduce(add, ZERO);
}

/** What a function adds for each callback that it runs, beside the callback itself. */
export function roundSpan(contract: Contract, options: CostOptions): Span {
  return rowsOf(options.costs, contract)
    .filter(({ per }) => per === 'round')
    .map((row) => scaled(row, ONCE, options.contended === true))
    .reduce(add, ZERO);
}

/** What an insn costs that is no call of a helper or kfunc. The call itself is part of what a function costs. */
export function insnSpan(op: Op, { costs, contended }: CostOptions): Span {
  return scaled(costs.one('insn', insnClass(op)), ONCE, contended === true);
}

/** What entering and leaving a program costs. */
export const runSpan = ({ costs }: CostOptions): Span => scaled(costs.one('event', 'run'), ONCE, false);

/** From the decision to kill until the first patched insn. */
export const killSpan = ({ costs }: CostOptions): Span => scaled(costs.one('event', 'kill'), ONCE, false);

/** What a stub costs: it is called, and returns. */
export const stubSpan = ({ costs }: CostOptions): Span =>
  add(scaled(costs.one('insn', 'call'), ONCE, false), scaled(costs.one('insn', 'exit'), ONCE, false));
