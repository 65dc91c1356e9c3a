/** Pointers that were taken for what they need not be: not NULL, inside of a buffer, at the start of an object, of the running frame. */

import { lookup } from '../texts.js';
import { type Kind, type Mended, OUT, VALUE, withMap, written } from './mended.js';

/** r6 is a value of the map, r7 another one that may be NULL. */
const TWO_VALUES = `${VALUE}
    r6 = r0
${lookup(1)}
    r7 = r0`;
const NULL_READ = '\n    r0 = *(u8 *)(r7 +0)';
/** The number in r8 moves r6 as far as r7. */
const MOVED = `
    r8 = r7
    r8 -= r6
    r8 <<= 1
    r8 >>= 1
    r6 += r8`;
const NEVER_WRITTEN = '\n    r0 = r5';

const nonNull = (name: string, body: string): Mended =>
  written(`not NULL: ${name}`, withMap('socket_filter', `${body}${OUT}`).replace('array key', 'hash key'));

const notNull: Kind = {
  message: /^R7 invalid mem access 'map_value_or_null'$|^R5 !read_ok$/,
  bad: [
    nonNull('equal to one moved far', `${TWO_VALUES}${MOVED}\n    if r7 != r6 goto out${NULL_READ}`),
    nonNull(
      'equal to one moved far, by the jump',
      `${TWO_VALUES}${MOVED}\n    if r7 == r6 goto use\n    goto out\nuse:${NULL_READ}`,
    ),
    nonNull('one moved far is equal to it', `${TWO_VALUES}${MOVED}\n    if r6 != r7 goto out${NULL_READ}`),
    nonNull(
      'equal to one moved far, both spilled',
      `${TWO_VALUES}${MOVED}\n    *(u64 *)(r10 -16) = r7\n    *(u64 *)(r10 -24) = r6\n    r1 = *(u64 *)(r10 -16)\n    r2 = *(u64 *)(r10 -24)\n    if r1 != r2 goto out\n    r7 = *(u64 *)(r10 -16)${NULL_READ}`,
    ),
    nonNull(
      'one moved far compared with 0',
      `${TWO_VALUES}${MOVED}\n    if r6 != 0 goto out${NEVER_WRITTEN}`,
    ),
    nonNull(
      'one moved far compared with a register of 0',
      `${TWO_VALUES}${MOVED}\n    r1 = 0\n    if r6 != r1 goto out${NEVER_WRITTEN}`,
    ),
    nonNull(
      'its low half is not 0',
      `${TWO_VALUES}\n    if w7 != 0 goto use\n    goto out\nuse:${NULL_READ}`.replace('w7 != 0', 'w7 == 0'),
    ),
    nonNull(
      'the low half of one that is not NULL is 0',
      `${TWO_VALUES}\n    if w6 != 0 goto out${NEVER_WRITTEN}`,
    ),
    nonNull(
      'the low half of one that is not NULL is 0, by the jump',
      `${TWO_VALUES}\n    if w6 == 0 goto half\n    goto out\nhalf:${NEVER_WRITTEN}`,
    ),
    nonNull(
      'the low half of a filled one',
      `${TWO_VALUES}\n    *(u64 *)(r10 -16) = r6\n    r1 = *(u64 *)(r10 -16)\n    if w1 != 0 goto out${NEVER_WRITTEN}`,
    ),
    nonNull(
      'the low half of the start of the frame',
      `\n    r1 = r10\n    r1 += -512\n    if w1 != 0 goto out${NEVER_WRITTEN}`,
    ),
    nonNull('the low half of the frame pointer', `\n    r1 = r10\n    if w1 != 0 goto out${NEVER_WRITTEN}`),
    written(
      'not NULL: memory of nothing compared with 0',
      `.type tracepoint\nmain:\n    r1 = 0\n    r2 = 0\n    call bpf_rdonly_cast\n    if r0 != 0 goto out${NEVER_WRITTEN}${OUT}\n`,
    ),
    written(
      'not NULL: equal to memory of nothing',
      withMap(
        'tracepoint',
        `${TWO_VALUES}\n    r1 = 0\n    r2 = 0\n    call bpf_rdonly_cast\n    if r7 != r0 goto out${NULL_READ}${OUT}`,
      ).replace('array key', 'hash key'),
    ),
  ],
  good: [
    nonNull('equal to one that was not moved', `${TWO_VALUES}\n    if r7 != r6 goto out${NULL_READ}`),
    nonNull('checked in all its bits', `${TWO_VALUES}\n    if r7 == 0 goto out${NULL_READ}`),
    nonNull('one that is not NULL compared with 0', `${TWO_VALUES}\n    if r6 != 0 goto out${NEVER_WRITTEN}`),
    nonNull(
      'the low half of one that is not NULL, with both ways good',
      `${TWO_VALUES}\n    if w6 == 0 goto out\n    r0 = *(u8 *)(r6 +0)`,
    ),
  ],
};

// Buffers: how far they reach is asked when the program is attached, but not below where they begin.

const buffer = (name: string, body: string): Mended =>
  written(`buffer: ${name}`, `.type raw_tracepoint_writable\nmain:\n    r6 = *(u64 *)(r1 +0)${body}${OUT}\n`);

