/** BTF types as C declares them: what people compare a kernel's functions by. */
import type { Btf } from './read.js';

/** A type as C writes it where it has no name of its own: `const struct cpumask *`. Qualifiers that only a compiler minds are left out. */
export function cType(btf: Btf, id: number): string {
  const type = btf.type(id);
  switch (type.kind) {
    case 'void':
      return 'void';
    case 'ptr': {
      const to = btf.type(type.type);
      if (to.kind === 'func_proto')
        return `${cType(btf, to.returns)} (*)(${to.params.map((param) => cType(btf, param.type)).join(', ')})`;
      return pointerTo(cType(btf, type.type));
    }
    case 'const': {
      const inner = cType(btf, type.type);
      return inner.endsWith('*') ? `${inner} const` : `const ${inner}`;
    }
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return cType(btf, type.type);
    case 'struct':
    case 'union':
    case 'enum':
      return `${type.kind} ${type.name}`;
    case 'fwd':
      return `${type.of} ${type.name}`;
    case 'array':
      return `${cType(btf, type.element)}[]`;
    default:
      return 'name' in type ? type.name : type.kind;
  }
}

const pointerTo = (type: string): string => (type.endsWith('*') ? `${type}*` : `${type} *`);

/** Return type and parameters of a function, `type name` each. */
export interface Prototype {
  readonly returns: string;
  readonly params: readonly string[];
}

/** The prototype of the function of this name; undefined where the BTF has none. */
export function prototypeOf(btf: Btf, name: string): Prototype | undefined {
  const id = btf.find(name, 'func');
  const func = id === undefined ? undefined : btf.type(id);
  const proto = func?.kind === 'func' ? btf.type(func.type) : undefined;
  if (proto?.kind !== 'func_proto') return undefined;
  return {
    returns: cType(btf, proto.returns),
    params: proto.params.map(({ name: param, type }) => named(cType(btf, type), param)),
  };
}

const named = (type: string, name: string): string =>
  type.includes('(*)') ? type.replace('(*)', `(*${name})`) : `${type} ${name}`;

/** The one way to write a declaration that two sources of it can be compared by: no spaces behind `*`, no tags that BTF has not. */
export function comparable(declaration: string): string {
  return declaration
    .replace(/\b__arena\b|\b__iomem\b|\b__rcu\b|\b__user\b/g, '')
    .replace(/\s+/g, ' ')
    .replace(/\* /g, '*')
    .trim();
}
