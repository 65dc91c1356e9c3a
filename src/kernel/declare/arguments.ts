/**
 * What the parameters of a C prototype say about the arguments of a kfunc: their types, and the suffixes of their names. Follows
 * get_kfunc_ptr_arg_type and check_kfunc_args of kernel/bpf/verifier.c and Documentation/bpf/kfuncs.rst.
 */

import { MAP_TYPES, PROG_TYPES } from '../../object/program.js';
import type { Arg, CallbackSpec, DynptrType, IterType, LockKind } from '../contract.js';
import { progType } from '../progtypes.js';
import { type Fields, show } from './fields.js';
import { argOf, callbackFlaw } from './long-form.js';
import { type CParam, numberBytes } from './prototype.js';
import { DYNPTRS, ITERATORS } from './vocabulary.js';

/** Structs by which prototypes name the context of a program. */
const CONTEXTS: ReadonlySet<string> = new Set(PROG_TYPES.flatMap((type) => progType(type).struct ?? []));

const SUFFIX =
  /__(ign|prog|k|szk|sz|str|map|alloc|refcounted_kptr|irq_flag|uninit|opt|nullable|nonown_allowed)$/;

/** What a parameter's name says of it (`__sz`, `__k`, ...). */
export const suffixOf = ({ name }: CParam): string | undefined => SUFFIX.exec(name)?.[1];

/** How a parameter is called in a declaration and in messages. */
export const paramName = ({ name }: CParam, index: number): string => name || `arg${index + 1}`;

/** Arguments that a declaration states in the words of contract.ts, by index: nothing is inferred of them. */
export function givenArguments(fields: Fields, names: readonly string[]): ReadonlyMap<number, Arg> {
  const said = fields.object('arguments') ?? {};
  const stray = Object.keys(said).find((name) => !names.includes(name));
  if (stray !== undefined)
    fields.fail(`arguments: no parameter is called ${show(stray)}; there are ${names.join(', ') || 'none'}`);
  return new Map(
    names.flatMap((name, i) =>
      Object.hasOwn(said, name)
        ? [[i, argOf(said[name], `argument ${name}`, (message) => fields.fail(message))] as const]
        : [],
    ),
  );
}

/** A map, of the types that the declaration says: check_map_func_compatibility has them by the function's number. */
export function mapArgument(fields: Fields): Arg {
  const said = fields.words('maps');
  if (said === undefined) fields.ask(`maps: the types of maps that it takes, or 'any'`);
  if (said === undefined || (said.length === 1 && said[0] === 'any')) return { kind: 'map' };
  const types = said.map(
    (word) =>
      MAP_TYPES.find((type) => type === word) ??
      fields.fail(`there is no map type ${show(word)}; there are ${MAP_TYPES.join(', ')}, or any`),
  );
  return types.length === 0 ? fields.fail('maps is empty: it takes no map') : { kind: 'map', types };
}

/** The arguments of a kfunc, inferred from its parameters; and parameters by the names that fields of a declaration call them. */
export class KfuncArguments {
  readonly args: Arg[];

  constructor(
    private readonly fields: Fields,
    private readonly flags: ReadonlySet<string>,
    private readonly params: readonly CParam[],
  ) {
    const given = givenArguments(fields, params.map(paramName));
    this.args = params.map((param, i) => given.get(i) ?? this.arg(param, i));
  }

  /** Index of the parameter that a field names; undefined where the field is not there. */
  named(field: string): number | undefined {
    const name = this.fields.text(field);
    return name === undefined ? undefined : this.index(field, name);
  }

  /** Index of a parameter by its name. Throws InputError. */
  index(field: string, name: string): number {
    const index = this.params.findIndex((param, i) => paramName(param, i) === name);
    const names = this.params.map(paramName).join(', ') || 'none';
    return index < 0
      ? this.fields.fail(`${field}: no parameter is called ${show(name)}; there are ${names}`)
      : index;
  }

  private arg(param: CParam, index: number): Arg {
    const { type } = param;
    const suffix = suffixOf(param);
    const name = paramName(param, index);
    switch (suffix) {
      case 'ign':
      case 'prog':
        return { kind: 'ignored' };
      case 'k':
        return { kind: 'scalar', constant: true };
      case 'sz':
      case 'szk':
        return this.size(index, suffix === 'szk');
      case 'str':
        return { kind: 'const_str' };
      case 'map':
        return mapArgument(this.fields);
      case 'alloc':
        return { kind: 'object', release: true };
      case 'refcounted_kptr':
        return { kind: 'refcounted' };
      case 'irq_flag':
        return { kind: 'irq_flag', state: this.irq() === 'saves' ? 'uninit' : 'init' };
      default:
        break;
    }
    if (type.isFunction) return { kind: 'callback', callback: this.callback() };
    if (type.stars === 0) {
      if (numberBytes(type.base) !== undefined) return { kind: 'scalar' };
      if (type.base.startsWith('struct ') || type.base.startsWith('union ') || type.base === 'void')
        this.fields.fail(`${name} is a ${type.base}, and only numbers and pointers can be passed`);
      return { kind: 'scalar' };
    }
    if (type.stars > 1) this.fields.fail(`${name}: no program can pass a ${type.text}`);
    return this.pointer(param, index, suffix === 'nullable');
  }

  private size(index: number, constant: boolean): Arg {
    const before = this.params[index - 1];
    if (before === undefined || before.type.stars === 0 || suffixOf(before) === 'ign')
      this.fields.fail(
        `${paramName(this.params[index]!, index)} is the size of memory, but the parameter before it is no pointer`,
      );
    return { kind: 'size', zero: true, ...(constant ? { constant: true } : {}) };
  }

