/**
 * For each contract and each program type that it names, the kernel loads a program that calls the function as the contract says and
 * gives back what it says is acquired; for the other types it refuses. What the contract says of r0 is what the verifier knows.
 */
import { expect, it } from 'vitest';
import { jmp, ldImm64, ldx, r0, r1, r5 } from '../../src/isa/build.js';
import type { Item } from '../../src/isa/label.js';
import { label } from '../../src/isa/label.js';
import { contractOf, contracts } from '../../src/kernel/catalog.js';
import type { Contract, Outcome } from '../../src/kernel/contract.js';
import { progType } from '../../src/kernel/progtypes.js';
import type { ProgType } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { callProgram } from '../support/contracts/call.js';
import { NoWay } from '../support/contracts/things.js';
import { LOADABLE } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const known = (name: string): Contract => {
  const c = contractOf(name);
  if (c === undefined) throw new Error(`${name} is not in the catalog`);
  return c;
};

/** Types of which the kernel loads programs that sleep as well as such that do not. */
const MAY_SLEEP: ReadonlySet<ProgType> = new Set(['kprobe', 'iter', 'struct_ops']);

/** `loads`, why there is no program to ask about, or the kernel's complaint. */
function ask(c: Contract, type: ProgType, check: readonly Item[] = []): string {
  try {
    const sleeps = (c.sleeps === true || /kmem_cache|dmabuf/.test(c.name)) && MAY_SLEEP.has(type);
    const program = { ...callProgram(c, type, check), ...(sleeps ? { sleepable: true } : {}) };
    const result = loadProgram(program);
    if (result.ok) {
      result.close();
      return 'loads';
    }
    // A map that no program of the type may use, whatever it does: the contract is not to blame.
    const fields = program.maps.flatMap((map) => map.fields);
    const refused = fields.some((f) => progType(type).refusedFields.get(f.kind) === result.message);
    return refused ? 'no map' : `${result.stage}: ${result.errno} ${result.message}`;
  } catch (error) {
    if (error instanceof NoWay) return `no way: ${error.message}`;
    throw error;
  }
}

/** Calls that no program here can make, because their arguments cannot be had: contracts that are held only against the tables. */
const NO_WAY =
  /^(bpf_skc_to_\w+ syscall|bpf_sock_from_file syscall|bpf_crypto_(en|de)crypt (xdp|tc)|bpf_iter_css_\w+ socket_filter|bpf_cgroup_read_xattr socket_filter|bpf_kptr_xchg socket_filter|bpf_kfunc_call_(test|memb)_release \w+|bpf_sk_assign_tcp_reqsk tc|bpf_(per|this)_cpu_ptr \w+)$/;

/** Types for which the builder makes every argument. */
const BUILT_FOR: readonly ProgType[] = ['xdp', 'tc', 'socket_filter', 'tracepoint', 'syscall'];

/** Complaints about calls that the contract allows. */
function complaints(c: Contract): string[] {
  return c.types
    .filter((type) => LOADABLE.includes(type))
    .flatMap((type) => {
      const answer = ask(c, type);
      if (answer === 'loads' || answer === 'no map') return [];
      if (answer.startsWith('no way') && NO_WAY.test(`${c.name} ${type}`)) return [];
      // What stands in for a struct that this kernel does not have cannot be called in it either.
      if (type === 'struct_ops' && /^kfunc: ENOENT /.test(answer)) return [];
      // Of the types that were not there from the start the builder knows few ways to arguments.
      if (answer.startsWith('no way') && !BUILT_FOR.includes(type)) return [];
      return [`${type}: ${answer}`];
    });
}

/** Takes no argument where the contract does not speak of it, and so a call with one as well. */
const TAKES_LESS: ReadonlySet<string> = new Set(['bpf_get_cgroup_classid']);

/** Types for which the contract says no and the kernel says yes. */
function tooNarrow(c: Contract): ProgType[] {
  return LOADABLE.filter((type) => !c.types.includes(type) && ask(c, type) === 'loads');
}

/** Follows a wild number: refused wherever the verifier gets there. */
const wild: readonly Item[] = [ldx(8, r1, r5, 0)];
const after: Item = label('after_check');

/** Code that is refused exactly if r0 may lie outside the ranges. */
function outside(ranges: readonly (readonly [bigint, bigint])[]): Item[] {
  const tests = ranges.flatMap(([min, max], i) => [
    ldImm64(r5, min),
    jmp('slt', r0, r5, `next${i}`),
    ldImm64(r5, max),
    jmp('sle', r0, r5, 'after_check'),
    label(`next${i}`),
  ]);
  return [...tests, ...wild, after];
}

