/**
 * The parser of the verifier's log of level 2: values, slots and states as Linux 6.18 prints them, and walks along whole logs. None of this
 * needs a kernel; the logs are what it printed.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callHelper, callKfunc, exit, jmp, mov, r0, r1, r6, r10, st } from '../../src/isa/build.js';
import { label, link } from '../../src/isa/label.js';
import type { Program } from '../../src/object/program.js';
import { parseState } from '../../src/oracle/walk-log/state.js';
import { type LogValue, parseValue } from '../../src/oracle/walk-log/value.js';
import { type LogPoint, readWalk } from '../../src/oracle/walk-log/walk.js';
import { constant, equal, unknown } from '../../src/verifier/scalar/scalar.js';
import { format } from '../../src/verifier/scalar/set.js';
import { samples } from '../support/scalars.js';
import { seeded } from '../support/seed.js';

describe('values', () => {
  it('scalars, as our own printing of them, whose words are the kernel`s', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), ({ scalar }, precise) => {
        const value = parseValue(`${precise ? 'P' : ''}${format(scalar)}`)!;
        expect(value.type).toBe('scalar');
        expect(equal(value.num, scalar), format(scalar)).toBe(true);
        expect(value.precise).toBe(precise);
      }),
      seeded(2_000),
    );
  });

  const known: readonly (readonly [string, Partial<LogValue>])[] = [
    ['5', { type: 'scalar', num: constant(5n), precise: false }],
    ['P-13', { num: constant(-13n), precise: true }],
    ['0xfffffffffffffff0', { num: constant(-16n) }],
    ['scalar()', { num: unknown, id: 0 }],
    ['Pscalar(id=7)', { num: unknown, id: 7, precise: true }],
    ['scalar(id=3+8)', { id: 3, delta: 8 }],
    ['scalar(id=3-65536)', { id: 3, delta: -65536 }],
    ['ctx()', { type: 'ctx' }],
    ['fp0', { type: 'fp', off: 0, frame: undefined }],
    ['fp-8', { type: 'fp', off: -8 }],
    ['fp[0]-16', { type: 'fp', off: -16, frame: 0 }],
    ['fp(off=-16,smin=smin32=0,smax=umax=smax32=umax32=8,var_off=(0x0; 0x8))', { type: 'fp', off: -16 }],
    ['pkt(off=14,r=14)', { type: 'pkt', off: 14, range: 14, num: constant(0n) }],
    ['pkt_end()', { type: 'pkt_end' }],
    [
      'map_value(id=1,map=percpu,ks=4,vs=16,off=8,imm=4)',
      { type: 'map_value', map: 'percpu', keySize: 4, valueSize: 16, off: 8, num: constant(4n) },
    ],
    ['map_value_or_null(id=2,map=flows,ks=8,vs=24)', { type: 'map_value', nullable: true, id: 2 }],
    ['sock_or_null(id=2,ref_obj_id=2)', { type: 'sock', nullable: true, ref: 2 }],
    ['sock_common()', { type: 'sock_common', nullable: false }],
    [
      'ringbuf_mem_or_null(id=2,ref_obj_id=2,sz=8)',
      { type: 'mem', flags: ['ringbuf'], nullable: true, size: 8 },
    ],
    ['rdonly_untrusted_mem(sz=0)', { type: 'mem', flags: ['rdonly', 'untrusted'], size: 0 }],
    ['ptr_or_null_task_struct(id=2,ref_obj_id=2)', { type: 'ptr', struct: 'task_struct', nullable: true }],
    ['rcu_ptr_or_null_bpf_cpumask(id=4)', { flags: ['rcu'], struct: 'bpf_cpumask', nullable: true }],
    ['percpu_ptr_or_null_part(id=4,ref_obj_id=4)', { flags: ['percpu'], struct: 'part', ref: 4 }],
    ['ptr_rb_data(non_own_ref,off=8)', { struct: 'rb_data', nonOwning: true, off: 8 }],
    ['dynptr_ptr(type=skb)', { type: 'dynptr_ptr', dynptr: 'skb' }],
    ['func()', { type: 'func' }],
    ['?()', { type: '?' }],
  ];
  it.each(known)('%s', (text, expected) => {
    expect(parseValue(text)).toMatchObject(expected);
  });

  it.each([
    '',
    'R1',
    '00005',
    'nonsense()',
    'mmmmscalar()',
    'scalar(id=x)',
    'scalar(smin=)',
    'ctx(',
    'fp',
    'scalar(what=1)',
  ])('not %s', (text) => {
    expect(parseValue(text)).toBeUndefined();
  });
});

describe('slots', () => {
  const slot = (text: string) => {
    const state = parseState(`R10=fp0 fp-8=${text}`);
    expect(state.unparsed).toEqual([]);
    return state.slots.get(-8)!;
  };

  it('bytes, the lowest address first', () => {
    expect(slot('0000????').bytes.join('')).toBe('????0000');
    expect(slot('mmmmmmmm').reg).toBeUndefined();
    expect(slot('ffffffff').bytes.every((b) => b === 'f')).toBe(true);
  });

  it('what was spilled, behind what lies above it', () => {
    for (const [text, bytes, num] of [
      ['7', 'rrrrrrrr', 7n],
      ['mmmm-13', 'rrrrmmmm', -13n],
      ['????0', 'rrrr????', 0n],
      ['00005', 'rrrr0000', 5n],
      ['000000255', 'rr000000', 255n],
      ['mmmmmmm3', 'rmmmmmmm', 3n],
    ] as const) {
      const { bytes: found, reg } = slot(text);
      expect([found.join(''), reg?.num]).toEqual([bytes, constant(num)]);
    }
    expect(slot('mmmmscalar(id=2,smax=9)').reg?.id).toBe(2);
    expect(slot('ptr_task_struct(ref_obj_id=4)').reg?.struct).toBe('task_struct');
  });

  it('objects', () => {
    expect(slot('dynptr_ringbuf(id=1,ref_id=2,dynptr_id=3)').dynptr).toEqual({
      type: 'ringbuf',
      id: 1,
      ref: 2,
      slice: 3,
    });
    expect(slot('dynptr_local(id=2,dynptr_id=1)').dynptr).toMatchObject({ ref: 0 });
    expect(slot('iter_kmem_cache(ref_id=1,state=drained,depth=2)').iter).toEqual({
      type: 'kmem_cache',
      ref: 1,
      state: 'drained',
      depth: 2,
    });
  });
});

describe('states', () => {
  it('of a callback, with what is held', () => {
    const state = parseState(
      ' frame1: R0_w=scalar(smin=smin32=0,smax=umax=smax32=umax32=25,var_off=(0x0; 0x19)) R10=fp0 refs=4,2 cb',
    );
    expect(state).toMatchObject({ frame: 1, refs: [4, 2], callback: 'sync', unparsed: [] });
    expect([...state.regs.keys()]).toEqual([0, 10]);
  });

  it('with words that are not known, which are told and passed over', () => {
    const state = parseState('R1=5 R2=quaint(id=1) what fp-8=xyz refs=1');
    expect(state.unparsed).toEqual(['R2=quaint(id=1)', 'what', 'fp-8=xyz']);
    expect([state.regs.size, state.refs]).toEqual([1, [1]]);
  });
});

/** A program that takes a task inside an RCU section, on one way, and gives it back. */
const { insns } = link([
  mov(r6, r1),
  callKfunc(0),
  callHelper(7),
  jmp('eq', r0, 0, 'out'),
  mov(r1, 1),
  callKfunc(1),
  jmp('eq', r0, 0, 'out'),
  mov(r1, r0),
  callKfunc(2),
  label('out'),
  callKfunc(3),
  st(8, r10, -8, 0),
  mov(r0, 0),
  exit(),
]);
const program: Program = {
  name: 'held',
  type: 'tracepoint',
  insns,
  maps: [],
  kfuncs: ['bpf_rcu_read_lock', 'bpf_task_from_pid', 'bpf_task_release', 'bpf_rcu_read_unlock'],
  subprogs: [{ name: 'held', start: 0, linkage: 'global' }],
  localTypes: [],
};
const LOG = `func#0 @0
Live regs before insn:
      0: .1........ (bf) r6 = r1
      1: .......... (85) call bpf_rcu_read_lock#65481
  1   3: 0......... (15) if r0 == 0x0 goto pc+5
0: R1=ctx() R10=fp0
0: (bf) r6 = r1                       ; R1=ctx() R6=ctx()
1: (85) call bpf_rcu_read_lock#65481          ;
2: (85) call bpf_get_prandom_u32#7    ; R0=scalar()
3: (15) if r0 == 0x0 goto pc+5        ; R0=scalar(umin=1)
4: (b7) r1 = 1                        ; R1=1
5: (85) call bpf_task_from_pid#65900          ; R0=ptr_or_null_task_struct(id=2,ref_obj_id=2) refs=2
6: (15) if r0 == 0x0 goto pc+2        ; R0=ptr_task_struct(ref_obj_id=2) refs=2
7: (bf) r1 = r0
mark_precise: frame0: last_idx 7 first_idx 6 subseq_idx -1
8: R0=ptr_task_struct(ref_obj_id=2) R1=ptr_task_struct(ref_obj_id=2) refs=2
8: (85) call bpf_task_release#65910           ;
9: (85) call bpf_rcu_read_unlock#65483        ;
10: (7a) *(u64 *)(r10 -8) = 0         ; R10=fp0 fp-8=0
11: (b7) r0 = 0                       ; R0=0
12: (95) exit

from 6 to 9: R0=0 R6=ctx() R10=fp0
9: R0=0 R6=ctx() R10=fp0
9: (85) call bpf_rcu_read_unlock#65483        ;
10: safe

from 3 to 9: safe
processed 13 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 0
`;

