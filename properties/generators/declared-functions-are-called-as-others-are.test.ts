/**
 * Programs are made for declared functions too: aimed at one, nearly every program calls it, with arguments made by what can make them, what it
 * gives held and given back, its other half around what is nested; and our verifier accepts them all.
 */
import { describe, expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { coverageOf, smallestCall } from '../../generators/smallest-call.js';
import { contracts } from '../../src/kernel/catalog.js';
import { declare } from '../../src/kernel/declare/declare.js';
import type { DeclaredFunction } from '../../src/object/program.js';
import { verify } from '../../src/verifier/verify.js';
import { modelOf } from '../../src/vm/call/models/index.js';
import { defaultChooser } from '../../src/vm/state/chooser.js';
import { prepare } from '../../src/vm/state/code.js';
import { Vm } from '../../src/vm/vm.js';
import { copyOf } from '../support/declare/print.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const kf = (proto: string, more: Record<string, unknown> = {}): DeclaredFunction =>
  declare('kfunc', { proto, flags: [], types: ['xdp', 'tc', 'syscall'], ...more });

/** A function of each kind that a patch may add. */
const DECLARED: readonly DeclaredFunction[] = [
  kf('struct bpf_node *bpf_node_get(u64 id)', { flags: 'KF_ACQUIRE | KF_RET_NULL' }),
  kf('struct bpf_node *bpf_node_take(void)', { flags: 'KF_ACQUIRE' }),
  kf('struct bpf_node *bpf_node_look(u64 id)', { flags: 'KF_RET_NULL', blocks: false }),
  kf('void bpf_node_put(struct bpf_node *node)', { flags: 'KF_RELEASE' }),
  kf('int bpf_node_give(struct bpf_node *node, u64 to)', { flags: 'KF_RELEASE', returns: 'error' }),
  kf('struct task_struct *bpf_node_task(struct bpf_node *node)', {
    flags: 'KF_ACQUIRE | KF_RET_NULL | KF_TRUSTED_ARGS',
  }),
  kf('int bpf_node_describe(struct bpf_node *node, void *buf, u32 buf__sz)', {
    flags: 'KF_TRUSTED_ARGS',
    writes: ['buf'],
    returns: 'error',
    blocks: true,
  }),
  kf('int bpf_node_lock(struct bpf_res_spin_lock *lock, struct bpf_node *node)', { lock: 'tries' }),
  kf('void bpf_node_unlock(struct bpf_res_spin_lock *lock)', { lock: 'releases', underLock: true }),
  kf('void bpf_node_wait(struct bpf_spin_lock *lock)', { lock: 'takes' }),
  kf('int bpf_node_each(struct bpf_node *node, int (*cb)(struct task_struct *), void *ctx__ign)', {
    callback: { args: ['task', 'scalar'], returns: [0, 1] },
  }),
  kf('void bpf_node_enter(void)', { section: 'enters preempt' }),
  kf('void bpf_node_leave(void)', { section: 'leaves preempt' }),
  kf('void bpf_node_save(unsigned long *flags__irq_flag)', { irq: 'saves' }),
  kf('int *bpf_node_next(struct bpf_iter_num *it)', { flags: 'KF_ITER_NEXT | KF_RET_NULL' }),
  kf('int bpf_node_open(u64 id, struct bpf_dynptr *out__uninit)', { dynptr: 'skb', types: ['tc'] }),
  kf('int bpf_node_put_bytes(struct bpf_node *node, const struct bpf_dynptr *from)', {
    flags: 'KF_TRUSTED_ARGS',
    returns: 'error',
    blocks: false,
    types: ['tc'],
  }),
  declare('helper', {
    name: 'bpf_sk_find',
    id: 212,
    ret: 'RET_PTR_TO_SOCKET_OR_NULL',
    args: ['ARG_PTR_TO_CTX', 'ARG_PTR_TO_UNINIT_MEM', 'ARG_CONST_SIZE'],
    types: ['xdp', 'tc'],
    acquires: true,
  }),
];

describe.each(DECLARED.map((one) => [one.name]))('%s', (name) => {
  const declared = DECLARED;

  it('is called by nearly every program that is aimed at it, and all are accepted', () => {
    let [calls, reached] = [0, 0];
    for (let index = 0; index < 8; index++) {
      const { program } = sample(SEED, index, { declared, aim: name, maxInsns: 80 });
      const verdict = verify(program, { profile: 'privileged', facts: false });
      expect(verdict.ok ? '' : verdict.message, `program ${index}`).toBe('');
      if (coverageOf(program).has(name)) calls++;
      const code = prepare(program);
      const vm = new Vm(code, { chooser: defaultChooser });
      let seen = false;
      while (vm.running && vm.machine.steps < 2000) {
        seen ||= code.contracts[vm.machine.pc]?.name === name;
        vm.step();
      }
      if (seen) reached++;
    }
    expect(calls).toBeGreaterThanOrEqual(7);
    expect(reached).toBeGreaterThanOrEqual(5);
  });

  it('has a smallest program', () => {
    const program = smallestCall(name, undefined, declared)!;
    expect(coverageOf(program)).toContain(name);
    expect(program.insns.length).toBeLessThanOrEqual(24);
    expect(program.declared?.map((one) => one.name)).toContain(name);
  });
});

describe('a program', () => {
  it('carries the declared functions that it calls, and no others', () => {
    for (let index = 0; index < 20; index++) {
      const { program } = sample(SEED, index, { declared: DECLARED, aim: 'bpf_node_get', maxInsns: 60 });
      const called = DECLARED.filter((one) => coverageOf(program).has(one.name));
      expect(program.declared ?? []).toEqual(called);
    }
  });

  it('is the same as ever where nothing is declared', () => {
    for (let index = 0; index < 8; index++)
      expect(sample(SEED, index, { declared: [] }).program).toEqual(sample(SEED, index).program);
  });

  it('calls a copy of any function that is called by its contract alone', () => {
    let made = 0;
    for (const contract of contracts()) {
      const copy = copyOf(contract, `${contract.name}_copy`);
      if (copy === undefined || modelOf(contract.name) !== undefined) continue;
      const { declared } = copy;
      for (const type of contract.types.slice(0, 1)) {
        const program = smallestCall(declared.name, type, [declared]);
        if (program === undefined) continue;
        const verdict = verify(program, { profile: 'privileged', facts: false });
        expect(verdict.ok ? '' : verdict.message, `${contract.name} in ${type}`).toBe('');
        made++;
      }
    }
    expect(made).toBeGreaterThan(100);
  });
});
