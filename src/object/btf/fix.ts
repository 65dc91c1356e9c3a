/**
 * Makes the BTF that clang wrote one that a kernel takes: fills in what only the ELF symbols know (sizes and offsets
 * of data sections, hidden functions) and replaces externs. Follows btf_fixup_datasec and
 * bpf_object__collect_externs of libbpf. Type ids stay as they are.
 */
import { type Elf, type ElfSymbol, STV_HIDDEN, STV_INTERNAL } from '../elf.js';
import type { Btf } from './read.js';
import type { BtfType, SectionVar } from './types.js';
import { BtfWriter } from './write.js';

/** Sections of externs: what is in them has neither address nor size in the object. */
const EXTERNS: ReadonlySet<string> = new Set(['.ksyms', '.kconfig']);
/** Stands for an extern function where BTF wants a variable (libbpf uses the same name). */
const DUMMY = 'dummy_ksym';

type Datasec = Extract<BtfType, { kind: 'datasec' }>;

function isHidden(symbol: ElfSymbol): boolean {
  return symbol.visibility === STV_HIDDEN || symbol.visibility === STV_INTERNAL;
}

/** Sizes and offsets out of the symbol table; clang leaves both 0. */
function fixDatasec(type: Datasec, elf: Elf, symbols: ReadonlyMap<string, ElfSymbol>, btf: Btf): Datasec {
  const section = elf.sections.find((candidate) => candidate.name === type.name);
  if (section === undefined || type.size !== 0) return type;
  const vars = type.vars.map((entry): SectionVar => {
    const symbol = symbols.get(btf.name(entry.type));
    return symbol?.section === section.index ? { ...entry, offset: symbol.value >>> 0 } : entry;
  });
  return { ...type, size: section.size >>> 0, vars: vars.sort((a, b) => a.offset - b.offset) };
}

/**
 * The bytes for the kernel. `elf` is the object that `btf` is from. Throws InputError for BTF that makes no sense.
 */
export function fixBtf(btf: Btf, elf: Elf): Uint8Array {
  const symbols = new Map(
    elf.symbols.filter((symbol) => symbol.name !== '').map((symbol) => [symbol.name, symbol]),
  );
  const types: BtfType[] = [];
  for (let id = 1; id < btf.count; id++) types.push(btf.type(id));
  const typeAt = (id: number): BtfType =>
    types[id - 1] ?? btf.fail(`BTF names type ${id}, but there are ${btf.count}`);
  const add = (type: BtfType): number => types.push(type);
  const set = (id: number, type: BtfType): void => {
    types[id - 1] = type;
  };

  let int: number | undefined;
  let dummy: number | undefined;
  const intId = (): number => {
    if (int === undefined) {
      const found = types.findIndex((type) => type.kind === 'int' && type.size === 4 && type.bits === 32);
      int =
        found >= 0
          ? found + 1
          : add({ kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' });
    }
    return int;
  };

  /** A kernel takes no function with a nameless parameter; the compiler leaves out the names of those that are not used. */
  const nameParams = (id: number): void => {
    const proto = typeAt(id);
    if (proto.kind !== 'func_proto') return;
    const params = proto.params.map((param) =>
      param.type !== 0 && param.name === '' ? { ...param, name: DUMMY } : param,
    );
    set(id, { ...proto, params });
  };

  const fixExterns = (id: number, type: Datasec): void => {
    let offset = 0;
    const vars = type.vars.map((entry): SectionVar => {
      const extern = typeAt(entry.type);
      let [varType, size] = [entry.type, 4];
      if (extern.kind === 'func') {
        dummy ??= add({ kind: 'var', name: DUMMY, type: intId(), linkage: 1 });
        varType = dummy;
        set(entry.type, { ...extern, linkage: 'global' });
        nameParams(extern.type);
      } else if (extern.kind === 'var') {
        const kept = type.name === '.kconfig';
        if (kept) size = btf.size(extern.type) ?? 4;
        set(entry.type, { ...extern, type: kept ? extern.type : intId(), linkage: 1 });
      }
      offset = Math.ceil(offset / 8) * 8;
      const at = offset;
      offset += size;
      return { type: varType, offset: at, size };
    });
    set(id, { ...type, size: offset >>> 0, vars });
  };

  for (let id = 1; id < btf.count; id++) {
    const type = typeAt(id);
    if (type.kind === 'datasec') {
      if (EXTERNS.has(type.name)) fixExterns(id, type);
      else set(id, fixDatasec(type, elf, symbols, btf));
    } else if (type.kind === 'func') {
      if (type.linkage !== 'extern') nameParams(type.type);
      const symbol = type.linkage === 'global' ? symbols.get(type.name) : undefined;
      if (symbol !== undefined && isHidden(symbol)) set(id, { ...type, linkage: 'static' });
    } else if (type.kind === 'var' && type.linkage === 1 && symbols.has(type.name)) {
      if (isHidden(symbols.get(type.name)!)) set(id, { ...type, linkage: 0 });
    }
  }

  // A kernel takes no other linkage of functions; those that a loader links in are in no section of externs.
  for (let id = 1; id < btf.count; id++) {
    const type = typeAt(id);
    if (type.kind !== 'func' || type.linkage !== 'extern') continue;
    set(id, { ...type, linkage: 'global' });
    nameParams(type.type);
  }

  const writer = new BtfWriter();
  for (const type of types) writer.add(type);
  return writer.bytes();
}
