/** Programs made in one line, for properties of the oracle itself. */
import { add, exit, mov, r0, r1, r6 } from '../../../src/isa/build.js';
import type { Insn } from '../../../src/isa/insn.js';
import { type Item, link } from '../../../src/isa/label.js';
import { mapType } from '../../../src/kernel/maptypes.js';
import {
  type Attachment,
  type MapDef,
  type MapType,
  PROG_TYPES,
  type Program,
  type ProgType,
} from '../../../src/object/program.js';
import { operationOf } from '../../../src/object/struct-ops.js';
import { kernelTypeId } from '../../../src/oracle/btf.js';

/** A program without subprograms. */
export function programOf(
  type: ProgType,
  items: readonly Item[],
  more: Partial<Pick<Program, 'maps' | 'kfuncs'>> = {},
): Program {
  return rawProgram(type, link(items).insns, more);
}

/** A program of raw slots, which need not make sense. */
export function rawProgram(
  type: ProgType,
  insns: readonly Insn[],
  more: Partial<Pick<Program, 'maps' | 'kfuncs'>> = {},
): Program {
  return {
    name: 'property',
    type,
    insns,
    maps: [],
    kfuncs: [],
    subprogs: [{ name: 'main', start: 0, linkage: 'global' }],
    localTypes: [],
    ...attachFor(type),
    ...more,
  };
}

/** `insns` insns that count, loop-free: what the load rate is measured on. */
export function counting(insns: number): Program {
  const middle = Array.from({ length: insns - 3 }, () => add(r6, 1));
  return programOf('xdp', [mov(r6, r1), ...middle, mov(r0, 2), exit()]);
}

/** A map of each type, as small as can be. */
export function smallMap(type: MapType, name: string = type): MapDef {
  const { keySizes, valueSizes, needs, unsized } = mapType(type);
  return {
    name,
    type,
    flags: needs,
    fields: [],
    keySize: keySizes?.[0] ?? (type === 'lpm_trie' ? 8 : 4),
    valueSize: valueSizes?.[0] ?? 8,
    maxEntries: type.endsWith('ringbuf') ? 4096 : unsized === true ? 0 : 4,
    ...(type.endsWith('_of_maps') ? { inner: smallMap('array', 'inner') } : {}),
  };
}

/** How programs of a type are attached that the kernel does not load without being told; fentry and LSM programs it never loads here. */
export function attachFor(type: ProgType): { readonly attach: Attachment } | Record<never, never> {
  const attach = ATTACHED[type];
  return attach === undefined ? {} : { attach };
}

const ATTACHED: Partial<Record<ProgType, Attachment>> = {
  cgroup_sock: { type: 2 },
  cgroup_sock_addr: { type: 10 },
  cgroup_sockopt: { type: 22 },
  cgroup_sysctl: { type: 18 },
  cgroup_device: { type: 6 },
  sk_lookup: { type: 36 },
  sk_reuseport: { type: 39 },
  netfilter: { type: 45 },
  tp_btf: { type: 23, target: 'sched_switch' },
  iter: { type: 28, target: 'task' },
  struct_ops: { type: 0, target: 'tcp_congestion_ops.ssthresh' },
};

/** Types of which the kernel loads a program here. */
export const LOADABLE: readonly ProgType[] = PROG_TYPES.filter((type) => type !== 'fentry' && type !== 'lsm');

/** Whether this kernel can be asked about the program at all: it has the struct that a struct_ops program stands in. */
export function isLoadable({ type, attach }: Program): boolean {
  const operation = type === 'struct_ops' ? operationOf(attach?.target) : undefined;
  return operation === undefined || kernelTypeId(operation.struct, 'struct') !== undefined;
}
