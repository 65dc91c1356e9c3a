/** Mutants of the VM itself: its tiers, its memory, how runs go on and are filled with values. */
import { type Mutant, mutantsOf } from '../mutant.js';

const CHECKS = 'vm/checks-fire-exactly-where-they-should';
const EFFECT = 'vm/kill/a-kill-takes-effect-at-once-and-a-stub-after-it';
const KILLS = 'vm/kill/a-killed-run-does-what-its-text-does';
const FORKS = 'vm/state/a-fork-is-independent-of-its-parent';
const PAIRS = 'vm/each-check-fires-on-its-own-program';
const RUNS = 'vm/state/runs-of-bytes-share-a-buffer-and-nothing-else';
const INSNS = 'vm/insn/every-insn-computes-as-in-linux';
const TIERS = 'vm/insn/both-tiers-run-alike';

export const MACHINE_MUTANTS: readonly Mutant[] = [
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
    'src/vm/state/machine.ts',
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
        noticedBy: [FORKS, 'vm/state/a-run-can-be-forked-and-replayed'],
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
      {
        name: 'interruption-outlives-the-frame',
        inside: 'MachineState.pop',
        node: 'if (this.interrupted > this.frames.length) this.interrupted = this.frames.length;',
        becomes: '',
        wrong:
          'A callback that is first called after the kill counts as one that was in flight, so that its helper stops after one round.',
        noticedBy: ['vm/call/a-helper-stops-when-its-callback-was-killed'],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/memory.ts',
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
    'src/vm/state/environment.ts',
    [FORKS],
    [
      {
        name: 'a-fork-counts-its-parents-later-calls',
        inside: 'Choices.countOf',
        node: 'at >= calls',
        becomes: 'false',
        wrong: 'The calls of a fork are numbered as if the calls that its parent makes later were its own.',
      },
      {
        name: 'a-fork-has-its-parents-later-choices',
        inside: 'Choices.upTo',
        node: 'this.from.upTo(this.chosen)',
        becomes: 'this.from.upTo(this.from.keys.length)',
        wrong: 'What a parent chooses after the fork is on the record of the fork.',
      },
      {
        name: 'a-fork-forgets-what-was-chosen',
        inside: 'Choices.upTo',
        node: 'this.from.upTo(this.chosen)',
        becomes: 'new Map<string, string>()',
        wrong: 'The record of a fork begins at the fork, so it does not replay the run.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/slab.ts',
    [RUNS],
    [
      {
        name: 'runs-overlap',
        inside: 'take',
        node: 'used += (size + ALIGN - 1) & -ALIGN;',
        becomes: 'used += size & -ALIGN;',
        wrong: 'The bytes of two regions overlap, if the size of the first is no multiple of 8.',
      },
      {
        name: 'runs-are-not-aligned',
        inside: 'take',
        node: '(size + ALIGN - 1) & -ALIGN',
        becomes: 'size',
        wrong: 'Registers begin where no 64-bit word may begin.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/insn/definitional.ts',
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
    'src/vm/insn/fast.ts',
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
    'src/vm/insn/fast-compare.ts',
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
    'src/vm/state/fill.ts',
    ['vm/state/full-maps-are-part-of-the-environment'],
    [
      {
        name: 'a-full-map-has-one-key',
        inside: 'filled',
        node: 'keyOf(map, i + 1)',
        becomes: 'keyOf(map, 1)',
        wrong: 'All entries of a full map have the same key, so there is one.',
      },
      {
        name: 'full-maps-overwrite-what-is-given',
        inside: 'filled',
        node: '(maps.get(map.name)?.size ?? 0) > 0',
        becomes: 'false',
        wrong: 'What a case puts into a map is lost where maps are filled.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/facts.ts',
    ['vm/a-state-is-admitted-whichever-visit-is-tried-first'],
    [
      {
        name: 'what-follows-a-visit-counts-as-a-fact',
        inside: 'FactCheck.following',
        node: 'visits.includes(next)',
        becomes: 'true',
        wrong: 'A visit covers a state of a run though it is none of the facts of the insn.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/facts.ts',
    ['vm/a-run-that-leaves-the-facts-is-told'],
    [
      {
        name: 'saved-irq-states-are-taken-for-granted',
        inside: 'slotAdmits',
        node: `slot.irq !== undefined && object?.kind !== 'irq'`,
        becomes: 'false',
        wrong: 'A run whose slot holds no saved IRQ state fits a fact that says it does.',
      },
      {
        name: 'any-map-is-the-map',
        inside: 'placeAdmits',
        node: 'reg.map >= 0 && region.map >= 0 && reg.map !== region.map',
        becomes: 'false',
        wrong: 'A pointer into another map fits the facts.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/fact-links.ts',
    ['vm/a-run-that-leaves-the-facts-is-told'],
    [
      {
        name: 'linked-spills-are-not-compared',
        inside: 'everyPlace',
        node: 'spilled(slot) !== 8',
        becomes: 'true',
        wrong: 'A spilled number that is not equal to what it is linked to fits the facts.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/value-words.ts',
    ['vm/state/values-read-back-from-their-words'],
    [
      {
        name: 'any-32-bits-are-an-error',
        inside: 'numberInWords',
        node: 'low > -4096n',
        becomes: 'true',
        wrong: 'A large number of 32 bits is written as a negative one.',
      },
    ],
  ),
];
