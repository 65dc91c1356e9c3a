/**
 * Each argument of each contract in turn is given something else: nothing, numbers, the context, the stack in several states, values of
 * maps, packets, sockets, tasks, pointers that were moved, every type of map. Our verifier and Linux agree on each.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  add,
  callHelper,
  jmp,
  ldMap,
  ldMapValue,
  ldx,
  mov,
  type Reg,
  r0,
  r6,
  r7,
  r8,
  r9,
  r10,
  st,
} from '../../src/isa/build.js';
import type { Item } from '../../src/isa/label.js';
import { contracts } from '../../src/kernel/catalog.js';
import type { Arg, Contract } from '../../src/kernel/contract.js';
import type { KernelProfile } from '../../src/kernel/profile.js';
import { progType } from '../../src/kernel/progtypes.js';
import { Btf } from '../../src/object/btf/read.js';
import { kernelTypes } from '../../src/object/kernel/types.js';
import { MAP_TYPES, type MapDef, type Program, type ProgType } from '../../src/object/program.js';
import { kernelFunctionId } from '../../src/oracle/btf.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { profileHere } from '../../src/oracle/profile/running.js';
import { verify } from '../../src/verifier/verify.js';
import { callProgram, callWith, type Substitute } from '../support/contracts/call.js';
import { array, NoWay } from '../support/contracts/things.js';
import { LOADABLE, smallMap } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const BTF = '/sys/kernel/btf/vmlinux';
const DATA = array('data_of_64', 64);
const READ_ONLY: MapDef = { ...array('read_only', 64), flags: 1 << 7 };
const TASK_BTF = 158;

const number = (imm: number): Substitute => ({ load: (reg) => [mov(reg, imm)] });
const ofStack =
  (off: number): ((reg: Reg<64>) => Item[]) =>
  (reg) => [mov(reg, r10), add(reg, off)];
const zeros = (from: number, bytes: number): Item[] =>
  Array.from({ length: bytes / 8 }, (_, i) => st(8, r10, from + 8 * i, 0));

/** What any argument is tried with. */
const ANY: Readonly<Record<string, Substitute>> = {
  zero: number(0),
  one: number(1),
  'minus one': number(-1),
  'a large number': number(2 ** 29),
  '64': number(64),
  '65': number(65),
  'an unknown number': {
    maps: [DATA],
    load: (reg, [data]) => [ldMapValue(reg, data!), ldx(8, reg, reg, 0)],
  },
  'the context': { load: (reg) => [mov(reg, r6)] },
  'the frame pointer': { load: (reg) => [mov(reg, r10)] },
  'the end of the stack': { load: ofStack(-8) },
  'stack that was written': { first: () => zeros(-512, 64), load: ofStack(-512) },
  'stack that was half written': { first: () => zeros(-512, 8), load: ofStack(-512) },
  'stack that was not written': { load: ofStack(-512) },
  'a value of a map': { maps: [DATA], load: (reg, [data]) => [ldMapValue(reg, data!)] },
  'the end of a value': { maps: [DATA], load: (reg, [data]) => [ldMapValue(reg, data!), add(reg, 60)] },
  'a value that is read-only': { maps: [READ_ONLY], load: (reg, [data]) => [ldMapValue(reg, data!)] },
  'a map': { maps: [DATA], load: (reg, [data]) => [ldMap(reg, data!)] },
  'moved by one': { load: (reg) => [add(reg, 1)] },
  'moved by eight': { load: (reg) => [add(reg, 8)] },
};

const TASK: Substitute = {
  first: () => [callHelper(TASK_BTF), mov(r7, r0)],
  load: (reg) => [mov(reg, r7)],
};

/** What only some types of programs have. */
function some(type: ProgType): Readonly<Record<string, Substitute>> {
  const { members } = progType(type);
  const [data, end, sock] = (['packet', 'packet_end', 'sock_common'] as const).map((value) =>
    members.find((m) => m.value === value),
  );
  const packet = (beyond: number): Substitute => ({
    load: (reg) => [
      ldx(data?.reads.includes(8) ? 8 : 4, r7, r6, data!.offset),
      ldx(end?.reads.includes(8) ? 8 : 4, r8, r6, end!.offset),
      mov(r9, r7),
      add(r9, 64),
      mov(r0, 0),
      jmp('gt', r9, r8, 'after_call'),
      mov(reg, r7),
      add(reg, beyond),
    ],
  });
  return {
    ...(data === undefined || end === undefined
      ? {}
      : { 'a packet': packet(0), 'the end of a packet': packet(60) }),
    ...(sock === undefined
      ? {}
      : { 'a socket that may be NULL': { load: (reg) => [ldx(8, reg, r6, sock.offset)] } }),
    ...(sock === undefined
      ? {}
      : {
          'a socket': {
            load: (reg) => [
              ldx(8, r7, r6, sock.offset),
              mov(r0, 0),
              jmp('eq', r7, 0, 'after_call'),
              mov(reg, r7),
            ],
          },
        }),
    ...(contracts().some((c) => c.id === TASK_BTF && c.types.includes(type)) ? { 'a task': TASK } : {}),
  };
}

