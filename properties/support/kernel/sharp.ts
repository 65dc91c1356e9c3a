/** Programs that one rule of the verifier alone refuses: without that rule they would be accepted. */
import {
  add,
  and,
  callHelper,
  callSub,
  exit,
  jmp,
  ldFunc,
  ldImm64,
  ldx,
  lsh,
  mov,
  movsx,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r10,
  st,
  stx,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef } from '../../../src/object/program.js';
import { arrayMap, type KernelCase, kernelCase, type Names, stackPointer } from './case.js';

const refused = { verdict: 'EACCES' };
const out: Item[] = [label('out'), mov(r0, 0), exit()];
/** Reads a register that was never written: whoever comes here is refused. */
const trap: Item[] = [mov(r0, r5)];

function lookup({ map }: Names, def: MapDef): Item[] {
  return [st(4, r10, -4, 0), map(r1, def), ...stackPointer(r2, -4), callHelper(1)];
}

/** r2 is the packet, of which 8 bytes are there. */
const eightBytes: Item[] = [
  ldx(4, r2, r1, 0),
  ldx(4, r3, r1, 4),
  mov(r4, r2),
  add(r4, 8),
  jmp('gt', r4, r3, 'out'),
];

const jumpMap: MapDef = {
  name: 'jumps',
  type: 'prog_array',
  keySize: 4,
  valueSize: 4,
  maxEntries: 4,
  flags: 0,
  fields: [],
};

const kptrMap: MapDef = {
  ...arrayMap(8),
  fields: [{ kind: 'kptr', offset: 0, size: 8, struct: 'task_struct' }],
};

