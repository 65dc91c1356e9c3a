/**
 * What a program is given where it is attached, by the types of a kernel: the arguments of the function that it traces, replaces or stands in for. Follows
 * btf_ctx_access of kernel/bpf/btf.c and bpf_struct_ops_desc_init of kernel/bpf/bpf_struct_ops.c.
 */
import type { Btf } from '../btf/read.js';
import type { BtfType } from '../btf/types.js';
import type { Attachment, KernelArgument, ProgType } from '../program.js';
import { type Operation, operationOf } from '../struct-ops.js';
import { ITER_ARGUMENTS, NULLABLE_OPERANDS, nullArgument, PROMOTED } from './arguments.js';
import { isStruct, isTarget, tagOf } from './shape.js';

/** What a Qdisc is given to put packets on. */
const SK_BUFF_PTR: KernelArgument = {
  kind: 'pointer',
  to: 'bpf_sk_buff_ptr',
  trust: 'trusted',
  nullable: false,
};

/** Answers what `KernelTypes` is asked of arguments and hooks. */
export class Hooks {
  /** `own`: the types are those of an object. */
  constructor(
    private readonly btf: Btf,
    private readonly own: boolean,
  ) {}

  arguments(type: ProgType, { target, type: attach }: Attachment): readonly KernelArgument[] | undefined {
    if (target === undefined) return undefined;
    if (type === 'struct_ops') return this.operationArguments(operationOf(target));
    const btf = this.btf;
    const traced = type === 'tp_btf';
    const prefix = traced ? 'btf_trace_' : type === 'iter' ? 'bpf_iter_' : type === 'lsm' ? 'bpf_lsm_' : '';
    const id = btf.find(`${prefix}${target}`, traced ? 'typedef' : 'func');
    if (id === undefined) return undefined;
    const named = btf.type(id);
    if (named.kind !== 'typedef' && named.kind !== 'func') return undefined;
    const pointer = btf.resolve(named.type).type;
    const proto = traced && pointer.kind === 'ptr' ? btf.resolve(pointer.type).type : pointer;
    if (proto.kind !== 'func_proto') return undefined;
    // The first argument of a tracepoint's function is its own data.
    const params = proto.params.slice(traced ? 1 : 0);
    const args = params.map(({ type: param, name }, i): KernelArgument => {
      const special = type === 'iter' ? ITER_ARGUMENTS[target]?.[i] : undefined;
      return (
        this.argument(param, target, i, special) ??
        this.pointerArgument(
          param,
          {
            trusted: type !== 'fentry' || attach === 26,
            nullable: name.endsWith('__nullable') || (traced && nullArgument(target, i) === 'null'),
            ...(special === undefined ? {} : special),
            ...(traced && nullArgument(target, i) === 'error' ? { error: true } : {}),
          },
          target,
          i,
        )
      );
    });
    const hasResult = attach === 25 || attach === 26 || type === 'lsm';
    if (!hasResult) return args;
    const result =
      proto.returns === 0 ? undefined : this.argument(proto.returns, target, params.length, undefined);
    return result === undefined ? args : [...args, result];
  }

  /** The member of a struct that is a pointer to a function: its index and its prototype. */
  private operation(
    operation: Operation | undefined,
  ): { readonly index: number; readonly proto: Extract<BtfType, { kind: 'func_proto' }> } | undefined {
    const id = operation === undefined ? undefined : this.btf.find(operation.struct, 'struct');
    const struct = id === undefined ? undefined : this.btf.type(id);
    if (struct?.kind !== 'struct') return undefined;
    const index = struct.members.findIndex(({ name }) => name === operation?.member);
    const member = struct.members[index];
    const pointer = member === undefined ? undefined : this.btf.resolve(member.type).type;
    const proto = pointer?.kind === 'ptr' ? this.btf.resolve(pointer.type).type : undefined;
    return proto?.kind === 'func_proto' ? { index, proto } : undefined;
  }

