/** Each check at its edge: what is just allowed, and what is one too far. The ledger is held against a plain account of the same rules. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contracts } from '../../src/kernel/catalog.js';
import { returnRange } from '../../src/kernel/progtypes.js';
import { PROG_TYPES } from '../../src/object/program.js';
import { parseCase } from '../../src/vm/case/case.js';
import { address } from '../../src/vm/state/address.js';
import { type HoldKind, Ledger } from '../../src/vm/state/ledger.js';
import { cannotRun } from '../../src/vm/state/runnable.js';
import { Trap } from '../../src/vm/state/trap.js';
import { Vm } from '../../src/vm/vm.js';
import { seeded } from '../support/seed.js';
import { call, lines } from '../support/vm/text.js';

const checksOf = (vm: Vm): string[] => vm.run().violations.map(({ check }) => check);

describe('the exit of a program', () => {
  test.each(PROG_TYPES.map((type) => [type]))('of type %s returns what its hook allows', (type) => {
    const { program } = parseCase(`.type ${type}\n${lines('r0 = 0', 'exit')}`);
    const range = returnRange(type, undefined);
    if (cannotRun(program) !== undefined) return;
    const returns = (value: bigint): string[] => {
      const vm = new Vm(
        parseCase(`.type ${type}\n${lines(`r0 = 0x${BigInt.asUintN(64, value).toString(16)} ll`, 'exit')}`)
          .program,
      );
      return checksOf(vm);
    };
    const [min, max] = range ?? [-1, 1];
    for (const value of [BigInt(min), BigInt(max)]) expect(returns(value), `${value}`).toEqual([]);
    const outside = [
      BigInt(min) - 1n,
      BigInt(max) + 1n,
      BigInt(max) + (1n << 32n),
      BigInt(min) - (1n << 32n),
    ];
    for (const value of outside)
      expect(returns(value), `${value}`).toEqual(range === undefined ? [] : ['return']);
  });
});

describe('the bound', () => {
  test('counts the insns from the kill to the exit, both included', () => {
    for (const tier of ['fast', 'definitional'] as const) {
      for (let length = 1; length < 8; length++) {
        const { program } = parseCase(
          `.type xdp\n${lines(...Array.from({ length }, () => 'r0 = 1'), 'exit')}`,
        );
        for (let at = 0; at <= length; at++) {
          const left = length + 1 - at;
          for (const bound of [left - 1, left, left + 1]) {
            const vm = new Vm(program, { bound, tier });
            vm.advance(at);
            vm.kill();
            expect(checksOf(vm), `${at} of ${length}, bound ${bound}`).toEqual(bound < left ? ['bound'] : []);
          }
        }
      }
    }
  });

  test('of a run that is not killed is no check', () => {
    const { program } = parseCase('.type xdp\na:\n    goto a\n    r0 = 0\n    exit');
    expect(new Vm(program, { maxSteps: 10 }).run()).toMatchObject({
      end: 'limit',
      steps: 10,
      violations: [],
    });
  });
});

test('an access may end at the last byte and begin at the first, and no further', () => {
  for (const tier of ['fast', 'definitional'] as const) {
    for (const bits of [8, 16, 32, 64]) {
      const size = bits / 8;
      for (const [off, good] of [
        [-size, true],
        [-size + 1, false],
        [-512, true],
        [-513, false],
      ] as const) {
        const access = [`*(u${bits} *)(r10 ${off < 0 ? off : `+${off}`}) = 1`];
        const vm = new Vm(parseCase(`.type xdp\n${lines(...access, 'r0 = 0', 'exit')}`).program, { tier });
        expect(checksOf(vm), `${size} bytes at ${off}`).toEqual(good ? [] : ['fault']);
      }
    }
  }
});

test('each CPU has a value of its own', () => {
  const on = (cpu: number, then: string): string =>
    `${call('bpf_map_lookup_percpu_elem', 'map p', 'fp-4', `${cpu}`)}    if r0 == 0 goto out\n${then}`;
  const { program } = parseCase(
    `.type xdp\n.map p percpu_array key=4 value=8 entries=2\n${lines('*(u32 *)(r10 -4) = 0')}${on(0, lines('*(u64 *)(r0 +0) = 5'))}${on(1, lines('r6 = *(u64 *)(r0 +0)', '*(u64 *)(r0 +0) = 7'))}${on(0, lines('r7 = *(u64 *)(r0 +0)'))}${lines('r6 *= 100', 'r6 += r7', 'r0 = r6', 'exit')}out:\n${lines('r0 = -1', 'exit')}`,
  );
  const vm = new Vm(program, { env: { choices: new Map(), cpu: { current: 0, count: 2 } } });
  expect(vm.run().r0).toBe(5n);
});

describe('what is acquired after the kill', () => {
  const rows: readonly (readonly [name: string, text: string, broken: readonly string[]])[] = [
    [
      'a record',
      `.map rb ringbuf entries=4096\n${call('bpf_ringbuf_reserve', 'map rb', '8', '0')}    if r0 == 0 goto out\n${call('bpf_ringbuf_discard', 'r0', '0')}`,
      ['acquire'],
    ],
    [
      'a record that is not had',
      `.map rb ringbuf entries=4096\n.env bpf_ringbuf_reserve#1=null\n${call('bpf_ringbuf_reserve', 'map rb', '8', '0')}    if r0 == 0 goto out\n${call('bpf_ringbuf_discard', 'r0', '0')}`,
      [],
    ],
    [
      'a dynptr',
      `.map rb ringbuf entries=4096\n${call('bpf_ringbuf_reserve_dynptr', 'map rb', '8', '0', 'fp-16')}${call('bpf_ringbuf_discard_dynptr', 'fp-16', '0')}`,
      ['acquire'],
    ],
    [
      'a null dynptr',
      `.map rb ringbuf entries=4096\n.env bpf_ringbuf_reserve_dynptr#1=error\n${call('bpf_ringbuf_reserve_dynptr', 'map rb', '8', '0', 'fp-16')}${call('bpf_ringbuf_discard_dynptr', 'fp-16', '0')}`,
      [],
    ],
    [
      'an object',
      `.struct item size=16\n${call('bpf_obj_new_impl', '1', '0')}    if r0 == 0 goto out\n${call('bpf_obj_drop_impl', 'r0', '0')}`,
      ['acquire'],
    ],
    ['a section, which cannot be refused', `${call('bpf_rcu_read_lock')}${call('bpf_rcu_read_unlock')}`, []],
    [
      'preemption, which cannot be refused',
      `${call('bpf_preempt_disable')}${call('bpf_preempt_enable')}`,
      [],
    ],
    [
      'a saved IRQ state, which cannot be refused',
      `${call('bpf_local_irq_save', 'fp-8')}${call('bpf_local_irq_restore', 'fp-8')}`,
      [],
    ],
    [
      'a resilient lock',
      `.map m array key=4 value=16 entries=1 res_spin_lock@0\n${lines('*(u32 *)(r10 -4) = 0')}${call('bpf_map_lookup_elem', 'map m', 'fp-4')}    if r0 == 0 goto out\n${lines('r6 = r0')}${call('bpf_res_spin_lock', 'r6')}    if r0 != 0 goto out\n${call('bpf_res_spin_unlock', 'r6')}`,
      ['acquire'],
    ],
    [
      'a spin lock, which cannot be refused',
      `.map m array key=4 value=16 entries=1 spin_lock@0\n${lines('*(u32 *)(r10 -4) = 0')}${call('bpf_map_lookup_elem', 'map m', 'fp-4')}    if r0 == 0 goto out\n${lines('r6 = r0')}${call('bpf_spin_lock', 'r6')}${call('bpf_spin_unlock', 'r6')}`,
      [],
    ],
  ];
  test.each(rows)('%s', (_name, text, broken) => {
    const directives = text
      .split('\n')
      .filter((line) => line.startsWith('.'))
      .join('\n');
    const code = text
      .split('\n')
      .filter((line) => !line.startsWith('.'))
      .join('\n');
    const { program, env } = parseCase(`.type tc\n${directives}\n${code}out:\n${lines('r0 = 0', 'exit')}`);
    expect(checksOf(new Vm(program, { env }))).toEqual([]);
    const killed = new Vm(program, { env });
    killed.kill();
    expect(checksOf(killed)).toEqual(broken);
  });
});

/** Functions that show what they read to a map, a ring buffer, a packet or user space. */
const SHOW = [
  'bpf_copy_to_user',
  'bpf_dynptr_write',
  'bpf_map_push_elem',
  'bpf_map_update_elem',
  'bpf_msg_push_data',
  'bpf_perf_event_output',
  'bpf_probe_write_user',
  'bpf_ringbuf_output',
  'bpf_seq_printf',
  'bpf_seq_printf_btf',
  'bpf_seq_write',
  'bpf_setsockopt',
  'bpf_sk_storage_get',
  'bpf_skb_output',
  'bpf_skb_set_tunnel_key',
  'bpf_skb_set_tunnel_opt',
  'bpf_skb_store_bytes',
  'bpf_skb_vlan_push',
  'bpf_trace_printk',
  'bpf_trace_vprintk',
  'bpf_xdp_output',
  'bpf_xdp_store_bytes',
  'bpf_stream_vprintk_impl',
];

