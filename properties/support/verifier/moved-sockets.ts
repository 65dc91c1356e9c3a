/**
 * Sockets that were moved: the pointers that casts return (BTF pointers to kernel structs), and the socket of the context, each some bytes further,
 * passed to what takes sockets. A pointer into the middle of a socket is one only where a socket begins there (btf_struct_ids_match).
 */
import { add, callHelper, exit, jmp, ldx, mov, r0, r1, r2 } from '../../../src/isa/build.js';
import type { Item } from '../../../src/isa/label.js';
import { label } from '../../../src/isa/label.js';
import { contractOf } from '../../../src/kernel/catalog.js';
import type { Program } from '../../../src/object/program.js';
import { type Family, family, small } from './family.js';

/** Offset of `sk` in __sk_buff. */
const SK = 168;
const call = (name: string): Item => callHelper(contractOf(name)!.id);

const CASTS = [
  'bpf_skc_to_tcp_sock',
  'bpf_skc_to_tcp6_sock',
  'bpf_skc_to_udp6_sock',
  'bpf_skc_to_tcp_timewait_sock',
  'bpf_skc_to_tcp_request_sock',
  'bpf_skc_to_unix_sock',
  'bpf_skc_to_mptcp_sock',
];
/** Casts that give a pointer of the verifier's own kinds. */
const OLD_CASTS = ['bpf_sk_fullsock', 'bpf_tcp_sock'];
const TAKERS = [...CASTS, ...OLD_CASTS, 'bpf_sk_cgroup_id', 'bpf_get_listener_sock', 'bpf_sk_release'];
const OFFSETS = [-8, 0, 8, 16];

function build(cast: string | undefined, off: number, taker: string): Program {
  return small('tc', {}, () => [
    ldx(8, r1, r1, SK),
    jmp('eq', r1, 0, 'out'),
    ...(cast === undefined ? [mov(r0, r1)] : [call(cast), jmp('eq', r0, 0, 'out')]),
    mov(r1, r0),
    ...(off === 0 ? [] : [add(r1, off)]),
    mov(r2, 0),
    call(taker),
    label('out'),
    mov(r0, 0),
    exit(),
  ]);
}

export const movedSockets: Family = family(
  'moved-sockets',
  [undefined, ...CASTS, ...OLD_CASTS].flatMap((cast) =>
    OFFSETS.map((off) => ({ name: `${cast ?? 'skb->sk'}, ${off} bytes`, cast, off })),
  ),
  TAKERS,
  ({ cast, off }, taker) => build(cast, off, taker),
);
