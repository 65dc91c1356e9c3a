/** The number that a CO-RE relocation stands for, in one BTF. Follows bpf_core_calc_*_relo of libbpf. */
import { type CoreKind, isFieldKind, isTypeKind, type Spec } from './spec.js';

/** The answer to a relocation: the number that the insn gets. */
export interface CoreValue {
  readonly value: bigint;
  /** For a member offset: bytes and type of the value there, so that the width of a load can follow. */
  readonly access?: { readonly size: number; readonly type: number };
  /** The insn must hold the program's own value before it is patched. */
  readonly validate: boolean;
}

/** Width in bytes and type of what a load at a member reads: of an array, one element. */
function accessOf(spec: Spec, type: number): { size: number; type: number } {
  let at = spec.btf.resolve(type);
  for (let depth = 0; at.type.kind === 'array'; depth++) {
    if (depth > 32) spec.btf.fail(`BTF type ${type} nests too deep`);
    at = spec.btf.resolve(at.type.element);
  }
  return { size: sizeOf(spec, at.id), type };
}

function sizeOf(spec: Spec, type: number): number {
  return (
    spec.btf.size(type) ??
    spec.btf.fail(`CO-RE relocation of BTF type ${spec.root}: type ${type} has no size`)
  );
}

/** The aligned unit, of 1 to 8 bytes, that holds a bit field: its first byte and its size. */
function storageUnit(spec: Spec, least: number, bitSize: number): { at: number; size: number } {
  let size = least;
  const start = (): number => Math.floor(spec.bitOffset / 8 / size) * size;
  while (spec.bitOffset + bitSize - start() * 8 > size * 8) {
    if (size >= 8)
      spec.btf.fail(`CO-RE relocation of BTF type ${spec.root}: the bit field does not fit a 64-bit load`);
    size *= 2;
  }
  return { at: start(), size };
}

function fieldValue(kind: CoreKind, spec: Spec): CoreValue {
  const bad = (why: string): never =>
    spec.btf.fail(`CO-RE relocation ${kind} of BTF type ${spec.root}: ${why}`);
  const last = spec.accessors.at(-1)!;
  if (last.name === undefined) {
    if (kind === 'field_byte_offset') {
      return {
        value: BigInt(Math.floor(spec.bitOffset / 8)),
        access: accessOf(spec, last.type),
        validate: true,
      };
    }
    if (kind === 'field_byte_size') return { value: BigInt(sizeOf(spec, last.type)), validate: true };
    return bad('not possible for an array element');
  }
  const owner = spec.btf.type(last.type);
  if (owner.kind !== 'struct' && owner.kind !== 'union') return bad('not a member');
  const member = owner.members[last.index]!;
  const { id, type } = spec.btf.resolve(member.type);
  const bitField = member.bitSize > 0;
  const bits = bitField ? member.bitSize : sizeOf(spec, id) * 8;
  if (bitField && !('size' in type && type.size >= 1 && type.size <= 8))
    return bad('the bit field has no width');
  const unit =
    bitField && 'size' in type
      ? storageUnit(spec, type.size, bits)
      : { at: Math.floor(spec.bitOffset / 8), size: bits / 8 };
  switch (kind) {
    case 'field_byte_offset':
      return bitField
        ? { value: BigInt(unit.at), validate: false }
        : { value: BigInt(unit.at), access: accessOf(spec, id), validate: true };
    case 'field_byte_size':
      return { value: BigInt(unit.size), validate: !bitField };
    case 'field_signed': {
      const signed = type.kind === 'int' ? type.encoding === 'signed' : 'signed' in type && type.signed;
      return { value: signed ? 1n : 0n, validate: true };
    }
    case 'field_lshift_u64':
      return { value: BigInt(64 - (spec.bitOffset + bits - unit.at * 8)), validate: !bitField };
    default:
      return { value: BigInt(64 - bits), validate: true };
  }
}

/**
 * What the insn is to hold when the relocation resolves to `spec` (undefined: the target has no such thing).
 * Returns 'poison' where the program must not get to the insn then.
 */
export function coreValue(kind: CoreKind, spec: Spec | undefined): CoreValue | 'poison' {
  if (kind === 'field_exists' || kind === 'enumval_exists') return { value: spec ? 1n : 0n, validate: true };
  if (isFieldKind(kind)) return spec ? fieldValue(kind, spec) : 'poison';
  if (isTypeKind(kind)) {
    if (spec === undefined) return { value: 0n, validate: true };
    // Ids change when objects are linked, so what the insn holds is not compared.
    if (kind === 'type_id_target' || kind === 'type_id_local')
      return { value: BigInt(spec.root), validate: false };
    return { value: kind === 'type_size' ? BigInt(sizeOf(spec, spec.root)) : 1n, validate: true };
  }
  if (spec === undefined) return 'poison';
  const { type: id, index } = spec.accessors[0]!;
  const type = spec.btf.type(id);
  if (!('values' in type)) return spec.btf.fail(`BTF type ${id} is no enum`);
  return { value: BigInt(type.values[index]!.value), validate: true };
}
