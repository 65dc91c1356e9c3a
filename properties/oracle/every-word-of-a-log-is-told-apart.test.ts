/**
 * Logs of the verifier, part by part: every attribute and flag of a value, what is still known after each kind of insn, what is held after
 * each call, and which lines are a complaint.
 */
import { describe, expect, it } from 'vitest';
import {
  add,
  addrSpaceCast,
  atomic,
  callHelper,
  callKfunc,
  end,
  exit,
  ja,
  jmp,
  ldAbs,
  ldImm64,
  ldx,
  loadAcquire,
  mayGoto,
  mov,
  movsx,
  neg,
  r1,
  r2,
  r3,
  r10,
  st,
  storeRelease,
  stx,
} from '../../src/isa/build.js';
import type { Op } from '../../src/isa/insn.js';
import type { Outcome } from '../../src/kernel/contract.js';
import { complaint, insnsWalked } from '../../src/oracle/log.js';
import { forgetAfter } from '../../src/oracle/walk-log/forget.js';
import {
  heldAfterCall,
  heldAsPrinted,
  kindsTaken,
  type LogHold,
  type Origins,
  showsReferences,
} from '../../src/oracle/walk-log/held.js';
import { type LogSlot, parseState } from '../../src/oracle/walk-log/state.js';
import { type LogValue, parseValue } from '../../src/oracle/walk-log/value.js';

describe('values', () => {
  it('every bound goes where it belongs', () => {
    const { num } = parseValue(
      'scalar(smin=-5,smax=6,umin=7,umax=0xfffffffffffffff8,smin32=-9,smax32=10,umin32=11,umax32=0xfffffff4,var_off=(0x1; 0xfffffffffffffffe))',
    )!;
    expect(num).toEqual({
      smin: -5n,
      smax: 6n,
      umin: 7n,
      umax: 0xffff_ffff_ffff_fff8n,
      s32min: -9,
      s32max: 10,
      u32min: 11,
      u32max: 0xffff_fff4,
      value: 1n,
      mask: 0xffff_ffff_ffff_fffen,
    });
    expect(parseValue('scalar(smin=umin=smin32=umin32=3,smax=umax=smax32=umax32=4)')!.num).toMatchObject({
      smin: 3n,
      umin: 3n,
      s32min: 3,
      u32min: 3,
      smax: 4n,
      umax: 4n,
      s32max: 4,
      u32max: 4,
    });
    expect(parseValue('scalar(smin=0x8000000000000000,smin32=0x80000000)')!.num).toMatchObject({
      smin: -(1n << 63n),
      s32min: -(2 ** 31),
    });
  });

  const BLANK: LogValue = { ...parseValue('0')!, num: parseValue('0')!.num };
  it('every attribute, and nothing besides', () => {
    const value = (text: string): LogValue => parseValue(text)!;
    const is = (text: string, more: Partial<LogValue>): void =>
      expect(value(text), text).toEqual({ ...BLANK, ...more });
    is('map_value(map=m)', { type: 'map_value', map: 'm' });
    is('map_value(ks=4)', { type: 'map_value', keySize: 4 });
    is('map_value(vs=0x10)', { type: 'map_value', valueSize: 16 });
    is('map_value(off=-8)', { type: 'map_value', off: -8 });
    is('map_value(off=0xfffffffffffffff8)', { type: 'map_value', off: -8 });
    is('pkt(r=12)', { type: 'pkt', range: 12 });
    is('pkt(r=-2)', { type: 'pkt', range: -2 });
    is('mem(sz=9)', { type: 'mem', size: 9 });
    is('sock(ref_obj_id=3)', { type: 'sock', ref: 3 });
    is('sock(id=3)', { type: 'sock', id: 3 });
    is('ptr_x(non_own_ref)', { type: 'ptr', struct: 'x', nonOwning: true });
    is('dynptr_ptr(type=xdp)', { type: 'dynptr_ptr', dynptr: 'xdp' });
    is('fp-0x10', { type: 'fp', off: -16 });
    is('fp[3]-8', { type: 'fp', off: -8, frame: 3 });
    is('fp[2](off=-16)', { type: 'fp', off: -16, frame: 2 });
    is('map_key_or_null()', { type: 'map_key', nullable: true });
    for (const flag of ['rdonly', 'ringbuf', 'user', 'percpu', 'rcu', 'untrusted', 'trusted'])
      is(`${flag}_ptr_task_struct()`, { type: 'ptr', flags: [flag], struct: 'task_struct' });
    is('percpu_rcu_mem()', { type: 'mem', flags: ['percpu', 'rcu'] });
  });

  it.each([
    'map_value(ks=x)',
    'map_value(unknown=1)',
    'map_value',
    'map_value(',
    '(id=1)',
    'P',
    'Pfoo',
    'x()',
    '1x',
    '-',
    '01',
    'scalar(id=1+)',
    'scalar(var_off=(1; 2))',
  ])('not %s', (text) => expect(parseValue(text)).toBeUndefined());
});