/** Code that is refused exactly if r0 may be `value`. */
const canBe = (value: bigint): Item[] => [
  ldImm64(r5, value),
  jmp('ne', r0, r5, 'after_check'),
  ...wild,
  after,
];

/** The calls made here pass eight bytes wherever a size is asked for. */
const SIZE = 8n;
function rangesOf(outcomes: readonly Outcome[]): (readonly [bigint, bigint])[] {
  return outcomes.flatMap(({ r0: value }) => {
    if (value.kind !== 'scalar') return [];
    return [[value.min, value.upTo === undefined ? value.max : SIZE] as const];
  });
}

/** Where the verifier's knowledge of r0 and the contract's differ. */
function rangeFlaws(c: Contract): string[] {
  const type = c.types.find((each) => ask(c, each) === 'loads');
  const ranges = rangesOf(c.outcomes);
  if (type === undefined || ranges.length === 0) return [];
  const out: string[] = [];
  const beyond = ask(c, type, outside(ranges));
  if (beyond !== 'loads') out.push(`r0 may be another number: ${beyond}`);
  for (const edge of new Set(ranges.flat())) {
    // The number of CPUs is the machine's; the contract's bound is that of the largest.
    if (c.name === 'bpf_get_smp_processor_id' && edge > 0n) continue;
    if (ask(c, type, canBe(edge)) === 'loads') out.push(`r0 is never ${edge}`);
  }
  return out;
}

const change = (name: string, of: (o: Outcome) => Outcome): Contract => {
  const c = known(name);
  return { ...c, outcomes: c.outcomes.map(of) };
};
const withArgs = (name: string, ...args: Contract['args']): Contract => ({ ...known(name), args });

describeKnownKernel('the kernel', () => {
  it('takes a call of every contract from every type of program that may make it', () => {
    const found = contracts().flatMap((c) => complaints(c).map((text) => `${c.name} ${text}`));
    expect(found).toEqual([]);
  });

  it('refuses it from every other', () => {
    const found = contracts()
      .filter((c) => !TAKES_LESS.has(c.name))
      .flatMap((c) => tooNarrow(c).map((type) => `${c.name} ${type}`));
    expect(found).toEqual([]);
  });

  it('knows of r0 what the contracts say, no less and no more', () => {
    const found = contracts().flatMap((c) => rangeFlaws(c).map((text) => `${c.name}: ${text}`));
    expect(found).toEqual([]);
  });

  it('finds a contract out that hides what is acquired', () => {
    const hide = (o: Outcome): Outcome =>
      o.r0.kind === 'pointer' ? { ...o, r0: { kind: 'pointer', to: o.r0.to } } : o;
    for (const name of [
      'bpf_sk_lookup_tcp',
      'bpf_task_acquire',
      'bpf_ringbuf_reserve',
      'bpf_cpumask_create',
    ]) {
      expect(complaints(change(name, hide)).join(), name).toMatch(/Unreleased reference/);
    }
    const quiet = (o: Outcome): Outcome => ({ ...o, effects: [] });
    expect(complaints(change('bpf_rcu_read_lock', quiet)).join()).toMatch(/rcu_read_lock-ed region/);
    expect(complaints(change('bpf_iter_num_new', quiet)).join()).toMatch(/Unreleased reference/);
    expect(complaints(change('bpf_ringbuf_reserve_dynptr', quiet)).join()).toMatch(/Unreleased reference/);
  });

  it('finds a contract out whose arguments are other ones', () => {
    const ctx = { kind: 'ctx' } as const;
    const number = { kind: 'scalar' } as const;
    expect(complaints(withArgs('bpf_skb_pull_data', number, number)).join()).toMatch(/expected=ctx/);
    expect(complaints(withArgs('bpf_map_delete_elem', ctx, { kind: 'map_key' })).join()).toMatch(/map_ptr/);
    expect(complaints(withArgs('bpf_task_release', number)).join()).not.toBe('');
    expect(complaints({ ...known('bpf_xdp_adjust_head'), types: ['xdp', 'tc'] }).join()).toMatch(/tc/);
    expect(tooNarrow({ ...known('bpf_loop'), types: ['xdp'] })).toEqual(
      LOADABLE.filter((type) => type !== 'xdp'),
    );
  });

  it('finds a contract out that knows too much of r0, or too little', () => {
    const range =
      (min: bigint, max: bigint) =>
      (o: Outcome): Outcome => ({ ...o, r0: { kind: 'scalar', min, max } });
    expect(rangeFlaws(change('bpf_redirect', range(0n, 4n))).join()).toMatch(/another number/);
    expect(rangeFlaws(change('bpf_get_smp_processor_id', range(-1n, 8191n))).join()).toMatch(/never -1/);
    expect(rangeFlaws(change('bpf_res_spin_lock', range(-4095n, 1n))).join()).toMatch(/never 1/);
  });
});