describe('unwritten stack that a function reads', () => {
  const readers = contracts().flatMap((contract) => {
    const index = contract.args.findIndex(
      (arg) => arg.kind === 'mem' && arg.access === 'read' && !('bytes' in arg.size && arg.size.bytes === 0),
    );
    return index < 0 ? [] : [{ contract, index }];
  });

  test('is a disclosure where others get to see it, and a fault elsewhere', () => {
    const seen = new Map<string, string>();
    for (const { contract, index } of readers) {
      const insn = `call ${contract.name}`;
      const map = '.map m hash key=4 value=8 entries=1\n.map rb ringbuf entries=4096\n';
      const { program } = parseCase(`.type tc\n${map}${lines(insn, 'r0 = 0', 'exit')}`);
      const vm = new Vm(program, { strict: true });
      const { machine } = vm;
      contract.args.forEach((arg, i) => {
        const stack = machine.regs[10]! - 64n;
        const object = machine.memory.add({
          kind: 'sock',
          name: 'any',
          bytes: new Uint8Array(64),
          writable: true,
        });
        const value =
          arg.kind === 'ctx'
            ? machine.regs[1]!
            : arg.kind === 'map'
              ? address(machine.mapHandle(0), 0)
              : arg.kind === 'mem'
                ? i === index
                  ? stack
                  : stack + 8n
                : ['sock', 'btf', 'object'].includes(arg.kind)
                  ? address(object, 0)
                  : 8n;
        // Arguments before it are good: what they point to was written.
        if (arg.kind === 'mem' && i < index) machine.writeBytes(stack + 8n, new Uint8Array(32));
        machine.regs[i + 1] = value;
        machine.readable |= 2 << i;
      });
      vm.step();
      const first = vm.result().violations[0];
      if (first !== undefined && /never written/.test(first.message)) seen.set(contract.name, first.check);
    }
    expect(seen.size).toBeGreaterThan(30);
    const wrong = [...seen].filter(([name, check]) => (check === 'disclosure') !== SHOW.includes(name));
    expect(wrong).toEqual([]);
    expect([...seen.values()].filter((check) => check === 'disclosure').length).toBeGreaterThan(5);
  });
});

