/** Mutants of the models of helpers and kfuncs, and of the maps and packets that they work on. */
import { type Mutant, mutantsOf } from '../mutant.js';

const MAPS = 'vm/state/maps-answer-as-in-linux';
const FORKS = 'vm/state/a-fork-is-independent-of-its-parent';
const CHECKS = 'vm/checks-fire-exactly-where-they-should';
const REACH = 'vm/call/iterators-loops-and-dynptrs-reach-as-far-as-in-linux';
const PACKETS = 'vm/state/packets-move-as-in-linux';

export const MODEL_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/vm/state/packet.ts',
    ['vm/state/headers-are-changed-as-in-linux'],
    [
      {
        name: 'network-header-stays-behind',
        inside: 'replacePacket',
        node: 'machine.packet.network + front',
        becomes: 'machine.packet.network',
        wrong:
          'When bytes are put in front of a packet, the header of the network is looked for where it was before.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/headers.ts',
    ['vm/state/headers-are-changed-as-in-linux'],
    [
      {
        name: 'mangled-zero-not-enforced',
        inside: 'replaceAt',
        node: 'marked && (flags & MARK_ENFORCE) === 0n && old === 0',
        becomes: 'marked && old === 0',
        wrong:
          'A checksum of 0 is left alone although the program asks for one all the same (BPF_F_MARK_ENFORCE).',
      },
    ],
  ),

  ...mutantsOf(
    'src/vm/state/maps.ts',
    [MAPS],
    [
      {
        name: 'values-for-reading-are-writable',
        inside: 'Maps.makeValue',
        node: '(map.flags & RDONLY_PROG) === 0',
        becomes: 'true',
        wrong: 'Values of maps that programs may only read can be written by programs.',
        noticedBy: ['vm/checks-fire-exactly-where-they-should'],
      },
      {
        name: 'maps-of-a-fork-are-the-parents',
        inside: 'Maps.fork',
        node: 'this.entries.slice()',
        becomes: 'this.entries',
        wrong: 'A fork sees the elements that its parent puts in.',
        noticedBy: [FORKS],
      },
      {
        name: 'one-element-too-many',
        inside: 'Maps.update',
        node: 'this.entries[index]!.size >= map.maxEntries',
        becomes: 'this.entries[index]!.size > map.maxEntries',
        wrong: 'A hash takes one element more than it has room for.',
      },
      {
        name: 'noexist-replaces',
        inside: 'Maps.update',
        node: 'old !== undefined && how === BPF_NOEXIST',
        becomes: 'false',
        wrong: 'BPF_NOEXIST replaces an element of a hash.',
      },
      {
        name: 'exist-adds',
        inside: 'Maps.update',
        node: 'old === undefined && how === BPF_EXIST',
        becomes: 'false',
        wrong: 'BPF_EXIST adds an element to a hash.',
      },
      {
        name: 'a-prefix-one-bit-short',
        inside: 'Maps.longestPrefix',
        node: 'bit < length',
        becomes: 'bit < length - 1',
        wrong: 'The last bit of a prefix is not compared.',
      },
      {
        name: 'per-cpu-hash-update-makes-a-new-element',
        inside: 'Maps.update',
        node: 'isPerCpu(map)',
        becomes: 'false',
        wrong:
          'An update of an entry of a per-CPU hash makes a new element, so that pointers that were looked up before no longer see it.',
        noticedBy: ['vm/the-kernel-runs-programs-as-the-vm-does'],
      },
      {
        name: 'an-element-of-a-per-cpu-hash-is-replaced-when-updated',
        inside: 'Maps.update',
        node: 'locked || isPerCpu(map)',
        becomes: 'locked',
        wrong:
          'An update of an element of a per-CPU hash puts a new one in its place, so that pointers to the old one do not see it and values of other CPUs are lost.',
        noticedBy: ['vm/the-kernel-runs-programs-as-the-vm-does'],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/maps.ts',
    [MAPS],
    [
      {
        name: 'updates-ignore-their-flags',
        inside: 'update',
        node: 'const flags = call.arg(3);',
        becomes: 'const flags = 0n;',
        wrong: 'Updates of a map do not look at their flags.',
      },
      {
        name: 'deletes-delete-nothing',
        inside: 'remove',
        node: 'call.machine.maps.remove(call.map(0), keyOf(call))',
        becomes: '0n',
        wrong: 'Elements that are deleted stay.',
      },
      {
        name: 'all-cpus-are-one',
        inside: 'findOn',
        node: 'cpu === machine.cpu.current',
        becomes: 'cpu < machine.cpu.count',
        wrong: 'The value of another CPU is that of this one.',
        noticedBy: [CHECKS],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/storage.ts',
    [MAPS],
    [
      {
        name: 'a-stack-gives-the-oldest',
        inside: 'next',
        node: "map.type === 'queue'",
        becomes: 'true',
        wrong: 'A stack gives the element that was put in first.',
      },
      {
        name: 'a-peek-takes',
        inside: 'next',
        node: 'if (taken) machine.maps.remove(index, key);',
        becomes: 'machine.maps.remove(index, key);',
        wrong: 'Looking at an element takes it out.',
      },
      {
        name: 'full-queue-drops-its-newest-element',
        inside: 'push',
        node: 'keys[0]!',
        becomes: 'keys.at(-1)!',
        wrong: 'A full queue or stack makes room by dropping the element that was put in last.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/iterators.ts',
    [REACH],
    [
      {
        name: 'an-iterator-counts-its-end',
        inside: 'nextNumber',
        node: 'iter.next < iter.end',
        becomes: 'iter.next <= iter.end',
        wrong: 'An iterator over numbers goes one too far.',
      },
      {
        name: 'an-empty-range-is-an-error',
        inside: 'newNum',
        node: 'start > end',
        becomes: 'start >= end',
        wrong: 'An iterator over no numbers at all is refused.',
      },
      {
        name: 'as-many-loops-as-there-may-be-are-too-many',
        inside: 'newNum',
        node: 'end - start > MAX_LOOPS',
        becomes: 'end - start >= MAX_LOOPS',
        wrong: 'An iterator over BPF_MAX_LOOPS numbers is refused.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/dynptrs.ts',
    [REACH],
    [
      {
        name: 'a-dynptr-reaches-one-byte-too-far',
        inside: 'within',
        node: 'offset + size > dynptr.size',
        becomes: 'offset + size > dynptr.size + 1',
        wrong: 'One byte behind the end of a dynptr can be reached.',
      },
      {
        name: 'a-smaller-dynptr-starts-where-it-did',
        inside: 'adjust',
        node: 'dynptr.offset + start',
        becomes: 'start',
        wrong: 'A dynptr that is made smaller twice starts at the second offset alone.',
      },
      {
        name: 'flags-of-any-dynptr-write',
        inside: 'write',
        node: "dynptr.type === 'skb' ? STORE_FLAGS : 0n",
        becomes: 'STORE_FLAGS',
        wrong: 'The flags for packets are allowed in a write to other memory.',
      },
      {
        name: 'adjusted-dynptr-keeps-its-end',
        inside: 'adjust',
        node: 'end - start',
        becomes: 'dynptr.size - start',
        wrong: 'A dynptr that is adjusted to a smaller range still reaches to its old end.',
        noticedBy: ['vm/the-kernel-runs-programs-as-the-vm-does'],
      },
      {
        name: 'adjusting-a-dynptr-again-starts-at-its-first-byte',
        inside: 'adjust',
        node: 'offset: dynptr.offset + start',
        becomes: 'offset: start',
        wrong:
          'A dynptr that is adjusted a second time starts too early: what it was moved by before is forgotten.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/ringbuf.ts',
    ['vm/the-kernel-runs-programs-as-the-vm-does'],
    [
      {
        name: 'records-are-lost',
        inside: 'send',
        node: 'sent === undefined',
        becomes: 'true',
        wrong: 'Records that are submitted are lost.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/packets.ts',
    [PACKETS],
    [
      {
        name: 'one-byte-behind-the-packet',
        inside: 'inPacket',
        node: 'offset + size <= end - data',
        becomes: 'offset + size <= end - data + 1',
        wrong: 'A helper reads or writes one byte behind the packet.',
      },
      {
        name: 'unknown-flags-of-a-store',
        inside: 'store',
        node: 'flags && (call.arg(4) & ~STORE_FLAGS) !== 0n',
        becomes: 'false',
        wrong: 'The helper bpf_skb_store_bytes takes any flags.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/packet.ts',
    [PACKETS],
    [
      {
        name: 'a-longer-tail-keeps-old-bytes',
        inside: 'adjustPacket',
        node: 'bytes.fill(0, at.end, Math.max(at.end, next.end));',
        becomes: '',
        wrong: 'A tail that grows shows the bytes that were there before.',
      },
      {
        name: 'metadata-stays-where-it-was',
        inside: 'adjustPacket',
        node: 'if (head !== 0) bytes.copyWithin(next.meta, at.meta, at.data);',
        becomes: '',
        wrong: 'Metadata does not move with the head of the packet.',
        noticedBy: ['vm/the-kernel-runs-programs-as-the-vm-does'],
      },
      {
        name: 'metadata-of-odd-length',
        inside: 'adjustPacket',
        node: 'size % 4 !== 0',
        becomes: 'false',
        wrong: 'Metadata may have a length that is no multiple of four.',
      },
      {
        name: 'metadata-of-any-length',
        inside: 'adjustPacket',
        node: 'size % 4 !== 0 || size > MOST_META',
        becomes: 'size > MOST_META',
        wrong: 'An XDP program may give its packet metadata whose length is no multiple of four bytes.',
        noticedBy: ['vm/the-kernel-runs-programs-as-the-vm-does'],
      },
      {
        name: 'an-xdp-packet-may-not-shrink-to-its-ethernet-header',
        inside: 'adjustPacket',
        node: 'next.data + ETH_HLEN <= next.end',
        becomes: 'next.data + ETH_HLEN < next.end',
        wrong: 'A packet that would be left with just the 14 bytes of its Ethernet header is not shrunk.',
        noticedBy: ['vm/the-kernel-runs-programs-as-the-vm-does'],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/graphs.ts',
    ['vm/call/a-helper-stops-when-its-callback-was-killed'],
    [
      {
        name: 'every-node-of-a-tree-is-compared',
        inside: 'middle',
        node: '(from + to - 1) >> 1',
        becomes: 'from + 0 * to',
        wrong: 'An insertion into a tree compares with its nodes one by one.',
        noticedBy: ['smt/bound/the-worst-runs-are-within-their-bounds'],
      },
      {
        name: 'killed-tree-insertion-goes-on-asking',
        inside: 'Insertion.next',
        node: 'stop || other === undefined',
        becomes: 'other === undefined',
        wrong:
          'An insertion into a tree that the kill interrupts in its callback goes on comparing with the nodes that are left.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/headers.ts',
    ['vm/state/headers-are-changed-as-in-linux'],
    [
      {
        name: 'room-by-64-bits',
        inside: 'adjustRoom',
        node: 'BigInt.asIntN(32, call.arg(1))',
        becomes: 'BigInt.asIntN(64, call.arg(1))',
        wrong: 'Room is taken away by all 64 bits of an argument of which Linux reads 32.',
      },
    ],
  ),
];
