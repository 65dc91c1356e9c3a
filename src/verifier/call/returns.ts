/** What r0 is after a call. Follows the return-value parts of check_helper_call and check_kfunc_call in kernel/bpf/verifier.c. */
import { S64_MAX, S64_MIN } from '../../isa/integer.js';
import type { MemSize, PointerKind, R0 } from '../../kernel/contract.js';
import { progType } from '../../kernel/progtypes.js';
import { fromSigned } from '../scalar/set.js';
import type { Path } from '../state/path.js';
import { fixedOffset, nullReg, pointerReg, scalarReg, UNINIT, unknownReg } from '../state/regs.js';
import { fieldsOf, isValueWithLock } from '../state/special-fields.js';
import type { Reg } from '../state/state.js';
import { refuse, unsupported } from '../text/refusal.js';
import { containedNode, rootField } from './args-graph.js';
import { dynptrAt, iterAt } from './args-slots.js';
import type { CallSite } from './call-site.js';
import { mapOf } from './call-site.js';
import type { Group } from './groups.js';

/** BPF_GLOBAL_PERCPU_MA_MAX_SIZE, in bytes. */
const MAX_PERCPU_SIZE = 512;

type Pointer = Extract<R0, { kind: 'pointer' }>;

/** r0 after a call that had one of these outcomes, which differ in r0 only. */
export function returned(p: Path, site: CallSite, outcomes: Group): Reg {
  let to: Pointer | undefined;
  let hasNull = false;
  let hasScalar = false;
  for (const { r0 } of outcomes) {
    if (r0.kind === 'pointer') to ??= r0;
    else if (r0.kind === 'null') hasNull = true;
    else if (r0.kind === 'scalar') hasScalar = true;
  }
  if (to !== undefined) return pointer(p, site, to, hasNull);
  if (!hasScalar) return hasNull ? nullReg : UNINIT;
  const cpu = p.cpus !== undefined && site.contract.name === 'bpf_get_smp_processor_id';
  if (cpu || outcomes.some(({ r0 }) => r0.kind === 'scalar' && r0.upTo !== undefined))
    return number(p, site, outcomes, hasNull);
  let known = NUMBERS.get(outcomes);
  if (known === undefined) {
    known = number(p, site, outcomes, hasNull);
    NUMBERS.set(outcomes, known);
  }
  return known;
}

/** Numbers that are the same at every call. */
const NUMBERS = new WeakMap<Group, Reg>();

