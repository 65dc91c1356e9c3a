/** Mutants of what moves, arithmetic and jumps do to a state of the verifier. */
import { type Mutant, mutantsOf } from '../../mutant.js';

const MOVES = 'verifier/insn/moves-and-comparisons-are-judged-as-by-linux';
const KNOWN = 'verifier/our-verifier-says-what-linux-says';
const SITES = 'verifier/call/calls-are-judged-by-where-they-are-made';
const STRICT = 'verifier/without-capabilities-linux-says-the-same';
const PACKETS = 'verifier/insn/packets-are-judged-as-by-linux';
const ACCESSES = 'verifier/insn/accesses-are-judged-as-by-linux';

export const REGISTER_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/insn/branch.ts',
    [MOVES],
    [
      {
        name: 'null-keeps-reference',
        inside: 'markPtrOrNull',
        node: 'if (isNullNow && ref !== 0 && ref === id) p.dropRef(ref);',
        becomes: '',
        wrong: 'On the way where a pointer is NULL its reference is still held.',
        noticedBy: [KNOWN],
      },
      {
        name: 'null-settles-all',
        inside: 'markPtrOrNull',
        node: '!r.nullable || r.id !== id',
        becomes: '!r.nullable',
        wrong: 'A NULL check settles every pointer that may be NULL.',
        noticedBy: [SITES],
      },
      {
        name: 'objects-equal-to-a-pointer-are-not-null',
        inside: 'ofStruct',
        node: "type === 'btf' || type === 'object'",
        becomes: "type === 'btf'",
        wrong: 'An object that is equal to a pointer which is not NULL is taken for not NULL.',
      },
      {
        name: 'unequal-pointers-are-not-null',
        inside: 'followBranch',
        node: "const equal = (op === 'eq') === taken;",
        becomes: "const equal = op === 'eq' || taken;",
        wrong: 'A pointer that may be NULL and is not equal to another is taken for equal to it.',
      },
      {
        name: 'low-halves-tell-of-null',
        inside: 'decide',
        node: 'width === 64 && isNull(other) && neverNull(pointer)',
        becomes: 'isNull(other) && neverNull(pointer)',
        wrong: 'The low half of an address is taken never to be 0.',
        noticedBy: [STRICT, 'verifier/explain/what-we-refuse-alone-is-in-the-docs', MOVES],
      },
      {
        name: 'packet-range-one-more',
        inside: 'widenPacketRange',
        node: 'packet.off + (oneMore ? 1 : 0)',
        becomes: 'packet.off + 1',
        wrong: 'A packet check is worth one byte more.',
        noticedBy: [PACKETS],
      },
      {
        name: 'packet-ranges-follow-all-copies',
        inside: 'widenPacketRange',
        node: 'r.type === packet.type && r.id === packet.id && r.range < range',
        becomes: 'r.type === packet.type && r.range < range',
        wrong:
          'A check of one packet pointer counts for those too that were moved by another unknown number.',
        noticedBy: [PACKETS],
      },
      {
        name: 'packets-may-reach-further-than-64k',
        inside: 'widenPacketRange',
        node: 'packet.num.umax + BigInt(packet.off) > BigInt(MAX_PACKET_OFF)',
        becomes: 'packet.num.umax > BigInt(MAX_PACKET_OFF)',
        wrong: 'A check of a packet pointer counts though it may be more than 65535 bytes into the packet.',
        noticedBy: [PACKETS],
      },
      {
        name: 'metadata-ends-anywhere-in-the-packet',
        inside: 'endsRange',
        node: "packet.type === 'packet'",
        becomes: 'true',
        wrong: 'Metadata is checked against the end of the packet.',
        noticedBy: [PACKETS],
      },
      {
        name: 'a-packet-at-its-end-is-past-it',
        inside: 'packetAgainstEnd',
        node: 'markPacketEnd(p, packet, regno, AT_END)',
        becomes: 'markPacketEnd(p, packet, regno, PAST_END)',
        wrong: 'A packet pointer that is at the end or past it is taken to be past it.',
        noticedBy: [PACKETS],
      },
      {
        name: 'derived-null-drops-reference',
        inside: 'markPtrOrNull',
        node: 'ref === id',
        becomes: 'true',
        wrong:
          'Where a pointer that only derives from a reference is NULL, the reference itself is taken to be given back.',
        noticedBy: ['verifier/state/what-is-held-is-what-the-kernel-log-says'],
      },
      {
        name: 'the-start-of-a-packet-below-its-end-gives-a-byte',
        inside: 'widenPacketRange',
        node: 'packet.off === 0 && oneMore',
        becomes: 'false',
        wrong:
          'Where the very start of the packet is known to lie below its end, one byte may be accessed, which Linux does not allow.',
        noticedBy: [PACKETS],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/pointer-arithmetic.ts',
    [MOVES],
    [
      {
        name: 'packet-range-kept',
        inside: 'addToPointer',
        node: 'backwards ? pointer.range : 0',
        becomes: 'pointer.range',
        wrong: 'A packet pointer that moves by an unknown amount stays checked.',
        noticedBy: [PACKETS],
      },
      {
        name: 'every-subtraction-goes-backwards',
        inside: 'addToPointer',
        node: "op === 'sub' && scalar.num.smin >= 0n",
        becomes: "op === 'sub'",
        wrong: 'A packet pointer from which a negative number is subtracted stays checked.',
        noticedBy: [PACKETS],
      },
      {
        name: 'null-ids-go-stale',
        inside: 'addToPointer',
        node: 'id: p.newId()',
        becomes: 'id: pointer.id',
        wrong:
          'A packet pointer that moved by an unknown amount is checked together with the one that it came from.',
        noticedBy: [PACKETS],
      },
      {
        name: 'constants-move-pointers-too-far',
        inside: 'checkResult',
        node: 'at >= Number(MAX_OFFSET) || at <= Number(MIN_OFFSET)',
        becomes: 'at <= Number(MIN_OFFSET)',
        wrong: 'A pointer may be moved by constants 512 MiB and more.',
      },
      {
        name: 'pointers-may-be-subtracted-from-numbers',
        inside: 'pointerBinary',
        node: "op === 'sub' && pointer !== a",
        becomes: 'false',
        wrong: 'A number minus a pointer is a pointer.',
      },
      {
        name: 'null-may-be-moved',
        inside: 'pointerBinary',
        node: 'pointer.nullable',
        becomes: "pointer.nullable && op === 'sub'",
        wrong: 'A pointer that was not checked for NULL may be moved forwards.',
      },
      {
        name: 'flow-keys-move-by-anything',
        inside: 'pointerBinary',
        node: "pointer.type === 'flow_keys' && !isConst(scalar.num)",
        becomes: 'false',
        wrong: 'A pointer to flow keys may be moved by an unknown number.',
      },
      {
        name: 'map-values-move-to-their-end-without-capabilities',
        inside: 'checkResult',
        node: 'high >= BigInt(map.valueSize)',
        becomes: 'high > BigInt(map.valueSize)',
        wrong: 'Without capabilities a pointer may be moved to the end of a map value.',
      },
      {
        name: 'moved-packet-pointer-keeps-id',
        inside: 'addToPointer',
        node: 'p.newId()',
        becomes: 'pointer.id',
        wrong:
          'A packet pointer that moved by an unknown amount shares its checked range with the pointer that it was made from.',
        noticedBy: [PACKETS],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/speculation.ts',
    [MOVES],
    [
      {
        name: 'signs-may-be-mixed',
        inside: 'Speculation.before',
        node: '!known && number.num.smin < 0n !== number.num.smax < 0n',
        becomes: 'false',
        wrong: 'Without capabilities a pointer may be moved by a number of which the sign is not known.',
        noticedBy: [STRICT, ACCESSES, MOVES],
      },
      {
        name: 'masks-let-one-byte-more',
        inside: 'limitOf',
        node: 'bytes >= most',
        becomes: 'bytes > most',
        wrong: 'Without capabilities a pointer may be moved from the end of what it points to.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/machine.ts',
    [MOVES],
    [
      {
        name: 'links-survive-arithmetic',
        inside: 'AbstractMachine.binary',
        node: 'return linkedSum(op, width, a, b, sum);',
        becomes: 'return { ...linkedSum(op, width, a, b, sum), id: a.id };',
        wrong: 'The result of arithmetic stays linked to copies of what was there before.',
        noticedBy: [KNOWN],
      },
      {
        name: 'direct-values-end-one-later',
        inside: 'AbstractMachine.immediate',
        node: 'hi >= map.valueSize',
        becomes: 'hi > map.valueSize',
        wrong: 'The address of a map value may be taken right behind it.',
        noticedBy: [SITES],
      },
      {
        name: 'shifts-by-the-width-are-allowed',
        inside: 'checkForm',
        node: 'imm >= op.width',
        becomes: 'imm > op.width',
        wrong: 'A shift by the width of the register is allowed.',
        noticedBy: [SITES],
      },
      {
        name: 'frame-pointer-may-be-negated',
        inside: 'writesDst',
        node: "case 'neg':",
        becomes: '',
        wrong: 'The frame pointer may be overwritten by its negative.',
        noticedBy: [SITES],
      },
      {
        name: 'a-sign-extension-is-a-copy-though-the-sign-may-be-set',
        inside: 'AbstractMachine.signExtend',
        node: '1n << BigInt(bits - 1)',
        becomes: '1n << BigInt(bits)',
        wrong: 'A sign extension counts as a copy, linked to its source, also where the sign bit may be set.',
        noticedBy: ['verifier/scalar/copies-and-sums-learn-what-linux-says-they-do'],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/branch.ts',
    ['verifier/insn/packets-are-judged-as-by-linux'],
    [
      {
        name: 'metadata-against-a-moved-packet',
        inside: 'endsRange',
        node: "end.type === 'packet' && end.off === 0",
        becomes: "end.type === 'packet'",
        wrong:
          'A comparison of a metadata pointer with a packet pointer that was moved counts as one with the start of the packet.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/memory.ts',
    ['verifier/call/what-is-held-is-judged-as-by-linux'],
    [
      {
        name: 'unreferenced-kptr-trusted-in-rcu',
        inside: 'loadKptr',
        node: "field.kind !== 'kptr_untrusted' && p.inRcu",
        becomes: 'p.inRcu',
        wrong: 'An unreferenced kptr that is loaded inside a RCU section counts as protected by it.',
      },
    ],
  ),
];
