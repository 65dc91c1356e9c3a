/**
 * What a CO-RE relocation names: a type, an enumerator, or a member reached over a path of indices such as `0:2:1`.
 * The path is parsed against the program's own BTF. Follows bpf_core_parse_spec of tools/lib/bpf/relo_core.c.
 */
import type { CoreRelo } from '../btf/ext.js';
import type { Btf } from '../btf/read.js';
import type { BtfType } from '../btf/types.js';

/** In the order of enum bpf_core_relo_kind. */
export const CORE_KINDS = [
  'field_byte_offset',
  'field_byte_size',
  'field_exists',
  'field_signed',
  'field_lshift_u64',
  'field_rshift_u64',
  'type_id_local',
  'type_id_target',
  'type_exists',
  'type_size',
  'enumval_exists',
  'enumval_value',
  'type_matches',
] as const;

/** The question that a relocation asks (enum bpf_core_relo_kind), as in `field_byte_offset`. */
export type CoreKind = (typeof CORE_KINDS)[number];

/** Longest path (BPF_CORE_SPEC_MAX_LEN). */
export const PATH_MAX = 64;

/** One step of a path that is kept: a named member, or an array element (no name). */
export interface Accessor {
  /** The struct, union or enum that `index` counts in; for an element, the element's type. */
  readonly type: number;
  readonly index: number;
  readonly name?: string;
}

/** A relocation's path, followed in one BTF as far as it goes. */
export interface Spec {
  readonly btf: Btf;
  readonly root: number;
  readonly kind: CoreKind;
  readonly accessors: readonly Accessor[];
  /** From the start of the root type. */
  readonly bitOffset: number;
}

/** Whether a relocation asks about a member: its offset, size, signedness, or whether it exists. */
export function isFieldKind(kind: CoreKind): boolean {
  return kind.startsWith('field_');
}

/** Whether a relocation asks about a whole type: its id, its size, or whether it exists or matches. */
export function isTypeKind(kind: CoreKind): boolean {
  return kind.startsWith('type_');
}

/** A name without its flavour: `task_struct___v2` stands for `task_struct` (bpf_core_essential_name_len). */
export function essentialName(name: string): string {
  for (let i = name.length - 5; i >= 0; i--) {
    if (name[i] !== '_' && name.startsWith('___', i + 1) && name[i + 4] !== '_') return name.slice(0, i + 1);
  }
  return name;
}

/** An array of no elements at the end of a struct may be indexed without limit. */
export function isFlexible(btf: Btf, owner: Accessor | undefined, count: number): boolean {
  if (owner?.name === undefined || count > 0) return false;
  const type = btf.type(owner.type);
  return (type.kind === 'struct' || type.kind === 'union') && owner.index === type.members.length - 1;
}

/** Name of an enumerator, undefined for what is none. */
export function enumerator(type: BtfType, index: number): string | undefined {
  return type.kind === 'enum' || type.kind === 'enum64' ? type.values[index]?.name : undefined;
}

/** For messages: `field_byte_offset of task_struct.pid (0:12)`. */
export function describeRelo(btf: Btf, relo: CoreRelo): string {
  const kind = CORE_KINDS[relo.kind] ?? `kind ${relo.kind}`;
  let at = relo.type;
  let path = btf.name(at) || 'an anonymous type';
  for (const step of relo.access.split(':').map(Number)) {
    const { type } = btf.resolve(at);
    const value = enumerator(type, step);
    if (value !== undefined) return `${kind} of ${path}::${value}`;
    if (at === relo.type && path.indexOf('.') < 0 && isFieldKind(kind as CoreKind)) {
      path += '.';
      continue;
    }
    if (type.kind === 'array') {
      path += `[${step}]`;
      at = type.element;
    } else if (type.kind === 'struct' || type.kind === 'union') {
      const member = type.members[step];
      if (member === undefined) break;
      path += `${path.endsWith('.') ? '' : '.'}${member.name || `(${step})`}`;
      at = member.type;
    } else break;
  }
  return `${kind} of ${path.replace(/\.$/, '')} (${relo.access})`;
}

/** Parses the path of a relocation. Throws InputError where it does not fit the types it goes through. */
export function parseSpec(btf: Btf, relo: CoreRelo): Spec {
  const bad = (why: string): never =>
    btf.fail(`CO-RE relocation '${relo.access}' of BTF type ${relo.type}: ${why}`);
  const kind = CORE_KINDS[relo.kind] ?? bad(`unknown kind ${relo.kind}`);
  if (isTypeKind(kind)) {
    if (relo.access !== '0') bad(`a ${kind} relocation has the path 0`);
    return { btf, root: relo.type, kind, accessors: [], bitOffset: 0 };
  }
  if (!/^\d{1,9}(?::\d{1,9})*$/.test(relo.access)) bad('the path is not a list of indices');
  const path = relo.access.split(':').map(Number);
  if (path.length > PATH_MAX) bad(`the path has ${path.length} steps, at most ${PATH_MAX} are allowed`);

  const root = btf.resolve(relo.type);
  const first = path[0]!;
  if (!isFieldKind(kind)) {
    const name = path.length === 1 ? enumerator(root.type, first) : undefined;
    if (name === undefined) bad('it names no enumerator');
    return {
      btf,
      root: relo.type,
      kind,
      accessors: [{ type: root.id, index: first, name: name! }],
      bitOffset: 0,
    };
  }

  const sizeOf = (id: number): number => btf.size(id) ?? bad(`type ${id} has no size`);
  const accessors: Accessor[] = [{ type: root.id, index: first }];
  let bitOffset = first * sizeOf(root.id) * 8;
  let at = root.id;
  for (const index of path.slice(1)) {
    const { id, type } = btf.resolve(at);
    if (type.kind === 'struct' || type.kind === 'union') {
      const member = type.members[index];
      if (member === undefined) return bad(`type ${id} has no member ${index}`);
      bitOffset += member.bitOffset;
      if (member.name !== '') accessors.push({ type: id, index, name: member.name });
      at = member.type;
    } else if (type.kind === 'array') {
      const element = btf.resolve(type.element).id;
      if (!isFlexible(btf, accessors.at(-1), type.count) && index >= type.count)
        bad(`the array has no element ${index}`);
      accessors.push({ type: element, index });
      bitOffset += index * sizeOf(element) * 8;
      at = element;
    } else bad(`type ${id} has no members`);
  }
  return { btf, root: relo.type, kind, accessors, bitOffset };
}
