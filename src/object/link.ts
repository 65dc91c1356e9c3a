/**
 * One program out of an object: the main function with every subprogram that it reaches behind it, calls, function
 * pointers, maps and externs resolved. The order of subprograms is that of bpf_object__reloc_code of libbpf.
 */
import { InputError } from '../isa/errors.js';
import type { Insn } from '../isa/insn.js';
import {
  BPF_CALL,
  BPF_DW,
  BPF_HELPER_CALL,
  BPF_IMM,
  BPF_JMP,
  BPF_LD,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_KFUNC_CALL,
  IMM64_CODES,
} from '../isa/opcodes.js';
import type { Btf } from './btf/read.js';
import { type Elf, type ElfSymbol, type Relocation, SHF_EXECINSTR, SHN_UNDEF, STB_WEAK } from './elf.js';
import type { Externs } from './externs.js';
import type { Body, Functions, ObjectFunction } from './functions.js';
import { isMapSection } from './maps.js';
import { NotModelled } from './not-modelled.js';
import type { ObjectMap } from './object-map.js';
import type { LineInfo, MapDef, Subprog, WeakKfunc } from './program.js';
import { MISSING_KFUNC } from './weak.js';

/** Where clang puts variables of another address space: `__arena` ones. */
const ARENA_DATA = '.addr_space.1';
/** Most functions in one program (BPF_MAX_SUBPROGS). */
const SUBPROGS_MAX = 256;
/** Most slots in one program (BPF_COMPLEXITY_LIMIT_INSNS). */
const SLOTS_MAX = 1_000_000;

export const R_BPF_64_64 = 1;
export const R_BPF_64_32 = 10;

const LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW;
const CALL = BPF_JMP | BPF_CALL;

/** A program after linking: one list of insns without holes, in which every call and map reference is resolved. */
export interface Linked {
  readonly insns: readonly Insn[];
  readonly maps: readonly MapDef[];
  readonly kfuncs: readonly string[];
  readonly weakKfuncs: readonly WeakKfunc[];
  readonly subprogs: readonly Subprog[];
  /** Where in the object each of `subprogs` lies. */
  readonly functions: readonly ObjectFunction[];
  readonly lines: readonly LineInfo[];
  /** Types that `bpf_core_type_id_local` names, each once. */
  readonly localTypes: readonly number[];
}

/** The parts of an object that linking needs, all read before. */
export interface Parts {
  readonly elf: Elf;
  readonly functions: Functions;
  readonly maps: readonly ObjectMap[];
  readonly externs: Externs;
  /** By the name of a program, the names of what its tags say is to run when it throws (`exception_callback:`). */
  readonly exceptionCallbacks: ReadonlyMap<string, readonly string[]>;
}

const EXCEPTION_CALLBACK = 'exception_callback:';

/** What the `exception_callback:` tags of functions name, by the name of the function. */
export function exceptionCallbacks(btf: Btf | undefined): Map<string, readonly string[]> {
  const out = new Map<string, readonly string[]>();
  for (let id = 1; btf !== undefined && id < btf.count; id++) {
    if (btf.kind(id) !== 'decl_tag') continue;
    const tag = btf.type(id);
    if (tag.kind !== 'decl_tag' || !tag.name.startsWith(EXCEPTION_CALLBACK)) continue;
    const tagged = btf.name(tag.type);
    out.set(tagged, [...(out.get(tagged) ?? []), tag.name.slice(EXCEPTION_CALLBACK.length)]);
  }
  return out;
}

class Linker {
  readonly insns: Insn[] = [];
  readonly maps: MapDef[] = [];
  readonly kfuncs: string[] = [];
  private readonly weak = new Map<string, WeakKfunc>();
  readonly subprogs: Subprog[] = [];
  readonly functions: ObjectFunction[] = [];
  readonly lines: LineInfo[] = [];
  readonly localTypes = new Set<number>();
  private readonly placed = new Map<ObjectFunction, number>();

  constructor(private readonly parts: Parts) {}

  private fail(message: string): never {
    throw new InputError(message, { file: this.parts.elf.file });
  }

