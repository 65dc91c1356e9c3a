/**
 * Puts texts that poll into an object. All else stays as the compiler wrote it: maps, data, types, relocations for the kernel at hand
 * (CO-RE), source lines. Sections, symbols and programs keep their names. Texts that are new go behind `.text`, where loaders look for the
 * functions of a program.
 */
import { SLOT_BYTES, toBytes } from '../isa/bytes.js';
import { InputError } from '../isa/errors.js';
import { BPF_CALL, BPF_DW, BPF_IMM, BPF_JMP, BPF_LD, BPF_PSEUDO_CALL } from '../isa/opcodes.js';
import type { LineRecord } from '../object/btf/ext.js';
import {
  type ElfSymbol,
  type Section,
  SHF_EXECINSTR,
  SHN_UNDEF,
  STB_GLOBAL,
  STB_LOCAL,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
  STT_SECTION,
} from '../object/elf.js';
import type { ObjectFunction } from '../object/functions.js';
import { R_BPF_64_32, R_BPF_64_64 } from '../object/link.js';
import type { ObjectSource } from '../object/load.js';
import { writeBtfExt } from '../object/write/btf-ext.js';
import { type NewSymbol, writeElf } from '../object/write/elf.js';
import { append, emptyText, type Filled, fresh, isKept, plain, TEXT, wordsSection } from './sections.js';
import { LinesOf } from './source-lines.js';
import type { FunctionName, FunctionText } from './text.js';
import { describeWords, KILL_SECTION, type Types, type WordLayout } from './words.js';

const LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW;
const CALL = BPF_JMP | BPF_CALL;

/** A program of the object, and the texts that take the place of it. */
export interface Rewritten {
  readonly name: string;
  /** Where its functions lie, in the order of `Program.subprogs`, and where each begins in the program. */
  readonly functions: readonly ObjectFunction[];
  readonly starts: readonly number[];
  readonly texts: readonly FunctionText[];
}

/** The object as bytes, and what was written into it. */
export interface Assembled {
  readonly bytes: Uint8Array;
  /** By the name of each new or rewritten function, its text and the program that it was written for. */
  readonly texts: ReadonlyMap<string, { readonly text: FunctionText; readonly program: string }>;
}

/** A function in its place: offsets in bytes. */
interface Placed {
  readonly section: Filled;
  readonly at: number;
  readonly symbol: NewSymbol | undefined;
}

/** Writes the object. Throws InputError where something in it refers to insns in a way that does not survive their moving. */
export function assemble(
  source: ObjectSource,
  programs: readonly Rewritten[],
  layout: WordLayout,
): Assembled {
  return new Assembler(source, programs, layout).assemble();
}

const key = ({ variant, start }: FunctionName): string => `${variant} ${start}`;

class Assembler {
  private readonly sections = new Map<number, Filled>();
  private readonly symbols: NewSymbol[] = [];
  private readonly symbolOf = new Map<ElfSymbol, NewSymbol>();
  private readonly sectionSymbols = new Map<Filled, NewSymbol>();
  private readonly types: Types;
  /** By original function, where it is now. */
  private readonly placed = new Map<ObjectFunction, Placed>();
  private readonly names = new Set<string>();
  private readonly texts = new Map<string, { text: FunctionText; program: string }>();
  private readonly words: Filled;
  private readonly later: (() => void)[] = [];

  constructor(
    private readonly source: ObjectSource,
    private readonly programs: readonly Rewritten[],
    private readonly layout: WordLayout,
  ) {
    this.types = describeWords(source.types?.btf, layout);
    this.words = wordsSection(layout.size);
  }

  private fail(message: string): never {
    throw new InputError(message, { file: this.source.elf.file });
  }

  assemble(): Assembled {
    const { elf, functions } = this.source;
    for (const symbol of elf.symbols) this.names.add(symbol.name);
    if (elf.sections.some(({ name }) => name === KILL_SECTION))
      this.fail(`it has a section '${KILL_SECTION}' already: it was exported before`);
    for (const section of elf.sections) if (isKept(section)) this.sections.set(section.index, fresh(section));
    if (this.textSection() === undefined && this.programs.some(({ texts }) => texts.length > 1))
      this.sections.set(-1, emptyText());
    this.symbols.push(...[...this.sections.values()].map((section) => this.addSectionSymbol(section)));
    this.addSectionSymbol(this.words);
    this.symbols.push(this.sectionSymbols.get(this.words)!);
    const mains = new Map<ObjectFunction, readonly [Rewritten, FunctionText]>();
    for (const program of this.programs) {
      const [main] = program.texts;
      if (main !== undefined) mains.set(program.functions[0]!, [program, main]);
    }
    for (const section of elf.sections) {
      if ((section.flags & SHF_EXECINSTR) === 0) continue;
      const filled = this.sections.get(section.index);
      if (filled === undefined) continue;
      const own = functions.all.filter((fn) => fn.section === section);
      // Functions that other programs and other functions call stay where they are.
      if (own.every((fn) => !mains.has(fn))) this.copyWhole(section, filled, own);
      else for (const fn of inPlace(own)) this.copyOrReplace(fn, filled, mains.get(fn));
    }
    this.addSymbols();
    for (const program of this.programs) this.addTexts(program);
    for (const step of this.later) step();
    this.copyDataRelocations();
    return { bytes: this.bytes(), texts: this.texts };
  }