  /** bpf_struct_ops_desc_init: the names of the arguments of the kernel's own stub, `STRUCT__MEMBER`, say more of them. */
  private operationArguments(operation: Operation | undefined): readonly KernelArgument[] | undefined {
    const found = this.operation(operation);
    if (operation === undefined || found === undefined) return undefined;
    const { struct, member } = operation;
    const stub = this.btf.find(`${struct}__${member}`, 'func');
    const func = stub === undefined ? undefined : this.btf.type(stub);
    const named = func?.kind === 'func' ? this.btf.resolve(func.type).type : undefined;
    const nullable = NULLABLE_OPERANDS[`${struct}.${member}`];
    const promoted = PROMOTED[struct];
    return found.proto.params.map(({ type }, i): KernelArgument => {
      const plain = this.argument(type, member, i, undefined);
      if (plain !== undefined && plain.kind !== 'refused') return plain;
      const name = named?.kind === 'func_proto' ? (named.params[i]?.name ?? '') : '';
      if (this.isPacketList(type, operation)) return SK_BUFF_PTR;
      if (plain !== undefined) return plain;
      const arg = this.pointerArgument(
        type,
        {
          nullable: name.endsWith('__nullable') || (named === undefined && nullable?.includes(i) === true),
        },
        member,
        i,
      );
      if (arg.kind !== 'pointer') return arg;
      return {
        ...arg,
        ...(promoted?.[0] === arg.to && { to: promoted[1] }),
        ...(name.endsWith('__ref') && { held: true }),
      };
    });
  }

  /** bpf_qdisc_is_valid_access: the list that a packet to be dropped is put on. */
  private isPacketList(id: number, { struct, member }: Operation): boolean {
    const outer = this.btf.resolve(id).type;
    return (
      struct === 'Qdisc_ops' &&
      member === 'enqueue' &&
      outer.kind === 'ptr' &&
      this.btf.resolve(outer.type).type.kind === 'ptr'
    );
  }

  hook(type: ProgType, { target }: Attachment): { returns?: string; index?: number } | undefined {
    if (type === 'struct_ops') {
      const found = this.operation(operationOf(target));
      return found && { index: found.index, ...this.returned(found.proto.returns) };
    }
    const id =
      type === 'lsm' && target !== undefined ? this.btf.find(`bpf_lsm_${target}`, 'func') : undefined;
    const func = id === undefined ? undefined : this.btf.type(id);
    const proto = func?.kind === 'func' ? this.btf.resolve(func.type).type : undefined;
    return proto?.kind === 'func_proto' ? this.returned(proto.returns) : undefined;
  }

  private returned(id: number): { readonly returns?: string } {
    if (id === 0) return { returns: 'void' };
    const { type } = this.btf.resolve(id);
    if (type.kind !== 'ptr') return {};
    return { returns: `*${this.btf.name(this.btf.resolve(type.type).id)}` };
  }

  /** An argument that is no pointer to a struct. */
  private argument(
    id: number,
    target: string,
    index: number,
    special: (typeof ITER_ARGUMENTS)[string][number] | undefined,
  ): KernelArgument | undefined {
    const { type } = this.btf.resolve(id);
    if (type.kind === 'int' || type.kind === 'enum' || type.kind === 'enum64' || isStruct(type))
      return { kind: 'scalar', size: 0 };
    if (type.kind !== 'ptr') {
      return {
        kind: 'refused',
        message: `func '${target}' arg${index} has type ${type.kind}. Only pointer access is allowed`,
      };
    }
    if (special?.buffer !== undefined) return { kind: 'buffer', readonly: special.buffer === 'readonly' };
    const to = this.btf.resolve(type.type).type;
    // The verifier treats these as plain numbers.
    if (to.kind === 'void' || to.kind === 'int') return { kind: 'scalar', size: 8 };
    if (!isTarget(to, this.own))
      return { kind: 'refused', message: `func '${target}' arg${index} type ${to.kind} is not a struct` };
    return undefined;
  }

  private pointerArgument(
    id: number,
    how: { readonly trusted?: boolean; readonly nullable?: boolean; readonly error?: true },
    _target: string,
    _index: number,
  ): KernelArgument {
    const { type } = this.btf.resolve(id);
    if (type.kind !== 'ptr' || how.error === true) return { kind: 'scalar', size: 8 };
    const { id: to, type: struct } = this.btf.resolve(type.type);
    const tag = tagOf(this.btf, type.type);
    return {
      kind: 'pointer',
      to: isTarget(struct, this.own) && struct.name !== '' ? struct.name : `btf_id ${to}`,
      trust: how.trusted === false ? 'none' : 'trusted',
      nullable: how.nullable === true,
      ...(tag === undefined || tag === 'rcu' ? {} : { tag }),
    };
  }
}