  private pointer(param: CParam, index: number, nullable: boolean): Arg {
    const { base, isConst } = param.type;
    const name = paramName(param, index);
    const maybe = nullable ? { nullable: true as const } : {};
    const next = this.params[index + 1];
    const sized = next === undefined ? undefined : suffixOf(next);
    if (sized === 'sz' || sized === 'szk') {
      const optional = suffixOf(param) === 'opt' ? { optional: true as const } : {};
      return { kind: 'mem', access: 'readwrite', size: { arg: index + 1 }, ...maybe, ...optional };
    }
    const memory = this.fields.object('memory');
    if (memory !== undefined && Object.hasOwn(memory, name)) return this.fixed(memory[name], name, maybe);
    const bytes = numberBytes(base);
    if (bytes !== undefined) return { kind: 'mem', access: 'readwrite', size: { bytes }, ...maybe };
    if (base === 'void' || base.startsWith('union ')) {
      this.fields.ask(
        `memory: { ${name}: bytes of it } (or call the parameter ${name} and the next one ${name}__sz)`,
      );
      return { kind: 'mem', access: 'readwrite', size: { bytes: 8 }, ...maybe };
    }
    const struct = base.replace(/^struct /, '');
    if (CONTEXTS.has(struct)) return { kind: 'ctx', ...maybe };
    switch (struct) {
      case 'bpf_dynptr':
      case 'bpf_dynptr_kern':
        return this.dynptr(param, isConst, maybe);
      case 'bpf_spin_lock':
        return { kind: 'spin_lock', lock: this.lock('spin_lock') };
      case 'bpf_res_spin_lock': {
        const irq = this.params.some((one) => suffixOf(one) === 'irq_flag');
        return { kind: 'spin_lock', lock: this.lock(irq ? 'res_spin_lock_irqsave' : 'res_spin_lock') };
      }
      case 'bpf_map':
        return mapArgument(this.fields);
      case 'bpf_timer':
        return { kind: 'timer' };
      case 'bpf_wq':
        return { kind: 'wq' };
      case 'bpf_list_head':
        return { kind: 'graph_root', graph: 'list' };
      case 'bpf_rb_root':
        return { kind: 'graph_root', graph: 'rbtree' };
      case 'bpf_list_node':
        return { kind: 'graph_node', graph: 'list', owned: this.isMoved(name) };
      case 'bpf_rb_node':
        return { kind: 'graph_node', graph: 'rbtree', owned: this.isMoved(name) };
      default:
        break;
    }
    if (struct.startsWith('bpf_iter_') && this.hasIteratorFlag)
      return this.iterator(struct.slice('bpf_iter_'.length));
    // A bpf_cpumask begins with a cpumask, and passes for one.
    const structs = struct === 'cpumask' ? [struct, 'bpf_cpumask'] : [struct];
    return { kind: 'btf', structs, trust: this.trust, ...maybe };
  }

  private fixed(bytes: unknown, name: string, maybe: { nullable?: true }): Arg {
    if (typeof bytes !== 'number' || !Number.isInteger(bytes) || bytes <= 0 || bytes >= 1 << 29)
      this.fields.fail(`memory: ${name} is a number of bytes, not ${show(bytes)}`);
    return { kind: 'mem', access: 'readwrite', size: { bytes: bytes as number }, ...maybe };
  }

  private get trust(): 'trusted' | 'rcu' | 'any' {
    if (this.flags.has('KF_TRUSTED_ARGS')) return 'trusted';
    return this.flags.has('KF_RCU') ? 'rcu' : 'any';
  }

  private get hasIteratorFlag(): boolean {
    return ['KF_ITER_NEW', 'KF_ITER_NEXT', 'KF_ITER_DESTROY'].some((flag) => this.flags.has(flag));
  }

  private iterator(type: string): Arg {
    const known = ITERATORS.find((one) => one === type);
    if (known === undefined)
      this.fields.fail(
        `struct bpf_iter_${type} has a size that is not known; there are bpf_iter_${ITERATORS.join(', bpf_iter_')}`,
      );
    return {
      kind: 'iter',
      type: known as IterType,
      state: this.flags.has('KF_ITER_NEW') ? 'uninit' : 'init',
    };
  }

  private isMoved(name: string): boolean {
    return this.fields.text('transfers') === name;
  }

  /** `lock`: what it does with its lock argument. */
  private lock(kind: LockKind): LockKind {
    if (!this.fields.has('lock'))
      this.fields.ask(`lock: 'takes' (waits for it), 'tries' (0, or an error without it) or 'releases'`);
    return kind;
  }

  private irq(): 'saves' | 'restores' {
    const said = this.fields.word('irq', ['saves', 'restores']);
    if (said === undefined) this.fields.ask(`irq: 'saves' or 'restores'`);
    return said ?? 'saves';
  }

  private callback(): CallbackSpec {
    const said = this.fields.object('callback');
    if (said === undefined) {
      this.fields.ask('callback: { args: [what r1 to r5 of the callback hold], returns: [least, most] }');
      return { args: [], returns: [0, 1] };
    }
    const flaw = callbackFlaw(said);
    if (flaw !== undefined) this.fields.fail(`callback: expected ${flaw}`);
    return said as unknown as CallbackSpec;
  }

  private dynptr(param: CParam, isConst: boolean, maybe: { nullable?: true }): Arg {
    if (suffixOf(param) !== 'uninit') {
      return { kind: 'dynptr', state: 'init', ...(isConst ? { rdonly: true } : {}), ...maybe };
    }
    return { kind: 'dynptr', state: 'uninit', type: this.newDynptr() };
  }

  private newDynptr(): DynptrType {
    const said = this.fields.word('dynptr', DYNPTRS);
    if (said === undefined) this.fields.ask(`dynptr: what the new dynptr is over (${DYNPTRS.join(', ')})`);
    return said ?? 'local';
  }
}
