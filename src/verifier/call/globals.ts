/**
 * Global subprograms: verified once, on their own, for any arguments of their types; a call of one only checks the arguments.
 * Follows btf_prepare_func_args and btf_check_func_arg_match of kernel/bpf/{btf,verifier}.c.
 */
import { subprogTarget } from '../../isa/target.js';
import type { Contract } from '../../kernel/contract.js';
import { Btf } from '../../object/btf/read.js';
import { defaultParams } from '../../object/btf/synthesize.js';
import { exceptionCallbackOf, type Program } from '../../object/program.js';
import { checkPointerOffset } from '../insn/access.js';
import type { Path } from '../state/path.js';
import {
  fixedOffset,
  hasFixedOffset,
  isNull,
  ownedRef,
  pointerReg,
  typeName,
  unknownReg,
} from '../state/regs.js';
import type { Reg } from '../state/state.js';
import type { Code } from '../text/code.js';
import { type Param, paramsFromBtf } from '../text/params.js';
import { refuse, refusedAs } from '../text/refusal.js';
import { checkHelperMem } from './args-memory.js';
import { dynptrAt } from './args-slots.js';

/**
 * The global subprograms of one program: what their parameters are, what a call of them does to packet pointers, and whether they may
 * sleep.
 */
export class Globals {
  private readonly params = new Map<number, readonly Param[]>();
  private readonly changesPacket: ReadonlySet<number>;
  private readonly sleeping: ReadonlySet<number>;

  constructor(
    private readonly program: Program,
    code: Code,
  ) {
    this.changesPacket = subprogsThatMovePackets(code);
    this.sleeping = subprogsThatSleep(code);
  }

  /** Does this subprogram, or one that it calls, move the packet? */
  movesPacket(start: number): boolean {
    return this.changesPacket.has(start);
  }

  /** Might this subprogram, or one that it calls, sleep? */
  mightSleep(start: number): boolean {
    return this.sleeping.has(start);
  }

  private paramsOf(start: number): readonly Param[] {
    const known = this.params.get(start);
    if (known !== undefined) return known;
    const index = this.program.subprogs.findIndex((s) => s.start === start);
    const subprog = this.program.subprogs[index];
    const params =
      this.program.btf !== undefined && subprog?.btfId !== undefined
        ? paramsFromBtf(this.program, new Btf(this.program.btf, this.program.name), subprog.btfId)
        : defaultParams(this.program, index).map((kind): Param => ({ kind }));
    this.params.set(start, params);
    return params;
  }

  /** The argument registers with which the subprogram itself is verified. */
  entry(p: Path, start: number): Reg[] {
    const params = this.paramsOf(start);
    if (
      exceptionCallbackOf(this.program)?.start === start &&
      !(params.length === 1 && params[0]!.kind === 'scalar')
    )
      refuse('exception cb only supports single integer argument');
    return params.map((param) => entryReg(p, param));
  }

  /** Refuses a call whose arguments are not of the subprogram's types. */
  check(p: Path, start: number): void {
    refusedAs(
      () => {
        const index = this.program.subprogs.findIndex((s) => s.start === start);
        return `Caller passes invalid args into func#${index} ('${this.program.subprogs[index]?.name ?? ''}')`;
      },
      () => {
        this.checkParams(p, start);
      },
    );
  }

