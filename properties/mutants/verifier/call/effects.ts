/** Mutants of what a call does to a state of the verifier: results, references, locks. */
import { type Mutant, mutantsOf } from '../../mutant.js';

const SITES = 'verifier/call/calls-are-judged-by-where-they-are-made';
const HELD = 'verifier/call/what-is-held-is-judged-as-by-linux';
const KNOWN = 'verifier/our-verifier-says-what-linux-says';
const PROFILES = 'verifier/nothing-but-the-profile-tells-kernels-apart';
const PACKETS = 'verifier/insn/packets-are-judged-as-by-linux';
const ARGUMENTS = 'verifier/call/arguments-are-judged-as-by-linux';

export const EFFECT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/call/locks.ts',
    [SITES, HELD],
    [
      {
        name: 'any-lock-will-do',
        inside: 'dropLock',
        node: 'r.id === reg.id',
        becomes: 'true',
        wrong: 'Any lock of the same map is taken for the one that is held.',
        noticedBy: [KNOWN],
      },
      {
        name: 'the-lock-of-any-map-will-do',
        inside: 'dropLock',
        node: 'r.kind === lock && r.id === reg.id && r.owner === owner',
        becomes: 'r.kind === lock && r.id === reg.id',
        wrong: 'Of two locks in direct values of maps either is taken for the one that is held.',
      },
      {
        name: 'locks-are-given-back-in-any-order',
        inside: 'dropLock',
        node: 'held !== p.lockHeld',
        becomes: 'false',
        wrong: 'Resilient locks may be given back in any order.',
      },
      {
        name: 'a-resilient-lock-may-be-taken-twice',
        inside: 'takeLock',
        node: 'r.owner === owner',
        becomes: 'r.owner !== owner',
        wrong: 'A resilient lock that is held may be taken again.',
        noticedBy: [KNOWN, HELD, SITES],
      },
      {
        name: 'nodes-survive-unlock',
        inside: 'dropLock',
        node: 'r.nonOwning',
        becomes: 'false',
        wrong: 'Nodes of a list or tree may be used after the unlock.',
        noticedBy: [KNOWN, SITES],
      },
      {
        name: 'locks-anywhere-in-the-value',
        inside: 'checkLock',
        node: 'fixedOffset(reg) !== field.offset',
        becomes: 'fixedOffset(reg) > field.offset',
        wrong: 'A pointer in front of a lock is taken for a pointer to it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/leaks.ts',
    [KNOWN, HELD],
    [
      {
        name: 'exit-forgets-references',
        inside: 'checkResourceLeak',
        node: "p.refs.filter((r) => r.kind === 'pointer')",
        becomes: "p.refs.filter((r) => r.kind === 'pointer' && r.id < 0)",
        wrong: 'The exit does not look at references.',
      },
      {
        name: 'only-one-reference-is-told',
        inside: 'checkResourceLeak',
        node: 'leaked.map((r) => `Unreleased reference id=${r.id} alloc_insn=${r.at}`)',
        becomes: 'leaked.slice(-1).map((r) => `Unreleased reference id=${r.id} alloc_insn=${r.at}`)',
        wrong: 'Of several references that are not released only one is told.',
        noticedBy: ['verifier/explain/a-refusal-says-what-linux-says-line-by-line'],
      },
      {
        name: 'exit-forgets-sections',
        inside: 'checkResourceLeak',
        node: 'p.rcu',
        becomes: 'false',
        wrong: 'The exit does not look at RCU sections.',
      },
      {
        name: 'one-preempt-section-may-stay-open',
        inside: 'checkResourceLeak',
        node: 'p.preempt !== 0',
        becomes: 'p.preempt > 1',
        wrong: 'The exit lets one preempt-disabled section stay open.',
      },
      {
        name: 'ranges-of-r0-are-open-above',
        inside: 'requireRange',
        node: 'smin >= BigInt(min) && smax <= BigInt(max)',
        becomes: 'smin >= BigInt(min) && smin <= BigInt(max)',
        wrong: 'The largest value that r0 may have is not looked at.',
        noticedBy: ['kernel/an-exit-value-is-what-the-hook-allows', SITES],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/effects.ts',
    [KNOWN, SITES],
    [
      {
        name: 'rcu-never-ends',
        inside: 'leave',
        node: "r.trust === 'rcu'",
        becomes: 'false',
        wrong: 'What RCU protects stays protected after the section.',
      },
      {
        name: 'iterators-survive-rcu',
        inside: 'leave',
        node: 'slot?.iter?.rcu',
        becomes: 'false',
        wrong: 'An iterator that needs RCU may be used after its section.',
        noticedBy: ['verifier/explain/what-we-refuse-alone-is-in-the-docs'],
      },
      {
        name: 'rcu-may-be-nested',
        inside: 'enter',
        node: 'p.rcu > 0 && !p.kernel.behaviour.nestedRcu',
        becomes: 'false',
        wrong: 'RCU sections may be nested.',
      },
      {
        name: 'leaving-one-rcu-section-leaves-all',
        inside: 'leave',
        node: 'p.rcu--;',
        becomes: 'p.rcu = 0;',
        wrong: 'The first unlock ends all RCU sections that are nested.',
        noticedBy: [PROFILES],
      },
      {
        name: 'transfers-keep-ownership',
        inside: 'transfer',
        node: 'p.dropRef(ref);',
        becomes: '',
        wrong: 'What was put into a list or tree still has to be given back.',
      },
      {
        name: 'packet-ends-survive',
        inside: 'invalidatePackets',
        node: "r.type === 'packet_end'",
        becomes: 'false',
        wrong: 'The end of the packet stays good when the packet moves.',
        noticedBy: [PACKETS],
      },
      {
        name: 'slices-survive-a-packet-move',
        inside: 'invalidatePackets',
        node: "r.struct === 'skb' || r.struct === 'xdp' || r.struct === 'skb_meta'",
        becomes: "r.struct === 'xdp' || r.struct === 'skb_meta'",
        wrong: 'A slice of an skb stays good when the packet moves.',
        noticedBy: [PACKETS],
      },
      {
        name: 'what-is-given-back-is-kept',
        inside: 'applyEffect',
        node: 'p.releaseReference(reg!.ref)',
        becomes: 'p.dropRef(reg!.ref)',
        wrong: 'Copies of a pointer stay good when its reference is given back.',
        noticedBy: [HELD],
      },
      {
        name: 'packet-end-survives-move',
        inside: 'invalidatePackets',
        node: "r.type === 'packet_end'",
        becomes: 'false',
        wrong: 'After a helper that may move the packet the old pointer to its end still counts.',
        noticedBy: [PACKETS],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/outcomes.ts',
    [SITES],
    [
      {
        name: 'lookups-never-miss',
        inside: 'holds',
        node: 'key === undefined || key >= BigInt(program.maps[args[0]!.map]!.maxEntries)',
        becomes: 'key !== undefined && key >= BigInt(program.maps[args[0]!.map]!.maxEntries)',
        wrong: 'A lookup in an array never misses.',
        noticedBy: [KNOWN, SITES],
      },
      {
        name: 'arrays-are-one-longer',
        inside: 'holds',
        node: 'key === undefined || key >= BigInt(program.maps[args[0]!.map]!.maxEntries)',
        becomes: 'key === undefined || key > BigInt(program.maps[args[0]!.map]!.maxEntries)',
        wrong: 'A lookup right behind the last entry of an array never misses.',
      },
      {
        name: 'key-at-end-never-misses',
        inside: 'holds',
        node: 'key >= BigInt(program.maps[args[0]!.map]!.maxEntries)',
        becomes: 'key > BigInt(program.maps[args[0]!.map]!.maxEntries)',
        wrong: 'A lookup of the first key past the end of an array is taken to find an element.',
        noticedBy: ['verifier/every-step-is-one-that-the-verifier-admits'],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/returns.ts',
    [HELD, KNOWN],
    [
      {
        name: 'null-ids-are-shared',
        inside: 'pointer',
        node: 'if (nullable || isValueWithLock(p, base)) id = p.newId();',
        becomes:
          'if (nullable || isValueWithLock(p, base)) id = r0.acquires === undefined ? p.lastId : p.newId();',
        wrong: 'A pointer that may be NULL gets the id of the one before it: a check of either settles both.',
        noticedBy: [KNOWN, ARGUMENTS],
      },
      {
        name: 'what-derives-from-an-iterator-outlives-it',
        inside: 'pointer',
        node: 'ref = refOf(p, site.regs[r0.derives]!);',
        becomes: '',
        wrong: 'What an iterator gave stays good when the iterator is destroyed.',
        noticedBy: [KNOWN, HELD],
      },
      {
        name: 'derived-pointer-without-id',
        inside: 'pointer',
        node: 'nullable || isValueWithLock(p, base)',
        becomes: '(nullable && r0.derives === undefined) || isValueWithLock(p, base)',
        wrong:
          'Pointers that derive from references and may be NULL have no id, so that a check of one of them counts for all.',
        noticedBy: ['verifier/runs-of-generated-programs-fit-the-facts'],
      },
      {
        name: 'values-of-a-devmap-hash-may-be-written',
        inside: 'pointsTo',
        node: "map.type.startsWith('devmap')",
        becomes: "map.type === 'devmap'",
        wrong: 'A program may store into what it has looked up in a map of type devmap_hash.',
        noticedBy: ['verifier/insn/accesses-are-judged-as-by-linux'],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/exits.ts',
    [HELD],
    [
      {
        name: 'callers-may-not-hold-at-a-packet-load',
        inside: 'checkPacketLoad',
        node: 'path.depth > 0',
        becomes: 'false',
        wrong:
          'A function may not load from the packet while its caller holds a reference, which it will give back.',
      },
      {
        name: 'packet-loads-may-hold',
        inside: 'checkPacketLoad',
        node: "checkResourceLeak(path, 'BPF_LD_[ABS|IND]', path.depth > 0);",
        becomes: '',
        wrong: 'A program may hold anything at a packet load that may end it.',
      },
    ],
  ),
];
