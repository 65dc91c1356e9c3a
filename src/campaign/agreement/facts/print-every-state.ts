/**
 * A program that has the kernel's verifier print all it knows before each insn. Its log tells of an insn only what the insn touches, and all
 * of a frame where it takes up a path that it left for later. So before each insn there is a branch that goes both ways whatever is
 * known and changes nothing: the frame pointer compared with a number. The way that is taken up later has an insn of its own, where
 * the state is printed, and leads back to the insn, which was walked by then.
 */
import { Draft } from '../../../../generators/edit.js';
import type { Item } from '../../../isa/label.js';
import type { Program } from '../../../object/program.js';

/** The changed program, and how to read the slots in its log. */
export interface StatePrinter {
  readonly program: Program;
  /** By slot of `program` where a whole state is printed, the slot of the original that it is the state before. */
  readonly printedAt: ReadonlyMap<number, number>;
}

/** Slots put before each insn. */
const EXTRA = 3;
/** What the frame pointer is compared with; any number that is not 0 will do. */
const NUMBER = 12345;

/** For a loader with all capabilities: without CAP_PERFMON the frame pointer may not be compared. Throws InputError for insns that cannot be decoded. */
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
