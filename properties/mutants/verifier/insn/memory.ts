/** Mutants of what loads and stores do to a state of the verifier. */
import { type Mutant, mutantsOf } from '../../mutant.js';

const ACCESSES = 'verifier/insn/accesses-are-judged-as-by-linux';
const KNOWN = 'verifier/our-verifier-says-what-linux-says';
const HELD = 'verifier/call/what-is-held-is-judged-as-by-linux';
const MOVES = 'verifier/insn/moves-and-comparisons-are-judged-as-by-linux';

export const MEMORY_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/insn/access.ts',
    [ACCESSES],
    [
      {
        name: 'unknown-offsets-reach-one-further',
        inside: 'checkMemRegion',
        node: 'high + BigInt(a.size) > BigInt(limit)',
        becomes: 'high + BigInt(a.size) > BigInt(limit) + 1n',
        wrong: 'An access at an unknown offset may reach one byte too far.',
      },
      {
        name: 'regions-start-before-they-do',
        inside: 'checkMemRegion',
        node: 'low < 0n || low + BigInt(a.size) > BigInt(limit)',
        becomes: 'low + BigInt(a.size) > BigInt(limit)',
        wrong: 'Memory may be accessed in front of its first byte.',
      },
      {
        name: 'special-fields-end-early',
        inside: 'overlaps',
        node: 'field.offset + field.size',
        becomes: 'field.offset + field.size - 1',
        wrong: 'The last byte of a lock or timer may be loaded and stored.',
      },
      {
        name: 'special-fields-start-late',
        inside: 'overlaps',
        node: 'high > BigInt(field.offset)',
        becomes: 'high > BigInt(field.offset) + 1n',
        wrong: 'The first byte of a lock or timer may be loaded and stored.',
      },
      {
        name: 'kptrs-may-be-read-in-halves',
        inside: 'checkSpecialFields',
        node: "if (a.size !== 8) refuse('kptr access size must be BPF_DW');",
        becomes: '',
        wrong: 'The low half of a kptr may be loaded.',
      },
      {
        name: 'bounds-told-without-the-place',
        inside: 'checkMemRegion',
        node: 'refuse(`R${regno} min value is outside of the allowed memory range`, overstepped(a, low, limit))',
        becomes: 'refuse(`R${regno} min value is outside of the allowed memory range`)',
        wrong: 'Of an access out of bounds it is not told where it was, and how large the memory is.',
        noticedBy: ['verifier/explain/a-refusal-says-what-linux-says-line-by-line'],
      },
      {
        name: 'packets-one-byte-longer',
        inside: 'checkPacketRange',
        node: 'at + size <= reg.range',
        becomes: 'at + size <= reg.range + 1',
        wrong: 'A packet may be accessed one byte past what was checked.',
        noticedBy: [KNOWN, ACCESSES],
      },
      {
        name: 'every-packet-may-be-written',
        inside: 'checkPacket',
        node: '!progType(p.program.type).packetWritable',
        becomes: 'false',
        wrong: 'Programs of types that may only read packets may write them.',
      },
      {
        name: 'flow-keys-one-byte-longer',
        inside: 'FLOW_KEYS_SIZE',
        node: '56',
        becomes: '57',
        wrong: 'The flow keys of a flow dissector are one byte longer than they are.',
      },
      {
        name: 'contexts-may-be-moved',
        inside: 'checkPointerOffset',
        node: '!fixed && off !== 0',
        becomes: '!fixed && off > 8',
        wrong: 'A context that was moved a little may be read and passed on.',
        noticedBy: [KNOWN],
      },
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
    'src/verifier/insn/alignment.ts',
    [ACCESSES],
    [
      {
        name: 'atomics-need-not-be-aligned',
        inside: 'checkAlignment',
        node: "reg.type !== 'stack' && !strict",
        becomes: "reg.type !== 'stack'",
        wrong: 'An atomic insn on a map value need not be aligned.',
      },
      {
        name: 'unknown-offsets-are-aligned',
        inside: 'checkAlignment',
        node: '(value & low) !== 0n || (mask & low) !== 0n',
        becomes: '(value & low) !== 0n',
        wrong: 'Of an unknown offset only the known bits have to be aligned.',
      },
      {
        name: 'flow-keys-take-atomics',
        inside: 'checkAtomicTarget',
        node: "type === 'flow_keys'",
        becomes: 'false',
        wrong: 'Atomic insns may be used on the flow keys.',
      },
      {
        name: 'atomics-take-any-stack-slot',
        inside: 'checkAtomicOffset',
        node: "reg.type !== 'stack' || hasFixedOffset(reg)",
        becomes: 'true',
        wrong: 'A read-modify-write of an unknown stack slot is allowed.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/memory.ts',
    [ACCESSES],
    [
      {
        name: 'null-may-be-read',
        inside: 'load',
        node: 'if (reg.nullable) invalidAccess(a);',
        becomes: '',
        wrong: 'Memory may be read through a pointer that was not checked for NULL.',
        noticedBy: [KNOWN, HELD],
      },
      {
        name: 'null-may-be-written',
        inside: 'store',
        node: 'if (reg.nullable) invalidAccess(a);',
        becomes: '',
        wrong: 'Memory may be written through a pointer that was not checked for NULL.',
      },
      {
        name: 'write-only-maps-may-be-read',
        inside: 'loadMapValue',
        node: '(map.flags & MAP_FLAGS.WRONLY_PROG) !== 0',
        becomes: 'false',
        wrong: 'A program may load from a map that it may only write.',
      },
      {
        name: 'regions-one-longer',
        inside: 'store',
        node: 'checkMemRegion(a, map.valueSize);',
        becomes: 'checkMemRegion(a, map.valueSize + 1);',
        wrong: 'A map value may be written one byte past its end.',
      },
      {
        name: 'read-only-maps-may-be-written',
        inside: 'store',
        node: '(map.flags & MAP_FLAGS.RDONLY_PROG) !== 0',
        becomes: 'false',
        wrong: 'A program may store to a map that it may only read.',
      },
      {
        name: 'read-only-memory-may-be-written',
        inside: 'store',
        node: `if (reg.readonly) refuse(\`R\${a.regno} cannot write into rdonly_mem\`);`,
        becomes: '',
        wrong: 'A slice of a packet that may only be read may be written.',
      },
      {
        name: 'addresses-leak-into-packets',
        inside: 'store',
        node: "refuseLeak(p, a, value, 'packet');",
        becomes: '',
        wrong: 'Without capabilities an address may be stored in a packet.',
      },
      {
        name: 'addresses-leak-into-memory',
        inside: 'store',
        node: "refuseLeak(p, a, value, 'mem');",
        becomes: '',
        wrong: 'Without capabilities an address may be stored in a ring-buffer record.',
      },
      {
        name: 'frozen-contents-at-insn-offset-only',
        inside: 'frozenContents',
        node: 'fixedOffset(a.reg) + a.off',
        becomes: 'a.off',
        wrong:
          'A load from a frozen map through a pointer that was moved gives the constant at the start of the value.',
        noticedBy: ['verifier/insn/a-pointer-reaches-the-same-however-it-was-moved'],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/context.ts',
    ['kernel/contexts-and-sockets-are-open-as-in-the-kernel'],
    [
      {
        name: 'sockets-of-the-context-are-never-null',
        inside: 'loadContext',
        node: "return pointerReg('sock_common', { nullable: true, id: p.newId() });",
        becomes: "return pointerReg('sock_common', { id: p.newId() });",
        wrong: 'The socket of an skb is taken for not NULL.',
        noticedBy: [ACCESSES, MOVES],
      },
      {
        name: 'contexts-may-be-written-as-read',
        inside: 'storeContext',
        node: "'write'",
        becomes: "'read'",
        wrong: 'Whatever can be read of a context can be written.',
        noticedBy: [ACCESSES, 'kernel/contexts-and-sockets-are-open-as-in-the-kernel'],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/kernel-members.ts',
    ['verifier/call/functions-of-kernel-structs-are-stood-in-for-as-by-linux'],
    [
      {
        name: 'a-store-runs-over-the-end-of-a-member',
        inside: 'operationMayWrite',
        node: 'at + size <= end',
        becomes: 'at < end',
        wrong: 'A store to a member that a struct_ops program may write goes on into the next one.',
      },
      {
        name: 'a-store-begins-anywhere-in-a-member',
        inside: 'operationMayWrite',
        node: 'at === begin',
        becomes: 'at >= begin',
        wrong: 'A member that is written from its start only may be written from its middle.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/arena.ts',
    ['verifier/insn/accesses-are-judged-as-by-linux'],
    [
      {
        name: 'an-insn-works-on-addresses-and-numbers',
        inside: 'ArenaArithmetic',
        node: 'before !== arena',
        becomes: 'false',
        wrong:
          'An insn that Linux makes one of 32 bits for its paths with addresses in the arena counts as one of 64 bits on others.',
      },
      {
        name: 'halves-of-addresses-are-numbers',
        inside: 'ArenaArithmetic',
        node: 'if (width === 32) return arena;',
        becomes: 'if (width === 32) return false;',
        wrong: 'A sum of 32 bits with an address in the arena is no address.',
      },
      {
        name: 'arenas-have-no-end',
        inside: 'arenaAddress',
        node: 'map.maxEntries * PAGE',
        becomes: 'map.maxEntries * PAGE * 2',
        wrong: 'The address of a variable behind the end of its arena may be taken.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/pointer-types.ts',
    ['verifier/insn/accesses-are-judged-as-by-linux'],
    [
      {
        name: 'arena-loads-are-plain-loads',
        inside: 'REWRITTEN',
        node: "'arena'",
        becomes: "'uninit'",
        wrong: 'One insn loads from the arena on one path and from the stack on another.',
      },
    ],
  ),
];
