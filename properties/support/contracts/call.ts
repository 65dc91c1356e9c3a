/**
 * The smallest program that makes one correct call of a function, given its contract: acquires what the arguments need, makes the
 * call, gives everything back. Whether the contract tells the truth shows when the kernel is asked to load it.
 */
import {
  add,
  callHelper,
  callKfunc,
  jmp,
  ldFunc,
  ldMap,
  ldMapValue,
  ldx,
  mov,
  type Reg,
  r0,
  r1,
  r2,
  r3,
  r6,
  r10,
  registers,
  st,
  stx,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { Arg, Contract, Outcome } from '../../../src/kernel/contract.js';
import { ITER_WORDS } from '../../../src/kernel/structs.js';
import type { MapDef, Program, ProgType } from '../../../src/object/program.js';
import { smallMap } from '../kernel/programs.js';

import {
  array,
  GIVE_BACK,
  ITEM_OF,
  KPTR,
  known,
  LIST,
  LOCK,
  makerOf,
  NoWay,
  RES_LOCK,
  TEXT,
  TIMER,
  TREE,
  WQ,
} from './things.js';
import { index, type Step, Writer } from './writer.js';

/** Types whose context has a socket at the same place, or that may look one up. */
const WITH_SOCKET: ReadonlySet<ProgType> = new Set(['xdp', 'tc', 'action', 'socket_filter', 'cgroup_skb']);

/**
 * The program; `check` runs right after the call, with r0 as it left it, and a callback returns `returned`. Throws NoWay where none can
 * be built.
 */
export function callProgram(c: Contract, type: ProgType, check: readonly Item[] = [], returned = 0): Program {
  return new Caller(type, check, returned).program(c);
}

/** Items that name maps by their place in `maps`, and call kfuncs by name. */
export type Written = (maps: readonly number[], kfunc: (name: string) => Item) => readonly Item[];

/**
 * What a call is given in place of one argument. `first`: runs at the start, with the context in r6. `load`: runs right before the call,
 * when all arguments are loaded; may use r0 and r7 to r9, and jump to `after_call`. `after`: runs right after the call, and where `load` jumps to
 * `after_call`; keeps r0. `last`: runs at the end of every path, when all else is given back.
 */
export interface Substitute {
  readonly maps?: readonly MapDef[];
  readonly first?: Written;
  readonly load: (reg: Reg<64>, ...more: Parameters<Written>) => readonly Item[];
  readonly after?: Written;
  /** No RCU section is entered for a function that wants one. */
  readonly bare?: true;
  readonly last?: Written;
}

/** The same call, but for the argument at `index` (from 0). */
export function callWith(c: Contract, type: ProgType, index: number, other: Substitute): Program {
  return new Caller(type, [], 0, { index, other }).program(c);
}

class Caller extends Writer {
  private locked = false;
  private unlocking: Step | undefined;
  /** Where on the stack they are. */
  private nodeAt = 0;
  private flagsAt = 0;
  private dynptrAt = 0;
  private iterAt = 0;

  constructor(
    type: ProgType,
    private readonly check: readonly Item[],
    returned: number,
    private readonly replaced?: { readonly index: number; readonly other: Substitute },
  ) {
    super(type);
    this.returned = returned;
  }

  program(c: Contract): Program {
    this.call(c, true);
    return this.finish();
  }

  /** Makes one call and registers how to undo it. `last`: nothing is made of its result. Returns where r0 was kept. */
  private call(c: Contract, last = false): number {
    this.prepare(c);
    const loads = c.args.map((arg, i) => this.argument(c, arg, registers[i + 1]!));
    if (c.needsRcu === true && this.type === 'syscall' && !(last && this.replaced?.other.bare === true)) {
      this.items.push(this.insn(known('bpf_rcu_read_lock')));
      this.undo([this.insn(known('bpf_rcu_read_unlock'))]);
    }
    for (const load of loads) this.items.push(...load);
    if (last) this.replace();
    this.items.push(this.insn(c), label(last ? 'after_call' : this.name()));
    if (last) this.items.push(...this.check, ...this.substituted('after'));
    return this.afterwards(c, last);
  }

  private replace(): void {
    if (this.replaced === undefined) return;
    const { index: at, other } = this.replaced;
    this.items.splice(1, 0, ...this.substituted('first'));
    this.cleanup.unshift({ items: [...this.substituted('last')], skip: this.name() });
    this.items.push(...other.load(registers[at + 1]!, ...this.names(other)));
  }

  private substituted(part: 'first' | 'after' | 'last'): readonly Item[] {
    const other = this.replaced?.other;
    return other?.[part]?.(...this.names(other)) ?? [];
  }

  private names({ maps = [] }: Substitute): Parameters<Written> {
    return [maps.map((map) => index(this.maps, map)), (name) => callKfunc(index(this.kfuncs, name))];
  }

  /** What has to be in force before the call: a section that is left by it, RCU, the lock of a list. */
  private prepare(c: Contract): void {
    const effects = c.outcomes.flatMap((o) => o.effects);
    const opener: Record<string, string> = { rcu: 'bpf_rcu_read_lock', preempt: 'bpf_preempt_disable' };
    for (const e of effects) {
      if (e.kind === 'leave') this.items.push(this.insn(known(opener[e.section]!)));
    }
    for (const arg of c.args) if (arg.kind === 'graph_root') this.localType = ITEM_OF[arg.graph];
    if (c.args.some((arg) => arg.kind === 'refcounted')) this.localType = ITEM_OF.counted;
    if (/obj_(new|drop)/.test(c.name)) this.localType ??= ITEM_OF.plain;
    const node = c.args.find((arg) => arg.kind === 'graph_node');
    if (node !== undefined) this.nodeAt = this.node(node.kind === 'graph_node' && node.owned);
    const root = c.args.find((arg) => arg.kind === 'graph_root');
    if (root !== undefined && !this.locked) {
      const map = root.kind === 'graph_root' && root.graph === 'list' ? LIST : TREE;
      this.locked = true;
      this.items.push(this.value(r1, map), callHelper(93));
      this.undo([this.value(r1, map), callHelper(94)]);
      this.unlocking = this.cleanup.at(-1);
    }
  }

  /** An owned node, made before the lock is taken; or one found in the tree. */
  private node(owned: boolean): number {
    if (owned) {
      const where = this.room(8);
      const skip = this.undo([]);
      this.items.push(mov(r1, 1), mov(r2, 0), this.insn(known('bpf_obj_new_impl')), jmp('eq', r0, 0, skip));
      this.items.push(stx(8, r10, where, r0));
      return where;
    }
    return this.call(known('bpf_rbtree_first'));
  }

  /** Items that put an argument into `reg`; what it takes to make it is emitted at once. */
  private argument(c: Contract, arg: Arg, reg: Reg<64>): Item[] {
    switch (arg.kind) {
      case 'anything':
      case 'ignored':
      case 'stack_or_null':
      case 'kptr_value':
        return [mov(reg, 0)];
      case 'scalar':
        // A loop of no iterations would leave its callback unseen.
        if (c.name === 'bpf_loop') return [mov(reg, 4)];
        // The id of the local type; or 0, void, which may be cast to.
        return [mov(reg, arg.constant === true && c.name !== 'bpf_rdonly_cast' ? 1 : 0)];
      case 'size':
      case 'alloc_size':
        return [mov(reg, this.sizeOf(c))];
      case 'ctx':
        return [mov(reg, r6)];
      case 'map':
        return [this.mapOf(c, arg, reg)];
      case 'map_key':
      case 'map_value':
        return this.stack(reg, 16, true);
      case 'mem':
        if (arg.mapValue === true) return [this.value(reg, array('data', 64))];
        return this.stack(reg, 'bytes' in arg.size ? arg.size.bytes : 64, arg.access !== 'write');
      case 'sock':
        return this.socket(reg, arg.release === true);
      case 'record':
        return this.made(reg, 'bpf_ringbuf_reserve', true);
      case 'spin_lock':
        return [this.value(reg, this.lockTaken(c, arg.lock))];
      case 'timer':
        return [this.value(reg, TIMER)];
      case 'wq':
        return [this.value(reg, WQ)];
      case 'const_str':
        return [this.value(reg, TEXT)];
      case 'kptr_slot':
        return [this.value(reg, KPTR)];
      case 'dynptr':
        return this.dynptr(arg, reg);
      case 'iter':
        return this.iterator(c, arg, reg);
      case 'irq_flag':
        return this.flags(c, arg, reg);
      case 'btf':
        if (arg.nullable === true) return [mov(reg, 0)];
        return this.made(reg, makerOf(arg, this.type), arg.release === true);
      case 'percpu':
        throw new NoWay('no variable of the kernel to be had');
      case 'callback':
        this.calledBack = true;
        return [ldFunc(reg, 'callback')];
      case 'object':
        return this.made(
          reg,
          arg.percpu === true ? 'bpf_percpu_obj_new_impl' : 'bpf_obj_new_impl',
          arg.release,
        );
      case 'refcounted':
        return this.made(reg, 'bpf_obj_new_impl', false);
      case 'graph_root':
        return [ldMapValue(reg, index(this.maps, arg.graph === 'list' ? LIST : TREE), 8)];
      case 'graph_node':
        return [ldx(8, reg, r10, this.nodeAt), ...(arg.owned ? [add(reg, 8)] : [])];
    }
  }

  private sizeOf(c: Contract): number {
    if (/sk_?c?_lookup/.test(c.name) || /_ct_/.test(c.name)) return 12;
    return c.name === 'bpf_sk_release' ? 12 : 8;
  }

  private mapOf(c: Contract, arg: Arg, reg: Reg<64>): Item {
    if (c.args[0]?.kind === 'timer') return ldMap(reg, index(this.maps, TIMER));
    if (c.args[0]?.kind === 'wq') return ldMap(reg, index(this.maps, WQ));
    const type = (arg.kind === 'map' && arg.types?.[0]) || 'array';
    const found = this.maps.find((m) => m.name === type) ?? smallMap(type);
    return ldMap(reg, index(this.maps, found));
  }

  /** A pointer made by calling `name`; `consumed`: the call under test gives it back. */
  private made(reg: Reg<64>, name: string, consumed: boolean): Item[] {
    const maker = known(name);
    if (!maker.types.includes(this.type)) throw new NoWay(`${name} is not for ${this.type} programs`);
    const where = this.call(maker);
    if (consumed) this.cleanup.at(-1)!.items = [];
    return [ldx(8, reg, r10, where)];
  }

  private socket(reg: Reg<64>, consumed: boolean): Item[] {
    if (!WITH_SOCKET.has(this.type)) throw new NoWay('no socket to be had');
    if (consumed || this.type === 'xdp') return this.made(reg, 'bpf_sk_lookup_tcp', consumed);
    const where = this.room(8);
    const skip = this.undo([]);
    this.items.push(ldx(8, r1, r6, 168), jmp('eq', r1, 0, skip), stx(8, r10, where, r1));
    return [ldx(8, reg, r10, where)];
  }

  private lockTaken(c: Contract, lock: string): MapDef {
    const map = lock === 'spin_lock' ? LOCK : RES_LOCK;
    const unlocks = c.outcomes.some((o) => o.effects.some((e) => e.kind === 'unlock'));
    if (!unlocks) return map;
    if (lock === 'spin_lock') {
      this.items.push(this.value(r1, map), callHelper(93));
      return map;
    }
    const skip = this.undo([]);
    if (lock === 'res_spin_lock_irqsave') {
      this.flagsAt = this.room(8);
      this.items.push(mov(r2, r10), add(r2, this.flagsAt));
    }
    const taker = known(lock === 'res_spin_lock' ? 'bpf_res_spin_lock' : 'bpf_res_spin_lock_irqsave');
    this.items.push(this.value(r1, map), this.insn(taker), jmp('ne', r0, 0, skip));
    return map;
  }

  private flags(c: Contract, arg: Extract<Arg, { kind: 'irq_flag' }>, reg: Reg<64>): Item[] {
    if (arg.state === 'uninit') this.flagsAt = this.room(8);
    else if (c.args.length === 1) {
      this.flagsAt = this.room(8);
      this.items.push(mov(r1, r10), add(r1, this.flagsAt), this.insn(known('bpf_local_irq_save')));
    }
    return [mov(reg, r10), add(reg, this.flagsAt)];
  }

  private dynptr(arg: Extract<Arg, { kind: 'dynptr' }>, reg: Reg<64>): Item[] {
    if (arg.nullable === true) return [mov(reg, 0)];
    if (arg.state === 'init') {
      this.call(known(arg.type === 'ringbuf' ? 'bpf_ringbuf_reserve_dynptr' : 'bpf_dynptr_from_mem'));
      if (arg.release === true) this.cleanup.at(-1)!.items = [];
      return [mov(reg, r10), add(reg, this.dynptrAt)];
    }
    this.dynptrAt = this.room(16);
    return [mov(reg, r10), add(reg, this.dynptrAt)];
  }

  private iterator(c: Contract, arg: Extract<Arg, { kind: 'iter' }>, reg: Reg<64>): Item[] {
    if (arg.state === 'uninit') this.iterAt = this.room(ITER_WORDS[arg.type] * 8);
    else {
      this.call(known(`bpf_iter_${arg.type}_new`));
      if (c.name.endsWith('_destroy')) this.cleanup.at(-1)!.items = [];
    }
    return [mov(reg, r10), add(reg, this.iterAt)];
  }

  /** Keeps r0 if it is a pointer, and registers what gives back whatever an outcome acquired. */
  private afterwards(c: Contract, last: boolean): number {
    const effects = c.outcomes.flatMap((o) => o.effects);
    for (const e of effects) {
      if (e.kind === 'enter') {
        const closer = e.section === 'rcu' ? 'bpf_rcu_read_unlock' : 'bpf_preempt_enable';
        this.undo([this.insn(known(closer))]);
      }
      if (e.kind === 'iter_new') {
        const [, type] = /^bpf_iter_(\w+)_new$/.exec(c.name)!;
        const where = this.iterAt;
        this.undo([mov(r1, r10), add(r1, where), this.insn(known(`bpf_iter_${type}_destroy`))]);
      }
      if (e.kind === 'irq_save' && c.args.length === 1) {
        const where = this.flagsAt;
        this.undo([mov(r1, r10), add(r1, where), this.insn(known('bpf_local_irq_restore'))]);
      }
    }
    if (effects.some((e) => e.kind === 'init_dynptr' && e.acquires === 'dynptr')) {
      const where = this.dynptrAt;
      this.undo([mov(r1, r10), add(r1, where), mov(r2, 0), callHelper(200)]);
    }
    if (effects.some((e) => e.kind === 'lock')) this.unlockAfter(c);
    // The maps that are given here hold no sockets.
    const made = c.outcomes.find(
      ({ r0: value, guard }) => value.kind === 'pointer' && !(guard?.kind === 'map_of_sockets' && guard.is),
    );
    return made === undefined ? 0 : this.keepPointer(c, made, last);
  }

  private unlockAfter(c: Contract): void {
    if (c.kind === 'helper') {
      this.undo([this.value(r1, LOCK), callHelper(94)]);
      return;
    }
    const irq = c.args.length === 2;
    const skip = this.undo([
      ...(irq ? [mov(r2, r10), add(r2, this.flagsAt)] : []),
      this.value(r1, RES_LOCK),
      this.insn(known(irq ? 'bpf_res_spin_unlock_irqrestore' : 'bpf_res_spin_unlock')),
    ]);
    this.items.push(jmp('ne', r0, 0, skip));
  }

  private keepPointer(c: Contract, made: Outcome, last: boolean): number {
    const r0State = made.r0;
    const resource = r0State.kind === 'pointer' ? r0State.acquires : undefined;
    if (last && resource === undefined) return 0;
    const where = this.room(8);
    const giver = resource === undefined ? undefined : GIVE_BACK[resource];
    // A node comes out under the lock, and an object may not be freed under it.
    const node = r0State.kind === 'pointer' && r0State.to.kind === 'graph_node' && r0State.to.owning;
    const back: Item[] = [ldx(8, r1, r10, where), ...(node ? [add(r1, -8)] : []), mov(r2, 0), mov(r3, 0)];
    if (giver !== undefined && !known(giver).types.includes(this.type)) {
      throw new NoWay(`${giver} is not for ${this.type} programs`);
    }
    if (node) {
      // Whether there is one is asked after the unlock, on paths too that never came to the call.
      this.items.splice(1, 0, st(8, r10, where, 0));
      const skip = this.name();
      const items = [
        ldx(8, r1, r10, where),
        jmp('eq', r1, 0, skip),
        ...back.slice(1),
        this.insn(known(giver!)),
      ];
      this.cleanup.splice(this.cleanup.indexOf(this.unlocking!), 0, { items, skip });
    } else {
      const skip = this.undo(
        giver === undefined ? [] : [...back, this.insn(known(giver)), ...this.chain(giver)],
      );
      if (c.outcomes.some((o) => o.r0.kind === 'null')) this.items.push(jmp('eq', r0, 0, skip));
    }
    this.items.push(stx(8, r10, where, r0));
    return where;
  }

  /** bpf_ct_insert_entry gives back one thing and returns another. */
  private chain(giver: string): Item[] {
    if (giver !== 'bpf_ct_insert_entry') return [];
    const none = this.name();
    return [jmp('eq', r0, 0, none), mov(r1, r0), this.insn(known('bpf_ct_release')), label(none)];
  }
}
