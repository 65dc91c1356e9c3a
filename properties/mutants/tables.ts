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
];
