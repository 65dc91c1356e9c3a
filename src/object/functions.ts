/** The functions of an object: where each is, its insns with CO-RE applied, its relocations and source lines. */
import { fromBytes, SLOT_BYTES } from '../isa/bytes.js';
import { InputError } from '../isa/errors.js';
import type { Insn } from '../isa/insn.js';
import type { BtfExt, CoreRelo, LineRecord } from './btf/ext.js';
import type { Btf } from './btf/read.js';
import type { CoreRelocator } from './core/relocate.js';
import { CORE_KINDS, describeRelo } from './core/spec.js';
import {
  type Elf,
  type ElfSymbol,
  type Relocation,
  type Section,
  SHF_EXECINSTR,
  SHT_PROGBITS,
  STB_LOCAL,
  STT_FUNC,
  STT_NOTYPE,
  STV_HIDDEN,
  STV_INTERNAL,
} from './elf.js';
import type { LineInfo } from './program.js';

/** Where one function of an object lies. Slots count 8 bytes each. */
export interface ObjectFunction {
  readonly name: string;
  readonly section: Section;
  /** First slot in its section, and number of slots. */
  readonly start: number;
  readonly slots: number;
  readonly linkage: 'static' | 'global';
  /** Not a C `static`: in a program section, a program. */
  readonly visible: boolean;
}

/** What is in a function. Slots count from its start. */
export interface Body {
  readonly insns: readonly Insn[];
  readonly relocations: ReadonlyMap<number, Relocation>;
  readonly lines: readonly LineInfo[];
  /** Types that `bpf_core_type_id_local` names here. */
  readonly localTypes: readonly number[];
  readonly btfId?: number;
}

const TYPE_ID_LOCAL = CORE_KINDS.indexOf('type_id_local');

/** The part of a list, sorted by offset, that lies in a range of bytes. */
function within<T extends { readonly offset: number }>(sorted: readonly T[], from: number, to: number): T[] {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.offset < from) low = middle + 1;
    else high = middle;
  }
  const out: T[] = [];
  for (let i = low; i < sorted.length && sorted[i]!.offset < to; i++) out.push(sorted[i]!);
  return out;
}

function byOffset<T extends { readonly offset: number }>(records: readonly T[] | undefined): readonly T[] {
  return [...(records ?? [])].sort((a, b) => a.offset - b.offset);
}

/** Remembers what was made of each section. */
function cached<T>(make: (section: Section) => T): (section: Section) => T {
  const known = new Map<number, T>();
  return (section) => {
    const value = known.get(section.index) ?? make(section);
    known.set(section.index, value);
    return value;
  };
}

/** A symbol that names a function, and the bytes that the function takes. */
interface FunctionSymbol {
  readonly symbol: ElfSymbol;
  readonly section: Section;
  readonly size: number;
}

/**
 * The symbols that name functions, in the order of the symbol table. LLVM before 9 gave its functions neither a type nor a size. In an object
 * without any symbol of a function, a name in code is one, up to the next name; the names of basic blocks (`LBB0_2`) are local and none.
 */
function functionSymbols(elf: Elf): FunctionSymbol[] {
  const inCode = elf.symbols.flatMap((symbol) => {
    const section = elf.sections[symbol.section];
    return section?.type === SHT_PROGBITS && (section.flags & SHF_EXECINSTR) !== 0
      ? [{ symbol, section, size: symbol.size }]
      : [];
  });
  const typed = inCode.filter(({ symbol, size }) => symbol.type === STT_FUNC && size > 0);
  if (typed.length > 0) return typed;
  const named = inCode.filter(
    ({ symbol: { type, name } }) => type === STT_NOTYPE && name !== '' && !/^\.?LBB\d+_\d+$/.test(name),
  );
  return named
    .map((one) => {
      const later = named.filter(
        ({ section, symbol }) => section === one.section && symbol.value > one.symbol.value,
      );
      const end = Math.min(one.section.data.length, ...later.map(({ symbol }) => symbol.value));
      return { ...one, size: end - one.symbol.value };
    })
    .filter(({ size }) => size > 0);
}

/** All functions of an object and their contents. */
export class Functions {
  /** In the order of the symbol table. */
  readonly all: readonly ObjectFunction[];
  private readonly places = new Map<string, ObjectFunction>();
  private readonly bodies = new Map<ObjectFunction, Body>();
  private readonly relocations: (section: Section) => readonly Relocation[];
  private readonly relos: (section: Section) => readonly CoreRelo[];
  private readonly lines: (section: Section) => readonly LineRecord[];
  private readonly funcs: (section: Section) => ReadonlyMap<number, number>;

