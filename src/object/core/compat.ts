/**
 * When a type of the program and a type of the target count as the same: by shape for members and functions, by name
 * for structs and enums. Follows the bpf_core_*_are_compat and *_match functions of tools/lib/bpf/relo_core.c.
 */
import { type Btf, MAX_DEPTH } from '../btf/read.js';
import type { BtfKind, BtfType, Composite } from '../btf/types.js';
import { essentialName } from './spec.js';

/** Comparisons that one relocation may cost; real types need some hundreds, only a corrupt BTF needs more. */
const WORK_MAX = 1_000_000;

function isComposite(type: BtfType): type is Composite {
  return type.kind === 'struct' || type.kind === 'union';
}

function isEnum(kind: BtfKind): boolean {
  return kind === 'enum' || kind === 'enum64';
}

/** Kinds must be equal, but the two widths of enum count as one. */
export function kindsAgree(a: BtfKind, b: BtfKind): boolean {
  return a === b || (isEnum(a) && isEnum(b));
}

function nameOf(type: BtfType): string {
  return 'name' in type ? type.name : '';
}

/** Compares types of two BTFs. One instance serves one relocation: it bounds the work that corrupt types can cause. */
export class Compat {
  private work = 0;

  constructor(
    readonly local: Btf,
    readonly target: Btf,
  ) {}

  /** Counts one comparison. Throws InputError when there were too many. */
  spend(): void {
    if (++this.work > WORK_MAX) this.target.fail('BTF types nest without end');
  }

  private tooDeep(): never {
    return this.target.fail(`BTF types nest more than ${MAX_DEPTH} deep`);
  }

  /** Whether a member of one type may be read as the other (bpf_core_fields_are_compat). */
  fields(localId: number, targetId: number): boolean {
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      this.spend();
      const a = this.local.resolve(localId).type;
      const b = this.target.resolve(targetId).type;
      if (isComposite(a) && isComposite(b)) return true;
      if (!kindsAgree(a.kind, b.kind)) return false;
      if (a.kind === 'ptr' || a.kind === 'float') return true;
      if (a.kind === 'fwd' || isEnum(a.kind)) {
        const [x, y] = [essentialName(nameOf(a)), essentialName(nameOf(b))];
        return x === '' || y === '' || x === y;
      }
      if (a.kind === 'int' && b.kind === 'int') return a.bitOffset === 0 && b.bitOffset === 0;
      if (a.kind !== 'array' || b.kind !== 'array') return false;
      localId = a.element;
      targetId = b.element;
    }
    return this.tooDeep();
  }

  /** Whether the types are of one shape; the caller has compared their names (bpf_core_types_are_compat). */
  types(localId: number, targetId: number, level = MAX_DEPTH): boolean {
    if (level <= 0) this.tooDeep();
    if (!kindsAgree(this.local.kind(localId), this.target.kind(targetId))) return false;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      this.spend();
      const a = this.local.resolve(localId).type;
      const b = this.target.resolve(targetId).type;
      if (!kindsAgree(a.kind, b.kind)) return false;
      if (a.kind === 'int' && b.kind === 'int') return a.bitOffset === 0 && b.bitOffset === 0;
      if (a.kind === 'void' || a.kind === 'fwd' || isComposite(a) || isEnum(a.kind)) return true;
      if (a.kind === 'ptr' && b.kind === 'ptr') {
        localId = a.type;
        targetId = b.type;
      } else if (a.kind === 'array' && b.kind === 'array') {
        localId = a.element;
        targetId = b.element;
      } else if (a.kind === 'func_proto' && b.kind === 'func_proto') {
        if (a.params.length !== b.params.length) return false;
        for (const [i, param] of a.params.entries()) {
          const [x, y] = [this.local.resolve(param.type).id, this.target.resolve(b.params[i]!.type).id];
          if (!this.types(x, y, level - 1)) return false;
        }
        localId = a.returns;
        targetId = b.returns;
      } else return false;
    }
    return this.tooDeep();
  }

  /** Whether the target has all that the local type says, deeply (bpf_core_types_match). */
  matches(localId: number, targetId: number, behindPointer = false, level = MAX_DEPTH): boolean {
    if (level <= 0) this.tooDeep();
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      this.spend();
      const a = this.local.resolve(localId).type;
      const b = this.target.resolve(targetId).type;
      if (essentialName(nameOf(a)) !== essentialName(nameOf(b))) return false;
      if (a.kind === 'fwd') {
        if (b.kind === 'fwd') return a.of === b.of;
        return behindPointer && b.kind === a.of;
      }
      if (isComposite(a)) {
        if (!behindPointer) return isComposite(b) && a.kind === b.kind && this.composites(a, b, level);
        return b.kind === 'fwd' ? b.of === a.kind : b.kind === a.kind;
      }
      if (isEnum(a.kind)) return isEnum(b.kind) && this.enums(a, b);
      if (a.kind === 'void') return b.kind === 'void';
      if (a.kind === 'int') {
        return (
          b.kind === 'int' && a.size === b.size && (a.encoding === 'signed') === (b.encoding === 'signed')
        );
      }
      if (a.kind === 'ptr' && b.kind === 'ptr') {
        behindPointer = true;
        localId = a.type;
        targetId = b.type;
      } else if (a.kind === 'array' && b.kind === 'array') {
        if (a.count !== b.count) return false;
        localId = a.element;
        targetId = b.element;
      } else if (a.kind === 'func_proto' && b.kind === 'func_proto') {
        if (a.params.length !== b.params.length) return false;
        for (const [i, param] of a.params.entries()) {
          if (!this.matches(param.type, b.params[i]!.type, behindPointer, level - 1)) return false;
        }
        localId = a.returns;
        targetId = b.returns;
      } else return false;
    }
    return this.tooDeep();
  }

  /** Each member of the program's struct has one of that name and type in the target's. */
  private composites(a: Composite, b: Composite, level: number): boolean {
    if (a.members.length > b.members.length) return false;
    return a.members.every((member) =>
      b.members.some((candidate) => {
        this.spend();
        return (
          essentialName(member.name) === essentialName(candidate.name) &&
          this.matches(member.type, candidate.type, false, level - 1)
        );
      }),
    );
  }

  private enums(a: BtfType, b: BtfType): boolean {
    if (!('values' in a) || !('values' in b) || a.size !== b.size || a.values.length > b.values.length)
      return false;
    const names = new Set(b.values.map((value) => essentialName(value.name)));
    return a.values.every((value) => names.has(essentialName(value.name)));
  }
}