function number(p: Path, site: CallSite, outcomes: Group, hasNull: boolean): Reg {
  let min = hasNull ? 0n : S64_MAX;
  let max = hasNull ? 0n : S64_MIN;
  for (const { r0 } of outcomes) {
    if (r0.kind !== 'scalar') continue;
    const cpu = p.cpus !== undefined && site.contract.name === 'bpf_get_smp_processor_id';
    const most = cpu ? smaller(r0.max, BigInt(p.cpus! - 1)) : r0.max;
    const cap = r0.upTo === undefined ? most : smaller(most, site.regs[r0.upTo]!.num.smax);
    min = smaller(min, r0.min);
    max = cap > max ? cap : max;
  }
  return min === S64_MIN && max === S64_MAX ? unknownReg : scalarReg(fromSigned(min, max));
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function pointer(p: Path, site: CallSite, r0: Pointer, nullable: boolean): Reg {
  const base = pointsTo(p, site, r0.to);
  let ref = base.ref;
  let id = base.id;
  // Ids are counted as Linux counts them. A pointer that may be NULL gets an id first; if it is a reference, a second id replaces it.
  if (nullable || isValueWithLock(p, base)) id = p.newId();
  if (r0.acquires !== undefined) {
    ref = p.newId();
    id = ref;
    p.acquire({ id: ref, kind: 'pointer', at: site.at });
  } else if (r0.derives !== undefined) {
    ref = refOf(p, site.regs[r0.derives]!);
  }
  return { ...base, ref, id, nullable };
}

/** The reference that an argument holds: that of the pointer itself, or that of the iterator or dynptr that it points to. */
function refOf(p: Path, reg: Reg): number {
  return reg.ref !== 0 ? reg.ref : (iterAt(p, reg)?.ref ?? dynptrAt(p, reg)?.ref ?? 0);
}

function sizeOf(site: CallSite, size: MemSize): number {
  if ('bytes' in size) return size.bytes;
  return Number(site.regs[size.arg]!.num.umax);
}

function pointsTo(p: Path, site: CallSite, to: PointerKind): Reg {
  switch (to.kind) {
    case 'map_value': {
      const map = mapOf(p, site);
      if (map.inner !== undefined) {
        const inner = p.program.maps.indexOf(map.inner);
        if (inner < 0) unsupported('a map of maps, where what its entries are like is no map of the program');
        return pointerReg('map_ptr', { map: inner });
      }
      if (map.type === 'xskmap') return pointerReg('xdp_sock');
      return pointerReg('map_value', {
        map: p.program.maps.indexOf(map),
        readonly: map.type.startsWith('devmap'),
      });
    }
    case 'sock':
      return pointerReg(to.type);
    case 'record': {
      const index = site.contract.args.findIndex((a) => a.kind === 'alloc_size');
      return pointerReg('record', { size: Number(site.regs[index]!.num.umax) });
    }
    case 'mem': {
      const size = sizeOf(site, to.size);
      const readonly = to.readonly === true;
      if (to.slice === undefined) return pointerReg('mem', { size, readonly });
      if (site.contract.name === 'bpf_dynptr_slice_rdwr' && !progType(p.program.type).packetWritable)
        refuse('the prog does not allow writes to packet data');
      const reg = site.regs[to.slice.arg]!;
      const dynptr = dynptrAt(p, reg);
      // A slice of a packet dies when the packet may move; see `invalidatePackets`. bpf_dynptr_data gives none of a packet.
      return pointerReg('mem', {
        size,
        readonly,
        struct: site.contract.kind === 'kfunc' ? (dynptr?.type ?? '') : '',
        dynptr: dynptr?.id ?? 0,
        ref: site.contract.kind === 'kfunc' ? 0 : (dynptr?.ref ?? 0),
      });
    }
    case 'btf':
      return pointerReg('btf', { struct: to.struct, trust: to.trust });
    case 'object': {
      const id = site.regs[0]!.num.value;
      const type = p.program.localTypes.find((t) => BigInt(t.id) === id);
      if (type === undefined) refuse(`bpf_obj_new/bpf_percpu_obj_new type ID argument must be of a struct`);
      if (to.percpu === true) {
        if (type.size > MAX_PERCPU_SIZE)
          refuse(`bpf_percpu_obj_new type size (${type.size}) is greater than ${MAX_PERCPU_SIZE}`);
        if (type.fields.length > 0)
          refuse('bpf_percpu_obj_new type ID argument must not contain special fields');
        return pointerReg('object', { struct: type.name, size: type.size, percpu: true });
      }
      return pointerReg('object', { struct: type.name, size: type.size });
    }
    case 'same': {
      const reg = site.regs[to.arg]!;
      return pointerReg(reg.type, { struct: reg.struct, size: reg.size });
    }
    case 'graph_node': {
      const rootArg = site.contract.args.findIndex((a) => a.kind === 'graph_root');
      if (rootArg >= 0) {
        const arg = site.contract.args[rootArg]!;
        const root = rootField(p, site.regs[rootArg]!, arg.kind === 'graph_root' ? arg.graph : 'list');
        const node = containedNode(p, root);
        return pointerReg('object', {
          struct: node.struct,
          size: node.size,
          off: node.offset,
          nonOwning: !to.owning,
        });
      }
      const near = site.regs[0]!;
      return pointerReg('object', {
        struct: near.struct,
        size: near.size,
        off: near.off,
        nonOwning: !to.owning,
      });
    }
    case 'kptr': {
      const slot = site.regs[0]!;
      const field = fieldsOf(p, slot).find((f) => f.offset === fixedOffset(slot));
      const struct = field?.struct ?? '';
      const local = p.program.localTypes.find((t) => t.name === struct);
      return local === undefined
        ? pointerReg('btf', { struct, trust: 'trusted' })
        : pointerReg('object', { struct, size: local.size, percpu: field?.kind === 'kptr_percpu' });
    }
    case 'percpu': {
      const reg = site.regs[to.arg]!;
      return reg.type === 'object'
        ? pointerReg('object', { struct: reg.struct, size: reg.size, trust: 'rcu' })
        : pointerReg(reg.type, { struct: reg.struct, size: reg.size, readonly: reg.readonly });
    }
    case 'kern_ctx': {
      const struct = progType(p.program.type).kernelStruct;
      if (struct === undefined) refuse('bpf_cast_to_kern_ctx is not for this program type');
      return pointerReg('btf', { struct, trust: 'trusted' });
    }
    case 'cast': {
      // An untrusted pointer. Loads through it are allowed for every type, because the kernel makes them safe.
      const id = Number(site.regs[to.arg]!.num.value);
      const types = p.program.kernelTypes;
      const struct = types === undefined ? `btf_id ${id}` : id === 0 ? 'void' : types.nameOf(id);
      if (struct === undefined) refuse('kfunc bpf_rdonly_cast type ID argument must be of a struct or void');
      return pointerReg('btf', { struct, trust: 'untrusted' });
    }
  }
}
