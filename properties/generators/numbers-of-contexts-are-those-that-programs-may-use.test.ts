/**
 * The fields of a context that generated programs read and write as numbers are such fields: loads of them are accepted and give numbers, and those that
 * are written may be.
 */
import { expect, it } from 'vitest';
import { contextFields } from '../../generators/families/values.js';
import { exit, ldx, mov, mul, r0, r1, r2, stx } from '../../src/isa/build.js';
import type { Item } from '../../src/isa/label.js';
import { PROG_TYPES, type ProgType } from '../../src/object/program.js';
import { verify } from '../../src/verifier/verify.js';
import { programOf } from '../support/kernel/programs.js';

const accepted = (type: ProgType, items: readonly Item[]): boolean =>
  verify(programOf(type, [...items, mov(r0, 0), exit()]), { facts: false }).ok;
const reads = (type: ProgType, size: 1 | 2 | 4 | 8, offset: number): boolean =>
  accepted(type, [ldx(size, r2, r1, offset), mul(r2, 3)]);
const writes = (type: ProgType, size: 1 | 2 | 4 | 8, offset: number): boolean =>
  accepted(type, [mov(r2, 7), stx(size, r1, offset, r2)]);

it('each may be read as a number, and written where it says so', () => {
  const wrong = PROG_TYPES.flatMap((type) =>
    contextFields(type).flatMap(({ offset, size, writable }) => [
      ...(reads(type, size, offset) ? [] : [`${type}: ${size} at ${offset} is no number`]),
      ...(writable === true && !writes(type, size, offset)
        ? [`${type}: ${size} at ${offset} is not written`]
        : []),
    ]),
  );
  expect(wrong).toEqual([]);
});

it('so many of each type, of which so many are written', () => {
  const counts = PROG_TYPES.map((type) => {
    const fields = contextFields(type);
    return `${type} ${fields.length} ${fields.filter(({ writable }) => writable === true).length}`;
  });
  expect(counts).toEqual([
    'xdp 2 0',
    'tc 16 8',
    'socket_filter 14 5',
    'tracepoint 8 0',
    'syscall 5 5',
    'kprobe 4 0',
    'raw_tracepoint 4 0',
    'raw_tracepoint_writable 4 0',
    'perf_event 3 0',
    'tp_btf 0 0',
    'iter 0 0',
    'fentry 0 0',
    'lsm 0 0',
    'action 21 7',
    'cgroup_skb 32 4',
    'cgroup_sock 11 0',
    'cgroup_sock_addr 5 1',
    'cgroup_sockopt 3 1',
    'cgroup_device 3 0',
    'cgroup_sysctl 2 1',
    'lwt_in 17 3',
    'lwt_out 17 3',
    'lwt_xmit 17 3',
    'lwt_seg6local 17 3',
    'sk_skb 29 2',
    'sk_msg 14 0',
    'sock_ops 47 2',
    'sk_lookup 15 0',
    'sk_reuseport 5 0',
    'flow_dissector 0 0',
    'netfilter 0 0',
    'struct_ops 0 0',
  ]);
});