  /** Throws InputError where a function is not a whole number of insns inside its section. */
  constructor(
    readonly elf: Elf,
    private readonly btf: Btf | undefined,
    ext: BtfExt | undefined,
    private readonly core: CoreRelocator | undefined,
  ) {
    this.relocations = cached((section) => byOffset(elf.relocations.get(section.index)));
    this.relos = cached((section) => byOffset(ext?.relos.get(section.name)));
    this.lines = cached((section) => byOffset(ext?.lines.get(section.name)));
    this.funcs = cached(
      (section) => new Map(ext?.funcs.get(section.name)?.map((info) => [info.offset, info.type])),
    );
    this.all = functionSymbols(elf).map(({ symbol, section, size }) => {
      if (symbol.value % SLOT_BYTES !== 0 || size % SLOT_BYTES !== 0) {
        this.fail(`function '${symbol.name}' is not a whole number of insns (8 bytes each)`);
      }
      if (symbol.value + size > section.data.length) {
        this.fail(`function '${symbol.name}' ends outside section '${section.name}'`);
      }
      const hidden = symbol.visibility === STV_HIDDEN || symbol.visibility === STV_INTERNAL;
      const fn: ObjectFunction = {
        name: symbol.name,
        section,
        start: symbol.value / SLOT_BYTES,
        slots: size / SLOT_BYTES,
        linkage: symbol.bind === STB_LOCAL || hidden ? 'static' : 'global',
        visible: symbol.bind !== STB_LOCAL,
      };
      const key = `${section.index}:${fn.start}`;
      if (!this.places.has(key)) this.places.set(key, fn);
      return fn;
    });
  }

  private fail(message: string): never {
    throw new InputError(message, { file: this.elf.file });
  }

  /** The function that starts at a slot of a section. */
  at(section: Section, slot: number): ObjectFunction {
    return (
      this.places.get(`${section.index}:${slot}`) ??
      this.fail(`no function starts at insn ${slot} of section '${section.name}', but it is called`)
    );
  }

  /** Contents of a function. Throws InputError where its relocations make no sense or cannot be resolved. */
  body(fn: ObjectFunction): Body {
    const known = this.bodies.get(fn);
    if (known !== undefined) return known;
    const body = this.read(fn);
    this.bodies.set(fn, body);
    return body;
  }

  private slotOf(fn: ObjectFunction, offset: number, what: string): number {
    const slot = offset / SLOT_BYTES - fn.start;
    if (!Number.isInteger(slot))
      this.fail(`${what} in function '${fn.name}' is not at an insn (offset ${offset})`);
    return slot;
  }

  private read(fn: ObjectFunction): Body {
    const [from, to] = [fn.start * SLOT_BYTES, (fn.start + fn.slots) * SLOT_BYTES];
    const insns = fromBytes(fn.section.data.subarray(from, to));
    const localTypes: number[] = [];
    for (const relo of within(this.relos(fn.section), from, to)) {
      const { btf, core } = this;
      if (btf === undefined || core === undefined)
        return this.fail('section .BTF.ext has relocations but there is no .BTF');
      if (relo.kind === TYPE_ID_LOCAL) localTypes.push(relo.type);
      try {
        core.apply(insns, this.slotOf(fn, relo.offset, describeRelo(btf, relo)), relo);
      } catch (error) {
        if (error instanceof InputError) this.fail(`function '${fn.name}': ${error.message}`);
        throw error;
      }
    }
    const relocations = new Map(
      within(this.relocations(fn.section), from, to).map((relocation) => [
        this.slotOf(fn, relocation.offset, `the relocation against '${relocation.symbol.name}'`),
        relocation,
      ]),
    );
    const lines = within(this.lines(fn.section), from, to).map(
      (record): LineInfo => ({
        slot: this.slotOf(fn, record.offset, 'a source line'),
        file: this.btf?.string(record.file) ?? '',
        line: record.line,
        column: record.column,
        text: this.btf?.string(record.text) ?? '',
      }),
    );
    const btfId = this.funcs(fn.section).get(from);
    return { insns, relocations, lines, localTypes, ...(btfId !== undefined && { btfId }) };
  }
}
