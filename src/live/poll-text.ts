/**
 * The insns of a poll: the program's word is read, and where it is not 0 the run goes on patched. Where no register is free one is put on
 * the stack meanwhile.
 *
 * Two forms do more. With words for CPUs, a word that is not 1 says that the words of the CPUs are to be looked at. With a deadline, the
 * clock is read now and then, and the run dies when it has lasted longer than the limit in the map.
 */
import type { Op } from '../isa/insn.js';
import type { Linked } from '../isa/label.js';
import { helperByName } from '../kernel/catalog.js';
import type { Subprog } from '../object/program.js';
import type { Text } from '../patch/two-mode/lines.js';
import type { Accepted } from '../verifier/result.js';
import { freeRegister, neededRegisters, savedRegister, stackDepths } from './scratch.js';
import { MOST_CPUS, type Places } from './words.js';

/** Bytes of a frame. */
const FRAME = 512;

/** Why a poll cannot be written. */
export class NoPoll extends Error {
  override readonly name = 'NoPoll';
}

/** What a writer of polls is told of a function. */
export interface Frame {
  readonly subprog: Subprog;
  /** A run begins with it: the main function, or one that runs later. */
  readonly begins: boolean;
  /** At its first insn r1 counts the rounds of the loop that calls it. */
  readonly countsRounds: boolean;
}

type Out = (...items: (Op | Linked)[]) => void;

const move = (dst: number, src: number): Op => ({ kind: 'mov', width: 64, dst, src: { reg: src } });
const set = (dst: number, imm: number): Op => ({ kind: 'mov', width: 64, dst, src: { imm } });
const load = (size: 4 | 8, dst: number, src: number, off: number): Op => ({
  kind: 'ldx',
  size,
  signed: false,
  dst,
  src,
  off,
});
const store = (off: number, src: number): Op => ({ kind: 'stx', size: 8, dst: 10, src, off });
const alu = (op: 'add' | 'sub' | 'and' | 'lsh', dst: number, imm: number): Op => ({
  kind: 'alu',
  op,
  width: 64,
  dst,
  src: { imm },
});
const aluReg = (op: 'add' | 'sub', dst: number, reg: number): Op => ({
  kind: 'alu',
  op,
  width: 64,
  dst,
  src: { reg },
});
const jump = (
  op: 'eq' | 'ne' | 'le' | 'set',
  dst: number,
  src: number | { reg: number },
  target: string,
): Linked => ({
  kind: 'linked',
  op: { kind: 'jmp', op, width: 64, dst, src: typeof src === 'number' ? { imm: src } : src, off: 0 },
  target,
});
const goTo = (target: string): Linked => ({
  kind: 'linked',
  op: { kind: 'ja', off: 0, long: false },
  target,
});
const call = (name: string): Op => ({ kind: 'call', target: 'helper', imm: helperByName(name)!.id });
/** The address of bytes in the section of words. */
const addressOf = (dst: number, at: number): Op => ({ kind: 'ld_imm64', dst, as: 'imm', imm: at, hi: 0 });

/** Writes the polls of one program. */
export class PollWriter {
  private readonly depths: ReadonlyMap<number, number>;
  private readonly places = new Map<string, number>();
  private tails: ((text: Text) => void)[] = [];
  private frame: Frame | undefined;

  /** `ops`: by slot the insns as they are in the object. */
  constructor(
    readonly ops: readonly (Op | undefined)[],
    private readonly verified: Accepted,
    private readonly at: Places,
  ) {
    this.depths = stackDepths(verified);
  }

  /** What a function begins with. `polled`: slots of it before which it polls. */
  enter(text: Text, frame: Frame, polled: readonly number[]): void {
    this.tails = [];
    this.frame = frame;
    const { deadline, running } = this.at;
    const { start } = frame.subprog;
    const add: Out = (...items) => text.add('switch', start, ...items);
    const noted = [deadline?.started, running].filter((at) => at !== undefined);
    if (frame.begins && noted.length > 0) {
      const saved = neededRegisters(this.verified, start);
      for (const reg of saved) add(store(this.stack(start, `r${reg}`), reg));
      add(call('bpf_ktime_get_ns'), store(this.stack(start, 'time'), 0));
      for (const variable of noted) {
        this.addCpuAddress(add, variable, 3);
        add(load(8, 0, 10, this.stack(start, 'time')), { kind: 'stx', size: 8, dst: 1, src: 0, off: 0 });
      }
      for (const reg of saved) add(load(8, reg, 10, this.stack(start, `r${reg}`)));
    }
    if (deadline !== undefined && polled.some((slot) => this.counts(slot))) {
      // A number that no verifier knows: a known one would have it walk the loop round by round.
      add(addressOf(0, this.at.word), load(4, 0, 0, 0), store(this.stack(start, 'rounds'), 0));
    }
  }

