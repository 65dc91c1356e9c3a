/**
 * A killed run written as a plain program: a second account of what a kill and its stubs do, without any of the VM's code for them. The
 * program does what the run does that is killed before the insn at `kill` when it first comes there. Linux can run it.
 *
 * Each function is written in up to three parts, which share its frame:
 *
 * - normal: the text as it is. Before the insn at `kill` a flag is set, in a map that is added, and the run jumps to the patched part.
 * - patched, for frames that were open at the kill: plain insns stand for the stubs. A callback returns 1 there, so that its helper stops.
 * - late, for calls after the kill: as patched, but a callback returns what it returns. Every function looks at the flag when it starts.
 *
 * After each call of the normal part that may have come back from a kill, the run looks at the flag as well.
 */
import { decodeAll } from '../../../src/isa/decode.js';
import { type Op, slots } from '../../../src/isa/insn.js';
import { type Item, type Label, type Linked, label, link, type Reference } from '../../../src/isa/label.js';
import { withinReach } from '../../../src/isa/reach.js';
import { jumpTarget, subprogTarget } from '../../../src/isa/target.js';
import { contractOf } from '../../../src/kernel/catalog.js';
import type { Contract } from '../../../src/kernel/contract.js';
import type { MapDef, Program, Subprog } from '../../../src/object/program.js';
import type { FastPath, Stub } from '../../../src/patch/rule.js';

/** The map with the flag: 1 after the kill. */
const FLAG: MapDef = {
  name: 'killed',
  type: 'array',
  keySize: 4,
  valueSize: 8,
  maxEntries: 1,
  flags: 0,
  fields: [],
};

/** The program with the map of the flag, which no insn of it uses. Both runs then number their memory alike. */
export const withFlag = (program: Program): Program => ({ ...program, maps: [...program.maps, FLAG] });

type Part = 'normal' | 'patched' | 'late';

/** What cannot be written as a plain program. */
export class NoWords extends Error {}

/** A store of zeros longer than this is not written. */
const MOST_BYTES = 64;

/**
 * Writes it. `dead` is a register that no insn from `kill` on reads before it is written. Throws NoWords where the stubs or the program need more
 * than plain insns.
 */
export function killedText(program: Program, { stubs }: FastPath, kill: number, dead: number): Program {
  const ops = decodeAll(program.insns);
  const flag = program.maps.length;
  const callbacks = new Set(
    ops.flatMap((op, slot) =>
      op?.kind === 'ld_imm64' && op.as === 'func' ? [subprogTarget(op, slot)!] : [],
    ),
  );
  const called = new Set(
    ops.flatMap((op, slot) =>
      op?.kind === 'call' && op.target === 'subprog' ? [subprogTarget(op, slot)!] : [],
    ),
  );
  if ([...callbacks].some((start) => called.has(start)))
    throw new NoWords('a function both called and called back');
  if (program.subprogs.some((one) => one.exceptionCallback)) throw new NoWords('exceptions');
  const later = ops.some(
    (op) => op && contractOf(program, op)?.args.some((arg) => arg.kind === 'callback' && arg.callback.async),
  );
  if (later) throw new NoWords('callbacks that run later');

  const address = (dst: number): Op => ({ kind: 'ld_imm64', dst, as: 'map_value', imm: flag, hi: 0 });
  const name = (part: Part, slot: number): string => `${part} ${slot}`;
  const goTo = (target: string): Linked => ({
    kind: 'linked',
    op: { kind: 'ja', off: 0, long: false },
    target,
  });
  /** If the run was killed, on in another part. */
  const whereKilled = (reg: number, target: string): Item[] => [
    address(reg),
    { kind: 'ldx', size: 8, signed: false, dst: reg, src: reg, off: 0 },
    { kind: 'linked', op: { kind: 'jmp', op: 'ne', width: 64, dst: reg, src: { imm: 0 }, off: 0 }, target },
  ];

  const written = (subprog: Subprog, part: Part): Item[] => {
    const items: Item[] = [];
    const end = Math.min(
      ops.length,
      ...program.subprogs.filter(({ start }) => start > subprog.start).map(({ start }) => start),
    );
    for (let slot = subprog.start; slot < end; slot++) {
      const op = ops[slot];
      if (op === undefined) continue;
      items.push(label(name(part, slot)));
      const contract = contractOf(program, op);
      const stub = part === 'normal' ? undefined : stubs.get(slot);
      if (part === 'normal' && slot === kill) {
        items.push(
          address(dead),
          { kind: 'st', size: 8, dst: dead, off: 0, imm: 1 },
          goTo(name('patched', slot)),
        );
        continue;
      }
      if (stub !== undefined) {
        items.push(...asInsns(program, ops, slot, contract!, stub));
        continue;
      }
      if (op.kind === 'exit' && part === 'patched' && callbacks.has(subprog.start))
        items.push({ kind: 'mov', width: 64, dst: 0, src: { imm: 1 } });
      items.push(relinked(op, slot, part, name));
      const callsBack = contract?.args.some((arg) => arg.kind === 'callback' && arg.callback.async !== true);
      if (part === 'normal' && op.kind === 'call' && (op.target === 'subprog' || callsBack === true))
        items.push(...whereKilled(1, name('patched', slot + slots(op))));
    }
    return items;
  };

  const items: Item[] = [];
  for (const subprog of [...program.subprogs].sort((a, b) => a.start - b.start)) {
    const { start } = subprog;
    const starts = start === 0 ? [] : whereKilled(0, name('late', start));
    const all = [
      ...starts,
      ...written(subprog, 'normal'),
      ...written(subprog, 'patched'),
      ...written(subprog, 'late'),
    ];
    items.push(label(`function ${start}`), ...reachable(all));
  }
  const { insns, labels } = link(withinReach(items).items);
  const { lines: _lines, ...rest } = withFlag(program);
  return {
    ...rest,
    insns,
    subprogs: program.subprogs.map((one) => ({ ...one, start: labels.get(`function ${one.start}`)! })),
  };
}

