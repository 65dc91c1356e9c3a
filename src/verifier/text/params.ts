/**
 * What a global subprogram takes in each argument register, by its BTF: types, and `arg:` tags that say more. Follows
 * btf_prepare_func_args and btf_is_prog_ctx_type of kernel/bpf/btf.c.
 */
import type { Btf } from '../../object/btf/read.js';
import type { BtfType } from '../../object/btf/types.js';
import type { Program } from '../../object/program.js';
import { isContext, refusedAsContext } from './context-param.js';

/** What one argument register of a global subprogram holds on entry, and so what a caller must pass. */
export type Param =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'ctx' }
  /** Memory of this many bytes; may be NULL unless `nonnull`. */
  | { readonly kind: 'mem'; readonly size: number; readonly nonnull: boolean }
  | { readonly kind: 'dynptr' }
  /** A trusted pointer to a kernel struct. */
  | { readonly kind: 'btf'; readonly struct: string; readonly nullable: boolean }
  /**
   * An untrusted pointer, from which may only be loaded; the kernel makes the loads safe. `struct` is `void` if it is to no kernel
   * struct.
   */
  | { readonly kind: 'untrusted'; readonly struct: string }
  /** An address in the arena, or any number; the function gets it as a number. */
  | { readonly kind: 'arena' }
  /** The kernel refuses every program that has a function with such an argument. */
  | { readonly kind: 'refused'; readonly message: string };

/** Parameters of the function whose FUNC type is `id`. */
export function paramsFromBtf(program: Program, btf: Btf, id: number): readonly Param[] {
  const func = btf.type(id);
  const proto = func.kind === 'func' ? btf.type(func.type) : func;
  if (proto.kind !== 'func_proto') return [];
  const name = btf.name(id);
  const returns = btf.resolve(proto.returns).type.kind;
  if (returns !== 'int' && returns !== 'enum' && returns !== 'enum64') {
    const message = `Global function ${name}() doesn't return scalar. Only those are supported.`;
    return [{ kind: 'refused', message }];
  }
  if (proto.params.length > 5) {
    const message = `Global function ${name}() with ${proto.params.length} > 5 args. Buggy compiler.`;
    return [{ kind: 'refused', message }];
  }
  const tags = tagsOf(btf, id);
  return proto.params.map(({ type }, i) => param(program, btf, type, i, name, tags.get(i) ?? []));
}

const isPrimitive = (kind: string): boolean => kind === 'int' || kind === 'enum' || kind === 'enum64';

/** `arg:` tags of a function, by index of the argument. */
function tagsOf(btf: Btf, func: number): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>();
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) !== 'decl_tag') continue;
    const tag = btf.type(id);
    if (tag.kind !== 'decl_tag' || tag.type !== func || !tag.name.startsWith('arg:')) continue;
    found.set(tag.component, [...(found.get(tag.component) ?? []), tag.name.slice(4)]);
  }
  return found;
}

const KNOWN_TAGS: ReadonlySet<string> = new Set([
  'ctx',
  'trusted',
  'nonnull',
  'nullable',
  'untrusted',
  'arena',
]);

function param(
  program: Program,
  btf: Btf,
  id: number,
  index: number,
  func: string,
  tags: readonly string[],
): Param {
  const refused = (message: string): Param => ({ kind: 'refused', message: `arg#${index} ${message}` });
  const has = (tag: string): boolean => tags.includes(tag);
  if (tags.some((tag) => !KNOWN_TAGS.has(tag))) return refused('has unsupported set of tags');
  const { type } = btf.resolve(id);
  if (type.kind !== 'ptr') {
    if (tags.length > 0) return refused('has pointer tag, but is not a pointer type');
    if (isPrimitive(type.kind)) return { kind: 'scalar' };
    return { kind: 'refused', message: `Arg#${index} type ${type.kind} in ${func}() is not supported yet.` };
  }
  const invalid = refused('has invalid combination of tags');
  const { id: target, type: pointee } = btf.resolve(type.type);
  if (has('ctx') || isContext(program, btf, type.type)) {
    if (tags.length > (has('ctx') ? 1 : 0)) return invalid;
    const unsuited = has('ctx') ? refusedAsContext(program, btf, type.type) : undefined;
    return unsuited === undefined ? { kind: 'ctx' } : refused(unsuited);
  }
  if (isDynptr(pointee)) return tags.length > 0 ? invalid : { kind: 'dynptr' };
  const name =
    pointee.kind === 'struct' || (pointee.kind === 'int' && NUMBERS.has(pointee.name)) ? pointee.name : '';
  const isMissing = (struct: string): boolean =>
    struct === '' || (pointee.kind === 'struct' && program.kernelTypes?.has(struct) === false);
  if (has('trusted')) {
    if (has('nonnull')) return invalid;
    const struct = name.replace(/___.*$/, '');
    if (isMissing(struct)) return refused(`reference type('${pointee.kind} ${name}') has no matches`);
    return { kind: 'btf', struct, nullable: has('nullable') };
  }
  if (has('untrusted')) {
    if (tags.length > 1) return refused('untrusted cannot be combined with any other tags');
    if (pointee.kind === 'void' || isPrimitive(pointee.kind)) return { kind: 'untrusted', struct: 'void' };
    const struct = name.replace(/___.*$/, '');
    if (isMissing(struct))
      return refused(`reference type('${pointee.kind.toUpperCase()} ${name}') has no matches`);
    return { kind: 'untrusted', struct };
  }
  if (has('arena')) {
    if (tags.length > 1) return refused('arena cannot be combined with any other tags');
    return { kind: 'arena' };
  }
  if (has('nullable')) return invalid;
  const size = btf.size(target);
  if (size === undefined)
    return refused(`reference type('${pointee.kind} ${btf.name(target)}') size cannot be determined: -22`);
  return { kind: 'mem', size, nonnull: has('nonnull') };
}

/** Numbers that the BTF of every kernel has; a pointer to one can be trusted, though nobody has such a pointer. */
const NUMBERS: ReadonlySet<string> = new Set([
  'char',
  'unsigned char',
  'short int',
  'short unsigned int',
  'int',
  'unsigned int',
  'long int',
  'long unsigned int',
  'long long int',
  'long long unsigned int',
  '_Bool',
]);

/** btf_is_dynptr_ptr, behind the pointer: the struct, or a declaration of it. */
const isDynptr = (type: BtfType): boolean =>
  (type.kind === 'struct' || type.kind === 'union' || (type.kind === 'fwd' && type.of === 'struct')) &&
  type.name === 'bpf_dynptr';