  private checkParams(p: Path, start: number): void {
    this.paramsOf(start).forEach((param, i) => {
      const regno = i + 1;
      const reg = p.reg(regno);
      if (param.kind === 'untrusted') return;
      if (reg.type === 'uninit') refuse(`R${regno} !read_ok`);
      switch (param.kind) {
        case 'scalar':
          if (reg.type !== 'scalar') refuse(`R${regno} is not a scalar`);
          return;
        case 'ctx':
          if (reg.type !== 'ctx') refuse(`arg#${i} expects pointer to ctx`);
          if (!hasFixedOffset(reg) || fixedOffset(reg) !== 0)
            refuse(`dereference of modified ctx ptr R${regno} off=${reg.off} disallowed`);
          return;
        case 'mem':
          if (param.nonnull && (reg.nullable || isNull(reg))) refuse(`arg#${i} is expected to be non-NULL`);
          if (isNull(reg)) return;
          checkHelperMem(p, { ...reg, nullable: false }, regno, param.size, 'readwrite', true);
          return;
        case 'dynptr':
          if (reg.type === 'dynptr') {
            checkPointerOffset(reg, regno, 'dynptr_ptr');
            return;
          }
          if (reg.type !== 'stack') refuse(`R${regno} type=${typeName(reg)} expected=fp, dynptr_ptr`);
          if (dynptrAt(p, reg) === undefined) refuse(`Expected an initialized dynptr as arg #${i}`);
          return;
        case 'btf':
          if (param.nullable && isNull(reg)) return;
          checkTrusted(p, reg, regno, param);
          return;
        case 'arena':
          if (reg.type !== 'arena' && reg.type !== 'scalar')
            refuse(`R${regno} is not a pointer to arena or scalar.`);
          return;
        case 'refused':
          refuse(param.message);
      }
    });
  }
}

function checkTrusted(p: Path, reg: Reg, regno: number, param: Extract<Param, { kind: 'btf' }>): void {
  const trusted =
    reg.type === 'btf' && (reg.trust === 'trusted' || reg.trust === 'rcu' || ownedRef(reg) !== 0);
  if (!trusted || (reg.nullable && !param.nullable))
    refuse(`R${regno} type=${typeName(reg)} expected=ptr_, trusted_ptr_, rcu_ptr_`);
  checkPointerOffset(reg, regno, 'ptr_', true);
  const types = p.program.kernelTypes;
  const fits =
    types === undefined
      ? reg.struct === param.struct && fixedOffset(reg) === 0
      : types.holds(reg.struct, fixedOffset(reg), param.struct);
  if (!fits) refuse(`R${regno} is of type ${reg.struct} but ${param.struct} is expected`);
}

function entryReg(p: Path, param: Param): Reg {
  switch (param.kind) {
    case 'scalar':
    case 'arena':
      return unknownReg;
    case 'ctx':
    case 'dynptr':
      return pointerReg(param.kind);
    case 'mem':
      return pointerReg('mem', {
        size: param.size,
        nullable: !param.nonnull,
        id: param.nonnull ? 0 : p.newId(),
      });
    case 'btf':
      return pointerReg('btf', {
        struct: param.struct,
        trust: 'trusted',
        nullable: param.nullable,
        id: param.nullable ? p.newId() : 0,
      });
    case 'untrusted':
      return pointerReg('btf', { struct: param.struct, trust: 'untrusted' });
    case 'refused':
      return refuse(param.message);
  }
}

/** First slots of the subprograms that may move the packet, themselves or by those that they call. */
export const subprogsThatMovePackets = (code: Code): ReadonlySet<number> =>
  subprogsThatCall(code, movesPackets);

/** First slots of the subprograms that may sleep, themselves or by those that they call. */
export const subprogsThatSleep = (code: Code): ReadonlySet<number> =>
  subprogsThatCall(code, (c) => c.sleeps === true);

const movesPackets = (c: Contract): boolean =>
  c.outcomes.some((o) => o.effects.some((e) => e.kind === 'invalidate_packet'));

/**
 * The subprograms that call a function of which `does` is true, directly or through subprograms and callbacks that they name
 * (merge_callee_effects).
 */
function subprogsThatCall(
  { ops, contracts, subprogStart }: Code,
  does: (c: Contract) => boolean,
): ReadonlySet<number> {
  const found = new Set<number>();
  contracts.forEach((c, at) => {
    if (c !== undefined && does(c)) found.add(subprogStart[at]!);
  });
  for (let changed = true; changed; ) {
    changed = false;
    ops.forEach((op, at) => {
      const target = op === undefined ? undefined : subprogTarget(op, at);
      if (target !== undefined && found.has(target) && !found.has(subprogStart[at]!)) {
        found.add(subprogStart[at]!);
        changed = true;
      }
    });
  }
  return found;
}
