/**
 * Which registers are live at each insn: read on some path from there before they are written. The walk forgets dead registers where paths
 * meet. Follows compute_live_registers of kernel/bpf/verifier.c.
 */
import type { Op } from '../../isa/insn.js';
import type { Contract } from '../../kernel/contract.js';

/** Registers that an insn reads (`use`) and writes (`def`), one bit each. */
interface UseDef {
  readonly use: number;
  readonly def: number;
}

/** r1 to r5. */
const ARGS = 0b111110;
/** r0 to r5: a call writes them all. */
const CALLER_SAVED = 0b111111;

const bit = (n: number): number => 1 << n;

/** Follows compute_insn_live_regs. */
function useDef(op: Op, contract: Contract | undefined): UseDef {
  switch (op.kind) {
    case 'alu':
      return { use: bit(op.dst) | ('reg' in op.src ? bit(op.src.reg) : 0), def: bit(op.dst) };
    case 'mov':
      return { use: 'reg' in op.src ? bit(op.src.reg) : 0, def: bit(op.dst) };
    case 'movsx':
    case 'addr_space_cast':
    case 'ldx':
    case 'load_acquire':
      return { use: bit(op.src), def: bit(op.dst) };
    case 'neg':
    case 'end':
      return { use: bit(op.dst), def: bit(op.dst) };
    case 'ld_imm64':
      return { use: 0, def: bit(op.dst) };
    case 'stx':
    case 'store_release':
      return { use: bit(op.dst) | bit(op.src), def: 0 };
    case 'st':
      return { use: bit(op.dst), def: 0 };
    case 'atomic': {
      const use = bit(op.dst) | bit(op.src) | (op.op === 'cmpxchg' ? bit(0) : 0);
      return { use, def: op.op === 'cmpxchg' ? bit(0) : op.fetch ? bit(op.src) : 0 };
    }
    case 'ld_packet':
      return { use: bit(6) | (op.src >= 0 ? bit(op.src) : 0), def: CALLER_SAVED };
    case 'jmp':
      return { use: bit(op.dst) | ('reg' in op.src ? bit(op.src.reg) : 0), def: 0 };
    case 'call':
      return {
        use: contract === undefined ? ARGS : ARGS & ((1 << (contract.args.length + 1)) - 1),
        def: CALLER_SAVED,
      };
    case 'exit':
    case 'unwind_exit':
      return { use: bit(0), def: 0 };
    case 'ja':
    case 'may_goto':
    case 'unwind_goto':
      return { use: 0, def: 0 };
  }
}

/** By slot: bit n is set where register n is read on some path from the slot before it is written. `next`: the slots that may run after each. */
export function liveRegisters(
  ops: readonly (Op | undefined)[],
  contracts: readonly (Contract | undefined)[],
  next: readonly (readonly number[])[],
): Uint16Array {
  const live = new Uint16Array(ops.length);
  const effects = ops.map((op, at) => (op === undefined ? undefined : useDef(op, contracts[at])));
  let changed = true;
  while (changed) {
    changed = false;
    for (let at = ops.length - 1; at >= 0; at--) {
      const e = effects[at];
      if (e === undefined) continue;
      let out = 0;
      for (const to of next[at]!) out |= live[to] ?? 0;
      const now = (out & ~e.def) | e.use;
      if (now !== live[at]) {
        live[at] = now;
        changed = true;
      }
    }
  }
  return live;
}