export const sharpCases: readonly KernelCase[] = [
  kernelCase('sharp: a context that was moved by 4', 'tc', refused, () => [
    add(r1, 4),
    ldx(4, r0, r1, 0),
    ...out,
  ]),
  kernelCase('sharp: the low half of a spilled register', 'xdp', refused, () => [
    ldImm64(r6, 1n << 32n),
    stx(8, r10, -8, r6),
    ldx(4, r7, r10, -8),
    jmp('ne', r7, 0, 'out'),
    ...trap,
    ...out,
  ]),
  kernelCase('sharp: a store at a variable offset', 'xdp', refused, () => [
    st(8, r10, -8, 0),
    st(8, r10, -16, 0),
    callHelper(7),
    and(r0, 8),
    ...stackPointer(r7, -16),
    add(r7, r0),
    st(8, r7, 0, 1),
    ldx(8, r8, r10, -8),
    jmp('eq', r8, 0, 'out'),
    ...trap,
    ...out,
  ]),
  kernelCase('sharp: a bit that was shifted', 'xdp', refused, () => [
    callHelper(7),
    and(r0, 1),
    lsh(r0, 3),
    and(r0, 8),
    jmp('eq', r0, 0, 'out'),
    ...trap,
    ...out,
  ]),
  kernelCase('sharp: a packet pointer moved by what is not known', 'xdp', refused, () => [
    ...eightBytes,
    ldx(1, r5, r2, 0),
    add(r2, r5),
    ldx(1, r0, r2, 0),
    ...out,
  ]),
  kernelCase('sharp: one byte more than was checked', 'xdp', refused, () => [
    ...eightBytes,
    ldx(1, r0, r2, 8),
    ...out,
  ]),
  kernelCase('sharp: one byte more than a value has', 'xdp', refused, (names) => [
    ...lookup(names, { ...arrayMap(16), type: 'hash' }),
    jmp('eq', r0, 0, 'out'),
    ldx(1, r1, r0, 16),
    ...out,
  ]),
  kernelCase('sharp: the NULL check of another pointer', 'xdp', refused, (names) => [
    ...lookup(names, { ...arrayMap(16), type: 'hash' }),
    mov(r6, r0),
    ...lookup(names, { ...arrayMap(8), name: 'n', type: 'hash' }),
    mov(r7, r0),
    jmp('eq', r6, 0, 'out'),
    ldx(1, r1, r7, 0),
    ...out,
  ]),
  kernelCase('sharp: an iterator that may go on', 'xdp', refused, ({ kfunc }) => [
    ...stackPointer(r1, -8),
    mov(r2, 0),
    mov(r3, 10),
    kfunc('bpf_iter_num_new'),
    ...stackPointer(r1, -8),
    kfunc('bpf_iter_num_next'),
    mov(r0, 0),
    ...stackPointer(r1, -8),
    kfunc('bpf_iter_num_next'),
    jmp('eq', r0, 0, 'end'),
    ...trap,
    label('end'),
    ...stackPointer(r1, -8),
    kfunc('bpf_iter_num_destroy'),
    ...out,
  ]),
  kernelCase('sharp: an RCU pointer of an earlier section', 'syscall', refused, (names) => [
    ...lookup(names, kptrMap),
    jmp('eq', r0, 0, 'out'),
    mov(r6, r0),
    names.kfunc('bpf_rcu_read_lock'),
    ldx(8, r7, r6, 0),
    names.kfunc('bpf_rcu_read_unlock'),
    names.kfunc('bpf_rcu_read_lock'),
    jmp('eq', r7, 0, 'none'),
    mov(r1, r7),
    names.kfunc('bpf_task_acquire'),
    jmp('eq', r0, 0, 'none'),
    mov(r1, r0),
    names.kfunc('bpf_task_release'),
    label('none'),
    names.kfunc('bpf_rcu_read_unlock'),
    ...out,
  ]),
  kernelCase('sharp: what a callback counts up', 'xdp', refused, () => [
    st(8, r10, -8, 0),
    mov(r1, 10),
    ldFunc(r2, 'cb'),
    ...stackPointer(r3, -8),
    mov(r4, 0),
    callHelper(181),
    ldx(8, r1, r10, -8),
    // Once round it is 0 or 1.
    jmp('le', r1, 1, 'out'),
    ...trap,
    ...out,
    label('cb'),
    ldx(8, r1, r2, 0),
    add(r1, 1),
    stx(8, r2, 0, r1),
    mov(r0, 0),
    exit(),
  ]),
  kernelCase('sharp: a key that is a constant once it is cut', 'xdp', refused, (names) => [
    callHelper(7),
    lsh(r0, 32),
    stx(4, r10, -4, r0),
    names.map(r1, arrayMap(8)),
    ...stackPointer(r2, -4),
    callHelper(1),
    // Linux does not see that the key is 0, and that the lookup cannot miss.
    ldx(8, r0, r0, 0),
    ...out.slice(1),
  ]),
  kernelCase('sharp: a key that is another constant once it is cut', 'xdp', refused, (names) => [
    ldImm64(r0, 1n << 55n),
    stx(4, r10, -4, r0),
    names.map(r1, arrayMap(8)),
    ...stackPointer(r2, -4),
    callHelper(1),
    ldx(8, r0, r0, 0),
    ...out.slice(1),
  ]),
  kernelCase('sharp: what is left of a spilled zero', 'xdp', refused, () => [
    st(8, r10, -8, 0),
    st(4, r10, -8, 7),
    ldx(4, r6, r10, -4),
    jmp('eq', r6, 0, 'out'),
    ...trap,
    ...out,
  ]),
  kernelCase('sharp: a negative number that is sign-extended', 'xdp', refused, () => [
    callHelper(7),
    movsx(16, r6, r0),
    // Stays the same, and is linked to r6 all the same where it is not negative only.
    movsx(16, r7, r6),
    jmp('eq', r7, 5, 'five'),
    ...out,
    label('five'),
    jmp('eq', r6, 5, 'out'),
    ...trap,
    ...out.slice(1),
  ]),
  kernelCase('sharp: what a subprogram returns that tail-calls', 'tc', refused, (names) => [
    callSub('sub'),
    jmp('eq', r0, 0, 'out'),
    // Another program has run in its place.
    ...trap,
    ...out,
    label('sub'),
    names.map(r2, jumpMap),
    mov(r3, 0),
    callHelper(12),
    mov(r0, 0),
    exit(),
  ]),
];
