/**
 * Makes stack that a stub leaves unwritten unreadable. A loader with CAP_PERFMON may read stack that was never written; so that Linux refuses
 * such a read, a local dynptr is put there. No insn may read it as a number, any may overwrite it, and it need not be destroyed. It takes 16
 * bytes, so smaller gaps stay readable.
 */
import type { Op } from '../../isa/insn.js';
import { helperByName } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import type { MapDef } from '../../object/program.js';
import { fixedOffset, hasFixedOffset } from '../../verifier/state/regs.js';
import { slotOf } from '../../verifier/state/stack.js';
import { BYTE, frameOf } from '../../verifier/state/state.js';
import type { Visit } from '../../verifier/walk/visit.js';
import type { Stub } from '../rule.js';

/** What the dynptr is made of. */
export const BACKING: MapDef = {
  name: 'backing',
  type: 'array',
  keySize: 4,
  valueSize: 8,
  maxEntries: 1,
  flags: 0,
  fields: [],
};

const DYNPTR_BYTES = 16;

interface Site {
  readonly contract: Contract;
  readonly stub: Stub;
  /** The verifier's visits of the call; at least one. */
  readonly visits: readonly Visit[];
}

/**
 * Offsets from the frame pointer of windows that hold nothing but what the call would have written and the stub does not, or what
 * nobody reads any more. `liveStack`: bit n is set where the slot at fp - 8(n + 1) may be read behind the call.
 */
export function unwrittenWindows(site: Site, liveStack: bigint): readonly number[] {
  const left = new Set<number>();
  site.contract.args.forEach((arg, index) => {
    if (arg.kind !== 'mem' || arg.access === 'read' || site.stub.writes.includes(index)) return;
    const size = arg.size;
    const ranges = site.visits.map(({ state }) => {
      const regs = frameOf(state).regs;
      const at = regs[index + 1]!;
      const inFrame = at.type === 'stack' && hasFixedOffset(at) && at.frame === state.frames.length - 1;
      const most = 'bytes' in size ? size.bytes : Number(regs[size.arg + 1]!.num.umin);
      return inFrame ? ([fixedOffset(at), most] as const) : undefined;
    });
    const [first] = ranges;
    if (first === undefined || ranges.some((range) => range?.[0] !== first[0] || range[1] !== first[1]))
      return;
    for (let at = first[0]; at < first[0] + first[1] && at < 0; at++)
      if (isNeverWritten(site, at)) left.add(at);
  });
  const free = (slot: number): boolean => {
    if (((liveStack >> BigInt(slotOf(slot))) & 1n) === 0n) return true;
    return bytesOf(slot).every((at) => left.has(at));
  };
  const windows: number[] = [];
  for (let at = -512; at <= -DYNPTR_BYTES; at += 8) {
    const both = [...bytesOf(at), ...bytesOf(at + 8)];
    if (!both.some((byte) => left.has(byte)) || !free(at) || !free(at + 8)) continue;
    windows.push(at);
    at += 8;
  }
  return windows;
}

/** The eight bytes of a slot. */
function bytesOf(at: number): readonly number[] {
  return Array.from({ length: 8 }, (_, i) => at + i);
}

function isNeverWritten({ visits }: Pick<Site, 'visits'>, at: number): boolean {
  return visits.every(({ state }) => {
    const slot = frameOf(state).stack[slotOf(at)];
    return slot === undefined || slot.bytes[at & 7] === BYTE.invalid;
  });
}

/** Insns that put a dynptr at `off` from the frame pointer; r0 to r5 are gone after them. `map`: index of `BACKING`. */
export function makeUnreadable(off: number, map: number): readonly Op[] {
  const set = (dst: number, imm: number): Op => ({ kind: 'mov', width: 64, dst, src: { imm } });
  return [
    { kind: 'ld_imm64', dst: 1, as: 'map_value', imm: map, hi: 0 },
    set(2, BACKING.valueSize),
    set(3, 0),
    { kind: 'mov', width: 64, dst: 4, src: { reg: 10 } },
    { kind: 'alu', op: 'add', width: 64, dst: 4, src: { imm: off } },
    { kind: 'call', target: 'helper', imm: helperByName('bpf_dynptr_from_mem')!.id },
  ];
}