  private textSection(): Filled | undefined {
    return [...this.sections.values()].find(({ name }) => name === TEXT);
  }

  private addSectionSymbol(section: Filled): NewSymbol {
    const symbol: NewSymbol = {
      name: '',
      section,
      value: 0,
      size: 0,
      type: STT_SECTION,
      bind: STB_LOCAL,
      visibility: 0,
    };
    this.sectionSymbols.set(section, symbol);
    return symbol;
  }

  /** A section of functions none of which changes. */
  private copyWhole(section: Section, filled: Filled, own: readonly ObjectFunction[]): void {
    filled.data = section.data.slice();
    filled.size = filled.data.length;
    for (const fn of own)
      this.placed.set(fn, { section: filled, at: SLOT_BYTES * fn.start, symbol: undefined });
    this.copyRecords(section, filled, 0, section.data.length, 0);
  }

  private copyOrReplace(
    fn: ObjectFunction,
    filled: Filled,
    replaced: readonly [Rewritten, FunctionText] | undefined,
  ): void {
    const at = filled.data.length;
    this.placed.set(fn, { section: filled, at, symbol: undefined });
    if (replaced !== undefined) {
      this.addText(filled, replaced[0], replaced[1], this.funcType(fn));
      this.texts.set(fn.name, { text: replaced[1], program: replaced[0].name });
      return;
    }
    const [from, to] = [SLOT_BYTES * fn.start, SLOT_BYTES * (fn.start + fn.slots)];
    const bytes = fn.section.data.slice(from, to);
    append(filled, bytes);
    this.copyRecords(fn.section, filled, from, to, at - from);
    this.later.push(() => this.relinkCalls(fn, filled, at));
  }

  /** Relocations, functions, lines and CO-RE relocations of a range of bytes, moved by `by`. */
  private copyRecords(section: Section, filled: Filled, from: number, to: number, by: number): void {
    const inside = <T extends { readonly offset: number }>(records: readonly T[] | undefined): T[] =>
      (records ?? [])
        .filter(({ offset }) => offset >= from && offset < to)
        .map((record) => ({ ...record, offset: record.offset + by }));
    const ext = this.source.types?.ext;
    filled.funcs.push(...inside(ext?.funcs.get(section.name)));
    filled.lines.push(...inside(ext?.lines.get(section.name)));
    filled.relos.push(...inside(ext?.relos.get(section.name)));
    const relocations = inside(this.source.elf.relocations.get(section.index));
    this.later.push(() => {
      for (const { offset, type, symbol } of relocations)
        filled.relocations.push({ offset, type, symbol: this.relocated(symbol, section.name) });
    });
  }

  /** Calls within a section have no relocation; where functions moved they need one. */
  private relinkCalls(fn: ObjectFunction, filled: Filled, at: number): void {
    const view = new DataView(filled.data.buffer, filled.data.byteOffset);
    const known = new Set(filled.relocations.map(({ offset }) => offset));
    for (let slot = 0; slot < fn.slots; slot++) {
      const offset = at + SLOT_BYTES * slot;
      if (
        known.has(offset) ||
        filled.data[offset] !== CALL ||
        filled.data[offset + 1]! >> 4 !== BPF_PSEUDO_CALL
      )
        continue;
      const target = this.source.functions.at(
        fn.section,
        fn.start + slot + 1 + view.getInt32(offset + 4, true),
      );
      this.setReference(filled, offset, this.placed.get(target)!, 'call');
    }
  }

