/**
 * Assembly text to raw slots.
 *
 * The syntax is that of the kernel's verifier log and of llvm-objdump, and lines of either can be pasted with their
 * insn numbers and opcodes in front, which are checked then. Besides there are labels (`name:`), comments (`;` or `//` to the end of the
 * line, `#` at its start), and names for maps (`r1 = map NAME`, `r1 = mapvalue NAME +8`), callbacks (`r2 = func
 * LABEL`), subprograms (`call LABEL`), helpers (`call bpf_ktime_get_ns`, `call bpf_ktime_get_ns#5`) and kfuncs
 * (`call bpf_rcu_read_lock`).
 */
import { InputError, type Place } from './errors.js';
import { type Insn, slots } from './insn.js';
import { type Item, link } from './label.js';
import { Cursor, type ListingPrefix, lex, listingPrefix, type Token } from './lex.js';
import { BPF_DW, BPF_IMM, BPF_LD } from './opcodes.js';
import { parseInsn, type Scope } from './parse.js';
import { isReserved, NO_SYMBOLS, type Symbols } from './symbols.js';
import { subprogStarts } from './target.js';

const IMM64 = BPF_LD | BPF_IMM | BPF_DW;

/** The names and places that a text alone does not have. */
export interface AssembleOptions {
  readonly symbols?: Symbols;
  /** Name for error messages. */
  readonly file?: string;
  /** Number of the text's first line, 1 unless told. */
  readonly firstLine?: number;
  /** Labels of functions that nothing in the text calls or refers to. */
  readonly functions?: readonly string[];
}

/** An assembled program, with what the caller needs to make a `Program` and to report errors by source line. */
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
  const listed: { readonly slot: number; readonly opcode: number; readonly place: Place }[] = [];
  let slot = 0;
  for (const { label, listing, cursor, place } of lines) {
    if (label !== undefined) {
      items.push({ kind: 'label', name: label.text });
      places.push({ ...place, column: label.column });
    }
    if (cursor.atEnd) continue;
    if (listing !== undefined && listing.slot !== slot) {
      const message = `this line is numbered ${listing.slot}, but it is insn ${slot} here`;
      throw new InputError(message, { ...place, column: 1 });
    }
    if (listing?.opcode !== undefined) listed.push({ slot, opcode: listing.opcode, place });
    const { item, token } = parseInsn(cursor, scope);
    items.push(item);
    places.push(cursor.place(token));
    slot += slots(item.kind === 'linked' ? item.op : item);
  }

  const linked = link(items, (item) => places[item] ?? {});
  for (const { slot: at, opcode, place } of listed) {
    const found = linked.insns[at]?.opcode;
    if (found === opcode) continue;
    const message = `the listing says opcode ${hex(opcode)}, the insn has ${hex(found ?? 0)}`;
    throw new InputError(message, { ...place, column: 1 });
  }
  return {
    insns: linked.insns,
    kfuncs,
    labels: linked.labels,
    lines: linked.items.map((item) => places[item]?.line ?? firstLine),
    functions: functionsOf(
      linked.insns,
      linked.labels,
      new Set([...calledLabels(items), ...(options.functions ?? [])]),
      options.functions,
    ),
  };
}

interface Line {
  readonly place: Place;
  readonly label?: Token;
  readonly listing?: ListingPrefix;
  readonly cursor: Cursor;
}

function readLine(raw: string, place: Place): Line {
  const line = raw.replace(/\r$/, '');
  const listing = listingPrefix(line);
  if (listing !== undefined) {
    const tokens = lex(line, place, listing.length);
    return {
      place,
      listing,
      cursor: new Cursor(listing.opcode === IMM64 ? withLong(tokens) : tokens, place),
    };
  }
  const tokens = lex(line, place);
  const named = labelAt(tokens);
  const cursor = new Cursor(tokens.slice(named?.length ?? 0), place);
  if (named === undefined) return { place, cursor };
  if (isReserved(named.label.text)) cursor.fail(`${named.label.text} cannot be a label`, named.label);
  return { place, label: named.label, cursor };
}

/** The verifier log prints a 64-bit immediate like any other; only the opcode before it tells. */
function withLong(tokens: readonly Token[]): readonly Token[] {
  const [dst, equals, value, end] = tokens;
  if (!dst || !equals || value?.type !== 'number' || end?.type !== 'end') return tokens;
  return [dst, equals, value, { type: 'word', text: 'll', column: end.column }, end];
}

function hex(opcode: number): string {
  return opcode.toString(16).padStart(2, '0');
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
  uncalled: readonly string[] = [],
): Assembly['functions'] {
  const starts = new Set(subprogStarts(insns));
  for (const label of uncalled) {
    const start = labels.get(label);
    if (start !== undefined && start < insns.length) starts.add(start);
  }
  const inOrder = [...starts].sort((a, b) => a - b);
  return inOrder.map((start) => {
    const here = [...labels].filter(([, slot]) => slot === start).map(([name]) => name);
    const name = here.find((label) => called.has(label)) ?? here[0];
    return { name: name ?? (start === 0 ? 'main' : `sub_${start}`), start };
  });
}