function relinked(op: Op, slot: number, part: Part, name: (part: Part, slot: number) => string): Item {
  const jump = jumpTarget(op, slot);
  if (jump !== undefined) return { kind: 'linked', op: op as Reference, target: name(part, jump) };
  const start = subprogTarget(op, slot);
  return start === undefined ? op : { kind: 'linked', op: op as Reference, target: `function ${start}` };
}

/** Linux refuses insns that cannot be reached. */
function reachable(items: readonly Item[]): Item[] {
  const labels = new Map(
    items.flatMap((item, index) => (item.kind === 'label' ? [[item.name, index] as const] : [])),
  );
  const reached = new Set<number>();
  const work = [0];
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    const item = items[at];
    if (item === undefined || reached.has(at)) continue;
    reached.add(at);
    const op: Op | Label = item.kind === 'linked' ? item.op : item;
    const target = item.kind === 'linked' ? labels.get(item.target) : undefined;
    if (target !== undefined) work.push(target);
    if (op.kind !== 'ja' && op.kind !== 'exit') work.push(at + 1);
  }
  return items.filter((item, index) => item.kind === 'label' || reached.has(index));
}

/** A stub as insns: zeros into its output memory, then r0. */
function asInsns(
  program: Program,
  ops: readonly (Op | undefined)[],
  slot: number,
  contract: Contract,
  { r0, writes, slots: filled }: Stub,
): Item[] {
  if (filled.length > 0) throw new NoWords('a dynptr');
  const items: Item[] = [];
  for (const index of writes) {
    const arg = contract.args[index];
    const size =
      arg?.kind === 'mem'
        ? 'bytes' in arg.size
          ? arg.size.bytes
          : constantIn(ops, slot, arg.size.arg + 1)
        : program.maps[mapIn(ops, slot, 1)]?.valueSize;
    if (size === undefined || size > MOST_BYTES) throw new NoWords('a buffer whose size is not known');
    if ((arg?.kind === 'mem' || arg?.kind === 'map_value') && (arg.nullable || size === 0))
      throw new NoWords('a buffer that may be missing');
    for (let off = 0; off < size; off++) items.push({ kind: 'st', size: 1, dst: index + 1, off, imm: 0 });
  }
  if (r0 !== 'void')
    items.push({
      kind: 'ld_imm64',
      dst: 0,
      as: 'imm',
      imm: Number(BigInt.asIntN(32, r0)),
      hi: Number(BigInt.asIntN(32, r0 >> 32n)),
    });
  return items;
}

/** The insn that last wrote a register on the straight way to a slot. */
function writerOf(ops: readonly (Op | undefined)[], slot: number, reg: number): Op {
  for (let at = slot - 1; at >= 0; at--) {
    const op = ops[at];
    if (op === undefined) continue;
    if (
      op.kind === 'jmp' ||
      op.kind === 'ja' ||
      op.kind === 'call' ||
      op.kind === 'exit' ||
      op.kind === 'may_goto'
    )
      break;
    if ('dst' in op && op.dst === reg && op.kind !== 'st' && op.kind !== 'stx') return op;
  }
  throw new NoWords('a value that is not plain from the text');
}

function constantIn(ops: readonly (Op | undefined)[], slot: number, reg: number): number {
  const op = writerOf(ops, slot, reg);
  if (op.kind === 'mov' && 'imm' in op.src && op.src.imm >= 0) return op.src.imm;
  throw new NoWords('a size that is no constant');
}

function mapIn(ops: readonly (Op | undefined)[], slot: number, reg: number): number {
  const op = writerOf(ops, slot, reg);
  if (op.kind === 'ld_imm64' && op.as === 'map') return op.imm;
  throw new NoWords('a map that is not plain from the text');
}