/** What a ledger allows, written down plainly: a list of what is held, newest last. */
class Account {
  readonly held: { readonly id: number; readonly kind: string; readonly where: number }[] = [];
  private last = 0;

  take(kind: string, where: number): void {
    this.held.push({ id: ++this.last, kind, where });
  }
  /** Gives back the newest that fits; false if there is none, or if it is not `topOf`. */
  give(
    fits: (one: { readonly kind: string; readonly where: number }) => boolean,
    among: (kind: string) => boolean,
  ): boolean {
    const some = this.held.filter(({ kind }) => among(kind));
    const index = this.held.findLastIndex(fits);
    if (index < 0 || this.held[index] !== some.at(-1)) return false;
    this.held.splice(index, 1);
    return true;
  }
  /** Forgets what fits, in whatever order it was taken. */
  forget(fits: (one: { readonly kind: string; readonly where: number }) => boolean): void {
    const index = this.held.findLastIndex(fits);
    if (index >= 0) this.held.splice(index, 1);
  }
}

const isLock = (kind: string): boolean => kind.includes('spin_lock');
const LOCKS = ['spin_lock', 'res_spin_lock', 'res_spin_lock_irqsave'] as const;
const SECTIONS = ['rcu', 'preempt'] as const;
const OTHERS: readonly HoldKind[] = [
  'socket',
  'object',
  'record',
  'iterator',
  'dynptr',
  'null_dynptr',
] as never;
const place = fc.integer({ min: 1, max: 2 });
const action = fc.oneof(
  fc.record({
    what: fc.constantFrom('lock' as const, 'unlock' as const),
    kind: fc.constantFrom(...LOCKS),
    where: place,
    offset: fc.constantFrom(0, 4),
  }),
  fc.record({
    what: fc.constantFrom('enter' as const, 'leave' as const),
    kind: fc.constantFrom(...SECTIONS),
  }),
  fc.record({
    what: fc.constantFrom('save' as const, 'restore' as const),
    nth: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({
    what: fc.constantFrom('take' as const, 'give' as const),
    kind: fc.constantFrom(...OTHERS),
    where: place,
  }),
);

test('the ledger gives back what a plain account gives back, and in the same order', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 24 }), (actions) => {
      const ledger = new Ledger();
      const account = new Account();
      const saved: { readonly id: number; readonly where: number }[] = [];
      let irqs = 0;
      const refused = (run: () => unknown): boolean => {
        try {
          run();
          return false;
        } catch (error) {
          if (!(error instanceof Trap) || error.check !== 'misuse') throw error;
          return true;
        }
      };
      for (const one of actions) {
        switch (one.what) {
          case 'lock': {
            const where = 10 * one.where + one.offset;
            const taken = account.held.some(({ kind, where: there }) => isLock(kind) && there === where);
            expect(ledger.isLocked(one.where, one.offset)).toBe(taken);
            expect(refused(() => ledger.lock(one.kind, one.where, one.offset, 0, 'f'))).toBe(taken);
            if (!taken) account.take(one.kind, where);
            break;
          }
          case 'unlock': {
            const where = 10 * one.where + one.offset;
            const ok = account.give((it) => it.kind === one.kind && it.where === where, isLock);
            expect(refused(() => ledger.unlock(one.kind, one.where, one.offset, 'f'))).toBe(!ok);
            // What is given back wrongly is given back, if it is held at all.
            if (!ok) account.forget(({ kind, where: there }) => isLock(kind) && there === where);
            break;
          }
          case 'enter':
            account.take(one.kind, 0);
            ledger.take(one.kind, 0, 0, 0, 'f');
            break;
          case 'leave': {
            const ok = account.give(
              (it) => it.kind === one.kind,
              (kind) => kind === one.kind,
            );
            expect(refused(() => ledger.leave(one.kind, 'f'))).toBe(!ok);
            break;
          }
          case 'save':
            account.take('irq', ++irqs);
            saved.push({ id: ledger.take('irq', 9, 0, 0, 'f'), where: irqs });
            break;
          case 'restore': {
            const state = saved[one.nth];
            if (state === undefined) break;
            const ok = account.give(
              (it) => it.kind === 'irq' && it.where === state.where,
              (kind) => kind === 'irq',
            );
            expect(refused(() => ledger.restoreIrq(state.id, 'f'))).toBe(!ok);
            if (!ok) account.forget(({ kind, where }) => kind === 'irq' && where === state.where);
            break;
          }
          case 'take':
            account.take(one.kind, one.where);
            ledger.take(one.kind, one.where, 0, 0, 'f');
            break;
          case 'give': {
            // References are found by their object; what lies in a slot is not a reference.
            const slot = ['iterator', 'dynptr', 'null_dynptr'].includes(one.kind);
            const there = account.held.filter(
              ({ kind, where }) => where === one.where && ['socket', 'object', 'record'].includes(kind),
            );
            const found = ledger.reference(one.where);
            expect(found?.id).toBe(there.at(-1)?.id);
            if (slot || found === undefined) break;
            ledger.drop(found.id);
            account.held.splice(account.held.indexOf(there.at(-1)!), 1);
            expect(ledger.has(found.id)).toBe(false);
            break;
          }
        }
        expect(ledger.holds.map(({ id, kind }) => ({ id, kind }))).toEqual(
          account.held.map(({ id, kind }) => ({ id, kind })),
        );
      }
    }),
    seeded(1500),
  );
});

