/**
 * A program that stands in for a function of a kernel struct may do what the kernel's verifier lets it do: load its arguments, write the members of a
 * socket that its struct allows, call what its member allows, sleep, return. Asked about every function of the structs that this kernel has.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  add,
  callHelper,
  exit,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r10,
  stx,
} from '../../../src/isa/build.js';
import type { Item } from '../../../src/isa/label.js';
import { symbols } from '../../../src/kernel/catalog.js';
import { Btf } from '../../../src/object/btf/read.js';
import { kernelTypes } from '../../../src/object/kernel/types.js';
import { readObject } from '../../../src/object/load.js';
import type { KernelTypes, Program } from '../../../src/object/program.js';
import { kernelTypeId } from '../../../src/oracle/btf.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { profileHere } from '../../../src/oracle/profile/running.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { programOf } from '../../support/kernel/programs.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';
import { objectBytes } from '../../support/objects/files.js';
import { seeded } from '../../support/seed.js';

const BTF = '/sys/kernel/btf/vmlinux';
let opened: { readonly btf: Btf; readonly types: KernelTypes } | undefined;
function kernel(): { readonly btf: Btf; readonly types: KernelTypes } {
  const btf = opened?.btf ?? new Btf(readFileSync(BTF), BTF, 'the BTF of the kernel');
  opened ??= { btf, types: kernelTypes(btf) };
  return opened;
}

/** Functions of a struct, in its order. */
function members(struct: string): readonly string[] {
  const { btf, types } = kernel();
  const id = btf.find(struct, 'struct');
  const type = id === undefined ? undefined : btf.type(id);
  if (type?.kind !== 'struct') return [];
  return type.members
    .map(({ name }) => name)
    .filter((name) => types.hook?.('struct_ops', { type: 0, target: `${struct}.${name}` }) !== undefined);
}

function standing(target: string, items: readonly Item[], more: Partial<Program> = {}): Program {
  const { types } = kernel();
  const { index = 0, returns } = types.hook!('struct_ops', { type: 0, target })!;
  const attach = { type: index, target, ...(returns !== undefined && { returns }) };
  return { ...programOf('struct_ops', items), attach, kernelTypes: types, ...more };
}

/** Both verdicts agree; gives ours. */
function agree(program: Program, what: string): boolean {
  const verdict = verify(program, { facts: false, kernel: profileHere() });
  const loaded = loadProgram(program);
  if (loaded.ok) loaded.close();
  else expect(loaded.stage, loaded.message).toBe('program');
  const [ours, theirs] = [verdict.ok ? 'accepted' : verdict.message, loaded.ok ? 'accepted' : loaded.message];
  expect([what, verdict.ok], `ours: ${ours}; Linux: ${theirs}`).toEqual([what, loaded.ok]);
  return verdict.ok;
}

const STRUCTS = ['tcp_congestion_ops', 'bpf_dummy_ops'];
const all = (): readonly string[] => STRUCTS.flatMap((s) => members(s).map((member) => `${s}.${member}`));
const RETURN = [mov(r0, 0), exit()];