  /** First slot of a function in the program; puts it behind what is there already if it is new. */
  place(fn: ObjectFunction): number {
    const known = this.placed.get(fn);
    if (known !== undefined) return known;
    const start = this.insns.length;
    if (this.placed.size === SUBPROGS_MAX)
      throw new NotModelled(`it reaches more than ${SUBPROGS_MAX} functions`);
    if (start + fn.slots > SLOTS_MAX) throw new NotModelled(`it has more than ${SLOTS_MAX} insns`);
    this.placed.set(fn, start);
    const body = this.parts.functions.body(fn);
    for (const insn of body.insns) this.insns.push(insn);
    for (const line of body.lines) this.lines.push({ ...line, slot: start + line.slot });
    for (const type of body.localTypes) this.localTypes.add(type);
    this.functions.push(fn);
    this.subprogs.push({
      name: fn.name,
      start,
      linkage: fn.linkage,
      ...(body.btfId !== undefined && { btfId: body.btfId }),
    });
    this.resolve(fn, body, start);
    return start;
  }

  /** Only a tag names the exception callback (bpf_program_fixup_func_info in libbpf). */
  placeExceptionCallback(main: ObjectFunction): void {
    const names = this.parts.exceptionCallbacks.get(main.name) ?? [];
    const [name] = names;
    if (name === undefined) return;
    if (names.length > 1) throw new NotModelled(`it names ${names.length} exception callbacks`);
    const fn = this.parts.functions.all.find((one) => one.name === name && one.linkage === 'global');
    if (fn === undefined)
      this.fail(`program '${main.name}' names the exception callback '${name}', expected a global function`);
    const start = this.place(fn);
    const at = this.subprogs.findIndex((one) => one.start === start);
    this.subprogs[at] = { ...this.subprogs[at]!, exceptionCallback: true };
  }

  private resolve(fn: ObjectFunction, body: Body, start: number): void {
    for (let slot = 0; slot < body.insns.length; slot++) {
      const insn = body.insns[slot]!;
      const relocation = body.relocations.get(slot);
      const wide = insn.opcode === LD_IMM64;
      if (relocation !== undefined) {
        const what = `insn ${slot} of function '${fn.name}', relocated against '${relocation.symbol.name}'`;
        if (relocation.type === R_BPF_64_64 && wide) this.load(insn, start + slot, relocation, what);
        else if (relocation.type === R_BPF_64_32 && insn.opcode === CALL)
          this.call(insn, start + slot, relocation, what);
        else
          this.fail(
            `${what}: relocation type ${relocation.type} does not fit opcode 0x${insn.opcode.toString(16)}`,
          );
      } else if (insn.opcode === CALL && insn.src !== BPF_HELPER_CALL) {
        // Inside one section the compiler itself knows the distance.
        if (insn.src !== BPF_PSEUDO_CALL)
          this.fail(`insn ${slot} of function '${fn.name}' calls a kfunc without a relocation`);
        const target = this.parts.functions.at(fn.section, fn.start + slot + 1 + insn.imm);
        this.setCall(start + slot, target);
      } else if (wide && insn.src !== 0) {
        this.fail(`insn ${slot} of function '${fn.name}' loads an address without a relocation`);
      }
      if (wide) slot++;
    }
  }

  private setCall(slot: number, target: ObjectFunction): void {
    const imm = this.place(target) - slot - 1;
    this.insns[slot] = { ...this.insns[slot]!, src: BPF_PSEUDO_CALL, imm };
  }

  private call(insn: Insn, slot: number, { symbol }: Relocation, what: string): void {
    if (symbol.section === SHN_UNDEF) {
      const name = this.parts.externs.kfunc(symbol);
      if (name === undefined) {
        // The program asks first whether the kernel has it, so a verifier finds that the call cannot be reached.
        this.insns[slot] = { ...insn, src: BPF_HELPER_CALL, off: 0, imm: MISSING_KFUNC };
        return;
      }
      let index = this.kfuncs.indexOf(name);
      if (index < 0) index = this.kfuncs.push(name) - 1;
      this.insns[slot] = { ...insn, src: BPF_PSEUDO_KFUNC_CALL, off: 0, imm: index };
      this.noteWeak(symbol);
      return;
    }
    const section =
      this.parts.elf.sections[symbol.section] ?? this.fail(`${what}: its section does not exist`);
    if (insn.src !== BPF_PSEUDO_CALL) this.fail(`${what}: it is no call of a subprogram`);
    // Against a section, imm says where in it; against a function, imm is -1.
    this.setCall(slot, this.parts.functions.at(section, symbol.value / 8 + insn.imm + 1));
  }

