/**
 * Programs that tell when they run. A run notes when it begins and ends, and a program of its own, which runs beside, waits a while, notes the time
 * and writes the word that kills. All read the same clock, so that no time of threads and system calls is measured.
 */
import { assemble } from '../../isa/assemble.js';
import { decodeAll } from '../../isa/decode.js';
import type { Op } from '../../isa/insn.js';
import { helperByName } from '../../kernel/catalog.js';
import { BPF_F_MMAPABLE } from '../../object/map-types.js';
import type { MapDef, Program } from '../../object/program.js';
import { KILL_SECTION, WORD } from '../words.js';
import { spliced } from './splice.js';

/** Where in the map of times each is, in bytes. `delay` and `latest` are read by the writer. */
export const TIME = { began: 0, ended: 8, written: 16, delay: 24, latest: 32 } as const;

/** The map of times: 8 bytes each, nanoseconds of CLOCK_MONOTONIC. */
export const TIMES: MapDef = {
  name: 'swansong_times',
  type: 'array',
  keySize: 4,
  valueSize: 64,
  maxEntries: 1,
  flags: BPF_F_MMAPABLE,
  fields: [],
};

const call = (name: string): Op => ({ kind: 'call', target: 'helper', imm: helperByName(name)!.id });
const move = (dst: number, src: number): Op => ({ kind: 'mov', width: 64, dst, src: { reg: src } });

/** Notes the time; `kept` is a register that matters and `free` one that does not. */
function stamp(map: number, at: number, kept: number, free: number): readonly Op[] {
  return [
    move(free, kept),
    call('bpf_ktime_get_ns'),
    { kind: 'ld_imm64', dst: 1, as: 'map_value', imm: map, hi: at },
    { kind: 'stx', size: 8, dst: 1, src: 0, off: 0 },
    move(kept, free),
  ];
}

/** The program, which notes in `TIMES` when it begins and when it ends. Only the way out of the main function is noted. */
export function stamped(program: Program): Program {
  const map = program.maps.length;
  const end = program.subprogs[1]?.start ?? program.insns.length;
  const insertions = new Map<number, readonly Op[]>([[0, stamp(map, TIME.began, 1, 6)]]);
  decodeAll(program.insns).forEach((op, slot) => {
    if (slot >= end || op?.kind !== 'exit') return;
    insertions.set(slot, [...(insertions.get(slot) ?? []), ...stamp(map, TIME.ended, 0, 6)]);
  });
  return spliced(program, insertions, TIMES);
}

/**
 * The writer, as a syscall program. It waits until the other run has begun and `delay` has passed, then writes `value` to the word at `word` bytes into the
 * section of words. It gives up at `latest`.
 */
export function writer(words: MapDef, word: number, value: number): Program {
  const text = `
    r1 = 8388608
    r2 = func outer
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
outer:
    r1 = 1024
    r2 = func inner
    r3 = 0
    r4 = 0
    call bpf_loop
    r1 = mapvalue times +${TIME.written}
    r1 = *(u64 *)(r1 +0)
    r0 = 1
    if r1 != 0 goto out
    r0 = 0
out:
    exit
inner:
    call bpf_ktime_get_ns
    r1 = mapvalue times +0
    r2 = *(u64 *)(r1 +${TIME.latest})
    if r0 > r2 goto write
    r2 = *(u64 *)(r1 +${TIME.began})
    if r2 == 0 goto wait
    r3 = *(u64 *)(r1 +${TIME.delay})
    r2 += r3
    if r2 > r0 goto wait
write:
    *(u64 *)(r1 +${TIME.written}) = r0
    r1 = mapvalue words +${word}
    *(u32 *)(r1 +0) = ${value}
    r0 = 1
    exit
wait:
    r0 = 0
    exit
`;
  const symbols = {
    helperId: (name: string) => helperByName(name)?.id,
    helperName: () => undefined,
    maps: ['times', 'words'],
    kfuncs: [],
  };
  const { insns, labels } = assemble(text, { symbols });
  return {
    name: 'swansong_writer',
    type: 'syscall',
    sleepable: true,
    insns,
    maps: [TIMES, words],
    kfuncs: [],
    localTypes: [],
    license: 'GPL',
    subprogs: [
      { name: 'swansong_writer', start: 0, linkage: 'static' },
      { name: 'outer', start: labels.get('outer')!, linkage: 'static' },
      { name: 'inner', start: labels.get('inner')!, linkage: 'static' },
    ],
  };
}

/** The map of words of an exported program; undefined: it has none. */
export function wordsOf(program: Program): MapDef | undefined {
  return program.maps.find(({ name }) => name === KILL_SECTION);
}

/** Offset of an exported program's word in the section of words: what its polls read. Undefined: it does not poll. */
export function wordOf(program: Program): number | undefined {
  const ops = decodeAll(program.insns);
  const index = program.maps.findIndex(({ name }) => name === KILL_SECTION);
  for (const [slot, op] of ops.entries()) {
    const next = ops[slot + 2];
    if (op?.kind !== 'ld_imm64' || op.as !== 'map_value' || op.imm !== index) continue;
    if (next?.kind === 'ldx' && next.size === WORD && next.src === op.dst && next.dst === op.dst)
      return op.hi;
  }
  return undefined;
}
