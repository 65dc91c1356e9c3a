/** Mutants of calls in the VM: how they are made, killed and stubbed, and what the ledger says is held. */
import { type Mutant, mutantsOf } from '../mutant.js';

const PAIRS = 'vm/each-check-fires-on-its-own-program';
const EFFECT = 'vm/kill/a-kill-takes-effect-at-once-and-a-stub-after-it';
const KILLS = 'vm/kill/a-killed-run-does-what-its-text-does';
const REACH = 'vm/call/iterators-loops-and-dynptrs-reach-as-far-as-in-linux';
const CHECKS = 'vm/checks-fire-exactly-where-they-should';
const GOES_ON = 'vm/kill/a-killed-run-goes-on-as-linux-does';
const FORKS = 'vm/state/a-fork-is-independent-of-its-parent';

const ANYTHING = 'vm/whatever-a-program-does-its-run-ends-or-traps';

export const VM_CALL_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/vm/call/call.ts',
    ['vm/call/some-functions-always-answer-the-same'],
    [
      {
        name: 'the-cpu-changes-in-a-run',
        inside: 'choiceKey',
        node: 'contract.steady === true',
        becomes: 'false',
        wrong: 'A run moves from CPU to CPU: two calls that ask for it answer different numbers.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/kernel-struct.ts',
    ['vm/samples-run-as-the-verifier-says'],
    [
      {
        name: 'no-kernel-struct-is-written',
        inside: 'isWritten',
        node: 'allowed.struct === struct',
        becomes: 'false',
        wrong: 'A congestion control faults where it writes its window.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/later.ts',
    ['vm/call/callbacks-run-after-the-program'],
    [
      {
        name: 'callbacks-run-after-a-killed-program',
        inside: 'runLater',
        node: 'machine.killed || machine.violations.length > 0',
        becomes: 'machine.violations.length > 0',
        wrong: 'After a killed program the callbacks of its timers run in the same run, killed.',
      },
      {
        name: 'cancelled-callbacks-run',
        inside: 'LATER_MODELS',
        node: 'arms(false)',
        becomes: 'arms(true)',
        wrong: 'The callback of a timer that was cancelled runs.',
      },
      {
        name: 'callbacks-of-deleted-entries-run',
        inside: 'runLater',
        node: 'if (key === undefined) continue;',
        becomes: 'if (key === undefined) return false;',
        wrong: 'A timer whose entry was deleted keeps those after it from running.',
      },
      {
        name: 'a-later-callback-runs-again-and-again',
        inside: 'runLater',
        node: '{ ...one, armed: false }',
        becomes: '{ ...one }',
        wrong: 'A timer that fired stays started.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/insn/pauses.ts',
    ['vm/kill/one-killed-run-decides-its-class', 'vm/call/callbacks-run-after-the-program'],
    [
      {
        name: 'kills-at-the-exit-are-one-class',
        inside: 'pausesAt',
        node: 'machine.frame.helper !== undefined || machine.later.length > 0',
        becomes: 'machine.frame.helper !== undefined',
        wrong: 'A kill at the exit of a program counts as one in the callback that runs after it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/symbolic/run.ts',
    ['smt/symbolic/a-search-finds-every-path-of-a-small-tree'],
    [
      {
        name: 'proofs-let-the-cpu-change',
        inside: 'SymbolicRun.callFunction',
        node: 'choiceKey(contract, `${contract.name}#${count}`)',
        becomes: '`${contract.name}#${count}`',
        wrong: 'A proof takes two calls that ask for the CPU for two unknown numbers.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/args.ts',
    [ANYTHING],
    [
      {
        name: 'a-queue-may-be-a-hash',
        inside: 'checkArg',
        node: '!takesMap(call.name, arg, map)',
        becomes: 'false',
        wrong: 'A function works on a map of a type that it does not take.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/insn/definitional.ts',
    [ANYTHING],
    [
      {
        name: 'a-map-need-not-be-there',
        inside: 'Concrete.requireMap',
        node: 'this.machine.code.program.maps[index] === undefined',
        becomes: 'index < 0',
        wrong: 'A number that is that of no map gives the address of something else.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/stub.ts',
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
    'src/vm/call/invoke.ts',
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
        inside: 'isStopped',
        node: 'interrupted >= frames.length',
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
      {
        name: 'a-dynptr-to-a-record-is-not-acquired',
        inside: 'takesSomething',
        node: "effect.kind === 'init_dynptr' && effect.acquires === 'dynptr'",
        becomes: 'false',
        wrong:
          'A call that reserves a record behind a dynptr after the kill does not break the check acquire.',
        noticedBy: [CHECKS],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/ledger.ts',
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
      {
        name: 'fork-numbers-its-holds-anew',
        inside: 'Ledger.fork',
        node: 'copy.last = this.last;',
        becomes: '',
        wrong:
          'What a killed copy of a run takes gets the number of something that is held already, so that giving one back gives both back.',
        noticedBy: ['vm/state/a-run-can-be-forked-and-replayed'],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/callbacks.ts',
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
      {
        name: 'loop-over-a-map-does-not-fill-in-the-key',
        inside: 'forEach',
        node: 'now.memory.replace(keyRegion, key);',
        becomes: '',
        wrong: 'The callback of a loop over a map sees a key of zeros for each element.',
        noticedBy: ['vm/the-kernel-runs-programs-as-the-vm-does'],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/args.ts',
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
    'src/vm/state/machine.ts',
    [GOES_ON],
    [
      {
        name: 'a-killed-run-stops-at-a-misuse',
        inside: 'MachineState.goOnBehind',
        node: '!this.killed || this.options.stopsAtFirst',
        becomes: 'true',
        wrong: 'A killed run ends where something is given back that is not held.',
      },
      {
        name: 'every-run-goes-on-behind-a-misuse',
        inside: 'MachineState.goOnBehind',
        node: '!this.killed || this.options.stopsAtFirst',
        becomes: 'this.options.stopsAtFirst',
        wrong: 'A run that was not killed goes on where something is given back that is not held.',
      },
      {
        name: 'what-follows-is-taken-for-a-finding',
        inside: 'MachineState.goOnBehind',
        node: 'this.wentOn = true;',
        becomes: '',
        wrong: 'What breaks behind a broken check is told like one that broke first.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/effects.ts',
    [GOES_ON],
    [
      {
        name: 'a-section-that-is-not-open-stops-a-run',
        inside: 'applyEffect',
        node: 'goingOn(machine, () => ledger.leave(effect.section, name));',
        becomes: 'ledger.leave(effect.section, name);',
        wrong: 'A killed run ends where a section is left that is not open.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/trap.ts',
    [GOES_ON],
    [
      {
        name: 'the-mildest-is-told-first',
        inside: 'worstFirst',
        node: 'gravity(a.check) - gravity(b.check)',
        becomes: 'gravity(b.check) - gravity(a.check)',
        wrong: 'What takes long is told before what stays held.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/vm.ts',
    [GOES_ON],
    [
      {
        name: 'a-run-ends-with-its-bound',
        inside: 'Vm.giveUp',
        node: 'this.options.stopsAtFirst',
        becomes: 'true',
        wrong: 'A killed run is not followed behind its bound, so that what it leaks is not seen.',
      },
    ],
  ),
];
