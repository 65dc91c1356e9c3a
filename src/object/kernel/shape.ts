/** Small questions to the types of a kernel. */
import type { Btf } from '../btf/read.js';
import type { BtfType, Composite } from '../btf/types.js';

/** The type has members: a struct, or a union, which the verifier follows in the same way. */
export const isStruct = (type: BtfType): type is Composite => type.kind === 'struct' || type.kind === 'union';

/** What a pointer may be followed to. `own`: the types are an object's, where a struct that is only declared stands for the kernel's. */
export const isTarget = (
  type: BtfType,
  own: boolean,
): type is Composite | Extract<BtfType, { kind: 'fwd' }> => isStruct(type) || (own && type.kind === 'fwd');

/** The tag before a type that a pointer leads to, of those that the verifier knows. */
export function tagOf(btf: Btf, id: number): 'user' | 'percpu' | 'rcu' | undefined {
  const type = btf.type(id);
  if (type.kind !== 'type_tag') return undefined;
  return type.name === 'user' || type.name === 'percpu' || type.name === 'rcu' ? type.name : undefined;
}
