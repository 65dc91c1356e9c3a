/** Finds in a candidate type of the target what the program's spec names. Follows bpf_core_spec_match of libbpf. */
import { type Compat, kindsAgree } from './compat.js';
import {
  type Accessor,
  enumerator,
  essentialName,
  isFieldKind,
  isFlexible,
  PATH_MAX,
  type Spec,
} from './spec.js';

interface Found {
  readonly accessor: Accessor;
  readonly bitOffset: number;
  /** Type of the member. */
  readonly type: number;
}

/** The member of that name and of a shape that agrees, looked for in anonymous structs and unions as well. */
function findMember(
  compat: Compat,
  name: string,
  localType: number,
  target: number,
  depth: number,
): Found | undefined {
  const { id, type } = compat.target.resolve(target);
  if (type.kind !== 'struct' && type.kind !== 'union') return undefined;
  if (depth > PATH_MAX) compat.target.fail('BTF structs nest too deep');
  for (const [index, member] of type.members.entries()) {
    compat.spend();
    if (member.name === '') {
      const inner = findMember(compat, name, localType, member.type, depth + 1);
      if (inner !== undefined) return { ...inner, bitOffset: inner.bitOffset + member.bitOffset };
    } else if (member.name === name) {
      if (!compat.fields(localType, member.type)) return undefined;
      return { accessor: { type: id, index, name }, bitOffset: member.bitOffset, type: member.type };
    }
  }
  return undefined;
}

/** The same path in the candidate type `candidate`, or undefined when it has no such thing. */
export function matchSpec(compat: Compat, local: Spec, candidate: number): Spec | undefined {
  const { target } = compat;
  const base = { btf: target, root: candidate, kind: local.kind };
  if (local.kind.startsWith('type_')) {
    const same =
      local.kind === 'type_matches'
        ? compat.matches(local.root, candidate)
        : compat.types(local.root, candidate);
    return same ? { ...base, accessors: [], bitOffset: 0 } : undefined;
  }
  if (!isFieldKind(local.kind)) {
    const { id, type } = target.resolve(candidate);
    if (!('values' in type)) return undefined;
    const wanted = essentialName(local.accessors[0]!.name!);
    const index = type.values.findIndex((_, i) => essentialName(enumerator(type, i)!) === wanted);
    if (index < 0) return undefined;
    return { ...base, accessors: [{ type: id, index, name: enumerator(type, index)! }], bitOffset: 0 };
  }

  const accessors: Accessor[] = [];
  let bitOffset = 0;
  let at = candidate;
  for (const [i, step] of local.accessors.entries()) {
    const resolved = target.resolve(at);
    if (step.name !== undefined) {
      const owner = local.btf.type(step.type);
      if (owner.kind !== 'struct' && owner.kind !== 'union') return undefined;
      const found = findMember(compat, step.name, owner.members[step.index]!.type, resolved.id, 0);
      if (found === undefined) return undefined;
      accessors.push(found.accessor);
      bitOffset += found.bitOffset;
      at = found.type;
      continue;
    }
    let element = resolved.id;
    if (i > 0) {
      const array = resolved.type;
      if (array.kind !== 'array') return undefined;
      if (!isFlexible(target, accessors.at(-1), array.count) && step.index >= array.count) return undefined;
      element = target.resolve(array.element).id;
    }
    accessors.push({ type: element, index: step.index });
    const size = target.size(element) ?? target.fail(`BTF type ${element} has no size`);
    bitOffset += step.index * size * 8;
    at = element;
  }
  return { ...base, accessors, bitOffset };
}

/** Types of the target that may stand for a type of the program: same kind, same name but for flavours. */
export function candidates(compat: Pick<Compat, 'local' | 'target'>, local: number): number[] {
  const kind = compat.local.kind(local);
  const name = essentialName(compat.local.name(local));
  const kinds = kindsAgree(kind, 'enum') ? (['enum', 'enum64'] as const) : [kind];
  return compat.target.idsByPrefix(name, kinds).filter((id) => {
    const theirs = compat.target.name(id);
    // A kernel has no flavours. The types of an object that stand for a kernel's have them, and there they are what other kernels have.
    return theirs === name || (compat.target !== compat.local && essentialName(theirs) === name);
  });
}