  /** A poll before this slot. Throws NoPoll where there is neither a register nor stack for it. */
  poll(text: Text, scope: string, slot: number, at: 'chosen' | 'return'): void {
    const patched = `${scope} patched ${slot}`;
    const free = freeRegister(this.verified, slot);
    const reg = free ?? savedRegister(this.verified, slot) ?? this.fail(slot, 'register');
    const start = this.verified.code.subprogStart[slot]!;
    const add: Out = (...items) => text.add('switch', slot, ...items);
    const label = (what: string): string => `${scope} ${what} ${slot}`;
    const kill = free === undefined ? label('kill') : patched;
    const calls = !this.holdsLock(slot);
    const { cpuWords, deadline } = calls ? this.at : { ...this.at, cpuWords: undefined, deadline: undefined };
    if (free === undefined) add(store(this.stack(start, 'register'), reg));
    add(addressOf(reg, this.at.word), load(4, reg, reg, 0));
    add(jump('ne', reg, 0, cpuWords === undefined ? kill : label('look')));
    text.label(label('looked'));
    if (deadline !== undefined) this.whenDue(add, slot, reg, at, label('time'));
    text.label(label('done'));
    const restore = load(8, reg, 10, free === undefined ? this.stack(start, 'register') : 0);
    if (free === undefined) add(restore);
    this.tails.push((behind) => {
      const out: Out = (...items) => behind.add('switch', slot, ...items);
      if (cpuWords !== undefined) {
        behind.label(label('look'));
        out(jump('set', reg, 1, kill));
        this.saving(out, slot, reg, () => {
          this.addCpuAddress(out, cpuWords, 2);
          out(load(4, 0, 1, 0));
        });
        out(jump('ne', reg, 0, kill), goTo(label('looked')));
      }
      if (deadline !== undefined) {
        behind.label(label('time'));
        out(addressOf(reg, deadline.limit), load(8, reg, reg, 0), jump('eq', reg, 0, label('done')));
        this.saving(out, slot, reg, () => {
          out(call('bpf_ktime_get_ns'), store(this.stack(start, 'time'), 0));
          this.addCpuAddress(out, deadline.started, 3);
          out(load(8, 1, 1, 0), load(8, 2, 10, this.stack(start, 'time')), aluReg('sub', 2, 1));
          out(addressOf(1, deadline.limit), load(8, 1, 1, 0), set(0, 0));
          out(jump('le', 2, { reg: 1 }, label('early')), set(0, 1));
          behind.label(label('early'));
        });
        out(jump('ne', reg, 0, kill), goTo(label('done')));
      }
      if (free !== undefined) return;
      behind.label(kill);
      out(restore, goTo(patched));
    });
  }

  /** What stands before the exit of a function that a run begins with: the run notes that it has ended. r6 to r9 are nobody's there. */
  exit(text: Text, slot: number): void {
    const { running } = this.at;
    if (running === undefined) return;
    const add: Out = (...items) => text.add('switch', slot, ...items);
    add(move(6, 0));
    this.addCpuAddress(add, running, 3);
    add({ kind: 'st', size: 8, dst: 1, off: 0, imm: 0 }, move(0, 6));
  }

  /** What stands behind the normal text of a function. */
  leave(text: Text): void {
    for (const tail of this.tails) tail(text);
  }

  /** Jumps to `time` where the clock is to be read. */
  private whenDue(add: Out, slot: number, reg: number, at: 'chosen' | 'return', time: string): void {
    const { every } = this.at.deadline!;
    const { start } = this.frame!.subprog;
    // Behind a call the run must not go on as if nothing had been killed in it.
    if (at === 'chosen' && this.byIndex(slot)) {
      add(move(reg, 1), alu('and', reg, every - 1), jump('eq', reg, 0, time));
    } else if (at === 'chosen' && this.counts(slot)) {
      const rounds = this.stack(start, 'rounds');
      add(load(8, reg, 10, rounds), alu('add', reg, 1), store(rounds, reg));
      add(alu('and', reg, every - 1), jump('eq', reg, 0, time));
    } else add(goTo(time));
  }

  private byIndex(slot: number): boolean {
    const { countsRounds, subprog } = this.frame!;
    return countsRounds && slot === subprog.start && freeRegister(this.verified, slot) !== 1;
  }

  /** The poll is passed again and again in one frame: it counts its rounds on the stack. */
  private counts(slot: number): boolean {
    return this.verified.code.scc[slot] !== 0 && !this.byIndex(slot);
  }

  /** `body` leaves its answer in r0, and may use r0 to r5. The answer comes into `reg`, all others stay. */
  private saving(out: Out, slot: number, reg: number, body: () => void): void {
    const { start } = this.frame!.subprog;
    const needed = neededRegisters(this.verified, slot);
    // The number of the round is looked at here, even if the function does not.
    const saved = [...new Set(this.byIndex(slot) ? [...needed, 1] : needed)].filter((one) => one !== reg);
    for (const one of saved) out(store(this.stack(start, `r${one}`), one));
    body();
    if (reg !== 0) out(move(reg, 0));
    for (const one of saved) out(load(8, one, 10, this.stack(start, `r${one}`)));
  }

  /** r1: the address of this CPU's element of a variable; r0 is used. */
  private addCpuAddress(out: Out, variable: number, shift: 2 | 3): void {
    out(call('bpf_get_smp_processor_id'), alu('and', 0, MOST_CPUS - 1), alu('lsh', 0, shift));
    out(addressOf(1, variable), aluReg('add', 1, 0));
  }

  /** While a lock is held no function may be called. */
  private holdsLock(slot: number): boolean {
    return this.verified.facts
      .at(slot)
      .some(({ state }) => state.refs.some(({ kind }) => kind !== 'pointer' && kind !== 'irq'));
  }

  /** Offset from the frame pointer of eight bytes that the function does not use; the same name is the same place. */
  private stack(start: number, name: string): number {
    const used = Math.ceil((this.depths.get(start) ?? 0) / 8) * 8;
    const key = (what: string): string => `${start} ${what}`;
    let place = this.places.get(key(name));
    if (place === undefined) {
      place = [...this.places.keys()].filter((one) => one.startsWith(`${start} `)).length;
      this.places.set(key(name), place);
    }
    const off = used + 8 * (place + 1);
    return off > FRAME ? this.fail(start, 'stack') : -off;
  }

  private fail(slot: number, what: string): never {
    const { code } = this.verified;
    const name = code.subprogAt(code.subprogStart[slot]!)?.name ?? '?';
    throw new NoPoll(`function '${name}' has no ${what} left for a poll at insn ${slot}`);
  }
}
