/**
 * CO-RE: fits a program, compiled against one kernel's types, to the types of another. Follows
 * bpf_core_calc_relo_insn of tools/lib/bpf/relo_core.c: all candidate types must agree on the value.
 */
import { InputError } from '../../isa/errors.js';
import type { Insn } from '../../isa/insn.js';
import type { CoreRelo } from '../btf/ext.js';
import { type Btf, MAX_DEPTH } from '../btf/read.js';
import type { KernelPointer } from '../program.js';
import { Compat } from './compat.js';
import { candidates, matchSpec } from './match.js';
import { type Patch, patchInsn, poison } from './patch.js';
import { describeRelo, parseSpec, type Spec } from './spec.js';
import { type CoreValue, coreValue } from './value.js';

/** The types to relocate against, or why there are none. */
export type Target = Btf | { readonly missing: string };

function widthOf(local: Spec, from: CoreValue, target: Spec, to: CoreValue): Patch['width'] {
  if (from.access === undefined && to.access === undefined) return undefined;
  // A bit field on one side only.
  if (from.access === undefined || to.access === undefined) return 'unsafe';
  const width = { from: from.access.size, to: to.access.size };
  if (width.from === width.to) return width;
  const a = local.btf.resolve(from.access.type).type;
  const b = target.btf.resolve(to.access.type).type;
  // A narrower or wider load gives the same number for pointers and for unsigned integers only.
  if (a.kind === 'ptr' && b.kind === 'ptr') return width;
  if (a.kind === 'int' && b.kind === 'int' && a.encoding !== 'signed' && b.encoding !== 'signed')
    return width;
  return 'unsafe';
}

/** The pointer to a struct that a relocation leads to, if it does: one member, straight from the root struct. */
function pointerAt(spec: Spec, value: CoreValue): KernelPointer | undefined {
  const [root, member, ...more] = spec.accessors;
  if (root === undefined || member?.name === undefined || more.length > 0 || value.access === undefined)
    return undefined;
  const { type } = spec.btf.resolve(value.access.type);
  if (type.kind !== 'ptr') return undefined;
  const to = spec.btf.resolve(type.type);
  if (to.type.kind !== 'struct') return undefined;
  const rcu = tagged(spec.btf, type.type, 'rcu');
  return {
    struct: spec.btf.name(spec.root),
    member: member.name,
    offset: Number(value.value),
    to: to.type.name,
    ...(rcu ? { rcu: true } : {}),
  };
}

/** A type tag of this name stands before the type itself. */
function tagged(btf: Btf, id: number, tag: string): boolean {
  for (let at = id, depth = 0; depth < MAX_DEPTH; depth++) {
    const type = btf.type(at);
    if (type.kind === 'type_tag' && type.name === tag) return true;
    if (type.kind !== 'type_tag' && type.kind !== 'const' && type.kind !== 'volatile') return false;
    at = type.type;
  }
  return false;
}

/** Applies CO-RE relocations of one object; remembers the candidates of each type it has met. */
export class CoreRelocator {
  /** Pointers in kernel structs that relocated insns may load, in the order in which they were met. */
  readonly pointers: KernelPointer[] = [];
  private readonly candidates = new Map<number, readonly number[]>();

  constructor(
    private readonly local: Btf,
    private readonly target: Target,
  ) {}

  /** What the relocation makes of its insn. Throws InputError where it is ambiguous or makes no sense. */
  resolve(relo: CoreRelo): Patch | 'poison' {
    const { local } = this;
    const spec = parseSpec(local, relo);
    const { kind } = spec;
    const from = coreValue(kind, spec);
    if (from === 'poison') return 'poison';
    if (kind === 'type_id_local') return { from: from.value, to: from.value, validate: false };
    if ('missing' in this.target)
      local.fail(`${describeRelo(local, relo)} is relocated against a kernel's BTF: ${this.target.missing}`);
    const target = this.target as Btf;
    if (local.name(relo.type) === '')
      local.fail(`${describeRelo(local, relo)}: a type without a name cannot be looked up`);

    let ids = this.candidates.get(relo.type);
    if (ids === undefined) {
      ids = candidates({ local, target }, relo.type);
      this.candidates.set(relo.type, ids);
    }
    const compat = new Compat(local, target);
    let chosen: { spec: Spec; value: CoreValue } | undefined;
    for (const id of ids) {
      const found = matchSpec(compat, spec, id);
      const value = found && coreValue(kind, found);
      if (found === undefined || value === undefined || value === 'poison') continue;
      if (chosen && (chosen.spec.bitOffset !== found.bitOffset || chosen.value.value !== value.value)) {
        local.fail(
          `${describeRelo(local, relo)} is ambiguous: types ${chosen.spec.root} and ${id} of the target differ`,
        );
      }
      chosen ??= { spec: found, value };
    }
    const to = chosen?.value ?? coreValue(kind, undefined);
    if (to === 'poison') return 'poison';
    const pointer = kind === 'field_byte_offset' && chosen ? pointerAt(chosen.spec, chosen.value) : undefined;
    if (pointer && !this.pointers.some((p) => p.struct === pointer.struct && p.offset === pointer.offset)) {
      this.pointers.push(pointer);
    }
    const validate = from.validate && kind !== 'type_id_target';
    const width = chosen && widthOf(spec, from, chosen.spec, to);
    return { from: from.value, to: to.value, validate, ...(width && { width }) };
  }

  /** Applies a relocation to the insn at `slot`, in place. */
  apply(insns: Insn[], slot: number, relo: CoreRelo): void {
    const patch = this.resolve(relo);
    try {
      if (patch === 'poison') poison(insns, slot);
      else patchInsn(insns, slot, patch);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.local.fail(`${describeRelo(this.local, relo)}: ${error.message}`);
    }
  }
}