const buffers: Kind = {
  message: /^R6 invalid \w+ buffer access: off=-\d+, size=\d$/,
  bad: [
    buffer('read before its start', '\n    r6 += -8\n    r0 = *(u64 *)(r6 +0)'),
    buffer('read from before its start on', '\n    r6 += -8\n    r0 = *(u64 *)(r6 +4)'),
    buffer('written before its start', '\n    r6 += -16\n    *(u64 *)(r6 +8) = 1'),
    buffer('read far before its start', '\n    r6 += -4096\n    r0 = *(u8 *)(r6 +4095)'),
    buffer('moved back by a register', '\n    r2 = -8\n    r6 += r2\n    r0 = *(u8 *)(r6 +0)'),
    buffer('moved back by a difference', '\n    r2 = 8\n    r6 -= r2\n    r0 = *(u8 *)(r6 +7)'),
    buffer('read through a negative offset', '\n    r0 = *(u64 *)(r6 -8)'),
  ],
  good: [
    buffer('moved back and read from its start on', '\n    r6 += -8\n    r0 = *(u64 *)(r6 +8)'),
    buffer('moved on and read', '\n    r6 += 8\n    r0 = *(u64 *)(r6 -8)'),
  ],
};

// Objects that are held: what gives them back, or counts who holds them, looks for its fields from where they start.

const COUNTED = `.type tracepoint
.struct counted size=16 refcount@8
.kfuncs bpf_obj_new_impl bpf_obj_drop_impl bpf_refcount_acquire_impl
main:
    r1 = 1
    call bpf_obj_new_impl
    if r0 == 0 goto out
    r8 = r0`;
const DROPPED = `
    r1 = r8
    call bpf_obj_drop_impl`;

const owned = (name: string, body: string): Mended => written(`owned: ${name}`, `${COUNTED}${body}${OUT}\n`);

const ACQUIRE = `
    call bpf_refcount_acquire_impl
    r1 = r0
    call bpf_obj_drop_impl${DROPPED}`;

const owning: Kind = {
  message:
    /^R1 must have zero offset when passed|^(negative offset|dereference of modified) ptr_ ptr R1 off=-?\d+ disallowed$/,
  bad: [
    owned('counted again from the middle', `\n    r1 = r8\n    r1 += 8${ACQUIRE}`),
    owned(
      'counted again from the middle, of a spill',
      `\n    r1 = r8\n    r1 += 4\n    *(u64 *)(r10 -8) = r1\n    r1 = *(u64 *)(r10 -8)${ACQUIRE}`,
    ),
    owned('counted again from before its start', `\n    r1 = r8\n    r1 += -8${ACQUIRE}`),
    owned('given back from the middle', '\n    r1 = r8\n    r1 += 8\n    call bpf_obj_drop_impl'),
  ],
  good: [
    owned('counted again from its start', `\n    r1 = r8${ACQUIRE}`),
    owned('moved there and back', `\n    r1 = r8\n    r1 += 8\n    r1 += -8${ACQUIRE}`),
  ],
};

// The frame of a caller, to which a number is added that the pointer is added to.

const stackOf = (name: string, between: string, inner: string, read: string): Mended =>
  written(
    `frames: ${name}`,
    `${withMap(
      'socket_filter',
      `${VALUE}
    *(u64 *)(r10 -16) = r7
    *(u64 *)(r10 -24) = 8
    *(u64 *)(r10 -8) = 1
    r1 = r10
    r1 += -8
    call f${read}${OUT}`,
    )}f:
    *(u64 *)(r10 -16) = 0
    *(u64 *)(r10 -24) = 0${between}
    exit
g:${inner}
    exit
`,
  );

const CALL_G = '\n    call g';
const POINTER_READ = '\n    r6 = *(u64 *)(r10 -16)\n    r0 = *(u64 *)(r6 +0)';
const NUMBER_READ = '\n    r1 = *(u64 *)(r10 -24)\n    r7 += r1\n    r0 = *(u8 *)(r7 +0)';
const MOVED_BACK = (by: number, how: string) => `\n    r2 = ${by}\n    r2 += r1${how}\n    r0 = 0`;

const frames: Kind = {
  message:
    /^R6 invalid mem access 'scalar'$|^R7 min value is outside of the allowed memory range$|^math between map_value pointer and/,
  bad: [
    stackOf(
      'two frames up, over a pointer',
      CALL_G,
      MOVED_BACK(-8, '\n    *(u64 *)(r2 +0) = 5'),
      POINTER_READ,
    ),
    stackOf(
      'two frames up, over a number',
      CALL_G,
      MOVED_BACK(-16, '\n    *(u64 *)(r2 +0) = 100'),
      NUMBER_READ,
    ),
    stackOf(
      'two frames up, over a number, of a spill',
      `\n    *(u64 *)(r10 -8) = r1\n    r1 = *(u64 *)(r10 -8)${CALL_G}`,
      MOVED_BACK(-16, '\n    *(u64 *)(r2 +0) = 100'),
      NUMBER_READ,
    ),
    stackOf(
      'one frame up, over a pointer',
      `${MOVED_BACK(-8, '\n    *(u64 *)(r2 +0) = 5')}\n    if r0 == 0 goto left${CALL_G}\nleft:`,
      '\n    r0 = 0',
      POINTER_READ,
    ),
    stackOf(
      'two frames up, by a number that is not known',
      CALL_G,
      `\n    r6 = r1\n    call bpf_get_prandom_u32\n    r0 &= 8\n    r2 = -16\n    r2 += r0\n    r2 += r6\n    *(u64 *)(r2 +0) = 100\n    r0 = 0`,
      NUMBER_READ,
    ),
  ],
  good: [
    stackOf(
      'two frames up, over a number, which stays good',
      CALL_G,
      MOVED_BACK(-16, '\n    *(u64 *)(r2 +0) = 16'),
      NUMBER_READ,
    ),
    stackOf('two frames up, read', CALL_G, MOVED_BACK(-16, '\n    r0 = *(u64 *)(r2 +0)'), NUMBER_READ),
  ],
};

export const pointers = { notNull, buffers, owning, frames };