const MAPS: Readonly<Record<string, Substitute>> = Object.fromEntries(
  MAP_TYPES.filter((type) => type !== 'arena').map((type) => [
    `a map of type ${type}`,
    {
      maps: [smallMap(type, `of_${type}`)],
      load: (reg: Reg<64>, [at]: readonly number[]) => [ldMap(reg, at!)],
    },
  ]),
);

const substitutes = (arg: Arg, type: ProgType): Readonly<Record<string, Substitute>> => ({
  ...ANY,
  ...some(type),
  ...(arg.kind === 'map' ? MAPS : {}),
});

/** Programs of two types at most are asked about: one that may sleep or not, whichever comes first, and one with a packet. */
function askedIn(c: Contract): readonly ProgType[] {
  const here = c.kind === 'helper' || kernelFunctionId(c.name) !== undefined;
  // Functions for structs that this kernel does not have are not there.
  const can = LOADABLE.filter((type) => c.types.includes(type) && (here || type !== 'struct_ops'));
  const packet = can.find((type) => progType(type).members.some((m) => m.value === 'packet'));
  return [...new Set([can[0], packet])].filter((type) => type !== undefined);
}

/** Where the two differ, and why we leave it at that. */
const LEFT_AT_THAT: readonly (readonly [RegExp, string])[] = [
  [
    /cannot pass in (irq_flag|iter) at an offset=0; Linux: taken$/,
    'Linux counts the stack slot at the frame pointer itself as the one below it (__get_spi); the function would work beyond the stack',
  ],
  [
    /\(btf\): .* pointer type STRUCT (bpf_)?cpumask must point to scalar, or struct with scalar; Linux: taken$/,
    'a struct of numbers may be taken from plain memory; no program keeps a CPU mask there',
  ],
  [
    /^bpf_refcount_acquire_impl .*\(refcounted\): moved by \w+: .* must have zero offset when .*; Linux: taken$/,
    'Linux would look for the count as far behind the count of the object',
  ],
  [
    /in syscall, argument \d \(mem\): the context: .*type=ctx expected=.*; Linux: taken$/,
    'the buffer of a system call may be given to kfuncs as memory of any size',
  ],
];

/** Some kernels trust kfuncs with NULL for any memory, and leave it to them to look. */
const leftAtThat = ({ behaviour }: KernelProfile): typeof LEFT_AT_THAT =>
  behaviour.nullKfuncMemory
    ? [
        ...LEFT_AT_THAT,
        [
          /Possibly NULL pointer passed to trusted arg\d; Linux: taken$/,
          'memory of a kfunc that may be NULL, or is and has a size, is taken by no other kernel',
        ],
      ]
    : LEFT_AT_THAT;

describeKnownKernel('an argument', () => {
  it('takes what Linux takes', () => {
    const judge = new KernelJudge({ explain: false });
    const types = kernelTypes(new Btf(readFileSync(BTF), BTF, 'the BTF of the kernel'));
    const kernel = profileHere();
    const left = leftAtThat(kernel);
    const differ: string[] = [];
    const seen = { accepted: 0, refused: 0 };
    try {
      const ask = (program: Program, what: string): void => {
        const ours = verify({ ...program, kernelTypes: types }, { facts: false, kernel });
        if (!ours.ok && ours.reason !== 'rejected') return;
        const theirs = judge.judge(program);
        seen[theirs.accepted ? 'accepted' : 'refused']++;
        if (ours.ok === theirs.accepted) return;
        const text = `${what}: ${ours.ok ? 'taken' : ours.message}; Linux: ${theirs.accepted ? 'taken' : 'refused'}`;
        if (!left.some(([known]) => known.test(text))) differ.push(text);
      };
      for (const c of contracts()) {
        for (const type of askedIn(c)) {
          try {
            ask(callProgram(c, type), `${c.name} in ${type}`);
          } catch (error) {
            if (error instanceof NoWay) continue;
            throw error;
          }
          for (const [index, arg] of c.args.entries()) {
            for (const [what, other] of Object.entries(substitutes(arg, type)))
              ask(
                callWith(c, type, index, other),
                `${c.name} in ${type}, argument ${index} (${arg.kind}): ${what}`,
              );
          }
        }
      }
    } finally {
      judge.close();
    }
    expect(differ).toEqual([]);
    expect(seen.accepted).toBeGreaterThan(1000);
    expect(seen.refused).toBeGreaterThan(1000);
  });
});
