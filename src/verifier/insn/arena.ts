/**
 * Addresses in an arena: memory that a program shares with user space. User space sees an address of 64 bits; the program works on its low 32
 * bits, and an access through those is safe whatever they are: a page that is not there reads as zero, and a store there is skipped. Follows
 * check_alu_op, adjust_reg_min_max_vals and resolve_pseudo_ldimm64 of kernel/bpf/verifier.c.
 */
import type { Width } from '../../isa/insn.js';
import type { MapDef } from '../../object/program.js';
import { unknownReg } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse, unsupported } from '../text/refusal.js';

/** `imm` of a cast from the addresses of user space to those that the program may access. */
export const TO_KERNEL = 1;
/** `imm` of the cast back. */
export const TO_USER = 1 << 16;

/** Bytes of a page of an arena. */
const PAGE = 4096;

/** Whether this map is an arena. */
export const isArena = ({ type }: MapDef): boolean => type === 'arena';

/** A 64-bit immediate that is an address in the arena, as user space sees it: a number (arena_map_direct_value_addr). */
export function arenaAddress(map: MapDef, off: number): Reg {
  if (off >>> 0 > map.maxEntries * PAGE) refuse('direct value offset of the map is out of range');
  return unknownReg;
}

/**
 * Arithmetic on addresses in the arena. Linux allows all of it, and turns an insn of 64 bits that has such an operand on any path into one
 * of 32 bits, for every path.
 */
export class ArenaArithmetic {
  /** Insns of 64 bits: whether they had such an operand, on the paths so far. */
  private readonly seen = new Map<number, boolean>();
  /** The program has an arena. */
  readonly hasArena: boolean;

  constructor(maps: readonly MapDef[]) {
    this.hasArena = maps.some(isArena);
  }

  /**
   * Whether an operand of the insn at `slot` is an address in the arena; then the result is one. Refuses as not modelled where the insn works on
   * other values on another path: there it would not compute what the verifier holds it to (do_misc_fixups, needs_zext).
   */
  operates(slot: number, width: Width, a: Reg, b: Reg): boolean {
    if (!this.hasArena) return false;
    const arena = a.type === 'arena' || b.type === 'arena';
    if (width === 32) return arena;
    const before = this.seen.get(slot);
    if (before === undefined) this.seen.set(slot, arena);
    else if (before !== arena)
      unsupported(
        'a 64-bit insn that works on an address in the arena on one path, and on another value on another',
      );
    return arena;
  }
}
