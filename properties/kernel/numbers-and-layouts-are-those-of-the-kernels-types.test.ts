/**
 * Numbers of helpers, program types, map types, attach types and map flags, places of context members, sizes of structs, prototypes of
 * kfuncs: as the running kernel's own types (BTF) have them.
 */
import { expect, it } from 'vitest';
import { ATTACH } from '../../src/kernel/contexts/attach.js';
import { MAP_FLAGS, mapType } from '../../src/kernel/maptypes.js';
import { progType } from '../../src/kernel/progtypes.js';
import { DYNPTR_SIZE, FIELD_LAYOUT, ITER_WORDS, sockMembers } from '../../src/kernel/structs.js';
import { HELPERS, KFUNCS } from '../../src/kernel/tables/rows.js';
import { comparable } from '../../src/object/btf/declare.js';
import { MAP_TYPES, PROG_TYPES, type ProgType } from '../../src/object/program.js';
import {
  enumValues,
  memberPlace,
  memberTypes,
  prototype,
  structSize,
} from '../support/contracts/kernel-types.js';
import { describeKnownKernel, messagesKnown } from '../support/kernel/skip.js';

/** The kernel's word for a program type: BPF_PROG_TYPE_ and this. */
function kernelWord(type: ProgType): string {
  const words: Partial<Record<ProgType, string>> = {
    tc: 'SCHED_CLS',
    action: 'SCHED_ACT',
    tp_btf: 'TRACING',
    iter: 'TRACING',
    fentry: 'TRACING',
  };
  return words[type] ?? type.toUpperCase();
}

/** Types that the kernel declares for its own use are named without this. */
const UNKNOWN_TO_BTF = ['bpf_user_pt_regs_t', 'bpf_raw_tracepoint_args'];

describeKnownKernel('the kernel counts as we do:', () => {
  it.skipIf(!messagesKnown())('helpers', () => {
    const theirs = [...enumValues('bpf_func_id')].filter(
      ([name]) => !name.includes('MAX_ID') && !name.endsWith('unspec'),
    );
    expect(HELPERS.map(({ name, id }) => [name.replace(/^bpf_/, 'BPF_FUNC_'), id])).toEqual(theirs);
  });

  it('program types', () => {
    const theirs = enumValues('bpf_prog_type');
    for (const type of PROG_TYPES)
      expect([type, progType(type).number]).toEqual([type, theirs.get(`BPF_PROG_TYPE_${kernelWord(type)}`)]);
  });

  it('map types', () => {
    const theirs = enumValues('bpf_map_type');
    for (const type of MAP_TYPES)
      expect([type, mapType(type).number]).toEqual([type, theirs.get(`BPF_MAP_TYPE_${type.toUpperCase()}`)]);
  });

  it('attach types', () => {
    const theirs = enumValues('bpf_attach_type');
    const prefixes = ['BPF_', 'BPF_CGROUP_', 'BPF_CGROUP_INET_', 'BPF_SK_', 'BPF_TRACE_', 'BPF_XDP_'];
    for (const [name, number] of Object.entries(ATTACH))
      expect([name, prefixes.map((prefix) => theirs.get(prefix + name))]).toEqual([
        name,
        expect.arrayContaining([number]),
      ]);
  });

  it('map flags', () => {
    const theirs = enumValues('BPF_F_NO_PREALLOC');
    for (const [name, bit] of Object.entries(MAP_FLAGS))
      expect([name, bit]).toEqual([name, theirs.get(`BPF_F_${name}`)]);
  });
});

describeKnownKernel('the kernel lays out as we do:', () => {
  it('contexts', () => {
    for (const type of PROG_TYPES) {
      const { struct, size, members } = progType(type);
      if (struct === undefined || UNKNOWN_TO_BTF.includes(struct)) continue;
      if (members.length > 0) expect([type, size]).toEqual([type, structSize(struct)]);
      for (const m of members) {
        const place = memberPlace(struct, m.name === 'cb_flags' ? 'bpf_sock_ops_cb_flags' : m.name);
        // Two members of two bytes that are taken for one of four, with the padding behind them.
        const wide = ['dst_port', 'remote_port'].includes(m.name) && place?.size === 2 ? 4 : place?.size;
        expect([type, m.name, m.offset, m.size]).toEqual([type, m.name, place?.offset, wide]);
      }
    }
  });

  it('what is behind a context (bpf_cast_to_kern_ctx)', () => {
    const theirs = memberTypes('bpf_ctx_convert');
    for (const type of PROG_TYPES) {
      const { kernelStruct } = progType(type);
      if (kernelStruct === undefined) continue;
      const behind = theirs.get(`BPF_PROG_TYPE_${kernelWord(type)}_kern`)?.replace(/^struct /, '');
      expect([type, kernelStruct]).toEqual([type, behind]);
    }
  });

  it('sockets', () => {
    for (const type of ['sock', 'sock_common'] as const)
      for (const m of sockMembers(type))
        expect([m.name, m]).toEqual([m.name, { ...m, ...memberPlace('bpf_sock', m.name) }]);
    expect(sockMembers('xdp_sock')).toMatchObject([memberPlace('bpf_xdp_sock', 'queue_id')]);
    const tcp = sockMembers('tcp_sock');
    const last = tcp.at(-1)!;
    expect(last.offset + last.size).toBe(structSize('bpf_tcp_sock'));
    const theirs = [...memberTypes('bpf_tcp_sock').keys()].map((name) => memberPlace('bpf_tcp_sock', name));
    expect(tcp.map(({ offset, size }) => ({ offset, size }))).toEqual(theirs);
  });

  it('what helpers alone may touch', () => {
    for (const [type, words] of Object.entries(ITER_WORDS)) {
      // A kernel need not have schedulers of its users.
      if (type === 'scx_dsq' && structSize('bpf_iter_scx_dsq') === undefined) continue;
      expect([type, 8 * words]).toEqual([type, structSize(`bpf_iter_${type}`)]);
    }
    for (const [kind, { size }] of Object.entries(FIELD_LAYOUT)) {
      if (!kind.startsWith('kptr')) expect([kind, size]).toEqual([kind, structSize(`bpf_${kind}`)]);
    }
    expect(DYNPTR_SIZE).toBe(structSize('bpf_dynptr'));
    expect(structSize('htab_elem')).toBe(48);
    expect(structSize('bpf_stack_build_id')).toBe(32);
  });
});

describeKnownKernel('the kernel declares kfuncs as our table has them:', () => {
  it.skipIf(!messagesKnown())('return types and parameters', () => {
    let seen = 0;
    for (const { name, ret, params, types } of KFUNCS) {
      const theirs = prototype(name);
      // One that some program type may call is there; of what only LSM and struct_ops programs may call, no kernel has all.
      if (types.some((type) => type !== 'lsm' && type !== 'fentry' && type !== 'struct_ops'))
        expect([name, theirs === undefined]).toEqual([name, false]);
      if (theirs === undefined || types.length === 0) continue;
      seen++;
      expect([name, comparable(ret), ...params.map(comparable)]).toEqual([
        name,
        comparable(theirs.returns),
        ...theirs.params.map(comparable),
      ]);
    }
    expect(seen).toBeGreaterThan(100);
  });
});
