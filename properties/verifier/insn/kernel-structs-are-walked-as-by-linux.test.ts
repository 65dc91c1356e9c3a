/**
 * What a load from a kernel struct gives, at any offset and of any size, is what the kernel's verifier says: a number, a pointer to be
 * followed, or a refusal. Asked about the task that a BTF tracepoint is given, about what its pointers lead to, and about the arguments
 * of tracepoints.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { callKfunc, exit, ldx, mov, mul, r0, r1, r2, r3 } from '../../../src/isa/build.js';
import type { Item } from '../../../src/isa/label.js';
import { Btf } from '../../../src/object/btf/read.js';
import { kernelTypes } from '../../../src/object/kernel/types.js';
import type { KernelTypes, Program } from '../../../src/object/program.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { profileHere } from '../../../src/oracle/profile/running.js';
import { verify } from '../../../src/verifier/verify.js';
import { programOf } from '../../support/kernel/programs.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';
import { seeded } from '../../support/seed.js';

const BTF = '/sys/kernel/btf/vmlinux';
let types: KernelTypes | undefined;
const kernel = (): KernelTypes => {
  types ??= kernelTypes(new Btf(readFileSync(BTF), BTF, 'the BTF of the kernel'));
  return types;
};

/** A program on a tracepoint. Its context is the tracepoint's arguments. */
function traced(target: string, items: readonly Item[], wrong?: KernelTypes): Program {
  const program = programOf('tp_btf', [...items, mov(r0, 0), exit()], { kfuncs: ['bpf_rcu_read_lock'] });
  return { ...program, attach: { type: 23, target }, kernelTypes: wrong ?? kernel() };
}

/** `accepted`, or the message; the two verifiers need only agree on which of both. */
function both(program: Program): { readonly ours: string; readonly theirs: string } {
  const verdict = verify(program, { facts: false, kernel: profileHere() });
  const loaded = loadProgram(program);
  if (loaded.ok) loaded.close();
  else expect(loaded.stage, loaded.message).toBe('program');
  return {
    ours: verdict.ok ? 'accepted' : verdict.message,
    theirs: loaded.ok ? 'accepted' : loaded.message,
  };
}

function agree(program: Program, what: string): void {
  const { ours, theirs } = both(program);
  expect(`${what}: ${ours === 'accepted' ? ours : 'refused'}`, `ours: ${ours}; Linux: ${theirs}`).toBe(
    `${what}: ${theirs === 'accepted' ? theirs : 'refused'}`,
  );
}

const size = fc.constantFrom<1 | 2 | 4 | 8>(1, 2, 4, 8, 8);
/** Offsets up to the end of a large struct and a little beyond; many where pointers are. */
const offset = fc.oneof(
  fc.nat(12_000).map((n) => n & ~7),
  fc.nat(12_000),
);
const PREV = 8;

/** Loads the task, then what is at an offset of it; `multiplied`: which only a number may be. */
const once = (at: number, bytes: 1 | 2 | 4 | 8, multiplied: boolean): Item[] => [
  ldx(8, r2, r1, PREV),
  ldx(bytes, r3, r2, at),
  ...(multiplied ? [mul(r3, 3)] : []),
];

describeKnownKernel('kernel structs are walked as by Linux', () => {
  it('at any offset of a task', () => {
    fc.assert(
      fc.property(offset, size, fc.boolean(), (at, bytes, multiplied) => {
        agree(traced('sched_switch', once(at, bytes, multiplied)), `${bytes} at ${at}`);
      }),
      seeded(600),
    );
  });

  it('and behind the pointers of a task, inside an RCU section and outside', () => {
    const task = pointersOf('task_struct', 12_000);
    expect(task.length).toBeGreaterThan(50);
    fc.assert(
      fc.property(
        fc.constantFrom(...task),
        offset.map((at) => at % 400),
        size,
        (first, at, bytes) => {
          const items = [ldx(8, r2, r1, PREV), ldx(8, r2, r2, first), ldx(bytes, r3, r2, at), mul(r3, 3)];
          agree(traced('sched_switch', items), `${first} then ${bytes} at ${at}`);
        },
      ),
      seeded(500),
    );
  });

  it('arguments of tracepoints', () => {
    const targets = ['sched_switch', 'kfree_skb', 'signal_generate', 'tcp_send_reset', 'sched_process_exec'];
    for (const target of targets) {
      for (let word = 0; word <= 12; word++) {
        for (const [bytes, more] of [
          [8, []],
          [4, []],
          [8, [mul(r2, 3)]],
          [8, [ldx(8, r3, r2, 0)]],
        ] as const) {
          agree(traced(target, [ldx(bytes, r2, r1, 8 * word), ...more]), `${target} ${word} ${bytes}`);
        }
      }
    }
  });

  it('a pointer whose trust comes from RCU is taken where Linux takes it', () => {
    // bpf_task_acquire wants a trusted pointer, or one that RCU keeps alive and that was checked for NULL.
    for (const first of pointersOf('task_struct', 12_000).filter((at) => leadsTo(at) === 'task_struct')) {
      const items = [ldx(8, r2, r1, PREV), ldx(8, r1, r2, first), callKfunc(0)];
      const program = { ...traced('sched_switch', items), kfuncs: ['bpf_task_acquire'] };
      const ours = verify(program, { facts: false, kernel: profileHere() });
      const loaded = loadProgram(program);
      if (loaded.ok) loaded.close();
      // Either way the reference leaks; what differs is whether the argument was taken.
      const taken = (message: string): boolean => /reference/i.test(message);
      expect(`${first} ${ours.ok || taken(ours.message)}`).toBe(
        `${first} ${loaded.ok || taken(loaded.message)}`,
      );
    }
  });

  it('types that are off by one member are found out', () => {
    const shifted: KernelTypes = {
      has: (name) => kernel().has(name),
      nameOf: (id) => kernel().nameOf(id),
      variable: (id) => kernel().variable(id),
      holds: (struct, at, inner) => kernel().holds(struct, at, inner),
      member: (struct, name) => kernel().member(struct, name),
      access: (struct, at, bytes) => kernel().access(struct, at + 8, bytes),
      arguments: (type, attach) => kernel().arguments(type, attach),
    };
    const wrong = pointersOf('task_struct', 4_000).filter((at) => {
      const { ours, theirs } = both(traced('sched_switch', once(at, 8, true), shifted));
      return (ours === 'accepted') !== (theirs === 'accepted');
    });
    expect(wrong.length).toBeGreaterThan(5);
  });
});

/** Offsets of a struct, up to `end`, where a pointer to a struct is. */
function pointersOf(struct: string, end: number): number[] {
  const found: number[] = [];
  for (let at = 0; at < end; at += 8) if (kernel().access(struct, at, 8).kind === 'pointer') found.push(at);
  return found;
}

function leadsTo(at: number): string | undefined {
  const access = kernel().access('task_struct', at, 8);
  return access.kind === 'pointer' ? access.to : undefined;
}
