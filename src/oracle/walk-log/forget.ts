/**
 * Drops what an insn may have changed without the log showing it. The log prints only the registers and slots that an insn names. Of the
 * others, only what cannot have changed is still known afterwards.
 */
import type { Op } from '../../isa/insn.js';
import type { LogSlot } from './state.js';
import type { LogValue } from './value.js';

interface Frame {
  readonly complete: boolean;
  readonly regs: ReadonlyMap<number, LogValue>;
  readonly slots: ReadonlyMap<number, LogSlot>;
}

/** Whether no call, check or branch elsewhere can change what is known of such a value. */
function isSteady(value: LogValue): boolean {
  if (value.nullable || value.ref !== 0 || value.id !== 0 || value.nonOwning) return false;
  return ['scalar', 'ctx', 'fp', 'map_ptr', 'map_value', 'func'].includes(value.type);
}

/** A call leaves alone scalars in registers that it saves, whatever they are linked to. */
const survivesCall = (value: LogValue): boolean => value.type === 'scalar' || isSteady(value);

function keepRegs(
  regs: ReadonlyMap<number, LogValue>,
  keep: (value: LogValue, n: number) => boolean,
): ReadonlyMap<number, LogValue> {
  return new Map([...regs].filter(([n, value]) => keep(value, n)));
}

/** The frame as far as it is still known after `op`, before what the log shows of it. */
export function forgetAfter<F extends Frame>(op: Op, frame: F): F {
  switch (op.kind) {
    case 'call':
    case 'ld_packet':
      return {
        ...frame,
        complete: false,
        regs: keepRegs(frame.regs, (value, n) => n > 5 && survivesCall(value)),
        slots: new Map(),
      };
    case 'jmp':
      // A branch refines every copy of the values that it compares.
      return {
        ...frame,
        complete: false,
        regs: keepRegs(frame.regs, isSteady),
        slots: new Map([...frame.slots].filter(([, slot]) => slot.reg === undefined || isSteady(slot.reg))),
      };
    case 'st':
    case 'stx':
    case 'atomic':
    case 'store_release':
      // Overwriting an object may invalidate other slots and slices.
      return {
        ...frame,
        complete: false,
        regs: keepRegs(frame.regs, (value) => value.type !== 'mem'),
        slots: new Map([...frame.slots].filter(([, slot]) => slot.reg !== undefined && isSteady(slot.reg))),
      };
    case 'alu':
    case 'neg':
    case 'end':
    case 'mov':
    case 'movsx':
    case 'ld_imm64':
    case 'ldx':
    case 'load_acquire':
    case 'addr_space_cast':
      return { ...frame, regs: keepRegs(frame.regs, (_, n) => n !== op.dst) };
    default:
      return frame;
  }
}
