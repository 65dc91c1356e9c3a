/**
 * Assembly text to raw slots.
 *
 * The syntax is that of the kernel's verifier log and of llvm-objdump, and lines of either can be pasted with their
 * insn numbers and opcodes in front. Besides there are labels (`name:`), comments (`;` or `//` to the end of the
 * line, `#` at its start), and names for maps (`r1 = map NAME`, `r1 = mapvalue NAME +8`), callbacks (`r2 = func
 * LABEL`), subprograms (`call LABEL`), helpers (`call bpf_ktime_get_ns`, `call bpf_ktime_get_ns#5`) and kfuncs
 * (`call bpf_rcu_read_lock`).
 */
import { InputError, type Place } from './errors.js';
import { type Insn, slots } from './insn.js';
import { type Item, link } from './label.js';
import { Cursor, lex, listingPrefix, type Token } from './lex.js';
import { parseInsn, type Scope } from './parse.js';
import { isReserved, NO_SYMBOLS, type Symbols } from './symbols.js';
import { subprogStarts } from './target.js';

export interface AssembleOptions {
  readonly symbols?: Symbols;
  /** Name for error messages. */
  readonly file?: string;
  /** Number of the text's first line, 1 unless told. */
  readonly firstLine?: number;
}

export interface Assembly {
  readonly insns: readonly Insn[];
  /** `symbols.kfuncs`, and after them the kfuncs that were met first here. */
  readonly kfuncs: readonly string[];
  /** Slot of each label. */
  readonly labels: ReadonlyMap<string, number>;
  /** Source line of each slot. */
  readonly lines: readonly number[];
  /** Where functions start, in order: slot 0 and what is called or referenced. A function without a label is `main` or `sub_N`. */
  readonly functions: readonly { readonly name: string; readonly start: number }[];
}

/** Assembles a program. Throws InputError with file, line and column, saying what was expected or what is not known. */
export function assemble(text: string, options: AssembleOptions = {}): Assembly {
  const { symbols = NO_SYMBOLS, file, firstLine = 1 } = options;
  const lines = text.split('\n').map((line, index) => readLine(line, { file, line: firstLine + index }));
  const labels = new Set(lines.flatMap((line) => (line.label === undefined ? [] : [line.label.text])));
  const kfuncs = [...symbols.kfuncs];
  const scope: Scope = {
    symbols,
    hasLabel: (name) => labels.has(name),
    kfunc: (name) => (kfuncs.includes(name) ? kfuncs.indexOf(name) : kfuncs.push(name) - 1),
  };

  const items: Item[] = [];
  const places: Place[] = [];
  let slot = 0;
  for (const { label, numbered, cursor, place } of lines) {
    if (label !== undefined) {
      items.push({ kind: 'label', name: label.text });
      places.push({ ...place, column: label.column });
    }
    if (cursor.atEnd) continue;
    if (numbered !== undefined && numbered !== slot) {
      throw new InputError(`this line is numbered ${numbered}, but it is insn ${slot} here`, {
        ...place,
        column: 1,
      });
    }
    const { item, token } = parseInsn(cursor, scope);
    items.push(item);
    places.push(cursor.place(token));
    slot += slots(item.kind === 'linked' ? item.op : item);
  }

  const linked = link(items, (item) => places[item] ?? {});
  return {
    insns: linked.insns,
    kfuncs,
    labels: linked.labels,
    lines: linked.items.map((item) => places[item]?.line ?? firstLine),
    functions: functionsOf(linked.insns, linked.labels, calledLabels(items)),
  };
}

interface Line {
  readonly place: Place;
  readonly label?: Token;
  /** The insn number that a listing has before the insn. */
  readonly numbered?: number;
  readonly cursor: Cursor;
}

function readLine(raw: string, place: Place): Line {
  const line = raw.replace(/\r$/, '');
  const listing = listingPrefix(line);
  if (listing !== undefined) {
    return { place, numbered: listing.slot, cursor: new Cursor(lex(line, place, listing.length), place) };
  }
  const tokens = lex(line, place);
  const named = labelAt(tokens);
  const cursor = new Cursor(tokens.slice(named?.length ?? 0), place);
  if (named === undefined) return { place, cursor };
  if (isReserved(named.label.text)) cursor.fail(`${named.label.text} cannot be a label`, named.label);
  return { place, label: named.label, cursor };
}

/** `name:`, or as llvm-objdump writes a symbol, `0000000000000010 <name>:`. */
function labelAt(tokens: readonly Token[]): { readonly label: Token; readonly length: number } | undefined {
  const from = tokens[0]?.type === 'number' && tokens[1]?.text === '<' ? 1 : 0;
  const angle = tokens[from]?.text === '<' ? 1 : 0;
  const label = tokens[from + angle];
  if (label?.type !== 'word') return undefined;
  if (angle === 1 && tokens[from + 2]?.text !== '>') return undefined;
  const colon = from + 2 * angle + 1;
  return tokens[colon]?.text === ':' ? { label, length: colon + 1 } : undefined;
}

function calledLabels(items: readonly Item[]): Set<string> {
  return new Set(
    items.flatMap((item) => {
      if (item.kind !== 'linked' || (item.op.kind !== 'call' && item.op.kind !== 'ld_imm64')) return [];
      return [item.target];
    }),
  );
}

/** Several labels may name one slot: the one that is called is the function's name. */
function functionsOf(
  insns: readonly Insn[],
  labels: ReadonlyMap<string, number>,
  called: ReadonlySet<string>,
): Assembly['functions'] {
  return subprogStarts(insns).map((start) => {
    const here = [...labels].filter(([, slot]) => slot === start).map(([name]) => name);
    const name = here.find((label) => called.has(label)) ?? here[0];
    return { name: name ?? (start === 0 ? 'main' : `sub_${start}`), start };
  });
}
