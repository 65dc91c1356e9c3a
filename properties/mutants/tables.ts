/** Mutants that tables over all values of a kind notice: rule sets, inputs of test runs, costs of calls, rounds of runs, fields of contexts. */
import { type Mutant, mutantsOf } from './mutant.js';

export const TABLE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/campaign/naming/rules.ts',
    ['campaign/rule-sets-are-known-by-their-names'],
    [
      {
        name: 'twins-must-stand-side-by-side',
        inside: 'loadRuleSets',
        node: 'loaded.slice(0, i)',
        becomes: 'loaded.slice(Math.max(0, i - 1), i)',
        wrong: 'Two rule sets of one name are taken unless they were named one after the other.',
      },
      {
        name: 'rules-decide-without-pads-only',
        inside: 'decideEveryFunction',
        node: '[false, true]',
        becomes: '[false]',
        wrong:
          'A rule that fails only for a call with a landing pad is found out in the middle of a campaign.',
      },
      {
        name: 'given-functions-are-not-decided',
        inside: 'loadRuleSets',
        node: 'joined([given, ...loaded.map((one) => one.declared ?? [])])',
        becomes: 'joined([...loaded.map((one) => one.declared ?? [])])',
        wrong: 'Rules are not asked about functions that were declared elsewhere.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/agreement/values/inputs.ts',
    ['campaign/agreement/test-runs-begin-with-what-linux-takes'],
    [
      {
        name: 'lengths-count-the-ethernet-header',
        inside: 'drawPacket',
        node: 'view.setUint16(ETH_HLEN + 2, length - ETH_HLEN)',
        becomes: 'view.setUint16(ETH_HLEN + 2, length)',
        wrong: 'An IPv4 header says that the packet is longer than it is.',
      },
      {
        name: 'packets-one-byte-too-long',
        inside: 'drawPacket',
        node: 'length >= ETH_HLEN + 40',
        becomes: 'length >= ETH_HLEN + 41',
        wrong: 'The shortest packet with an IPv6 header is never made.',
      },
      {
        name: 'locks-begin-taken',
        inside: 'drawEntries',
        node: 'for (const { offset, size } of map.fields) value.fill(0, offset, offset + size);',
        becomes: '',
        wrong: 'Test runs begin with locks that are held.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/agreement/run.ts',
    ['campaign/shards/a-comparison-is-taken-up-again'],
    [
      {
        name: 'for-whichever-loader',
        inside: 'runAgreement',
        node: "['comparison', 'seed', 'loader'] as const",
        becomes: "['comparison', 'seed'] as const",
        wrong: 'A run for one loader goes on for another.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cost/actual.ts',
    ['cost/a-run-is-charged-for-what-its-calls-work-on'],
    [
      {
        name: 'runs-know-no-maps',
        inside: 'TimedRun.costHere',
        node: "region?.kind === 'map' && region.map !== undefined",
        becomes: "region?.kind === 'mem' && region.map !== undefined",
        wrong: 'The clock of a run charges nothing for the map that a call is made on.',
      },
      {
        name: 'sizes-of-the-register-before',
        inside: 'TimedRun.costHere',
        node: 'Number(machine.regs[arg + 1]! & 0xffff_ffffn)',
        becomes: 'Number(machine.regs[arg]! & 0xffff_ffffn)',
        wrong: 'The clock of a run takes a size from the register before.',
      },
    ],
  ),
  ...mutantsOf(
    'src/policy/simulate/profile.ts',
    ['policy/rounds-of-a-run-are-those-of-its-loops'],
    [
      {
        name: 'returns-are-rounds',
        inside: 'lengthOf',
        node: 'machine.frames === frames && machine.pc < before',
        becomes: 'machine.pc < before',
        wrong: 'A return from a function counts as a round of a loop.',
      },
      {
        name: 'the-end-of-callbacks-is-a-round',
        inside: 'lengthOf',
        node: 'machine.frames.length >= frames.length',
        becomes: 'machine.frames.length >= 1',
        wrong: 'Where a callback ends in a callback, the outer one counts once more.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/results.ts',
    ['vm/call/a-derived-pointer-dies-with-what-it-was-made-from'],
    [
      {
        name: 'derived-from-sockets-only',
        inside: 'isObject',
        node: "kind === 'sock' || kind === 'btf' || kind === 'object'",
        becomes: "kind === 'btf' || kind === 'object'",
        wrong: 'A pointer that was made from a socket outlives it.',
      },
    ],
  ),
  ...mutantsOf(
    'generators/families/values.ts',
    ['generators/numbers-of-contexts-are-those-that-programs-may-use'],
    [
      {
        name: 'members-of-all-attach-types',
        inside: 'contextFields',
        node: "size === undefined || m.value !== 'scalar' || m.readBy !== undefined",
        becomes: "size === undefined || m.value !== 'scalar'",
        wrong: 'Programs read members that are open to other attach types.',
      },
      {
        name: 'written-where-some-may',
        inside: 'contextFields',
        node: 'm.writes.includes(size) && !m.writeBy',
        becomes: 'm.writes.includes(size)',
        wrong: 'Programs write members that are open to other attach types.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/externs.ts',
    ['object/externs-are-what-the-target-has'],
    [
      {
        name: 'flavours-of-the-object-itself',
        inside: 'Externs.has',
        node: 'this.own(name) ? target.find(name, kind) : undefined',
        becomes: 'target.find(name, kind)',
        wrong:
          'What an object declares for other kernels is there where its own types are all that is known.',
      },
      {
        name: 'weak-ones-of-an-unknown-kernel-are-missing',
        inside: 'Externs.kfunc',
        node: "symbol.bind !== STB_WEAK || 'missing' in this.target",
        becomes: 'symbol.bind !== STB_WEAK',
        wrong: 'Where nobody said which kernel it is for, it has no weak kfunc.',
      },
      {
        name: 'externs-of-any-shape',
        inside: 'Externs.address',
        node: 'new Compat(local, target).types(local.resolve(type.type).id, target.resolve(other.type).id)',
        becomes: 'true',
        wrong: 'A function of the target with other arguments is taken for the extern.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/profile/behaviour.ts',
    ['oracle/each-behaviour-is-told-by-its-own-programs'],
    [
      {
        name: 'frames-up-to-any-that-fit',
        inside: 'runningBehaviour',
        node: 'if (takes(chain(depth))) frames = depth;',
        becomes: 'if (takes(chain(depth - 6))) frames = depth;',
        wrong: 'A kernel with twelve frames is told to have sixteen.',
      },
      {
        name: 'a-kernel-without-types-nests-sections',
        inside: 'runningBehaviour',
        node: "has('bpf_rcu_read_lock') && takes(NESTED_RCU)",
        becomes: 'takes(NESTED_RCU)',
        wrong: 'A kernel that has no kfuncs is told to nest RCU sections.',
      },
      {
        name: 'loaded-programs-stay-open',
        inside: 'takes',
        node: 'if (result.ok) result.close();',
        becomes: '',
        wrong: 'The programs that a kernel is told by stay loaded.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/effects.ts',
    ['verifier/call/what-is-held-is-judged-as-by-linux'],
    [
      {
        name: 'what-rcu-protected-may-still-be-null',
        inside: 'leave',
        node: "{ ...r, trust: 'untrusted', nullable: false }",
        becomes: "{ ...r, trust: 'untrusted' }",
        wrong:
          'A pointer that RCU protected and that was not checked for NULL still asks for a check after the section.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/returns.ts',
    ['verifier/limits-are-where-linux-has-them'],
    [
      {
        name: 'percpu-objects-of-511-bytes',
        inside: 'pointsTo',
        node: 'type.size > MAX_PERCPU_SIZE',
        becomes: 'type.size >= MAX_PERCPU_SIZE',
        wrong: 'A per-CPU object of the largest size is refused.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/state/stack.ts',
    ['patch/what-a-stub-leaves-unwritten-is-not-read'],
    [
      {
        name: 'unwritten-but-for-the-last-byte',
        inside: 'markLeftUnwritten',
        node: 'at < off + size && at < 0',
        becomes: 'at < off + size - 1 && at < 0',
        wrong: 'The last byte that a stub leaves unwritten may be read.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-slots.ts',
    ['verifier/state/things-over-one-another-are-judged-as-by-linux'],
    [
      {
        name: 'irq-states-over-dynptrs',
        inside: 'saveIrq',
        node: 'destroyDynptrAt(p, reg.frame, index);',
        becomes: '',
        wrong: 'A dynptr of which one half was overwritten by a saved IRQ state keeps its other half.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/ringbuf.ts',
    ['vm/call/iterators-loops-and-dynptrs-reach-as-far-as-in-linux'],
    [
      {
        name: 'flags-are-no-failure',
        inside: 'fits',
        node: 'taken(call.size(1)) < call.machine.maps.def(call.map(0)).maxEntries && call.arg(2) === 0n',
        becomes: 'taken(call.size(1)) < call.machine.maps.def(call.map(0)).maxEntries',
        wrong: 'A reservation with flags succeeds.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/kill.ts',
    ['vm/kill/a-report-of-kills-is-the-sum-of-its-runs'],
    [
      {
        name: 'the-worst-of-a-class-is-its-last',
        inside: 'Tally.add',
        node: 'result.steps - first',
        becomes: 'result.steps - last',
        wrong: 'The longest killed run is that of the last kill of its class.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/pointer-arithmetic.ts',
    ['verifier/insn/packets-are-judged-as-by-linux'],
    [
      {
        name: 'every-subtraction-goes-back',
        inside: 'addToPointer',
        node: "op === 'sub' && scalar.num.smin >= 0n",
        becomes: "op === 'sub'",
        wrong:
          'What was checked of a packet pointer still counts after a number was subtracted that may be negative.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/memory.ts',
    ['verifier/insn/accesses-are-judged-as-by-linux'],
    [
      {
        name: 'kptrs-by-atomic-loads',
        inside: 'loadMapValue',
        node: 'checkPlainAccess(a);',
        becomes: '',
        wrong: 'A kptr may be loaded by an ordered load.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/callbacks.ts',
    ['vm/call/iterators-loops-and-dynptrs-reach-as-far-as-in-linux'],
    [
      {
        name: 'loops-of-the-largest-count',
        inside: 'loop',
        node: 'count > MAX_LOOPS',
        becomes: 'count >= MAX_LOOPS',
        wrong: 'The loop of bpf_loop refuses the largest count of rounds.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/models/dynptrs.ts',
    ['vm/call/iterators-loops-and-dynptrs-reach-as-far-as-in-linux'],
    [
      {
        name: 'dynptrs-grow-when-adjusted',
        inside: 'adjust.run',
        node: 'start > dynptr.size || end > dynptr.size',
        becomes: 'start > dynptr.size',
        wrong: 'An adjusted dynptr may end behind its memory.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/calls.ts',
    ['smt/symbolic/a-search-finds-every-path-of-a-small-tree'],
    [
      {
        name: 'empty-ranges-are-errors',
        inside: 'SymbolicCall.forkOnGoodRange',
        node: 't.sle(start, end)',
        becomes: 't.slt(start, end)',
        wrong: 'In terms a numeric iterator over nothing fails.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/kill/cause.ts',
    ['campaign/kill/a-cause-is-what-findings-have-in-common'],
    [
      {
        name: 'half-registers-tell-kinds-apart',
        inside: 'kindOf',
        node: '/\\b[rw](10|\\d)\\b/g',
        becomes: '/\\br(10|\\d)\\b/g',
        wrong: 'Messages that differ in a half register are of two kinds.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shrink/simpler-environments.ts',
    ['campaign/shrink/a-step-of-shrinking-is-smaller'],
    [
      {
        name: 'emptied-maps-stay',
        inside: 'trimEnvironment',
        node: 'names.has(name) && entries.size > 0',
        becomes: 'names.has(name)',
        wrong: 'A shrunk case still names maps that begin empty.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/effects.ts',
    ['verifier/call/what-is-held-is-judged-as-by-linux'],
    [
      {
        name: 'iterators-of-the-innermost-frame-stay',
        inside: 'leave',
        node: 'depth <= p.depth',
        becomes: 'depth < p.depth',
        wrong: 'Iterators under RCU in the innermost frame go on after the section has ended.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/effects.ts',
    ['verifier/call/arguments-are-judged-as-by-linux'],
    [
      {
        name: 'metadata-slices-survive-moves',
        inside: 'invalidatePackets',
        node: "r.struct === 'skb' || r.struct === 'xdp' || r.struct === 'skb_meta'",
        becomes: "r.struct === 'skb' || r.struct === 'xdp'",
        wrong: "A slice of a packet's metadata stays good after the packet may have moved.",
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/returns.ts',
    ['verifier/call/arguments-are-judged-as-by-linux'],
    [
      {
        name: 'slices-of-kfuncs-are-held',
        inside: 'pointsTo',
        node: "site.contract.kind === 'kfunc' ? 0 : (dynptr?.ref ?? 0)",
        becomes: 'dynptr?.ref ?? 0',
        wrong: 'A slice that a kfunc made counts as a reference.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/testrun.ts',
    ['oracle/test-runs-are-asked-for-in-the-kernels-layout'],
    [
      {
        name: 'interrupted-runs-fail',
        inside: 'run',
        node: "errno !== 'EAGAIN' && errno !== 'EINTR'",
        becomes: "errno !== 'EAGAIN'",
        wrong: 'A test run that a signal interrupts is not made again.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-graph.ts',
    ['verifier/call/nodes-go-where-linux-lets-them'],
    [
      {
        name: 'nodes-of-another-member',
        inside: 'checkGraphNode',
        node: 'contained.struct !== reg.struct || contained.offset !== off',
        becomes: 'contained.struct !== reg.struct',
        wrong: 'A node may be put into a list by another node member of its struct.',
      },
      {
        name: 'any-lock-of-the-map-for-the-root',
        inside: 'checkGraphRoot',
        node: 'isLock(r) && r.id === reg.id && r.owner === ownerOf(reg)',
        becomes: 'isLock(r) && r.owner === ownerOf(reg)',
        wrong: 'A list may be changed under the lock of another element of its map.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/globals.ts',
    ['verifier/call/each-parameter-is-checked-for-itself'],
    [
      {
        name: 'parameters-share-their-null-check',
        inside: 'entryReg',
        node: 'param.nonnull ? 0 : p.newId()',
        becomes: '0',
        wrong: 'In a global function a check of one pointer for NULL counts for all its other pointers.',
      },
    ],
  ),
];