describeKnownKernel('a program that stands in for a function of the kernel', () => {
  it('may be one of every function that the struct has, awake or asleep, under the GPL', () => {
    let accepted = 0;
    for (const target of all()) {
      for (const more of [{}, { sleepable: true }, { license: 'Proprietary' }])
        if (agree(standing(target, RETURN, more), `${target} ${JSON.stringify(more)}`)) accepted++;
    }
    expect(accepted).toBeGreaterThan(10);
  });

  it('returns what the function returns', () => {
    const bodies: readonly (readonly [string, readonly Item[]])[] = [
      ['nothing written', [exit()]],
      ['1', [mov(r0, 1), exit()]],
      ['an argument', [ldx(8, r0, r1, 0), exit()]],
      ['the frame pointer', [mov(r0, r10), exit()]],
    ];
    for (const target of all())
      for (const [what, body] of bodies) agree(standing(target, body), `${target} ${what}`);
  });

  it('loads its arguments and what they lead to', () => {
    const targets = all();
    const size = fc.constantFrom<1 | 2 | 4 | 8>(1, 2, 4, 8, 8, 8);
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...targets),
        fc.nat(5),
        size,
        fc.oneof(fc.nat(3000), fc.nat(40)),
        size,
        (target, word, width, at, inner) => {
          const first = [ldx(width, r2, r1, 8 * word), ...RETURN];
          if (agree(standing(target, first), `${target} ctx+${8 * word}/${width}`)) accepted++;
          const second = [ldx(8, r2, r1, 8 * word), ldx(inner, r3, r2, at), ...RETURN];
          agree(standing(target, second), `${target} ctx+${8 * word} +${at}/${inner}`);
        },
      ),
      seeded(120),
    );
    expect(accepted).toBeGreaterThan(20);
  });

  it('writes the members that it may, and no byte before or behind', () => {
    const { types } = kernel();
    const place = (struct: string, name: string): number => types.member(struct, name)!.offset;
    const edges = [
      place('inet_connection_sock', 'icsk_ca_priv'),
      place('inet_connection_sock', 'icsk_ca_priv') +
        types.member('inet_connection_sock', 'icsk_ca_priv')!.size,
      place('inet_connection_sock', 'icsk_ack'),
      place('sock', 'sk_pacing_rate'),
      place('sock', 'sk_pacing_status'),
      ...[
        'snd_cwnd',
        'snd_cwnd_cnt',
        'snd_cwnd_stamp',
        'snd_ssthresh',
        'ecn_flags',
        'app_limited',
        'snd_nxt',
      ].map((name) => place('tcp_sock', name)),
    ];
    let accepted = 0;
    for (const edge of edges) {
      for (const at of [edge - 4, edge - 1, edge, edge + 1, edge + 2, edge + 4, edge + 8]) {
        for (const size of [1, 2, 4, 8] as const) {
          const body = [ldx(8, r2, r1, 0), mov(r3, 0), stx(size, r2, at, r3), ...RETURN];
          if (agree(standing('tcp_congestion_ops.ssthresh', body), `tcp_sock +${at}/${size}`)) accepted++;
        }
      }
    }
    expect(accepted).toBeGreaterThan(20);
    for (const at of [-1, 0, 1, 4, 8]) {
      for (const size of [1, 4, 8] as const) {
        const body = [ldx(8, r2, r1, 0), mov(r3, 0), stx(size, r2, at, r3), ...RETURN];
        // May be NULL there, and is not here.
        for (const member of ['test_1', 'test_sleepable'])
          agree(standing(`bpf_dummy_ops.${member}`, body), `${member} +${at}/${size}`);
      }
    }
  });

  it('calls the helpers of its struct and of its member', () => {
    const names = [
      'bpf_ktime_get_ns',
      'bpf_ktime_get_coarse_ns',
      'bpf_get_prandom_u32',
      'bpf_get_current_pid_tgid',
      'bpf_get_retval',
      'bpf_get_socket_cookie',
    ];
    for (const target of all())
      for (const name of names)
        agree(standing(target, [callHelper(symbols.helperId(name)!), ...RETURN]), `${target} ${name}`);
    const option = [
      ldx(8, r1, r1, 0),
      mov(r6, 0),
      stx(8, r10, -8, r6),
      mov(r2, 6),
      mov(r3, 13),
      mov(r4, r10),
      mov(r5, 4),
    ];
    for (const member of members('tcp_congestion_ops'))
      for (const name of ['bpf_setsockopt', 'bpf_getsockopt'])
        agree(
          standing(`tcp_congestion_ops.${member}`, [
            ...option,
            add(r4, -8),
            callHelper(symbols.helperId(name)!),
            ...RETURN,
          ]),
          `${member} ${name}`,
        );
  });

  it('is read out of an object by the struct that names it, and means the same as a text', () => {
    const { programs } = readObject(objectBytes('congestion.o'), 'congestion.o');
    const told = programs.map(({ name, attach }) => [name, attach?.target, attach?.returns]);
    expect(told).toEqual([
      ['halving_init', 'tcp_congestion_ops.init', 'void'],
      ['halving_ssthresh', 'tcp_congestion_ops.ssthresh', undefined],
      ['halving_avoid', 'tcp_congestion_ops.cong_avoid', 'void'],
      ['halving_acked', 'tcp_congestion_ops.pkts_acked', 'void'],
      ['halving_undo', 'tcp_congestion_ops.undo_cwnd', undefined],
    ]);
    for (const program of programs) {
      const { attach } = parseCase(
        printCase({ program, profile: 'privileged', env: { choices: new Map() }, comments: [] }),
      ).program;
      expect(attach).toEqual(program.attach);
    }
  });

  it('is read for the types of its object where the kernel lacks the struct', () => {
    const { programs, skipped } = readObject(objectBytes('fifo_sched.o'), 'fifo_sched.o');
    expect(skipped).toEqual([]);
    const dispatch = programs.find(({ name }) => name === 'fifo_dispatch')!;
    // The task that ran before may be none.
    expect(dispatch.kernelTypes?.arguments('struct_ops', dispatch.attach!)?.[1]).toMatchObject({
      nullable: true,
    });
    expect(programs.find(({ name }) => name === 'fifo_init')).toMatchObject({ sleepable: true });
    for (const program of programs) {
      const verdict = verify(program, { facts: false });
      expect([program.name, verdict.ok ? '' : verdict.message]).toEqual([program.name, '']);
    }
    if (kernelTypeId('sched_ext_ops', 'struct') !== undefined) return;
    // Types that were given are a kernel's: there the object stands in for what is not there.
    const given = readObject(objectBytes('fifo_sched.o'), 'fifo_sched.o', { targetBtf: readFileSync(BTF) });
    expect(given.programs).toEqual([]);
    expect(given.skipped.every(({ absent }) => absent === true)).toBe(true);
  });
});
