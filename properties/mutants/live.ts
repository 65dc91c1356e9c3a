/** Mutants of objects that can be killed: where they poll, how, and what is written into the object. */
import { type Mutant, mutantsOf } from './mutant.js';

const KILLED = 'live/killed-at-a-poll-it-is-a-killed-run-of-the-original';
const OBJECT = 'live/an-exported-object-is-the-original-and-its-patched-text';
const LOADERS = 'live/other-loaders-take-what-is-exported';
const SEEN = 'live/a-run-that-goes-on-is-seen';
const LINUX = 'live/linux-runs-an-exported-program-as-the-original';

export const LIVE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/live/text.ts',
    [KILLED],
    [
      {
        name: 'may-goto-is-the-same-in-both-texts',
        inside: 'Writer.findDiffering',
        node: "op.kind === 'may_goto'",
        becomes: 'false',
        wrong:
          'A function whose only loops end by may_goto is not written a second time, and loops on when killed.',
      },
      {
        name: 'a-killed-callback-is-called-again',
        inside: 'Writer.patched',
        node: "op.kind === 'exit' && stop",
        becomes: 'false',
        wrong: 'A callback that was killed does not tell its helper to stop.',
      },
      {
        name: 'nobody-looks-behind-a-call',
        inside: 'Writer.normal',
        node: 'polls.returns.has(slot)',
        becomes: 'false',
        wrong: 'Behind a call in which a run was killed it goes on as if it had not been.',
      },
      {
        name: 'the-patched-text-calls-as-before',
        inside: 'Writer.patched',
        node: 'stub !== undefined',
        becomes: 'false',
        wrong: 'The text after a kill has no stubs.',
      },
      {
        name: 'after-a-kill-plain-functions-are-called',
        inside: 'Writer.existing',
        node: "this.differing.has(start) ? 'patched' : 'plain'",
        becomes: "'plain'",
        wrong: 'After a kill functions are called that still acquire.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/poll-text.ts',
    [KILLED],
    [
      {
        name: 'the-kill-leads-to-another-insn',
        inside: 'PollWriter.poll',
        node: '`${scope} patched ${slot}`',
        becomes: '`${scope} patched ${this.verified.code.subprogStart[slot]}`',
        wrong: 'A kill leads to the start of the patched text, not to the same insn.',
      },
      {
        name: 'the-saved-register-stays-lost',
        inside: 'PollWriter.poll',
        node: 'if (free === undefined) add(restore);',
        becomes: '',
        wrong: 'A register that a poll put on the stack is not taken back.',
      },
      {
        name: 'zero-is-a-kill',
        inside: 'PollWriter.poll',
        node: "jump('ne', reg, 0, cpuWords === undefined ? kill : label('look'))",
        becomes: "jump('eq', reg, 0, cpuWords === undefined ? kill : label('look'))",
        wrong: 'A word of 0 kills, and any other lets run.',
      },
      {
        name: 'the-clock-is-never-read',
        inside: 'PollWriter.saving',
        node: 'if (reg !== 0) out(move(reg, 0));',
        becomes: 'out(move(reg, 10));',
        wrong: 'What was found out about time or CPU is not what decides.',
        noticedBy: [LINUX],
      },
    ],
  ),
  ...mutantsOf(
    'src/live/scratch.ts',
    [KILLED],
    [
      {
        name: 'any-register-is-free',
        inside: 'isFree',
        node: '((code.live[slot]! >> reg) & 1) === 0',
        becomes: 'true',
        wrong: 'A poll uses a register that the program still needs.',
      },
      {
        name: 'a-frame-uses-no-stack',
        inside: 'stackDepths',
        node: 'if (off < 0) depths.set(start, Math.max(depths.get(start) ?? 0, -off));',
        becomes: '',
        wrong: 'A poll puts a register where the function has its own data.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/polls.ts',
    [KILLED],
    [
      {
        name: 'polls-are-left-out-freely',
        inside: 'Chooser.leaveOut',
        node: 'this.measure(chosen) > this.distance',
        becomes: 'this.measure(chosen) > 2 * this.distance',
        wrong: 'A poll is left out though the way is then longer than was asked for.',
      },
      {
        name: 'callers-cannot-be-killed',
        inside: 'Chooser.spread',
        node: 'killable.add(subprog.start);',
        becomes: '',
        wrong: 'A function that calls one in which it may be killed has no patched text.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/stretch.ts',
    [KILLED],
    [
      {
        name: 'a-poll-before-the-helper-cuts-its-loop',
        inside: 'Stretches.endsCallback',
        node: "op?.kind === 'exit' && this.visits.chain(v).callback !== undefined",
        becomes: 'false',
        wrong: 'A poll before the call of bpf_loop counts as a poll in each round.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/words.ts',
    [OBJECT],
    [
      {
        name: 'programs-share-a-word',
        inside: 'placesOf',
        node: 'found.offset + found.element * per * index',
        becomes: 'found.offset',
        wrong: 'The word of the first program kills all.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/words.ts',
    [LOADERS],
    [
      {
        name: 'variables-are-somewhere-else-in-btf',
        inside: 'describeWords',
        node: '{ type, offset, size: element * count }',
        becomes: '{ type, offset: offset + 8, size: element * count }',
        wrong: 'BTF says another place of a variable than its symbol, and cilium/ebpf refuses the object.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/poll-text.ts',
    [SEEN],
    [
      {
        name: 'runs-do-not-note-their-end',
        inside: 'PollWriter.exit',
        node: 'running === undefined',
        becomes: 'slot >= 0',
        wrong: 'A run that has ended is told to go on.',
      },
      {
        name: 'noting-the-end-spoils-what-is-returned',
        inside: 'PollWriter.exit',
        node: 'move(0, 6)',
        becomes: 'move(6, 0)',
        wrong: 'A program that notes its runs returns the number of its CPU.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/watch/watcher.ts',
    [SEEN],
    [
      {
        name: 'only-ended-runs-are-over',
        inside: 'Watcher.look',
        node: 'Math.max(meanNs, runningNs ?? 0)',
        becomes: 'meanNs',
        wrong: 'A run that goes on is never over its limit.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/export.ts',
    [SEEN],
    [
      {
        name: 'tail-calls-end-runs-unnoted',
        inside: 'leavesWithoutExit',
        node: "name === 'bpf_tail_call'",
        becomes: 'false',
        wrong: 'A run that leaves by a tail call is told to go on for ever.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/text.ts',
    ['live/a-killed-run-ends-within-what-is-proven'],
    [
      {
        name: 'killed-runs-make-their-calls',
        inside: 'Writer.patched',
        node: 'stub !== undefined',
        becomes: 'stub !== undefined && slot < 0',
        wrong: 'The patched text makes the calls that prove counts as replaced.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/assemble.ts',
    [OBJECT],
    [
      {
        name: 'variables-are-local',
        inside: 'Assembler.addSymbols',
        node: 'bind: STB_GLOBAL',
        becomes: 'bind: 0',
        wrong: 'The words have no global symbols, so that other loaders do not find them by name.',
        noticedBy: [LOADERS],
      },
      {
        name: 'lines-are-those-of-the-next-insn',
        inside: 'Assembler.addText',
        node: 'lines.at(place)',
        becomes: 'lines.at(place + SLOT_BYTES)',
        wrong: 'Source lines are shifted by an insn.',
      },
      {
        name: 'the-patched-text-is-not-fitted-to-the-kernel',
        inside: 'Assembler.addText',
        node: 'filled.relos.push({ ...relo, offset })',
        becomes: 'undefined',
        wrong: 'Members of kernel structs are looked for where they were on the machine that compiled.',
      },
      {
        name: 'calls-lead-to-the-next-insn',
        inside: 'Assembler.setReference',
        node: 'slot - 1',
        becomes: 'slot',
        wrong: 'A call of a static function leads to its second insn.',
      },
      {
        name: 'new-functions-have-old-names',
        inside: 'Assembler.newFuncType',
        node: '{ ...type, name }',
        becomes: 'type',
        wrong: 'The type of a new function says that it is the old one.',
      },
      {
        name: 'relocations-stay-behind',
        inside: 'Assembler.addText',
        node: 'relocations.get(place) ?? []',
        becomes: '[]',
        wrong: 'Loads of maps in the new texts are not relocated.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/write/btf-ext.ts',
    [OBJECT],
    [
      {
        name: 'a-column-is-lost',
        inside: 'writeBtfExt',
        node: '(line << 10) | (column & 1023)',
        becomes: 'line << 10',
        wrong: 'Source lines are written without their columns.',
      },
    ],
  ),
  ...mutantsOf(
    'src/live/run/session.ts',
    ['live/times-of-killed-runs-are-told-by-their-ranks'],
    [
      {
        name: 'the-shortest-time-is-the-longest',
        inside: 'toExitOf',
        node: 'sorted.at(-1)!',
        becomes: 'sorted[0]!',
        wrong: 'The longest time that a killed run took is told as the shortest.',
      },
    ],
  ),
];
