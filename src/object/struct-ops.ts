/**
 * Which program of an object stands in for which function of a kernel struct: `SEC(".struct_ops")` and `SEC(".struct_ops.link")` hold the structs,
 * and a relocation in one names the program of each member. Follows bpf_object__collect_st_ops_relos of libbpf.
 */
import type { Btf } from './btf/read.js';
import { type Elf, STT_FUNC } from './elf.js';

/** The place of a program in a struct of functions. */
export interface Operation {
  /** The struct as the kernel calls it, without a suffix such as `___v2`. */
  readonly struct: string;
  readonly member: string;
}

/** `tcp_congestion_ops.ssthresh`: how an operation is written where a program attaches. */
export const operationName = ({ struct, member }: Operation): string => `${struct}.${member}`;

/** Reads `operationName` back; undefined where it is no such word. */
export function operationOf(target: string | undefined): Operation | undefined {
  const [, struct, member] = /^([^.]+)\.([^.]+)$/.exec(target ?? '') ?? [];
  return struct === undefined || member === undefined ? undefined : { struct, member };
}

const SECTION = /^\??\.struct_ops(?:\.link)?$/;

/** Operations by the name of the program. A program that several structs name stands in for the same member of each: the first one counts. */
export function operations(elf: Elf, btf: Btf | undefined): ReadonlyMap<string, Operation> {
  const found = new Map<string, Operation>();
  if (btf === undefined) return found;
  for (const section of elf.sections) {
    if (!SECTION.test(section.name)) continue;
    const id = btf.find(section.name, 'datasec');
    const datasec = id === undefined ? undefined : btf.type(id);
    if (datasec?.kind !== 'datasec') continue;
    const places = datasec.vars.map(({ type }) => {
      const name = btf.name(type);
      const symbol = elf.symbols.find((one) => one.section === section.index && one.name === name);
      const variable = btf.type(type);
      return {
        at: symbol?.value ?? -1,
        of: variable.kind === 'var' ? btf.resolve(variable.type).type : variable,
      };
    });
    for (const { offset, symbol } of elf.relocations.get(section.index) ?? []) {
      if (symbol.type !== STT_FUNC || found.has(symbol.name)) continue;
      for (const { at, of } of places) {
        if (of.kind !== 'struct' || at < 0 || offset < at || offset >= at + of.size) continue;
        const member = of.members.find(({ bitOffset }) => bitOffset === 8 * (offset - at));
        if (member !== undefined)
          found.set(symbol.name, { struct: of.name.replace(/___.*$/, ''), member: member.name });
      }
    }
  }
  return found;
}