describe('states', () => {
  it('lists of references, one or many; callbacks of both kinds; frames', () => {
    expect(parseState('R1=5').refs).toEqual([]);
    expect(parseState('R1=5 refs=7').refs).toEqual([7]);
    expect(parseState('refs=7,12,3 R1=5').refs).toEqual([7, 12, 3]);
    expect([parseState('cb').callback, parseState('async_cb').callback, parseState('').callback]).toEqual([
      'sync',
      'async',
      'none',
    ]);
    expect([parseState('frame3: R1=5').frame, parseState('R1=5').frame]).toEqual([3, 0]);
    expect([...parseState('R1_w=5 R2_rw=6 R10=fp0').regs.keys()]).toEqual([1, 2, 10]);
    expect([...parseState('fp-8_w=0000mmmm fp-512=mmmmmmmm').slots.keys()]).toEqual([-8, -512]);
  });

  it('dynptrs that the log takes for the slot below are passed over', () => {
    const state = parseState('fp-8=dynptr_<invalid>(id=1) fp-16=dynptr_local(id=2,ref_id=3,dynptr_id=4)');
    expect([...state.slots.keys()]).toEqual([-16]);
    expect(state.slots.get(-16)!.dynptr).toEqual({ type: 'local', id: 2, ref: 3, slice: 4 });
    expect(state.unparsed).toEqual([]);
  });
});

describe('what is still known after an insn', () => {
  const VALUES: Readonly<Record<string, string>> = {
    number: '5',
    linked: 'scalar(id=2)',
    context: 'ctx()',
    stack: 'fp-8',
    map: 'map_ptr(map=m)',
    value: 'map_value(map=m,ks=4,vs=8)',
    function: 'func()',
    maybe: 'map_value_or_null(id=3,map=m)',
    socket: 'sock(ref_obj_id=4)',
    packet: 'pkt(r=8)',
    memory: 'mem(sz=8)',
    borrowed: 'ptr_n(non_own_ref)',
    task: 'ptr_task_struct()',
  };
  const values = Object.entries(VALUES).map(([name, text]) => [name, parseValue(text)!] as const);
  const STEADY = ['number', 'context', 'stack', 'map', 'value', 'function'];

  /** Names of the values that are left in register `n` and in a slot, and whether the state is still whole. */
  function left(
    op: Op,
    n: number,
  ): { readonly regs: string[]; readonly slots: string[]; readonly complete: boolean[] } {
    const kept = { regs: [] as string[], slots: [] as string[], complete: [] as boolean[] };
    for (const [name, value] of values) {
      const slot: LogSlot = { bytes: [], reg: value };
      const after = forgetAfter(op, {
        complete: true,
        regs: new Map([[n, value]]),
        slots: new Map([[-8, slot]]),
      });
      if (after.regs.has(n)) kept.regs.push(name);
      if (after.slots.has(-8)) kept.slots.push(name);
      kept.complete.push(after.complete);
    }
    return kept;
  }
  const ALL = Object.keys(VALUES);

  it('calls: constant things in registers that they save, and numbers; no stack', () => {
    for (const op of [callHelper(1), callKfunc(0), ldAbs(4, 0)]) {
      for (const n of [0, 1, 5]) expect(left(op, n).regs).toEqual([]);
      for (const n of [6, 9, 10]) expect(left(op, n).regs.sort()).toEqual([...STEADY, 'linked'].sort());
      expect(left(op, 6).slots).toEqual([]);
      expect(left(op, 6).complete).not.toContain(true);
    }
  });

  it('branches: what no comparison can change', () => {
    for (const n of [0, 3, 10]) {
      const { regs, slots, complete } = left(jmp('eq', r1, r2, 1), n);
      expect([regs.sort(), slots.sort()]).toEqual([[...STEADY].sort(), [...STEADY].sort()]);
      expect(complete).not.toContain(true);
    }
  });

  it('stores: all registers but memory of dynptrs; constant things in slots', () => {
    for (const op of [
      st(8, r10, -8, 0),
      stx(8, r10, -8, r1),
      atomic('add', 8, r10, -8, r1),
      storeRelease(8, r10, -8, r1),
    ]) {
      const { regs, slots, complete } = left(op, 3);
      expect(regs.sort()).toEqual(ALL.filter((name) => name !== 'memory').sort());
      expect(slots.sort()).toEqual([...STEADY].sort());
      expect(complete).not.toContain(true);
    }
    const bytes: LogSlot = { bytes: ['m'] };
    for (const op of [st(8, r10, -8, 0), jmp('eq', r1, 0, 1)]) {
      const after = forgetAfter(op, { complete: true, regs: new Map(), slots: new Map([[-8, bytes]]) });
      expect(after.slots.has(-8)).toBe(op.kind === 'jmp');
    }
  });

  it('all else: everything but the register that is written', () => {
    const writing = [
      add(r3, 1),
      neg(r3),
      end('be', 16, r3),
      mov(r3, r1),
      movsx(8, r3, r1),
      ldImm64(r3, 5),
      ldx(8, r3, r10, -8),
      loadAcquire(8, r3, r10, -8),
      addrSpaceCast(r3, r1, 0),
    ];
    for (const op of writing) {
      expect(left(op, 3).regs).toEqual([]);
      expect(left(op, 4)).toEqual({ regs: ALL, slots: ALL, complete: ALL.map(() => true) });
    }
    for (const op of [ja(1), mayGoto(1), exit()])
      expect(left(op, 3)).toEqual({ regs: ALL, slots: ALL, complete: ALL.map(() => true) });
  });
});

