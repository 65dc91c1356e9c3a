/**
 * The least that a run takes: the shortest path from the start of a program to its exit, over the verifier's visits.
 *
 * A helper that runs callbacks is passed as one step. The verifier walks it both ways after each round, also where Linux goes on: bpf_loop of 8 rounds never
 * makes 3 of them unless its callback says so. So the insns of callbacks weigh nothing on the path itself, and leaving the helper weighs as many of the
 * shortest rounds as it makes at least.
 */
import TinyQueue from 'tinyqueue';
import { subprogTarget } from '../isa/target.js';
import type { Contract } from '../kernel/contract.js';
import type { Program } from '../object/program.js';
import type { Accepted } from '../verifier/result.js';
import { frameOf } from '../verifier/state/state.js';
import type { Visit } from '../verifier/walk/visit.js';
import type { CostOptions } from './span.js';
import { passSpan, runsCallback, startSpan } from './weigh.js';

/** BPF_MAX_LOOPS: bpf_loop refuses more, and runs none. */
const MAX_LOOPS = 1n << 23n;
/** In place of a slot. */
const NONE = -1;

/** The least nanoseconds of a run, without what entering and leaving the program costs. Infinity: no visit is an exit. */
export function shortestRun(program: Program, verified: Accepted, options: CostOptions): number {
  const search = new Search(program, verified, options);
  const main = verified.facts.at(0).filter((v) => v.from === undefined && v.state.frames.length === 1);
  return search.mainFrom(main);
}

class Search {
  /** By first slot: the least of a global subprogram. A call inside of itself is not allowed. */
  private readonly globals = new Map<number, number>();
  /** By slot of the call: the least of one round. */
  private readonly rounds = new Map<number, number>();
  private readonly stopping: ReadonlySet<number>;
  private readonly entries: ReadonlyMap<number, readonly Visit[]>;

  constructor(
    private readonly program: Program,
    private readonly verified: Accepted,
    private readonly options: CostOptions,
  ) {
    const entries = new Map<number, Visit[]>();
    const stopping = new Set<number>();
    const ends = new Set<number>();
    verified.code.ops.forEach((op, slot) => {
      for (const v of verified.facts.at(slot)) {
        const { callback, subprog, regs } = frameOf(v.state);
        if (callback === undefined || callback.async) continue;
        if (subprog === slot) entries.set(callback.call, [...(entries.get(callback.call) ?? []), v]);
        if (op?.kind !== 'exit') continue;
        ends.add(callback.call);
        const { num } = regs[0]!;
        if (num.umin !== 0n || num.umax !== 0n) stopping.add(callback.call);
      }
    });
    // A callback of which no exit is known may end the run; its helper is then not known to go on.
    for (const call of entries.keys()) if (!ends.has(call)) stopping.add(call);
    this.entries = entries;
    this.stopping = stopping;
  }

  /** From these visits to the exit of the outermost frame. */
  mainFrom(starts: readonly Visit[]): number {
    const outermost = (v: Visit): boolean => v.state.frames.length === 1;
    return this.shortest(starts, NONE, (v) => (this.isExit(v) && outermost(v)) || this.leaves(v));
  }

  /** One round of the callback that the call at `slot` runs. */
  private round(slot: number): number {
    const known = this.rounds.get(slot);
    if (known !== undefined) return known;
    // A helper in its own callback: such a program is refused, or its rounds are at least 0.
    this.rounds.set(slot, 0);
    const starts = this.entries.get(slot) ?? [];
    const own = (v: Visit): boolean => frameOf(v.state).callback?.call === slot;
    const found = this.shortest(starts, slot, (v) => (this.isExit(v) && own(v)) || this.leaves(v));
    const least = Number.isFinite(found) ? found : 0;
    this.rounds.set(slot, least);
    return least;
  }

  private isExit(v: Visit): boolean {
    const kind = this.verified.code.ops[v.slot]?.kind;
    return kind === 'exit' || kind === 'unwind_exit';
  }

