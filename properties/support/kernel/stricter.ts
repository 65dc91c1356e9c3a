/**
 * What Linux 6.18 accepts and we do not, one case a row of docs/stricter-than-linux.md. In most Linux is mistaken: the program reads or
 * writes what it should not.
 */
import {
  add,
  atomic,
  callHelper,
  callSub,
  exit,
  ja,
  jmp,
  ldAbs,
  ldFunc,
  ldx,
  loadAcquire,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r10,
  st,
  w0,
} from '../../../src/isa/build.js';
import { label } from '../../../src/isa/label.js';
import { MAP_FLAGS } from '../../../src/kernel/maptypes.js';
import type { Profile } from '../../../src/verifier/state/profile.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { lookup, lookupOrOut } from '../texts.js';
import { arrayMap, done, type KernelCase, kernelCase, out, ringbufMap, stackPointer } from './case.js';

export interface Stricter {
  readonly known: KernelCase;
  readonly profile: Profile;
  /** What we say. */
  readonly message: RegExp;
}

/** A case from its text. */
const written = (title: string, text: string): KernelCase => {
  const [family, name] = title.split(': ') as [string, string];
  return { family, name, program: parseCase(text).program, verdict: 'LOADS' };
};

const stricter = (known: KernelCase, message: RegExp, profile: Profile = 'privileged'): Stricter => ({
  known,
  profile,
  message,
});

