/**
 * The insns of a poll: the program's word is read, and where it is not 0 the run goes on patched. Where no register is free one is put on
 * the stack meanwhile.
 */
import type { Op } from '../isa/insn.js';
import type { Linked } from '../isa/label.js';
import type { Subprog } from '../object/program.js';
import type { Text } from '../patch/two-mode/lines.js';
import type { Accepted } from '../verifier/result.js';
import { freeRegister, savedRegister, stackDepths } from './scratch.js';

/** Bytes of a frame. */
const FRAME = 512;

/** Why a poll cannot be written. */
export class NoPoll extends Error {
  override readonly name = 'NoPoll';
}

/** Writes the polls of one program. */
export class PollWriter {
  private readonly depths: ReadonlyMap<number, number>;
  private readonly tails: ((text: Text) => void)[] = [];

  /** `ops`: by slot the insns as they are in the object. `word`: offset of the program's word in the section of words. */
  constructor(
    readonly ops: readonly (Op | undefined)[],
    private readonly verified: Accepted,
    private readonly word: number,
  ) {
    this.depths = stackDepths(verified);
  }

  /** What a function begins with. */
  enter(_text: Text, _scope: string, _subprog: Subprog): void {
    this.tails.length = 0;
  }

  /** A poll before this slot. Throws NoPoll where there is neither a register nor stack for it. */
  poll(text: Text, scope: string, slot: number, _at: 'chosen' | 'return'): void {
    const patched = `${scope} patched ${slot}`;
    const free = freeRegister(this.verified, slot);
    const reg = free ?? savedRegister(this.verified, slot) ?? this.fail(slot, 'register');
    const add = (...items: (Op | Linked)[]): void => text.add('switch', slot, ...items);
    const spill = free === undefined ? this.spillSlot(slot) : 0;
    const target = free === undefined ? `${scope} restore ${slot}` : patched;
    if (free === undefined) add({ kind: 'stx', size: 8, dst: 10, src: reg, off: spill });
    add(
      { kind: 'ld_imm64', dst: reg, as: 'imm', imm: this.word, hi: 0 },
      { kind: 'ldx', size: 4, signed: false, dst: reg, src: reg, off: 0 },
      {
        kind: 'linked',
        op: { kind: 'jmp', op: 'ne', width: 64, dst: reg, src: { imm: 0 }, off: 0 },
        target,
      },
    );
    if (free !== undefined) return;
    const restore: Op = { kind: 'ldx', size: 8, signed: false, dst: reg, src: 10, off: spill };
    add(restore);
    this.tails.push((behind) => {
      behind.label(target);
      behind.add('switch', slot, restore, {
        kind: 'linked',
        op: { kind: 'ja', off: 0, long: false },
        target: patched,
      });
    });
  }

  /** What stands behind the normal text of a function. */
  leave(text: Text): void {
    for (const tail of this.tails) tail(text);
  }

  /** Offset from the frame pointer of eight bytes that the function does not use. */
  private spillSlot(slot: number): number {
    const start = this.verified.code.subprogStart[slot]!;
    const used = Math.ceil((this.depths.get(start) ?? 0) / 8) * 8;
    if (used + 8 > FRAME) this.fail(slot, 'stack');
    return -used - 8;
  }

  private fail(slot: number, what: string): never {
    const { code } = this.verified;
    const name = code.subprogAt(code.subprogStart[slot]!)?.name ?? '?';
    throw new NoPoll(`function '${name}' has no ${what} left for a poll at insn ${slot}`);
  }
}