  private load(insn: Insn, slot: number, { symbol }: Relocation, what: string): void {
    const next = this.insns[slot + 1] ?? this.fail(`${what}: its second slot is missing`);
    const set = (as: keyof typeof IMM64_CODES, imm: number, hi: number): void => {
      this.insns[slot] = { ...insn, src: IMM64_CODES[as], imm };
      this.insns[slot + 1] = { ...next, imm: hi };
    };
    if (symbol.section === SHN_UNDEF) {
      const setting = this.parts.externs.setting(symbol);
      if (setting !== undefined) {
        set('map_value', this.defIndex(setting.map), setting.offset);
        return;
      }
      const at = this.parts.externs.kernelAddress(symbol);
      if (at !== undefined) {
        set('imm', Number(BigInt.asIntN(32, at)), Number(BigInt.asIntN(32, at >> 32n)));
        return;
      }
      const id = this.parts.externs.address(symbol);
      set(id === 0 ? 'imm' : 'btf_id', id, 0);
      if (id !== 0) this.noteWeak(symbol, id);
      return;
    }
    const section =
      this.parts.elf.sections[symbol.section] ?? this.fail(`${what}: its section does not exist`);
    const at = (insn.imm + symbol.value) | 0;
    const map = this.parts.maps.find(
      (candidate) =>
        candidate.section === section.index &&
        (!isMapSection(section.name) || candidate.offset === symbol.value),
    );
    if (map !== undefined) {
      const index = this.mapIndex(map);
      if (isMapSection(section.name)) set('map', index, next.imm);
      else set('map_value', index, at);
      return;
    }
    if ((section.flags & SHF_EXECINSTR) === 0) {
      if (section.name === ARENA_DATA) {
        set('map_value', this.arenaIndex(symbol.name), at);
        return;
      }
      throw new NotModelled(`${what}: section '${section.name}' holds neither maps, nor data, nor functions`);
    }
    const offset = symbol.value + insn.imm;
    if (offset % 8 !== 0) this.fail(`${what}: it is not the address of a function`);
    set('func', this.place(this.parts.functions.at(section, offset / 8)) - slot - 1, 0);
  }

  /** Weak kfuncs that the target has. If the target lacks one, the program is already as that kernel loads it. */
  get weakKfuncs(): readonly WeakKfunc[] {
    return [...this.weak.values()];
  }

  private noteWeak(symbol: ElfSymbol, btfId?: number): void {
    const { name } = symbol;
    if (symbol.bind !== STB_WEAK || !this.parts.externs.mayLack(symbol)) return;
    this.weak.set(name, { name, ...this.weak.get(name), ...(btfId === undefined ? {} : { btfId }) });
  }

  private mapIndex(map: ObjectMap): number {
    if ('problem' in map) throw new NotModelled(map.problem);
    return this.defIndex(map.def);
  }

  /** The object's arena, in which its loader puts all variables of that address space. */
  private arenaIndex(variable: string): number {
    const arenas = this.parts.maps.flatMap((map) =>
      'def' in map && map.def.type === 'arena' ? [map.def] : [],
    );
    if (arenas.length !== 1)
      throw new NotModelled(
        `it uses '${variable}', a variable in an arena, and the object has ${arenas.length === 0 ? 'no arena' : `${arenas.length} arenas`}, expected one in section '.maps'`,
      );
    return this.defIndex(arenas[0]!);
  }

  private defIndex(def: MapDef): number {
    const index = this.maps.indexOf(def);
    if (index >= 0) return index;
    const made = this.maps.push(def) - 1;
    // The template of the entries: programs look up maps of this kind in it.
    if (def.inner !== undefined) this.maps.push(def.inner);
    return made;
  }
}

/**
 * Links the program whose main function is `main`. Throws NotModelled where it uses what swansong has no model of,
 * InputError where the object makes no sense.
 */
export function link(parts: Parts, main: ObjectFunction): Linked {
  const linker = new Linker(parts);
  linker.place(main);
  linker.placeExceptionCallback(main);
  const { insns, maps, kfuncs, weakKfuncs, subprogs, functions, lines } = linker;
  return { insns, maps, kfuncs, weakKfuncs, subprogs, functions, lines, localTypes: [...linker.localTypes] };
}
