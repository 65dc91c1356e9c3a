/**
 * Object tables at cancellation points, after KFlex (SOSP 2024): at each back edge the program looks whether it was cancelled, and if it was, the
 * objects that the table of that back edge names are given back. A table says for each reference and lock the register or stack slot that it
 * lies in. A call is not cancelled while it runs. The paper leaves open what happens where paths differ; here such a program is not taken.
 */
import { jumpTarget } from '../isa/target.js';
import { isNull } from '../verifier/state/regs.js';
import { BYTE, type Frame, type State } from '../verifier/state/state.js';
import { PAUSE } from '../vm/insn/pauses.js';
import type { Code } from '../vm/state/code.js';
import {
  type CleanupTable,
  cleanUp,
  type Entry,
  locate,
  placeKey,
  standsAt,
  tableBytes,
} from './cleanup-table.js';
import { described, heldIn } from './held.js';
import type { Strategy, Subject, Untaken } from './strategy.js';
import { globalCalls } from './throw-sites.js';

const REGISTERS = [6, 7, 8, 9, 0, 1, 2, 3, 4, 5];

/** Ends the run at the next back edge, and gives back what the table of that edge names. */
export const objectTable: Strategy = {
  name: 'object-table',
  does: 'ends the run at the next back edge, and gives back what the table of that edge names',
  prepare(subject) {
    const edges = backEdges(subject.code);
    const table = objectTables(subject, [...edges, ...globalCalls(subject.code)]);
    if ('cannot' in table) return table;
    const sites = new Uint8Array(subject.code.ops.length);
    for (const slot of edges) sites[slot] = PAUSE.always;
    return {
      kind: 'ends the run',
      bytes: tableBytes(table),
      // One load at each back edge.
      extra: ({ visits }) => edges.reduce((sum, slot) => sum + visits[slot]!, 0),
      sites,
      stop(machine) {
        cleanUp(machine, table, 'the object table');
        machine.finish('stopped');
      },
    };
  },
};

/** Jumps that lead back. */
function backEdges({ ops }: Code): readonly number[] {
  return ops.flatMap((op, slot) => {
    const to = op === undefined ? undefined : jumpTarget(op, slot);
    return to !== undefined && to <= slot ? [slot] : [];
  });
}

function objectTables({ code, facts }: Subject, slots: readonly number[]): CleanupTable | Untaken {
  const table = new Map<number, readonly Entry[]>();
  const frames = new Map<number, Frame[]>();
  for (const slot of slots) {
    for (const { state } of facts.at(slot)) {
      const flaw = unnamed(state, code);
      if (flaw !== undefined) return { cannot: flaw };
      const found = [...locate(state, code, REGISTERS).values()];
      for (const [depth, frame] of state.frames.entries()) {
        const at = standsAt(state, depth, slot);
        const own = found.flatMap((one) => (one?.depth === depth ? [one.entry] : []));
        const merged = joined(table.get(at), own, frames.get(at) ?? [], frame);
        if (merged === undefined) return { cannot: 'paths differ in what they hold at a back edge' };
        table.set(at, merged);
        frames.set(at, [...(frames.get(at) ?? []), frame]);
      }
    }
  }
  return table;
}

/** What is held and no table can name, in words. */
function unnamed(state: State, code: Code): string | undefined {
  const section = heldIn(state, code).find((kind) => kind === 'rcu' || kind === 'preempt' || kind === 'irq');
  if (section !== undefined) return `${described(section)} at a back edge has no entry in an object table`;
  const lost = [...locate(state, code, REGISTERS)].find(([, place]) => place === undefined);
  if (lost === undefined) return undefined;
  return lost[0].kind === 'pointer'
    ? 'a reference is in no register and no stack slot at a back edge'
    : 'the address of a lock is in no register and no stack slot at a back edge';
}

/** One table for all paths: where one holds nothing, the place must be NULL on it. Undefined if they do not agree. */
function joined(
  before: readonly Entry[] | undefined,
  own: readonly Entry[],
  others: readonly Frame[],
  frame: Frame,
): readonly Entry[] | undefined {
  if (before === undefined) return own;
  const known = new Map(before.map((entry) => [placeKey(entry.place), entry]));
  for (const entry of own) {
    const same = known.get(placeKey(entry.place));
    if (same === undefined ? !others.every((other) => isNullAt(other, entry)) : same.kind !== entry.kind)
      return undefined;
  }
  const here = new Set(own.map((entry) => placeKey(entry.place)));
  if (!before.every((entry) => here.has(placeKey(entry.place)) || isNullAt(frame, entry))) return undefined;
  return [...before, ...own.filter((entry) => !known.has(placeKey(entry.place)))];
}

function isNullAt({ regs, stack }: Frame, { place, as }: Entry): boolean {
  if (as === 'slot') return false;
  if ('reg' in place) return isNull(regs[place.reg]!);
  const slot = stack[-place.stack / 8 - 1];
  // Above a spill of fewer than eight bytes may lie anything.
  return (
    slot?.bytes.every((byte) => byte === BYTE.zero || (byte === BYTE.spill && isNull(slot.reg!))) === true
  );
}