export const stricterCases: readonly Stricter[] = [
  stricter(
    written(
      'stricter: equal to a pointer that was moved as far as NULL',
      `.type socket_filter
.map m hash key=4 value=64 entries=4
main:
${lookupOrOut()}
    r6 = r0
${lookup(1)}
    r7 = r0
    r8 = r7
    r8 -= r6
    r8 <<= 1
    r8 >>= 1
    r6 += r8
    if r7 != r6 goto out
    r0 = *(u8 *)(r7 +0)
out:
    r0 = 0
    exit
`,
    ),
    /^R7 invalid mem access 'map_value_or_null'$/,
  ),
  stricter(
    written(
      "stricter: a number to which the caller's stack pointer is added",
      `.type socket_filter
.map m array key=4 value=64 entries=1
main:
${lookupOrOut()}
    r1 = r0
    call f
out:
    r0 = 0
    exit
f:
    *(u64 *)(r10 -16) = r1
    *(u64 *)(r10 -8) = 1
    r1 = r10
    r1 += -8
    call g
    r6 = *(u64 *)(r10 -16)
    r0 = *(u64 *)(r6 +0)
    exit
g:
    r2 = -8
    r2 += r1
    *(u64 *)(r2 +0) = 5
    r0 = 0
    exit
`,
    ),
    /^R2 may not have the stack pointer of a called function added to it$/,
  ),
  stricter(
    written(
      'stricter: an iterator whose RCU section was closed and opened again',
      `.type tracepoint
main:
    call bpf_rcu_read_lock
    r1 = r10
    r1 += -24
    r2 = 0
    r3 = 0
    call bpf_iter_task_new
    call bpf_get_prandom_u32
    r6 = 0
    if r0 == 0 goto again
    goto next
again:
    call bpf_rcu_read_unlock
    call bpf_rcu_read_lock
    r0 = 0
    r6 = 0
    goto next
next:
    r0 = 0
    r1 = r10
    r1 += -24
    call bpf_iter_task_next
    r1 = r10
    r1 += -24
    call bpf_iter_task_destroy
    call bpf_rcu_read_unlock
    r0 = 0
    exit
`,
    ),
    /^expected an RCU CS when using bpf_iter_task_next$/,
  ),
  stricter(
    kernelCase('stricter: an acquire that overwrites the context it is from', 'xdp', {}, () => [
      mov(r6, r1),
      loadAcquire(4, r6, r6, 12),
      ...done,
    ]),
    /^BPF_ATOMIC loads from R6 ctx is not allowed$/,
  ),
  stricter(
    kernelCase('stricter: a slot that is written after a tail call', 'xdp', {}, ({ map }) => [
      mov(r6, r1),
      st(8, r10, -8, -8),
      callHelper(7),
      jmp('ne', r0, 42, 'far'),
      ja('go'),
      label('far'),
      st(8, r10, -8, -1024),
      label('go'),
      mov(r1, r6),
      ...stackPointer(r2, -8),
      callSub('callee'),
      ldx(8, r1, r10, -8),
      mov(r2, r10),
      add(r2, r1),
      ldx(8, r0, r2, 0),
      ...done,
      label('callee'),
      mov(r6, r2),
      map(r2, { ...arrayMap(4), type: 'prog_array' }),
      mov(r3, 0),
      callHelper(12),
      st(8, r6, 0, -16),
      ...done,
    ]),
    /^invalid read from stack R2 off=-1024 size=8$/,
  ),
  stricter(
    kernelCase('stricter: an iterator at the top of the frame', 'xdp', {}, ({ kfunc }) => [
      ...stackPointer(r1, -8),
      mov(r2, 0),
      mov(r3, 10),
      kfunc('bpf_iter_num_new'),
      mov(r1, r10),
      kfunc('bpf_iter_num_destroy'),
      ...done,
    ]),
    /^cannot pass in iter at an offset=0$/,
  ),
  stricter(
    kernelCase('stricter: the rest of a slot that was never written', 'xdp', {}, ({ map }) => [
      st(4, r10, -8, 0),
      map(r1, { ...arrayMap(8), type: 'hash', keySize: 8 }),
      ...stackPointer(r2, -8),
      callHelper(1),
      ...done,
    ]),
    /^invalid read from stack R2 off=-8 size=8$/,
    'strict',
  ),
  stricter(
    kernelCase('stricter: a slice of what was submitted', 'tc', {}, (names) => [
      names.map(r1, ringbufMap),
      mov(r2, 16),
      mov(r3, 0),
      ...stackPointer(r4, -16),
      callHelper(198),
      ...stackPointer(r1, -16),
      mov(r2, 0),
      mov(r3, 0),
      mov(r4, 8),
      names.kfunc('bpf_dynptr_slice'),
      mov(r7, r0),
      jmp('eq', r0, 0, 'none'),
      ...stackPointer(r1, -16),
      mov(r2, 0),
      callHelper(199),
      ldx(8, r0, r7, 0),
      ...done,
      label('none'),
      ...stackPointer(r1, -16),
      mov(r2, 0),
      callHelper(199),
      ...done,
    ]),
    /^R7 !read_ok$/,
  ),
  stricter(
    kernelCase('stricter: the low half of an address compared with 0', 'xdp', {}, ({ map }) => [
      st(4, r10, -4, 0),
      map(r1, arrayMap(8)),
      ...stackPointer(r2, -4),
      callHelper(1),
      jmp('eq', r0, 0, 'out'),
      jmp('eq', w0, 0, 'half'),
      ...done,
      label('half'),
      mov(r0, r5),
      exit(),
      ...out,
    ]),
    /^R5 !read_ok$/,
  ),
  stricter(
    kernelCase('stricter: an untrusted address added to a number', 'xdp', {}, ({ kfunc }) => [
      mov(r1, 0),
      mov(r2, 0),
      kfunc('bpf_rdonly_cast'),
      mov(r6, 4),
      add(r6, r0),
      ...done,
    ]),
    /^R6 pointer arithmetic on rdonly_untrusted_mem prohibited$/,
  ),
  stricter(
    kernelCase('stricter: a record for a CPU mask', 'syscall', {}, ({ map, kfunc }) => [
      map(r1, ringbufMap),
      mov(r2, 1024),
      mov(r3, 0),
      callHelper(131),
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
      mov(r1, r6),
      kfunc('bpf_cpumask_first'),
      mov(r1, r6),
      mov(r2, 0),
      callHelper(132),
      ...out,
    ]),
    /must point to scalar, or struct with scalar$/,
  ),
  stricter(
    kernelCase('stricter: a number that was fetched from a slot', 'xdp', {}, ({ map }) => [
      ...[st(4, r10, -4, 0), map(r1, arrayMap(64)), ...stackPointer(r2, -4), callHelper(1)],
      jmp('eq', r0, 0, 'out'),
      ...[mov(r6, r0), callHelper(7), st(8, r10, -16, 8)],
      jmp('eq', r0, 0, 'far'),
      // Linux keeps a state every eight insns: here, too.
      ...Array.from({ length: 7 }, () => [mov(r0, 0), callHelper(7)]).flat(),
      label('near'),
      ...[mov(r2, 0), atomic('xchg', 8, r10, -16, r2), add(r6, r2), ldx(8, r0, r6, 0)],
      ...out,
      label('far'),
      st(8, r10, -16, 80),
      ja('near'),
    ]),
    /^R6 min value is outside of the allowed memory range$/,
  ),
  stricter(
    kernelCase('stricter: the members of struct bpf_map', 'xdp', {}, ({ map }) => [
      map(r1, arrayMap(8)),
      ldx(4, r0, r1, 0),
      ...out,
    ]),
    /^R1 invalid mem access 'map_ptr'$/,
  ),
  stricter(
    kernelCase('stricter: a packet load in a callback that is never called', 'tc', {}, () => [
      mov(r1, 0),
      ldFunc(r2, 'callback'),
      mov(r3, 0),
      mov(r4, 0),
      callHelper(181),
      ...out,
      label('callback'),
      ldAbs(1, 4),
      ...out.slice(1),
    ]),
    /^cannot use BPF_LD_\[ABS\|IND\] within callback$/,
  ),
  stricter(
    written(
      "stricter: a function's tail call while its caller holds a record",
      `.type tc
.map m ringbuf entries=4096
.map t prog_array key=4 value=4 entries=1
main:
    r6 = r1
    r1 = map m
    r2 = 16
    r3 = 0
    call bpf_ringbuf_reserve
    if r0 == 0 goto out
    r7 = r0
    r1 = r6
    call f
    r1 = r7
    r2 = 0
    call bpf_ringbuf_discard
out:
    r0 = 0
    exit
f:
    r2 = map t
    r3 = 0
    call bpf_tail_call
    r0 = 0
    exit
`,
    ),
    /tail_call would lead to reference leak$/,
  ),
  stricter(
    kernelCase('stricter: a record that was added to a number and then submitted', 'xdp', {}, ({ map }) => [
      map(r1, ringbufMap),
      mov(r2, 16),
      mov(r3, 0),
      callHelper(131),
      jmp('eq', r0, 0, 'out'),
      mov(r6, 8),
      add(r6, r0),
      mov(r1, r0),
      mov(r2, 0),
      callHelper(132),
      st(4, r6, 0, 1),
      ...out,
    ]),
    /^R6 !read_ok$/,
  ),
  stricter(
    written(
      'stricter: a checksum of memory that may be NULL',
      `.type tc
.map m hash key=4 value=8 entries=1
    *(u32 *)(r10 -4) = 0
    r1 = map m
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    r1 = r0
    r2 = 8
    r3 = 0
    r4 = 0
    r5 = 0
    call bpf_csum_diff
    r0 = 0
    exit
`,
    ),
    /^R1 type=map_value_or_null expected=fp, pkt/,
  ),
  stricter(
    kernelCase('stricter: a dynptr of a value that may only be written', 'tc', {}, ({ value }) => [
      value(r1, { ...arrayMap(8), flags: MAP_FLAGS.WRONLY_PROG }),
      mov(r2, 8),
      mov(r3, 0),
      ...stackPointer(r4, -16),
      callHelper(197),
      ...done,
    ]),
    /^read from map forbidden, /,
  ),
  stricter(
    kernelCase("stricter: a clone of a callback's dynptr", 'tc', {}, ({ map, kfunc }) => [
      map(r1, { ...ringbufMap, type: 'user_ringbuf' }),
      ldFunc(r2, 'callback'),
      mov(r3, 0),
      mov(r4, 0),
      callHelper(209),
      ...done,
      label('callback'),
      ...stackPointer(r2, -16),
      kfunc('bpf_dynptr_clone'),
      ...done,
    ]),
    /^Expected an initialized dynptr as arg #0$/,
  ),
];