describe('what is held', () => {
  const outcome = (...effects: Outcome['effects'][number][]): Outcome => ({ effects }) as unknown as Outcome;
  const hold = (id: number, kind: LogHold['kind'], at: number): LogHold => ({ id, kind, at });
  const origins = (): Origins => new Map();

  it('the last lock of its kind is the one that is unlocked', () => {
    const held = [
      hold(1, 'spin_lock', 1),
      hold(2, 'res_spin_lock', 2),
      hold(3, 'spin_lock', 3),
      hold(4, 'pointer', 4),
    ];
    const unlock = (lock: string) => outcome({ kind: 'unlock', lock } as never);
    expect(heldAfterCall(held, [unlock('spin_lock')]).map(({ id }) => id)).toEqual([1, 2, 4]);
    expect(heldAfterCall(held, [unlock('res_spin_lock')]).map(({ id }) => id)).toEqual([1, 3, 4]);
    expect(heldAfterCall(held, [unlock('res_spin_lock_irqsave')])).toEqual(held);
    expect(heldAfterCall(held, [outcome({ kind: 'lock', lock: 'spin_lock' } as never)])).toEqual(held);
  });

  it('what a call takes besides references', () => {
    const taken = outcome(
      { kind: 'lock', lock: 'spin_lock' } as never,
      { kind: 'irq_save' } as never,
      { kind: 'unlock', lock: 'spin_lock' } as never,
      { kind: 'enter', section: 'rcu' } as never,
    );
    expect(kindsTaken([taken])).toEqual(['spin_lock', 'irq']);
  });

  it('new ids are of the insn, old ones stay, those that are gone are gone', () => {
    const known = origins();
    const one = heldAsPrinted([], [2], 5, [], known);
    expect(one).toEqual([hold(2, 'pointer', 5)]);
    const two = heldAsPrinted(one, [2, 4], 7, [], known);
    expect(two).toEqual([hold(2, 'pointer', 5), hold(4, 'pointer', 7)]);
    expect(heldAsPrinted(two, [4], 9, [], known)).toEqual([hold(4, 'pointer', 7)]);
    expect(heldAsPrinted(two, [], 9, [], known)).toEqual([]);
    // An id that was met before is what it was.
    expect(heldAsPrinted([], [2], 99, [], known)).toEqual([hold(2, 'pointer', 5)]);
  });

  it('saved flags and locks are told by the call; a lock has no origin of its own', () => {
    const known = origins();
    expect(heldAsPrinted([], [3], 5, ['irq'], known)).toEqual([hold(3, 'irq', 5)]);
    expect(heldAsPrinted([], [6], 6, ['spin_lock'], known)).toEqual([hold(6, 'spin_lock', 6)]);
    expect([...known.keys()]).toEqual([3]);
    expect(heldAsPrinted([], [7, 8], 9, ['spin_lock', 'irq'], origins())).toEqual([
      hold(7, 'spin_lock', 9),
      hold(8, 'irq', 9),
    ]);
  });

  it('a lock that is not printed hides all that is held after it', () => {
    const hidden = heldAsPrinted([], [], 5, ['spin_lock'], origins());
    expect(hidden).toEqual([hold(0, 'spin_lock', 5)]);
    expect([
      showsReferences([]),
      showsReferences(hidden),
      showsReferences([hold(1, 'pointer', 1), ...hidden]),
    ]).toEqual([true, false, true]);
    expect(heldAsPrinted(hidden, [], 9, ['spin_lock', 'irq'], origins())).toEqual([
      hold(0, 'spin_lock', 5),
      hold(0, 'spin_lock', 9),
    ]);
    // Behind something that is printed it stays, wherever the rest goes.
    const behind = [hold(1, 'pointer', 1), hold(0, 'spin_lock', 5), hold(2, 'pointer', 6)];
    expect(heldAsPrinted(behind, [1, 2], 9, [], origins())).toEqual(behind);
    expect(heldAsPrinted(behind, [1], 9, [], origins())).toEqual([
      hold(1, 'pointer', 1),
      hold(0, 'spin_lock', 5),
    ]);
  });
});

