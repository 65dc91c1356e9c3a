/** A program as the page lists it: each insn with its text, where it jumps to, and the source line that it comes from. */
import { formatOp } from '../../isa/disassemble.js';
import { targetOf } from '../../isa/target.js';
import { symbolsOf } from '../../vm/case/case.js';
import type { Code } from '../../vm/state/code.js';
import type { PageInsn, PageLine, PageListing } from './shape.js';

/** The listing of a program. Slots that are the second half of a wide insn are left out. */
export function listingOf(code: Code): PageListing {
  const { program, ops } = code;
  const symbols = symbolsOf(program);
  const lines: PageLine[] = [];
  const indices = new Map<string, number>();
  const infos = [...(program.lines ?? [])].sort((a, b) => a.slot - b.slot);
  const lineOf = (slot: number): number | undefined => {
    const start = code.owner[slot] ?? 0;
    // The last line that begins at the slot or before it, in the same function (bpf_find_linfo).
    const found = infos.findLast((one) => one.slot <= slot && one.slot >= start);
    if (found === undefined) return undefined;
    const key = `${found.file}:${found.line}`;
    const known = indices.get(key);
    if (known !== undefined) return known;
    indices.set(key, lines.length);
    return lines.push({ file: found.file, line: found.line, text: found.text.trim() }) - 1;
  };
  const insns = ops.flatMap((op, slot): PageInsn[] => {
    if (op === undefined) return [];
    const to = op.kind === 'call' && op.target !== 'subprog' ? undefined : targetOf(op, slot);
    const line = lineOf(slot);
    return [
      {
        slot,
        text: formatOp(op, symbols),
        ...(to === undefined ? {} : { to }),
        ...(line === undefined ? {} : { line }),
      },
    ];
  });
  return { insns, functions: program.subprogs.map(({ name, start }) => ({ name, start })), lines };
}

/** The words of an insn, by its slot. */
export const textAt = ({ insns }: PageListing, slot: number): string =>
  insns.find((one) => one.slot === slot)?.text ?? '';

/** The function that a slot is in, by name; empty where there is none. */
export const functionAt = ({ functions }: PageListing, slot: number): string =>
  functions.findLast(({ start }) => start <= slot)?.name ?? '';

/** `insn 12 (call bpf_spin_lock#93; lock.c:26: bpf_spin_lock(&e->lock);)`: an insn that a sentence speaks of. */
export function insnInWords(listing: PageListing, slot: number): string {
  const insn = listing.insns.find((one) => one.slot === slot);
  const line = insn?.line === undefined ? undefined : listing.lines[insn.line];
  const source = line === undefined ? '' : `; ${line.file}:${line.line}: ${line.text}`;
  return `insn ${slot} (${insn?.text ?? '?'}${source})`;
}
