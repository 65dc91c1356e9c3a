/**
 * Changes a program so that the kernel's verifier logs everything it knows before each insn. Usually the log shows only what an insn
 * touches. But when the verifier continues a path that it had pushed, it prints the whole frame. So a branch is put before each insn: it
 * compares the frame pointer with a number, which the verifier cannot decide, and changes nothing. The pushed way has one insn of its
 * own, where the state is printed, and jumps back to the original insn, which was walked by then.
 */
import { Draft } from '../../../../generators/edit.js';
import type { Item } from '../../../isa/label.js';
import type { Program } from '../../../object/program.js';

/** The changed program, and how to read the slots in its log. */
export interface StatePrinter {
  readonly program: Program;
  /** By slot of `program` at which a whole state is printed: the slot of the original before which this is the state. */
  readonly printedAt: ReadonlyMap<number, number>;
}

/** Slots put before each insn. */
const EXTRA = 3;
/** What the frame pointer is compared with; any number that is not 0 will do. */
const NUMBER = 12345;

/**
 * Works only for a loader with all capabilities: without CAP_PERFMON the frame pointer may not be compared. Throws InputError for insns
 * that cannot be decoded.
 */
export function printEveryState(program: Program): StatePrinter {
  const draft = new Draft(program);
  const printedAt = new Map<number, number>();
  const items: Item[] = [];
  let before = 0;
  draft.items.forEach((item, index) => {
    if (item.kind !== 'label') {
      const slot = draft.slotAt(index);
      items.push(
        { kind: 'jmp', op: 'eq', width: 64, dst: 10, src: { imm: NUMBER }, off: 1 },
        { kind: 'ja', off: 1, long: false },
        { kind: 'ja', off: 0, long: false },
      );
      before += EXTRA;
      printedAt.set(slot + before - 1, slot);
    }
    items.push(item);
  });
  draft.items.splice(0, draft.items.length, ...items);
  return { program: draft.link(program.name), printedAt };
}
