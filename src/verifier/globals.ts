/**
 * Global subprograms: verified once, on their own, for any arguments of their types; a call of one only checks the arguments.
 * Follows btf_prepare_func_args and btf_check_func_arg_match of kernel/bpf/{btf,verifier}.c.
 */
import { subprogTarget } from '../isa/target.js';
import { Btf } from '../object/btf/read.js';
import { defaultParams } from '../object/btf/synthesize.js';
import type { Program } from '../object/program.js';
import { touch } from './args-memory.js';
import type { Code } from './code.js';
import type { Path } from './path.js';
import { refuse } from './refusal.js';
import { isNull, pointerReg, unknownReg } from './regs.js';
import type { Reg } from './state.js';

/** What a global subprogram takes in one argument register. */
type Param =
  | { readonly kind: 'scalar' }
  | { readonly kind: 'ctx' }
  /** Memory of this many bytes, or NULL. */
  | { readonly kind: 'mem'; readonly size: number };

const CONTEXT_STRUCTS = new Set(['xdp_md', '__sk_buff', 'bpf_user_pt_regs_t', 'pt_regs']);

export class Globals {
  private readonly params = new Map<number, readonly Param[]>();
  private readonly moving: ReadonlySet<number>;

  constructor(
    private readonly program: Program,
    code: Code,
  ) {
    this.moving = packetMovers(code);
  }

  /** Does this subprogram, or one that it calls, move the packet? */
  movesPacket(start: number): boolean {
    return this.moving.has(start);
  }

  private paramsOf(start: number): readonly Param[] {
    const known = this.params.get(start);
    if (known !== undefined) return known;
    const index = this.program.subprogs.findIndex((s) => s.start === start);
    const subprog = this.program.subprogs[index];
    const params =
      this.program.btf !== undefined && subprog?.btfId !== undefined
        ? fromBtf(new Btf(this.program.btf, this.program.name), subprog.btfId)
        : defaultParams(this.program, index).map((kind): Param => ({ kind }));
    this.params.set(start, params);
    return params;
  }

  /** The argument registers with which the subprogram itself is verified. */
  entry(p: Path, start: number): Reg[] {
    return this.paramsOf(start).map((param) => entryReg(p, param));
  }

  /** Refuses a call whose arguments are not of the subprogram's types. */
  check(p: Path, start: number): void {
    this.paramsOf(start).forEach((param, i) => {
      const regno = i + 1;
      const reg = p.reg(regno);
      if (reg.type === 'uninit') refuse(`R${regno} !read_ok`);
      switch (param.kind) {
        case 'scalar':
          if (reg.type !== 'scalar') refuse(`R${regno} is not a scalar`);
          return;
        case 'ctx':
          if (reg.type !== 'ctx') refuse(`arg#${i} expects pointer to ctx`);
          return;
        case 'mem':
          if (isNull(reg)) return;
          touch(p, { ...reg, nullable: false }, regno, param.size, 'readwrite', true);
      }
    });
  }
}

function entryReg(p: Path, param: Param): Reg {
  if (param.kind === 'scalar') return unknownReg;
  if (param.kind === 'ctx') return pointerReg('ctx');
  return pointerReg('mem', { size: param.size, nullable: true, id: p.newId() });
}

function fromBtf(btf: Btf, id: number): Param[] {
  const func = btf.type(id);
  const proto = func.kind === 'func' ? btf.type(func.type) : func;
  if (proto.kind !== 'func_proto') return [];
  return proto.params.map((param): Param => {
    const { type } = btf.resolve(param.type);
    if (type.kind !== 'ptr') return { kind: 'scalar' };
    const { id: target, type: pointee } = btf.resolve(type.type);
    if (pointee.kind === 'void') return { kind: 'ctx' };
    if (pointee.kind === 'struct' && CONTEXT_STRUCTS.has(pointee.name)) return { kind: 'ctx' };
    if (pointee.kind === 'fwd') return { kind: 'ctx' };
    return { kind: 'mem', size: btf.size(target) ?? 0 };
  });
}

function packetMovers({ ops, contracts, owner }: Code): ReadonlySet<number> {
  const moving = new Set<number>();
  contracts.forEach((c, at) => {
    if (c?.outcomes.some((o) => o.effects.some((e) => e.kind === 'invalidate_packet')) === true)
      moving.add(owner[at]!);
  });
  for (let changed = true; changed; ) {
    changed = false;
    ops.forEach((op, at) => {
      const target = op?.kind === 'call' && op.target === 'subprog' ? subprogTarget(op, at) : undefined;
      if (target !== undefined && moving.has(target) && !moving.has(owner[at]!)) {
        moving.add(owner[at]!);
        changed = true;
      }
    });
  }
  return moving;
}