function walked(log: string) {
  const points: LogPoint[] = [];
  return { points, summary: readWalk(log, program, (point) => points.push(point)) };
}

describe('walks', () => {
  const { points, summary } = walked(LOG);

  it('every insn that was come to, with where from', () => {
    expect(points.map(({ from, slot }) => `${from}>${slot}`).join(' ')).toBe(
      '-1>0 0>1 1>2 2>3 3>4 4>5 5>6 6>7 7>8 8>9 9>10 10>11 11>12 6>9',
    );
    expect(summary).toMatchObject({ insns: 14, unparsedCount: 0 });
    expect(summary.live.get(3)).toBe(1);
  });

  it('what is held: taken from the list of ids, and counted along each path', () => {
    const held = (index: number) => points[index]!.held.map(({ kind, at }) => `${kind}@${at}`);
    expect([held(5), held(6), held(8), held(9), held(13)]).toEqual([
      [],
      ['pointer@5'],
      ['pointer@5'],
      [],
      [],
    ]);
    expect(points.map(({ rcu }) => (rcu ? 1 : 0)).join('')).toBe('00111111110001');
  });

  it('what is known: what the log shows, and what cannot have changed since', () => {
    const regs = (index: number) => [...points[index]!.regs.keys()].sort((a, b) => a - b);
    expect(regs(7)).toEqual([0, 6, 10]);
    // A branch may settle copies of what it compares; a release makes them worthless.
    expect(points[8]!.regs.get(1)?.ref).toBe(2);
    expect(regs(9)).toEqual([6, 10]);
    expect(points[13]).toMatchObject({ complete: true, from: 6 });
    expect(points[11]!.slots.get(-8)?.reg?.num).toEqual(constant(0n));
  });

  it('logs that are cut or strange tell what they can', () => {
    fc.assert(
      fc.property(fc.nat(LOG.length), fc.nat(LOG.length), fc.string(), (a, b, noise) => {
        const cut = walked(LOG.slice(0, a));
        expect(cut.points.length).toBeLessThanOrEqual(points.length);
        walked(LOG.slice(a, b));
        walked(`${LOG.slice(0, a)}\n${noise}\n${LOG.slice(b)}`);
      }),
      seeded(500),
    );
    const odd = walked(LOG.replace('R6=ctx() R10=fp0\n9:', 'R6=quaint() R10=fp0\nwell well\n9:'));
    expect(odd.summary.unparsed).toEqual(['R6=quaint()', 'well well']);
    expect(odd.points.length).toBe(points.length);
  });

  it('what is only speculated on is not told of', () => {
    const log = LOG.replace('from 6 to 9:', 'from 6 to 9 (speculative execution):');
    expect(walked(log).points.length).toBe(points.length - 1);
    // A global function that is verified next is not.
    const next =
      'Validating f0() func#1...\n0: R1=ctx() R10=fp0\n0: (bf) r6 = r1                       ; R1=ctx() R6=ctx()\n';
    expect(walked(log.replace('from 3 to 9: safe\n', next)).points.length).toBe(points.length);
  });
});