  /** The new symbol for what a relocation named. */
  private relocated(symbol: ElfSymbol, from: string): NewSymbol {
    const known = this.symbolOf.get(symbol);
    if (known !== undefined) return known;
    const section = this.sections.get(symbol.section);
    if (symbol.type !== STT_SECTION || section === undefined)
      this.fail(`section '${from}' is relocated against '${symbol.name}', which cannot be kept`);
    if ((section.flags & SHF_EXECINSTR) !== 0 && section.name !== TEXT)
      this.fail(`section '${from}' names insns by their place in section '${section.name}'`);
    return this.sectionSymbols.get(section)!;
  }

  private addSymbols(): void {
    const { elf } = this.source;
    for (const symbol of elf.symbols) {
      const section = this.sections.get(symbol.section);
      const named = symbol.section === SHN_UNDEF && symbol.name !== '';
      if (symbol.type === STT_SECTION || (section === undefined && !named)) continue;
      const inText = section !== undefined && (section.flags & SHF_EXECINSTR) !== 0;
      // Labels inside functions mean nothing to a loader.
      if (inText && symbol.type === STT_NOTYPE) continue;
      let { value, size } = symbol;
      if (inText && symbol.type === STT_FUNC) {
        const fn = this.source.functions.all.find(
          (one) => one.section.index === symbol.section && SLOT_BYTES * one.start === symbol.value,
        );
        const place = fn && this.placed.get(fn);
        if (place === undefined) continue;
        value = place.at;
        const text = this.texts.get(symbol.name);
        if (text !== undefined) size = SLOT_BYTES * text.text.insns.length;
      }
      const { name, type, bind, visibility } = symbol;
      const made: NewSymbol = { name, section, value, size, type, bind, visibility };
      this.symbolOf.set(symbol, made);
      this.symbols.push(made);
      for (const [fn, place] of this.placed)
        if (fn.name === name && place.section === section && place.at === value)
          this.placed.set(fn, { ...place, symbol: made });
    }
    for (const { name, element, count, offset } of this.layout.variables)
      this.symbols.push({
        name,
        section: this.words,
        value: offset,
        size: element * count,
        type: STT_OBJECT,
        bind: STB_GLOBAL,
        visibility: 0,
      });
  }

  private funcType(fn: ObjectFunction): number | undefined {
    const infos = this.source.types?.ext?.funcs.get(fn.section.name);
    return infos?.find(({ offset }) => offset === SLOT_BYTES * fn.start)?.type;
  }

  /** The texts of a program behind its main function, which is in its place already. */
  private addTexts(program: Rewritten): void {
    const places = new Map<string, Placed>();
    const [main, ...others] = program.texts;
    if (main === undefined) return;
    places.set(key(main), this.placed.get(program.functions[0]!)!);
    const target = this.textSection();
    for (const text of others) {
      const fn = this.originalOf(program, text.start);
      const name = this.unused(`${program.name}_${fn.name}_${text.variant}`);
      const at = target!.data.length;
      const original = this.source.elf.symbols.find(
        (one) => one.name === fn.name && one.type === STT_FUNC && one.section === fn.section.index,
      )!;
      const symbol: NewSymbol = {
        name,
        section: target,
        value: at,
        size: SLOT_BYTES * text.insns.length,
        type: STT_FUNC,
        bind: original.bind,
        visibility: original.visibility,
      };
      this.symbols.push(symbol);
      this.texts.set(name, { text, program: program.name });
      places.set(key(text), { section: target!, at, symbol });
      this.addText(target!, program, text, this.newFuncType(fn, name));
    }
    this.later.push(() => {
      for (const text of program.texts) {
        const { section, at } = places.get(key(text))!;
        for (const [slot, name] of text.references) {
          const place =
            name.variant === 'plain'
              ? this.placed.get(this.originalOf(program, name.start))!
              : places.get(key(name))!;
          const kind = text.insns[slot]!.opcode === CALL ? 'call' : 'address';
          this.setReference(section, at + SLOT_BYTES * slot, place, kind);
        }
      }
    });
  }

  private originalOf(program: Rewritten, start: number): ObjectFunction {
    return program.functions[program.starts.indexOf(start)]!;
  }

  private unused(wanted: string): string {
    let name = wanted.replace(/[^A-Za-z0-9_]/g, '_').slice(0, 100);
    for (let i = 2; this.names.has(name); i++) name = `${name.replace(/_\d+$/, '')}_${i}`;
    this.names.add(name);
    return name;
  }

  /** A function's type under another name, with what is tagged on it. */
  private newFuncType(fn: ObjectFunction, name: string): number | undefined {
    const btf = this.source.types?.btf;
    const id = this.funcType(fn);
    const type = id === undefined ? undefined : btf?.type(id);
    if (btf === undefined || type?.kind !== 'func') return undefined;
    const made = this.types.add({ ...type, name });
    for (let tag = 1; tag < btf.count; tag++) {
      if (btf.kind(tag) !== 'decl_tag') continue;
      const one = btf.type(tag);
      if (one.kind === 'decl_tag' && one.type === id) this.types.add({ ...one, type: made });
    }
    return made;
  }

