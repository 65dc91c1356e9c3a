/** Mutants of all folders that were thought up after the properties were written, without a look at them. */
import { type Mutant, mutantsOf } from './mutant.js';

export const LATER_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/state/linked-regs.ts',
    ['verifier/copies-and-sums-learn-what-linux-says-they-do'],
    [
      {
        name: 'sum-of-a-sum-stays-linked',
        inside: 'linkedSum',
        node: 'a.size !== 0',
        becomes: 'false',
        wrong:
          'A number that a constant was already added to stays linked when another is added, with only the second constant as the difference.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/scalar/sync.ts',
    ['verifier/branches-lose-no-value-that-takes-them'],
    [
      {
        name: 'mixed-bounds-without-signed-minimum',
        inside: 'deduceMixed',
        node: 'r.smin >= BIG_S32_MIN',
        becomes: 'true',
        wrong:
          'A number that is small by its signed maximum alone is taken to be its low half, though it may be far below zero.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/branch.ts',
    ['verifier/what-is-held-is-what-the-kernel-log-says'],
    [
      {
        name: 'derived-null-drops-reference',
        inside: 'markPtrOrNull',
        node: 'ref === id',
        becomes: 'true',
        wrong:
          'Where a pointer that only derives from a reference is NULL, the reference itself is taken to be given back.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/pointer-arithmetic.ts',
    ['verifier/packets-are-judged-as-by-linux'],
    [
      {
        name: 'moved-packet-pointer-keeps-id',
        inside: 'addToPointer',
        node: 'p.newId()',
        becomes: 'pointer.id',
        wrong:
          'A packet pointer that moved by an unknown amount shares its checked range with the pointer that it was made from.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/effects.ts',
    ['verifier/packets-are-judged-as-by-linux'],
    [
      {
        name: 'packet-end-survives-move',
        inside: 'invalidatePackets',
        node: "r.type === 'packet_end'",
        becomes: 'false',
        wrong: 'After a helper that may move the packet the old pointer to its end still counts.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-memory.ts',
    ['verifier/arguments-are-judged-as-by-linux'],
    [
      {
        name: 'zero-size-only-if-certain',
        inside: 'checkMem',
        node: 'size.num.umin === 0n',
        becomes: 'size.num.umax === 0n',
        wrong:
          'A size that may be zero is let through where zero is not allowed, unless it is zero for certain.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/precision/backtrack.ts',
    ['verifier/what-a-check-relies-on-is-found-as-by-linux'],
    [
      {
        name: 'return-value-not-followed',
        inside: 'Backtracker.toCallee',
        node: 'if (fromCall && wanted.hasReg(outer, 0)) wanted.addReg(inner, 0);',
        becomes: '',
        wrong:
          'What was relied on of the return value of a subprogram is not followed into the subprogram, so that its states cover others that return something else.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/stacksafe.ts',
    ['verifier/stack-slots-that-differ-are-compared-as-by-linux'],
    [
      {
        name: 'zero-covers-misc',
        inside: 'StackComparison.bytesSafe',
        node: 'a === BYTE.misc && b === BYTE.zero',
        becomes: 'a === BYTE.zero && b === BYTE.misc',
        wrong:
          'A stack byte that was zero covers one of which nothing is known, and not the other way round.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/states-equal.ts',
    ['verifier/what-is-held-is-judged-as-by-linux'],
    [
      {
        name: 'preempt-depth-not-compared',
        inside: 'StateComparison.covers',
        node: 'old.preempt !== cur.preempt',
        becomes: 'false',
        wrong: 'States that differ in how often preemption was disabled cover each other.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/target.ts',
    ['isa/assembling-undoes-disassembling'],
    [
      {
        name: 'subprograms-sorted-as-text',
        inside: 'subprogStarts',
        node: '[...starts].sort((a, b) => a - b)',
        becomes: '[...starts].sort()',
        wrong:
          'Subprograms are ordered by the digits of their first slots, so that one at slot 12 comes before one at slot 5.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/maps.ts',
    ['vm/the-kernel-runs-programs-as-the-vm-does'],
    [
      {
        name: 'per-cpu-hash-update-makes-a-new-element',
        inside: 'Maps.update',
        node: 'isPerCpu(map)',
        becomes: 'false',
        wrong:
          'An update of an entry of a per-CPU hash makes a new element, so that pointers that were looked up before no longer see it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/machine.ts',
    ['vm/a-helper-stops-when-its-callback-was-killed'],
    [
      {
        name: 'interruption-outlives-the-frame',
        inside: 'MachineState.pop',
        node: 'if (this.interrupted > this.frames.length) this.interrupted = this.frames.length;',
        becomes: '',
        wrong:
          'A callback that is first called after the kill counts as one that was in flight, so that its helper stops after one round.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/models/graphs.ts',
    ['vm/a-helper-stops-when-its-callback-was-killed'],
    [
      {
        name: 'killed-tree-insertion-goes-on-asking',
        inside: 'Insertion.next',
        node: 'stop || less || other === undefined',
        becomes: 'less || other === undefined',
        wrong:
          'An insertion into a tree that the kill interrupts in its callback goes on comparing with the nodes that are left.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/models/storage.ts',
    ['vm/maps-answer-as-in-linux'],
    [
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
    'src/semantics/step.ts',
    ['vm/the-kernel-runs-programs-as-the-vm-does'],
    [
      {
        name: 'narrow-movsx-extends-to-the-whole-register',
        inside: 'step',
        node: 'op.width === 64 ? extended : m.zeroExtend(32, extended)',
        becomes: 'extended',
        wrong: 'A sign-extending move of 32 bits sets the high half of the register to copies of the sign.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/bound.ts',
    ['smt/a-proven-program-survives-every-kill'],
    [
      {
        name: 'kept-helper-stops-after-its-first-callback',
        inside: 'PatchedGraph.next',
        node: '[...entries, ...v.next]',
        becomes: 'entries',
        wrong: 'The bound leaves out the further rounds of a kept helper that is called after the kill.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule/post-state.ts',
    ['smt/sound-rules-are-proven-and-wrong-ones-refuted'],
    [
      {
        name: 'stub-may-write-what-the-outcome-leaves',
        inside: 'PostState.memoryDemands',
        node: 'writes ? wrote : this.t.not(wrote)',
        becomes: 'writes ? wrote : this.t.true',
        wrong: 'A stub that overwrites memory is inside an outcome that leaves this memory as it was.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/term/bits.ts',
    ['smt/small-terms-mean-what-they-say'],
    [
      {
        name: 'remainder-of-the-divisor-itself',
        inside: 'Bits.urem',
        node: 'a.hi < b.value',
        becomes: 'a.hi <= b.value',
        wrong:
          'A value whose largest possible value is the divisor keeps that value instead of becoming zero.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/fast-path.ts',
    ['patch/the-rule-language-says-what-its-words-say'],
    [
      {
        name: 'outcome-of-one-state-counts-at-the-site',
        inside: 'enabledAt',
        node: 'ways.every((way) => way.has(outcome))',
        becomes: 'ways.some((way) => way.has(outcome))',
        wrong:
          'An outcome that is possible in only one of the states that reach a site counts as possible there.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/callbacks.ts',
    ['patch/two-mode-texts-run-as-killed-runs-do'],
    [
      {
        name: 'callback-is-sought-across-joins',
        inside: 'callbackTargets',
        node: '!joins.has(at + 1)',
        becomes: 'true',
        wrong:
          'Where branches that load different callbacks meet before a call, only the callback of the last branch is taken for its target.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contracts/packets.ts',
    ['kernel/contracts-agree-with-the-kernels-tables'],
    [
      {
        name: 'clone-redirect-that-fails-moves-nothing',
        inside: 'PACKET_CONTRACTS',
        node: 'failed(moves)',
        becomes: 'failed()',
        wrong: 'Packet pointers stay good on the way on which bpf_clone_redirect has failed.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/structs.ts',
    ['kernel/contexts-and-sockets-are-open-as-in-the-kernel'],
    [
      {
        name: 'narrow-socket-load-from-the-middle',
        inside: 'structAccess',
        node: 'offset === found.offset',
        becomes: 'true',
        wrong:
          'Members of a socket that are open in pieces from their start only may be read from the middle as well.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contexts/member.ts',
    ['kernel/contexts-and-sockets-are-open-as-in-the-kernel'],
    [
      {
        name: 'attach-type-restricts-loads-only',
        inside: 'onlyFor',
        node: '{ ...m, readBy: by, writeBy: by }',
        becomes: '{ ...m, readBy: by }',
        wrong:
          'A member of the context that is open to some attach types only may be written under all of them.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/btf/fields.ts',
    ['object/map-definitions-are-read-whole'],
    [
      {
        name: 'array-of-fields-starts-at-zero',
        inside: 'FieldFinder.walk',
        node: 'offset + i * size + field.offset',
        becomes: 'i * size + field.offset',
        wrong: 'Special fields in an array are placed as if the array were the first member of the value.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/core/value.ts',
    ['object/core-relocations-follow-the-target'],
    [
      {
        name: 'bit-field-that-fills-its-unit-gets-a-wider-one',
        inside: 'storageUnit',
        node: 'spec.bitOffset + bitSize - start() * 8 > size * 8',
        becomes: 'spec.bitOffset + bitSize - start() * 8 >= size * 8',
        wrong:
          'A bit field that ends with the last bit of its storage unit is read with a load of twice the size, or refused at 64 bits.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/walk-log/forget.ts',
    ['oracle/every-word-of-a-log-is-told-apart'],
    [
      {
        name: 'linked-scalars-outlive-branches',
        inside: 'isSteady',
        node: 'value.id !== 0',
        becomes: 'false',
        wrong: 'What was known of the copy of a number is kept over a branch that narrows both.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/cause.ts',
    ['campaign/what-breaks-is-blamed-on-the-stubs-that-it-needs'],
    [
      {
        name: 'stubs-left-out-one-at-a-time',
        inside: 'causeOf',
        node: '[...needed]',
        becomes: '[...path.stubs]',
        wrong:
          'Each stub is left out of all of them and not of those that are still needed, so that stubs without a part in it are blamed.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/agreement/values/compare.ts',
    ['campaign/a-planted-difference-is-seen'],
    [
      {
        name: 'entries-that-only-the-vm-has',
        inside: 'mapsDifference',
        node: 'new Set([...theirs.keys(), ...ours.keys()])',
        becomes: 'new Set(theirs.keys())',
        wrong: 'An entry that the map has after the run of the VM but not in the kernel is no difference.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/breaks/breaker.ts',
    ['generators/each-break-does-what-it-says'],
    [
      {
        name: 'same-variant-on-every-round',
        inside: 'variant',
        node: '(which % count) + Math.floor(which / count)',
        becomes: 'which',
        wrong:
          'Where the number of places is a multiple of the number of variants, a place is only ever broken in one way.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/compile/producers.ts',
    ['generators/arguments-are-made-by-what-can-make-them'],
    [
      {
        name: 'no-dynptrs-over-packets-to-read',
        inside: 'producersOf',
        node: 'arg.rdonly !== true',
        becomes: 'arg.type === undefined',
        wrong: 'Functions that only read through a dynptr are never given one over a packet.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/scalar/bounds.ts',
    ['verifier/abstract-arithmetic-admits-every-concrete-result'],
    [
      {
        name: 'product-without-largest-times-least',
        inside: 'mul64',
        node: 'r.smax * b.smin',
        becomes: 'r.smin * b.smin',
        wrong:
          'The signed bounds of a product do not count the greatest of the first number times the least of the second, so that it may be less than they say.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/state/stack.ts',
    ['verifier/stack-slots-are-written-and-read-as-by-linux'],
    [
      {
        name: 'fill-from-the-middle-of-a-spill',
        inside: 'readFixed',
        node: 'at === 0',
        becomes: 'true',
        wrong: 'A load from the middle of a spilled number gives its low bytes.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/access.ts',
    ['verifier/accesses-are-judged-as-by-linux'],
    [
      {
        name: 'access-runs-into-field',
        inside: 'overlaps',
        node: 'high > BigInt(field.offset)',
        becomes: 'high - BigInt(a.size) >= BigInt(field.offset)',
        wrong:
          'A wide access that starts below a lock or another special field and runs into it is let through.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/memory.ts',
    ['verifier/a-pointer-reaches-the-same-however-it-was-moved'],
    [
      {
        name: 'frozen-contents-at-insn-offset-only',
        inside: 'frozenContents',
        node: 'fixedOffset(a.reg) + a.off',
        becomes: 'a.off',
        wrong:
          'A load from a frozen map through a pointer that was moved gives the constant at the start of the value.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/returns.ts',
    ['verifier/runs-of-generated-programs-fit-the-facts'],
    [
      {
        name: 'derived-pointer-without-id',
        inside: 'pointer',
        node: 'nullable || hasLock(p, base)',
        becomes: '(nullable && r0.derives === undefined) || hasLock(p, base)',
        wrong:
          'Pointers that derive from references and may be NULL have no id, so that a check of one of them counts for all.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/outcomes.ts',
    ['verifier/every-step-is-one-that-the-verifier-admits'],
    [
      {
        name: 'key-at-end-never-misses',
        inside: 'holds',
        node: 'key >= BigInt(program.maps[args[0]!.map]!.maxEntries)',
        becomes: 'key > BigInt(program.maps[args[0]!.map]!.maxEntries)',
        wrong: 'A lookup of the first key past the end of an array is taken to find an element.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/regsafe.ts',
    ['verifier/facts-hold-every-state-of-the-whole-walk'],
    [
      {
        name: 'memory-size-not-compared',
        inside: 'RegComparison.regsafe',
        node: 'old.size !== cur.size',
        becomes: 'false',
        wrong: 'A state with a pointer to more memory covers one in which the memory is smaller.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/liveness.ts',
    ['verifier/the-stack-of-callers-is-alive-while-some-path-reads-it'],
    [
      {
        name: 'callback-returns-past-its-call',
        inside: 'StackLiveness.aliveSlots',
        node: 'contract !== undefined && callsSyncCallback(contract)',
        becomes: 'false',
        wrong:
          'What the next round of a callback reads of the stack of its caller is not needed while the callback runs.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/widen.ts',
    ['verifier/runs-of-generated-programs-fit-the-facts'],
    [
      {
        name: 'precise-spills-widened',
        inside: 'widenImpreciseScalars',
        node: 'precise.hasSlot(depth, i)',
        becomes: 'false',
        wrong: 'In a loop a spilled number that changed is forgotten even where a check relied on it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/decode.ts',
    ['isa/decoding-undoes-encoding'],
    [
      {
        name: 'signed-word-load-decoded-unsigned',
        inside: 'decodeLdx',
        node: 'mode === BPF_MEMSX',
        becomes: 'mode === BPF_MEMSX && size < 4',
        wrong: 'A sign-extending load of four bytes is decoded as one that extends with zeroes.',
      },
    ],
  ),
  ...mutantsOf(
    'src/semantics/arith.ts',
    ['verifier/branches-lose-no-value-that-takes-them'],
    [
      {
        name: 'narrow-set-tests-the-whole-registers',
        inside: 'compare',
        node: '(x & y) !== 0n',
        becomes: '(a & b) !== 0n',
        wrong: 'A 32-bit jump on common bits is also taken when only the high halves have a bit in common.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/ledger.ts',
    ['vm/a-run-can-be-forked-and-replayed'],
    [
      {
        name: 'fork-numbers-its-holds-anew',
        inside: 'Ledger.fork',
        node: 'copy.last = this.last;',
        becomes: '',
        wrong:
          'What a killed copy of a run takes gets the number of something that is held already, so that giving one back gives both back.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/callbacks.ts',
    ['vm/the-kernel-runs-programs-as-the-vm-does'],
    [
      {
        name: 'loop-over-a-map-does-not-fill-in-the-key',
        inside: 'forEach',
        node: 'now.memory.replace(keyRegion, key);',
        becomes: '',
        wrong: 'The callback of a loop over a map sees a key of zeros for each element.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/packet.ts',
    ['vm/the-kernel-runs-programs-as-the-vm-does'],
    [
      {
        name: 'metadata-of-any-length',
        inside: 'adjustPacket',
        node: 'size % 4 !== 0 || size > MOST_META',
        becomes: 'size > MOST_META',
        wrong: 'An XDP program may give its packet metadata whose length is no multiple of four bytes.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/models/dynptrs.ts',
    ['vm/the-kernel-runs-programs-as-the-vm-does'],
    [
      {
        name: 'adjusted-dynptr-keeps-its-end',
        inside: 'adjust',
        node: 'end - start',
        becomes: 'dynptr.size - start',
        wrong: 'A dynptr that is adjusted to a smaller range still reaches to its old end.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/arith.ts',
    ['smt/terms-mean-what-arithmetic-says'],
    [
      {
        name: 'divisor-that-may-be-zero-counts-as-nonzero',
        inside: 'divide',
        node: 'divisor.lo > 0n',
        becomes: 'divisor.hi > 0n',
        wrong: 'A division by an unknown register gives all ones instead of zero where the register is zero.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/patched.ts',
    ['smt/a-proven-program-survives-every-kill'],
    [
      {
        name: 'kept-helper-called-after-the-kill-stops-too',
        inside: 'withLastCallbacks',
        node: 'at >= depth',
        becomes: 'at > depth',
        wrong:
          'A callback of a kept helper that is called after the kill counts as the last one, so that its further rounds are not walked.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/state.ts',
    ['smt/terms-of-a-run-have-the-values-of-the-run'],
    [
      {
        name: 'moved-packet-end-goes-the-other-way',
        inside: 'RunState.packetEnd',
        node: 'end - HEADROOM - this.givenLength',
        becomes: 'HEADROOM + this.givenLength - end',
        wrong:
          'The symbolic end of a packet that was made shorter lies behind its old end, and that of a longer one before it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/stub-text.ts',
    ['patch/two-mode-texts-run-as-killed-runs-do'],
    [
      {
        name: 'variable-fill-writes-one-byte-too-many',
        inside: 'writeFill',
        node: "jump('le', sizeIn!, offset, done)",
        becomes: "jump('lt', sizeIn!, offset, done)",
        wrong: 'A stub in plain BPF that zeroes a buffer of variable size also zeroes the byte behind it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/unwritten.ts',
    ['patch/two-mode-texts-run-as-killed-runs-do'],
    [
      {
        name: 'window-may-end-in-a-live-slot',
        inside: 'unwrittenWindows',
        node: '!both.some((byte) => left.has(byte)) || !free(at) || !free(at + 8)',
        becomes: '!both.some((byte) => left.has(byte)) || !free(at)',
        wrong:
          'A dynptr that makes unwritten stack unreadable may overwrite a slot beside it that is read later.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contracts/callbacks.ts',
    ['kernel/every-contract-is-well-formed'],
    [
      {
        name: 'vma-callback-is-given-the-address',
        inside: 'perVma',
        node: '3',
        becomes: '1',
        wrong:
          'The callback of bpf_find_vma is given the address that was looked for in place of its context.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/attached.ts',
    ['kernel/what-may-be-called-hangs-on-licence-and-attachment'],
    [
      {
        name: 'sock-program-attached-nowhere-is-an-ingress-one',
        inside: 'refusedAttached',
        node: "type === 'cgroup_sock' ? A.SOCK_CREATE : 0",
        becomes: '0',
        wrong:
          'A cgroup_sock program that does not say how it attaches may not call bpf_get_retval and bpf_set_retval.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/maptypes.ts',
    ['kernel/maps-are-refused-as-by-the-kernel'],
    [
      {
        name: 'trees-need-no-lock',
        inside: 'fieldsRefusal',
        node: "has('list_head') || has('rb_root')",
        becomes: "has('list_head')",
        wrong: 'A map whose values have a tree but no lock beside it is taken.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/core/match.ts',
    ['object/core-relocations-are-those-of-a-plain-reading'],
    [
      {
        name: 'element-behind-the-last-exists',
        inside: 'matchSpec',
        node: 'step.index >= array.count',
        becomes: 'step.index > array.count',
        wrong: 'The element right behind the end of an array of the target is relocated as if it were there.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/maps.ts',
    ['object/map-definitions-are-read-whole'],
    [
      {
        name: 'user-ring-buffers-keep-their-odd-size',
        inside: 'definedMap',
        node: "type.endsWith('ringbuf')",
        becomes: "type === 'ringbuf'",
        wrong: 'The size of a user ring buffer is not rounded up to a power of two of pages.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/walk-log/held.ts',
    ['oracle/every-word-of-a-log-is-told-apart'],
    [
      {
        name: 'unlock-gives-back-the-outer-lock',
        inside: 'heldAfterCall',
        node: 'left.findLast',
        becomes: 'left.find',
        wrong:
          'Of two locks of one kind the one that was taken first is counted as given back by the first unlock.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/state.ts',
    ['campaign/a-state-is-the-sum-of-its-reports'],
    [
      {
        name: 'hits-of-merged-causes-are-lost',
        inside: 'findings',
        node: 'one.hits + (known?.hits ?? 0)',
        becomes: 'one.hits',
        wrong:
          'Where several findings turn out to have one cause, only the programs that break the last of them are counted.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shrink/draft.ts',
    ['campaign/a-finding-is-shrunk-and-replays'],
    [
      {
        name: 'exception-callback-is-not-reached',
        inside: 'liveNodes',
        node: 'for (const other of starts) if (nodes[other]!.labels.some((name) => onThrow.has(name))) visit(other);',
        becomes: '',
        wrong: 'A program that is shrunk loses its exception callback, since no insn names it.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/compile/release.ts',
    ['generators/generated-programs-are-accepted-by-linux'],
    [
      {
        name: 'records-are-always-submitted',
        inside: 'closing',
        node: 'names[which % names.length]',
        becomes: 'names[0]',
        wrong:
          'What is held is only ever given back by the first function for it, so that no ring-buffer record is discarded on its way out.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/families/packet.ts',
    ['generators/programs-use-things-in-every-way-that-they-did'],
    [
      {
        name: 'packet-bounds-are-compared-in-one-way',
        inside: 'packetArbitrary',
        node: "strict ? 'gt' : 'ge'",
        becomes: "'gt'",
        wrong: 'No program compares a packet pointer with the end of the packet by `>=`.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/scalar/refine.ts',
    ['verifier/branches-lose-no-value-that-takes-them'],
    [
      {
        name: 'a-32-bit-test-of-bits-tests-the-upper-half-too',
        inside: 'someBitSet',
        node: 'width === 64 ? y.value : y.value & LOW',
        becomes: 'y.value',
        wrong:
          'A 32-bit test of bits against a negative immediate looks at the upper halves as well, so that a jump counts as always taken that is not.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/state/linked-regs.ts',
    ['verifier/copies-and-sums-learn-what-linux-says-they-do'],
    [
      {
        name: 'the-base-of-a-32-bit-sum-is-worked-out-in-64-bits',
        inside: 'syncLinked',
        node: 'r.size === 32 || known.size === 32',
        becomes: 'r.size === 32',
        wrong:
          'What a number is from which a 32-bit sum was made is worked out modulo 2^64, so that it gets an upper half that it does not have.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/state/stack.ts',
    ['verifier/stack-slots-are-written-and-read-as-by-linux'],
    [
      {
        name: 'a-zero-stored-somewhere-over-a-spilled-number-changes-nothing',
        inside: 'writeStack',
        node: 'isZero(old.reg)',
        becomes: "old.reg.type === 'scalar'",
        wrong:
          'A zero that is stored at a variable offset leaves any spilled number that it may hit as known as it was.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/text/register-liveness.ts',
    ['verifier/what-is-held-is-what-the-kernel-log-says'],
    [
      {
        name: 'cmpxchg-does-not-read-r0',
        inside: 'useDef',
        node: "op.op === 'cmpxchg' ? bit(0) : 0",
        becomes: '0',
        wrong:
          'Register r0 counts as dead before the cmpxchg that compares with it, so that states which differ in it are found alike.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/machine.ts',
    ['verifier/copies-and-sums-learn-what-linux-says-they-do'],
    [
      {
        name: 'a-sign-extension-is-a-copy-though-the-sign-may-be-set',
        inside: 'AbstractMachine.signExtend',
        node: '1n << BigInt(bits - 1)',
        becomes: '1n << BigInt(bits)',
        wrong: 'A sign extension counts as a copy, linked to its source, also where the sign bit may be set.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/branch.ts',
    ['verifier/packets-are-judged-as-by-linux'],
    [
      {
        name: 'the-start-of-a-packet-below-its-end-gives-a-byte',
        inside: 'widenPacketRange',
        node: 'packet.off === 0 && oneMore',
        becomes: 'false',
        wrong:
          'Where the very start of the packet is known to lie below its end, one byte may be accessed, which Linux does not allow.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-slots.ts',
    ['verifier/runs-of-generated-programs-fit-the-facts'],
    [
      {
        name: 'restoring-an-irq-state-makes-the-outermost-the-next',
        inside: 'restoreIrq',
        node: "p.refs.findLast((r) => r.kind === 'irq')",
        becomes: "p.refs.find((r) => r.kind === 'irq')",
        wrong:
          'After the innermost of three saved IRQ states is restored the outermost is taken for the one that must be next.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/returns.ts',
    ['verifier/accesses-are-judged-as-by-linux'],
    [
      {
        name: 'values-of-a-devmap-hash-may-be-written',
        inside: 'pointsTo',
        node: "map.type.startsWith('devmap')",
        becomes: "map.type === 'devmap'",
        wrong: 'A program may store into what it has looked up in a map of type devmap_hash.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/precision/backtrack.ts',
    ['verifier/what-a-check-relies-on-is-found-as-by-linux'],
    [
      {
        name: 'a-jump-asks-for-its-left-side-only-if-it-is-wanted',
        inside: 'Backtracker.insn',
        node: 'wanted.addReg(d, op.dst);',
        becomes: 'wanted.addReg(d, op.src.reg);',
        wrong:
          'Where the right side of a comparison of two registers is relied on, the left side does not count as relied on with it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/models/dynptrs.ts',
    ['vm/iterators-loops-and-dynptrs-reach-as-far-as-in-linux'],
    [
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
    'src/vm/maps.ts',
    ['vm/the-kernel-runs-programs-as-the-vm-does'],
    [
      {
        name: 'an-element-of-a-per-cpu-hash-is-replaced-when-updated',
        inside: 'Maps.update',
        node: 'locked || isPerCpu(map)',
        becomes: 'locked',
        wrong:
          'An update of an element of a per-CPU hash puts a new one in its place, so that pointers to the old one do not see it and values of other CPUs are lost.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/invoke.ts',
    ['vm/checks-fire-exactly-where-they-should'],
    [
      {
        name: 'a-dynptr-to-a-record-is-not-acquired',
        inside: 'takesSomething',
        node: "effect.kind === 'init_dynptr' && effect.acquires === 'dynptr'",
        becomes: 'false',
        wrong:
          'A call that reserves a record behind a dynptr after the kill does not break the check acquire.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/packet.ts',
    ['vm/the-kernel-runs-programs-as-the-vm-does'],
    [
      {
        name: 'an-xdp-packet-may-not-shrink-to-its-ethernet-header',
        inside: 'adjustPacket',
        node: 'next.data + ETH_HLEN <= next.end',
        becomes: 'next.data + ETH_HLEN < next.end',
        wrong: 'A packet that would be left with just the 14 bytes of its Ethernet header is not shrunk.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/bound.ts',
    ['smt/a-proven-program-survives-every-kill'],
    [
      {
        name: 'a-kept-helper-stops-after-one-callback',
        inside: 'PatchedGraph.next',
        node: '!this.path.stubs.has(call)',
        becomes: 'false',
        wrong:
          'The bound does not count that a helper which the rules keep, called after the kill, goes on calling its callback.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/term/bits.ts',
    ['smt/small-terms-mean-what-they-say'],
    [
      {
        name: 'the-remainder-by-the-greatest-value-is-the-value',
        inside: 'Bits.urem',
        node: 'a.hi < b.value',
        becomes: 'a.hi <= b.value',
        wrong:
          'The remainder of a number that may be as great as the divisor is taken to be the number itself.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/calls.ts',
    ['smt/terms-of-a-run-have-the-values-of-the-run'],
    [
      {
        name: 'a-numeric-iterator-compares-without-sign',
        inside: 'SymbolicCall.forkOnNextNumber',
        node: 't.slt(next, end)',
        becomes: 't.ult(next, end)',
        wrong:
          'The condition for another number of a numeric iterator compares without sign, so that it is wrong for negative numbers.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/inputs.ts',
    ['smt/terms-of-a-run-have-the-values-of-the-run'],
    [
      {
        name: 'a-byte-of-a-context-member-is-added-to-the-old-one',
        inside: 'Draft.setContext',
        node: '(old & ~(0xffn << shift))',
        becomes: 'old',
        wrong:
          'A byte of a member of the context that had a value before becomes the old and the new one together.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/changed.ts',
    ['patch/the-rule-language-says-what-its-words-say'],
    [
      {
        name: 'what-a-used-declaration-uses-is-not-followed',
        inside: 'digests',
        node: 'if (!compiler.isImportDeclaration(declaration)) addDependencies(declaration);',
        becomes: 'void 0;',
        wrong:
          'A rule does not count as changed when a declaration has changed that only another declaration which it uses refers to.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/stub-text.ts',
    ['patch/two-mode-texts-run-as-killed-runs-do'],
    [
      {
        name: 'maps-of-other-types-count-for-the-size-of-a-value',
        inside: 'valueSize',
        node: 'types === undefined || types.includes(type)',
        becomes: 'true',
        wrong:
          'A stub that fills a map value is left out as soon as any other map of the program has values of another size.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/view.ts',
    ['patch/shipped-rule-sets-do-what-their-table-says'],
    [
      {
        name: 'saving-irqs-opens-no-section',
        inside: 'opensSection',
        node: "e.kind === 'irq_save'",
        becomes: 'false',
        wrong:
          'Rules for functions that open a section do not apply to those that save and disable interrupts.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/attached.ts',
    ['kernel/what-may-be-called-hangs-on-licence-and-attachment'],
    [
      {
        name: 'the-return-value-of-unix-recvmsg-may-be-set',
        inside: 'NO_RETVAL',
        node: 'A.UNIX_RECVMSG',
        becomes: 'A.UDP6_RECVMSG',
        wrong: 'A program attached to recvmsg of Unix sockets may ask for the return value and set it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contracts/packets.ts',
    ['kernel/the-tables-are-as-written-down'],
    [
      {
        name: 'pulling-xdp-data-leaves-packet-pointers',
        inside: 'PACKET_CONTRACTS',
        node: "kfunc('bpf_xdp_pull_data', [ctx, scalar], [outcome('done', INTEGER, moves)])",
        becomes: "kfunc('bpf_xdp_pull_data', [ctx, scalar], [outcome('done', INTEGER)])",
        wrong: 'Pointers into the packet stay good after bpf_xdp_pull_data.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/reach.ts',
    ['isa/every-spelling-is-read'],
    [
      {
        name: 'detours-take-no-more-room-than-jumps',
        inside: 'addFar',
        node: "far.has(index) && item.op.kind !== 'ja'",
        becomes: 'false',
        wrong:
          'The slots that detours take are not counted, so that a jump over them may be left short though it does not arrive.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/decode.ts',
    ['isa/decoding-undoes-encoding'],
    [
      {
        name: 'a-64-bit-swap-may-say-big-endian',
        inside: 'decodeEnd',
        node: 'width === 64 && toBigEndian',
        becomes: 'false',
        wrong:
          'An unconditional byte swap whose reserved bit of direction is set is taken as one without it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/core/relocate.ts',
    ['object/core-relocations-are-those-of-a-plain-reading'],
    [
      {
        name: 'a-signed-number-of-the-target-may-be-of-another-width',
        inside: 'widthOf',
        node: "b.encoding !== 'signed'",
        becomes: 'true',
        wrong:
          'A load of an unsigned member is given another width though the member is signed in the target, instead of being poisoned.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/core/match.ts',
    ['object/sample-objects-are-proven'],
    [
      {
        name: 'members-of-anonymous-structs-lie-at-their-inner-offset',
        inside: 'findMember',
        node: 'inner.bitOffset + member.bitOffset',
        becomes: 'inner.bitOffset',
        wrong:
          'A member that the target has inside an anonymous struct is relocated without the offset of that struct.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/walk-log/held.ts',
    ['oracle/every-word-of-a-log-is-told-apart'],
    [
      {
        name: 'a-lock-without-an-id-is-lost-before-a-printed-reference',
        inside: 'heldAsPrinted',
        node: 'n === i || hold.id === 0',
        becomes: 'n === i',
        wrong:
          'A lock that the log does not print counts as given back as soon as a reference that was taken after it is printed again.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/state.ts',
    ['campaign/a-state-is-the-sum-of-its-reports'],
    [
      {
        name: 'the-smallest-finding-is-that-of-the-smallest-program',
        inside: 'sizeOf',
        node: 'small?.insns ?? insns',
        becomes: 'insns',
        wrong:
          'Of findings with one cause the one is reported that was met in the smallest program, not the one with the smallest case.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/families/locks.ts',
    ['generators/programs-use-things-in-every-way-that-they-did'],
    [
      {
        name: 'at-most-two-locks-nest',
        inside: 'nestedLocksArbitrary',
        node: 'maxLength: 3',
        becomes: 'maxLength: 2',
        wrong: 'No program is generated that holds three locks, one inside the other.',
      },
    ],
  ),
];
