/**
 * The part of a program's BTF that verifying, loading and running it need: what its functions take, what its maps hold, what it
 * allocates. Ids stay, since insns name them. Behind a pointer only name and size of a struct are kept.
 */
import type { MapDef, Program } from '../program.js';
import { Btf } from './read.js';
import type { BtfType } from './types.js';
import { BtfWriter } from './write.js';

/** Types by id, in order of the id. */
export type SparseTypes = ReadonlyMap<number, BtfType>;

class Pruner {
  /** By id: whether the members are kept. */
  private readonly kept = new Map<number, boolean>();

  constructor(private readonly btf: Btf) {}

  visit(id: number, whole: boolean): void {
    if (id === 0 || (this.kept.get(id) ?? false) || (this.kept.has(id) && !whole)) return;
    this.kept.set(id, whole);
    const type = this.btf.type(id);
    switch (type.kind) {
      case 'ptr':
        this.visit(type.type, false);
        break;
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'typedef':
      case 'type_tag':
      case 'var':
      case 'func':
        this.visit(type.type, whole);
        break;
      case 'array':
        this.visit(type.element, whole);
        this.visit(type.index, false);
        break;
      case 'struct':
      case 'union':
        if (whole) for (const member of type.members) this.visit(member.type, true);
        break;
      case 'datasec':
        for (const one of type.vars) this.visit(one.type, true);
        break;
      case 'func_proto':
        this.visit(type.returns, true);
        for (const param of type.params) this.visit(param.type, true);
        break;
      default:
    }
  }

  /** Tags of what is kept whole: of arguments, of heads that contain nodes, of what runs when the program throws. */
  private tags(): void {
    for (let id = 1; id < this.btf.count; id++) {
      if (this.btf.kind(id) !== 'decl_tag') continue;
      const tag = this.btf.type(id);
      if (tag.kind === 'decl_tag' && this.kept.get(tag.type) === true) this.kept.set(id, true);
    }
  }

  result(): SparseTypes {
    this.tags();
    const out = new Map<number, BtfType>();
    for (const id of [...this.kept.keys()].sort((a, b) => a - b)) {
      const type = this.btf.type(id);
      if (type.kind === 'enum' || type.kind === 'enum64') out.set(id, { ...type, values: [] });
      else if ((type.kind === 'struct' || type.kind === 'union') && !this.kept.get(id))
        out.set(id, { ...type, members: [] });
      else out.set(id, type);
    }
    return out;
  }
}

/** What of the program's own BTF is needed; none for a program without. Throws InputError for BTF that makes no sense. */
export function neededTypes(program: Program): SparseTypes {
  if (program.btf === undefined) return new Map();
  const pruner = new Pruner(new Btf(program.btf, program.name));
  for (const { btfId } of program.subprogs) if (btfId !== undefined) pruner.visit(btfId, true);
  const addMap = (map: MapDef): void => {
    pruner.visit(map.btfKey ?? 0, true);
    pruner.visit(map.btfValue ?? 0, true);
    if (map.inner !== undefined) addMap(map.inner);
  };
  for (const map of program.maps) addMap(map);
  for (const { id } of program.localTypes) pruner.visit(id, true);
  return pruner.result();
}

/** BTF bytes in which each type has its id; the ids between are pointers to void, which nothing names. */
export function sparseBtf(types: SparseTypes): Uint8Array {
  const writer = new BtfWriter();
  const last = Math.max(0, ...types.keys());
  for (let id = 1; id <= last; id++) writer.add(types.get(id) ?? { kind: 'ptr', type: 0 });
  return writer.bytes();
}
