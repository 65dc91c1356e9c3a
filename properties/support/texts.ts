/** Pieces of program text that small programs of many properties are made of, and a few whole programs that several properties speak of. */

/** Looks up `key` in `map`; r0 is the address of its value, or NULL. The key lies in the four bytes below the frame pointer. */
export const lookup = (key = 0, map = 'm'): string => `    *(u32 *)(r10 -4) = ${key}
    r2 = r10
    r2 += -4
    r1 = map ${map}
    call bpf_map_lookup_elem`;

/** The same; where there is no value, goes to `out`. */
export const lookupOrOut = (key = 0, map = 'm'): string => `${lookup(key, map)}
    if r0 == 0 goto out`;

/** Writes the eight bytes at fp-16 under the key in the four at fp-4. */
export const update = (map: string, flags = 0): string => `    r1 = map ${map}
    r2 = r10
    r2 += -4
    r3 = r10
    r3 += -16
    r4 = ${flags}
    call bpf_map_update_elem`;

/** Looks up the socket of a tuple of zeros, which lies in the sixteen bytes below the frame pointer. r1 is the context. */
export const SOCKET_LOOKUP = `    *(u64 *)(r10 -16) = 0
    *(u64 *)(r10 -8) = 0
    r2 = r10
    r2 += -16
    r3 = 12
    r4 = -1
    r5 = 0
    call bpf_sk_lookup_tcp`;

/** Calls `round` back as often as r1 says. */
export const callRounds = (round = 'round', flags = 0): string => `    r2 = func ${round}
    r3 = 0
    r4 = ${flags}
    call bpf_loop`;

/** A program that calls `round` back: `before` puts into r1 how often, `body` is the callback, `more` what stands behind it. */
export const loopProgram = (
  before: string,
  body = 'r0 = 0\n    exit',
  more = '',
  flags = 0,
): string => `.type tc
main:
    ${before}
${callRounds('round', flags)}
    r0 = 0
    exit
round:
    ${body}
${more}`;

/** The only value of an array is locked and unlocked. */
export const LOCKS_VALUE = `.type tc
.map m array key=4 value=8 entries=1 spin_lock@0
${lookupOrOut()}
    r6 = r0
    r1 = r6
    call bpf_spin_lock
    r1 = r6
    call bpf_spin_unlock
out:
    r0 = 0
    exit
`;

/** A ring-buffer record of eight bytes is reserved behind a dynptr, and discarded. */
export const RESERVES_DYNPTR = `.type tc
.map r ringbuf entries=4096
    r1 = map r
    r2 = 8
    r3 = 0
    r4 = r10
    r4 += -16
    call bpf_ringbuf_reserve_dynptr
    r1 = r10
    r1 += -16
    r2 = 0
    call bpf_ringbuf_discard_dynptr
    r0 = 0
    exit
`;
