/** A register as the verifier's log prints it. Follows print_reg_state of kernel/bpf/log.c. */
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../../isa/integer.js';
import type { Program } from '../../object/program.js';
import type { Scalar } from '../scalar/scalar.js';
import { typeName } from '../state/regs.js';
import type { Reg } from '../state/state.js';

/** `scalar(umax=255,var_off=(0x0; 0xff))`, `7`, `map_value(map=m,ks=4,vs=8,off=4)`, `fp-8`, `fp0`. Ids are left out: they mean nothing to a reader. */
export function valueInWords(reg: Reg, { maps }: Program): string {
  const { type, num, off } = reg;
  if (type === 'scalar')
    return num.mask === 0n ? signed(num.value) : `scalar(${boundsInWords(num).join(',')})`;
  if (type === 'stack' && num.mask === 0n) {
    const at = off + Number(BigInt.asIntN(64, num.value));
    return `fp${at}`;
  }
  const map = maps[reg.map];
  const told = [
    ...(map === undefined ? [] : [`map=${map.name}`, `ks=${map.keySize}`, `vs=${map.valueSize}`]),
    ...(off === 0 ? [] : [`off=${off}`]),
    ...(type.startsWith('packet') && type !== 'packet_end' ? [`r=${reg.range}`] : []),
    ...(num.mask === 0n ? (num.value === 0n ? [] : [`imm=${signed(num.value)}`]) : boundsInWords(num)),
  ];
  // A pointer to no struct is one to memory.
  const named = (type === 'btf' || type === 'object') && reg.struct !== 'void';
  return `${typeName(reg)}${named ? reg.struct : ''}(${told.join(',')})`;
}

const signed = (value: bigint): string => `${BigInt.asIntN(64, value)}`;

/** What is known of a number beyond that it has 64 bits (print_scalar_ranges, without joining bounds that are equal). */
function boundsInWords(num: Scalar): string[] {
  const told: string[] = [];
  const tell = (name: string, value: bigint | number, unless: bigint | number): void => {
    if (value !== unless) told.push(`${name}=${value}`);
  };
  tell('smin', num.smin, S64_MIN);
  tell('smax', num.smax, S64_MAX);
  tell('umin', num.umin, 0n);
  tell('umax', num.umax, U64_MAX);
  tell('smin32', num.s32min, S32_MIN);
  tell('smax32', num.s32max, S32_MAX);
  tell('umin32', num.u32min, 0);
  tell('umax32', num.u32max, U32_MAX);
  if (num.mask !== U64_MAX) told.push(`var_off=(0x${num.value.toString(16)}; 0x${num.mask.toString(16)})`);
  return told;
}
