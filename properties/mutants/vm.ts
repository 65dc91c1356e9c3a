/** Mutants of the VM and the semantics of insns. */
import { type Mutant, mutantsOf } from './mutant.js';

const CHECKS = 'vm/checks-fire-exactly-where-they-should';
const PAIRS = 'vm/each-check-fires-on-its-own-program';
const KILLS = 'vm/a-killed-run-does-what-its-text-does';
const FORKS = 'vm/a-fork-is-independent-of-its-parent';
const MAPS = 'vm/maps-answer-as-in-linux';
const REACH = 'vm/iterators-loops-and-dynptrs-reach-as-far-as-in-linux';
const PACKETS = 'vm/packets-move-as-in-linux';
const INSNS = 'vm/every-insn-computes-as-in-linux';
const TIERS = 'vm/both-tiers-run-alike';
const EFFECT = 'vm/a-kill-takes-effect-at-once-and-a-stub-after-it';

export const VM_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/vm/vm.ts',
    [CHECKS, EFFECT],
    [
      {
        name: 'a-kill-one-insn-late',
        inside: 'Vm.kill',
        node: 'this.machine.killedAt = this.machine.steps;',
        becomes: 'this.step(); this.machine.killedAt = this.machine.steps;',
        wrong: 'One more insn runs before a kill takes effect.',
      },
      {
        name: 'a-bound-of-one-insn-more',
        inside: 'Vm.run',
        node: 'machine.killedAt + bound',
        becomes: 'machine.killedAt + bound + 1',
        wrong: 'A killed run may take one insn more than its bound.',
      },
      {
        name: 'only-other-callbacks-stop',
        inside: 'Vm.kill',
        node: 'this.machine.interrupted = this.machine.frames.length;',
        becomes: 'this.machine.interrupted = this.machine.frames.length - 1;',
        wrong: 'A callback that runs when the kill comes is called again.',
        noticedBy: [EFFECT, KILLS],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/stub.ts',
    [PAIRS, EFFECT, KILLS],
    [
      {
        name: 'a-stub-keeps-registers',
        inside: 'applyStub',
        node: 'machine.clobber(CALLER_SAVED);',
        becomes: '',
        wrong: 'A stub leaves r1 to r5 as they were.',
      },
      {
        name: 'a-stub-fills-nothing',
        inside: 'applyStub',
        node: 'machine.writeBytes(at, new Uint8Array(size));',
        becomes: '{}',
        wrong: 'A stub does not write the memory that it should.',
      },
      {
        name: 'a-stub-fills-one-byte-less',
        inside: 'applyStub',
        node: 'new Uint8Array(size)',
        becomes: 'new Uint8Array(size - 1)',
        wrong: 'A stub leaves the last byte of a buffer as it was.',
        noticedBy: [EFFECT, KILLS],
      },
      {
        name: 'skipped-bytes-are-forgotten',
        inside: 'skip',
        node: 'shadow?.[i] === SHADOW.never',
        becomes: 'false',
        wrong: 'Bytes that a stub leaves unwritten are not marked.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/invoke.ts',
    [EFFECT, PAIRS, KILLS],
    [
      {
        name: 'stubs-before-the-kill',
        inside: 'callFunction',
        node: 'machine.killed',
        becomes: 'true',
        wrong: 'Stubs are used before the kill as well.',
      },
      {
        name: 'killed-callbacks-go-on',
        inside: 'leave',
        node: 'machine.interrupted >= machine.frames.length',
        becomes: 'false',
        wrong: 'A helper whose callback was killed goes on calling it.',
      },
      {
        name: 'results-fill-all-of-r0',
        inside: 'narrowed',
        node: 'resultBits(call.contract)',
        becomes: '64',
        wrong: 'Results of kfuncs that are half a register fill all of it.',
        noticedBy: [REACH],
      },
      {
        name: 'the-largest-exit-value-is-refused',
        inside: 'checkRange',
        node: 'value <= BigInt(range[1])',
        becomes: 'value < BigInt(range[1])',
        wrong: 'The largest value that a hook allows counts as out of range.',
        noticedBy: [CHECKS],
      },
      {
        name: 'a-lock-is-nothing-acquired',
        inside: 'takesSomething',
        node: "effect.kind === 'lock'",
        becomes: 'false',
        wrong: 'A lock that is taken after the kill is not counted as acquired.',
        noticedBy: [CHECKS],
      },
      {
        name: 'null-dynptrs-are-acquired',
        inside: 'takesSomething',
        node: "effect.acquires === 'dynptr'",
        becomes: 'true',
        wrong: 'A dynptr to nothing counts as acquired.',
        noticedBy: [CHECKS],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/ledger.ts',
    [CHECKS, PAIRS],
    [
      {
        name: 'what-is-given-back-stays',
        inside: 'Ledger.drop',
        node: 'hold.id !== id',
        becomes: 'true',
        wrong: 'What is given back is still held.',
      },
      {
        name: 'unlock-takes-any-lock',
        inside: 'Ledger.unlock',
        node: 'hold.region === region && hold.offset === offset',
        becomes: 'true',
        wrong: 'Unlocking does not look which lock it is.',
      },
      {
        name: 'locks-in-any-order',
        inside: 'Ledger.unlock',
        node: 'here !== top',
        becomes: 'false',
        wrong: 'Locks may be given back in any order.',
      },
      {
        name: 'any-kind-of-unlock',
        inside: 'Ledger.unlock',
        node: 'here.kind !== kind',
        becomes: 'false',
        wrong: 'A lock may be given back by the function for another kind.',
      },
      {
        name: 'locks-of-a-region-are-one',
        inside: 'Ledger.isLocked',
        node: 'hold.offset === offset',
        becomes: 'true',
        wrong: 'Two locks in one region are taken for the same.',
      },
      {
        name: 'irq-states-in-any-order',
        inside: 'Ledger.restoreIrq',
        node: 'top.id !== id',
        becomes: 'false',
        wrong: 'Saved IRQ states may be restored in any order.',
      },
      {
        name: 'the-oldest-reference-goes',
        inside: 'Ledger.reference',
        node: 'this.list.findLast((hold) => hold.region === region && isReference(hold))',
        becomes: 'this.list.find((hold) => hold.region === region && isReference(hold))',
        wrong: 'Of two references to an object the older one is given back.',
      },
      {
        name: 'a-fork-counts-holds-anew',
        inside: 'Ledger.fork',
        node: 'copy.last = this.last;',
        becomes: '',
        wrong: 'A fork numbers what it takes from 1 again.',
        noticedBy: [FORKS],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/machine.ts',
    [FORKS],
    [
      {
        name: 'leaks-are-not-reported',
        inside: 'MachineState.finish',
        node: "this.report('leak', `${describeHold(hold)} is not given back`, hold.by);",
        becomes: '',
        wrong: 'The exit does not look at what is held.',
        noticedBy: [PAIRS],
      },
      {
        name: 'a-fork-without-interrupted-callbacks',
        inside: 'MachineState.fork',
        node: 'copy.interrupted = this.interrupted;',
        becomes: '',
        wrong: 'A fork of a killed run does not know which callbacks were open.',
        noticedBy: [FORKS, 'vm/a-run-can-be-forked-and-replayed'],
      },
      {
        name: 'a-fork-with-the-whole-budget',
        inside: 'MachineState.fork',
        node: 'copy.mayGoto = this.mayGoto;',
        becomes: '',
        wrong: 'A fork asks for the budget of may_goto again.',
      },
      {
        name: 'a-fork-without-records',
        inside: 'MachineState.fork',
        node: 'copy.records = this.records;',
        becomes: '',
        wrong: 'A fork forgets the records of ring buffers.',
      },
      {
        name: 'a-fork-on-another-cpu',
        inside: 'MachineState.fork',
        node: 'copy.cpu = this.cpu;',
        becomes: '',
        wrong: 'A fork has one CPU only.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/memory.ts',
    [FORKS],
    [
      {
        name: 'a-parent-writes-into-its-fork',
        inside: 'Memory.fork',
        node: 'this.token = {};',
        becomes: '',
        wrong: 'What a run writes after it was forked, the fork sees.',
      },
      {
        name: 'stores-write-into-the-fork',
        inside: 'Memory.forWrite',
        node: 'region.writer !== this.token',
        becomes: 'false',
        wrong: 'A store writes into a region that a fork shares.',
      },
      {
        name: 'one-byte-past-the-end',
        inside: 'Memory.locate',
        node: 'at + size > region.bytes.length',
        becomes: 'at + size > region.bytes.length + 1',
        wrong: 'An access may reach one byte past the end of its memory.',
        noticedBy: [CHECKS],
      },
      {
        name: 'released-objects-are-good',
        inside: 'Memory.kill',
        node: 'region.alive = false;',
        becomes: '',
        wrong: 'Objects stay accessible after their last reference is given back.',
        noticedBy: [PAIRS],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/maps.ts',
    [MAPS],
    [
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
    ],
  ),
  ...mutantsOf(
    'src/vm/models/maps.ts',
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
    'src/vm/models/storage.ts',
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
    ],
  ),
  ...mutantsOf(
    'src/vm/models/iterators.ts',
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
    'src/vm/models/dynptrs.ts',
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
    ],
  ),
  ...mutantsOf(
    'src/vm/models/ringbuf.ts',
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
    'src/vm/models/packets.ts',
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
    'src/vm/packet.ts',
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
    ],
  ),
  ...mutantsOf(
    'src/vm/callbacks.ts',
    [REACH],
    [
      {
        name: 'bpf-loop-once-more',
        inside: 'loop',
        node: 'const count = call.size(0);',
        becomes: 'const count = call.size(0) + 1;',
        wrong: 'The helper bpf_loop calls back once too often.',
      },
      {
        name: 'callbacks-do-not-stop-a-loop',
        inside: 'CountedCalls.next',
        node: 'returned !== undefined && returned !== 0n',
        becomes: 'false',
        wrong: 'A callback that returns 1 does not end its loop.',
      },
      {
        name: 'the-last-call-is-not-counted',
        inside: 'CountedCalls.next',
        node: 'this.calls + 1',
        becomes: 'this.calls',
        wrong: 'The helper bpf_loop returns 0 however often it called back.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/definitional.ts',
    [INSNS],
    [
      {
        name: 'atomics-fetch-the-new-value',
        inside: 'Concrete.atomic',
        node: 'return old;',
        becomes: 'return load(this.machine, base, off, size);',
        wrong: 'Atomic operations that fetch answer the new value.',
      },
      {
        name: 'signs-of-loads-are-lost',
        inside: 'Concrete.load',
        node: 'signed && size !== 8',
        becomes: 'false',
        wrong: 'Loads that extend the sign do not.',
      },
      {
        name: 'cmpxchg-of-32-bits-compares-64',
        inside: 'Concrete.atomic',
        node: 'BigInt.asUintN(width, expected ?? 0n)',
        becomes: '(expected ?? 0n)',
        wrong: 'A 32-bit cmpxchg compares all of r0.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/fast.ts',
    [INSNS, TIERS],
    [
      {
        name: 'wide-shifts-by-32-bits-at-most',
        inside: 'runFast',
        node: 'words[2 * d + 1] = arithmetic ? b >> 31 : 0;',
        becomes: 'words[2 * d + 1] = 0;',
        wrong: 'An arithmetic shift by 32 and more clears the high half.',
      },
      {
        name: 'signed-division-is-unsigned',
        inside: 'runFast',
        node: 'words[2 * d] = lo === 0 ? 0 : words[2 * d]! / lo;',
        becomes: 'words[2 * d] = lo === 0 ? 0 : (words[2 * d]! >>> 0) / (lo >>> 0);',
        wrong: 'A 32-bit signed division is unsigned.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/fast-compare.ts',
    [INSNS, TIERS],
    [
      {
        name: 'low-halves-are-compared-signed',
        inside: 'greater',
        node: 'alo >>> 0 > blo >>> 0',
        becomes: 'alo > blo',
        wrong: 'Where the high halves are equal, the low ones are compared as signed numbers.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/args.ts',
    [CHECKS, PAIRS],
    [
      {
        name: 'nothing-is-disclosed',
        inside: 'checkRead',
        node: 'SINKS.test(call.name)',
        becomes: 'false',
        wrong: 'Unwritten stack that leaves the program is an ordinary fault.',
      },
    ],
  ),
  ...mutantsOf(
    'src/semantics/arith.ts',
    ['isa/concrete-arithmetic-is-a-64-bit-machines', INSNS],
    [
      {
        name: 'shifts-by-the-width',
        inside: 'binary',
        node: 'return x >> (y & BigInt(width - 1));',
        becomes: 'return x >> (y & BigInt(width));',
        wrong: 'A shift to the right takes the wrong bits of its count.',
      },
      {
        name: 'remainder-by-zero-is-zero',
        inside: 'binary',
        node: 'y === 0n ? x : x % y',
        becomes: 'y === 0n ? 0n : x % y',
        wrong: 'The remainder of a division by 0 is 0.',
      },
    ],
  ),
  ...mutantsOf(
    'src/semantics/step.ts',
    [INSNS],
    [
      {
        name: 'movsx-of-32-bits-fills-64',
        inside: 'step',
        node: 'op.width === 64 ? extended : m.zeroExtend(32, extended)',
        becomes: 'extended',
        wrong: 'A 32-bit move that extends the sign extends it over all of the register.',
      },
      {
        name: 'plain-atomics-change-their-operand',
        inside: 'step',
        node: 'op.fetch',
        becomes: 'true',
        wrong: 'An atomic that does not fetch overwrites its operand.',
      },
    ],
  ),
];