describe('what may only be read', () => {
  const value = ['r1 = map m', 'r2 = r10', 'r2 += -4', '*(u32 *)(r10 -4) = 0', 'call bpf_map_lookup_elem'];
  const found = [...value, 'if r0 == 0 goto out'];
  const out = ['out:', 'r0 = 0', 'exit'];
  const key = ['r1 = map m', 'r2 = func cb', 'r3 = 0', 'r4 = 0', 'call bpf_for_each_map_elem', ...out];
  const each = (touch: string): string[] => [...key, 'cb:', 'r0 = r2', touch, 'r0 = 0', 'exit'];
  const ROWS: readonly [what: string, writable: boolean, text: (touch: string) => string][] = [
    ['a value', true, (touch) => `.map m array key=4 value=8 entries=1\n${lines(...found, touch, ...out)}`],
    [
      'a value that programs may only read',
      false,
      (touch) => `.map m array key=4 value=8 entries=1 flags=0x80\n${lines(...found, touch, ...out)}`,
    ],
    ['a key', false, (touch) => `.map m array key=4 value=8 entries=1\n${lines(...each(touch))}`],
    ['the packet', true, (touch) => lines('r0 = *(u32 *)(r1 +0)', touch, 'r0 = 0', 'exit')],
    [
      'the stack',
      true,
      (touch) => lines('*(u64 *)(r10 -8) = 0', 'r0 = r10', 'r0 += -8', touch, 'r0 = 0', 'exit'),
    ],
  ];
  test.each(ROWS)('%s: writable %s', (_, writable, text) => {
    const run = (touch: string): string[] => checksOf(new Vm(parseCase(`.type xdp\n${text(touch)}`).program));
    expect(run('r1 = *(u32 *)(r0 +0)')).toEqual([]);
    expect(run('*(u32 *)(r0 +0) = 1')).toEqual(writable ? [] : ['fault']);
  });
});