  /** The run may end here: an exception, or another program takes its place. */
  private leaves(v: Visit): boolean {
    const contract = this.verified.code.contracts[v.slot];
    return (
      contract?.outcomes.some((o) =>
        o.effects.some(({ kind }) => kind === 'throw' || kind === 'tail_call'),
      ) === true
    );
  }

  /** `within`: the slot of the call in whose callback the path is; NONE: in none. */
  private shortest(starts: readonly Visit[], within: number, ends: (v: Visit) => boolean): number {
    const least = new Map<Visit, number>();
    const queue = new TinyQueue<{ readonly v: Visit; readonly at: number }>([], (a, b) => a.at - b.at);
    const reach = (v: Visit, at: number): void => {
      if (at >= (least.get(v) ?? Number.POSITIVE_INFINITY)) return;
      least.set(v, at);
      queue.push({ v, at });
    };
    for (const v of starts) reach(v, 0);
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const { v, at } = next;
      if (at > least.get(v)!) continue;
      const after = at + this.weight(v, within);
      if (ends(v)) return after;
      for (const n of v.next) {
        if (n.state.frames[0]!.callback?.async === true) continue;
        reach(n, after + this.leaving(v, n));
      }
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Insns of callbacks weigh nothing here, but for those of the callback in question. */
  private weight(v: Visit, within: number): number {
    const { frames } = v.state;
    const base = within === NONE ? 0 : frames.findLastIndex(({ callback }) => callback?.call === within);
    if (frames.some(({ callback }, depth) => depth > base && callback !== undefined)) return 0;
    const { code } = this.verified;
    const contract = code.contracts[v.slot];
    // The rounds of a helper are weighed where it is left.
    if (contract !== undefined && runsCallback(contract) && frameOf(v.state).callbackDepth > 0) return 0;
    const op = code.ops[v.slot]!;
    const target = op.kind === 'call' ? subprogTarget(op, v.slot) : undefined;
    const inside = target === undefined ? 0 : this.ofGlobal(target);
    const span = contract !== undefined && runsCallback(contract) ? startSpan : passed;
    return span(this.program, code, v, this.options).best + inside;
  }

  private ofGlobal(start: number): number {
    if (this.program.subprogs.find((s) => s.start === start)?.linkage !== 'global') return 0;
    const known = this.globals.get(start);
    if (known !== undefined) return known;
    this.globals.set(start, 0);
    const entries = this.verified.facts
      .at(start)
      .filter((v) => v.state.frames.length === 1 && v.from === undefined);
    const found = this.mainFrom(entries);
    const least = Number.isFinite(found) ? found : 0;
    this.globals.set(start, least);
    return least;
  }

  /** What the rounds of a helper weigh at least, on the way from its call to the insn behind it. */
  private leaving(v: Visit, next: Visit): number {
    const contract = this.verified.code.contracts[v.slot];
    if (contract === undefined || !runsCallback(contract) || next.slot !== v.slot + 1) return 0;
    const rounds = this.leastRounds(v, contract);
    return rounds === 0 ? 0 : rounds * this.round(v.slot);
  }

  /** How often the helper calls its callback at least: as often as it says, or once where the callback may stop it. */
  private leastRounds(v: Visit, contract: Contract): number {
    const { regs } = frameOf(v.state);
    const index = contract.args.findIndex((arg) => arg.kind === 'callback');
    const arg = contract.args[index];
    const count = arg?.kind === 'callback' ? arg.callback.countArg : undefined;
    let least = 0;
    if (count !== undefined) {
      const { umin, umax } = regs[count + 1]!.num;
      least = umax > MAX_LOOPS ? 0 : Number(umin);
    } else if (contract.name === 'bpf_for_each_map_elem') {
      const map = this.program.maps[regs[1]!.map];
      const isInner = this.program.maps.some(({ inner }) => inner !== undefined && inner === map);
      least = map?.type === 'array' && !isInner ? map.maxEntries : 0;
    }
    return this.stopping.has(v.slot) ? Math.min(least, 1) : least;
  }
}

const passed: typeof startSpan = (program, code, visit, options) =>
  passSpan(program, code, visit, false, options);