describe('complaints', () => {
  const WALK = [
    '0: R1=ctx() R10=fp0',
    '12: (85) call bpf_loop#181 ; R0=scalar()',
    'from 3 to 9: R0=0',
    'from 6 to 9 (speculative execution): R0=0',
    '; int x = 1; @ file.c:7',
    'R0=5 R1=6',
    ' frame1: R0=5',
    '  R0_w=5',
    'func#0 @0',
    'Live regs before insn:',
    '      0: .1........ (bf) r6 = r1',
    'Validating f0() func#1...',
    "Func#1 ('f') is global and assumed valid.",
    'caller:',
    'callee:',
    'returning from callee:',
    'to caller at 7:',
    'mark_precise: frame0: last_idx 7 first_idx 6',
    '(12) frame 1',
    'SCC exit',
    'propagating r1',
  ];
  const TAIL = [
    'cur state: R0=0',
    'old state: R0=0',
    'processed 12 insns (limit 1000000) max_states_per_insn 0',
    'verification time 99 usec',
    'stack depth 8',
    'stack depth 8+16+0',
    'stack depth 8+16 max 24',
    '',
  ];

  it.each(WALK)('%s is none', (line) => {
    expect(complaint(`3: (95) exit\n${line}\nR9 !read_ok\n`)).toMatchObject({
      message: 'R9 !read_ok',
      lines: ['R9 !read_ok'],
    });
  });

  it.each(TAIL)('%s stands behind one', (line) => {
    expect(complaint(`3: (95) exit\nR9 !read_ok\n${line}\n`)).toEqual({
      message: 'R9 !read_ok',
      lines: ['R9 !read_ok'],
      insn: 3,
    });
  });

  it('of several lines the last counts, but leaks are all told, and a line that ends in a comma goes on', () => {
    expect(complaint('7: (95) exit\nfirst\nlast\n')).toEqual({
      message: 'last',
      lines: ['first', 'last'],
      insn: 7,
    });
    expect(complaint('7: (95) exit\nand so,\nit goes\n')).toEqual({
      message: 'and so, it goes',
      lines: ['and so, it goes'],
      insn: 7,
    });
    expect(complaint('Unreleased reference id=2 alloc_insn=3\nother\nlast').message).toBe(
      'Unreleased reference id=2 alloc_insn=3 // last',
    );
    expect(complaint('7: (95) exit\nonly walked: no\n').insn).toBe(7);
    expect(complaint('stack depth of 5 is too much').message).toBe('stack depth of 5 is too much');
    expect(complaint('3: (95) exit\n4: R1=5\nR9 !read_ok').insn).toBe(3);
    expect(complaint('R9 !read_ok')).toEqual({ message: 'R9 !read_ok', lines: ['R9 !read_ok'] });
  });

  it('how many insns were walked: the last line counts', () => {
    expect(insnsWalked('processed 5 insns (limit)\nx\nprocessed 7 insns (limit)')).toBe(7);
    expect([insnsWalked(''), insnsWalked('was processed 5 insns')]).toEqual([undefined, undefined]);
  });
});