  /** Puts a text behind what the section holds, with all that is known of its insns. */
  private addText(filled: Filled, program: Rewritten, text: FunctionText, type: number | undefined): void {
    const at = filled.data.length;
    append(filled, toBytes(text.insns));
    if (type !== undefined) filled.funcs.push({ offset: at, type });
    const fn = this.originalOf(program, text.start);
    const base = fn.start - text.start;
    const { elf, types } = this.source;
    const byPlace = <T extends { readonly offset: number }>(
      records: readonly T[] | undefined,
    ): Map<number, T[]> => {
      const out = new Map<number, T[]>();
      for (const one of records ?? []) out.set(one.offset, [...(out.get(one.offset) ?? []), one]);
      return out;
    };
    const relocations = byPlace(elf.relocations.get(fn.section.index));
    const relos = byPlace(types?.ext?.relos.get(fn.section.name));
    const lines = new LinesOf(fn, types?.ext?.lines.get(fn.section.name) ?? []);
    let before: LineRecord | undefined;
    text.origins.forEach((origin, slot) => {
      if (slot > 0 && text.origins[slot - 1] === origin && text.insns[slot]!.opcode === 0) return;
      const offset = at + SLOT_BYTES * slot;
      const place = SLOT_BYTES * (base + origin.slot);
      const line = origin.slot < 0 ? before : lines.at(place);
      if (line !== undefined && line !== before) {
        filled.lines.push({ ...line, offset });
        before = line;
      }
      if (origin.mode === 'switch' && text.insns[slot]!.opcode === LD_IMM64) {
        filled.relocations.push({ offset, type: R_BPF_64_64, symbol: this.sectionSymbols.get(this.words)! });
      }
      if ((origin.mode !== 'normal' && origin.mode !== 'patched') || text.origins[slot - 1] === origin)
        return;
      for (const relo of relos.get(place) ?? []) filled.relos.push({ ...relo, offset });
      if (text.references.has(slot)) return;
      const copied = relocations.get(place) ?? [];
      this.later.push(() => {
        for (const { type: kind, symbol } of copied)
          filled.relocations.push({ offset, type: kind, symbol: this.relocated(symbol, fn.section.name) });
      });
    });
  }

  /** Makes a call, or a load of an address, mean the function at a place. A static function is named by where it is in its section. */
  private setReference(filled: Filled, offset: number, to: Placed, kind: 'call' | 'address'): void {
    const view = new DataView(filled.data.buffer, filled.data.byteOffset);
    const global = to.symbol !== undefined && to.symbol.bind !== STB_LOCAL;
    const slot = global ? 0 : to.at / SLOT_BYTES;
    view.setInt32(offset + 4, kind === 'call' ? slot - 1 : SLOT_BYTES * slot, true);
    filled.relocations.push({
      offset,
      type: kind === 'call' ? R_BPF_64_32 : R_BPF_64_64,
      symbol: global ? to.symbol : this.sectionSymbols.get(to.section)!,
    });
  }

  private copyDataRelocations(): void {
    for (const [index, filled] of this.sections) {
      if ((filled.flags & SHF_EXECINSTR) !== 0) continue;
      for (const { offset, type, symbol } of this.source.elf.relocations.get(index) ?? [])
        filled.relocations.push({ offset, type, symbol: this.relocated(symbol, filled.name) });
    }
  }

  private bytes(): Uint8Array {
    const sections: Filled[] = [...this.sections.values(), this.words];
    const ext = this.source.types?.ext;
    const infos = sections
      .filter(({ funcs, lines, relos }) => funcs.length + lines.length + relos.length > 0)
      .map(({ name, funcs, lines, relos }) => ({ name: this.types.string(name), funcs, lines, relos }));
    const extra = ext === undefined ? [] : [plain('.BTF.ext', writeBtfExt(infos))];
    return writeElf([...sections, plain('.BTF', this.types.bytes()), ...extra], this.symbols);
  }
}

/** Functions in their order, one for each place. */
function inPlace(functions: readonly ObjectFunction[]): ObjectFunction[] {
  const seen = new Set<number>();
  return [...functions]
    .sort((a, b) => a.start - b.start)
    .filter(({ start }) => !seen.has(start) && seen.add(start) !== undefined);
}
