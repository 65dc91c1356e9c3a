/** Mutants of traces, and of what pages and `show` make of them. */
import { type Mutant, mutantsOf } from './mutant.js';

const TRACE = 'vm/a-trace-is-what-the-run-did';
const ENDS = 'strategies/a-trace-ends-where-its-strategy-does';
const LINES = 'page/a-case-is-told-in-lines';
const FOLDS = 'page/a-long-listing-is-folded-to-what-matters';
const DOCUMENT = 'page/a-page-carries-its-document';
const NEWS = 'campaign/shards/what-is-new-still-there-or-gone-is-told';
const WAY = 'smt/bound/the-worst-way-is-as-long-as-its-bound';

export const PAGE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/vm/trace.ts',
    [TRACE],
    [
      {
        name: 'what-is-gone-stays-in-a-trace',
        inside: 'differences',
        node: '!after.has(place)',
        becomes: 'false',
        wrong: 'A register that may not be read any more keeps its value in a trace.',
      },
      {
        name: 'a-trace-forgets-what-is-given-back',
        inside: 'Recorder.takeDown',
        node: 'given.map(({ id }) => id)',
        becomes: '[]',
        wrong: 'A trace does not say at which step something is given back.',
      },
      {
        name: 'a-long-trace-skips-what-breaks',
        inside: 'wantedSteps',
        node: 'broken.slice(0, 4)',
        becomes: '[]',
        wrong: 'A long run is not told step by step around what breaks in it.',
      },
      {
        name: 'a-trace-ends-before-the-insn-that-traps',
        inside: 'traceOf',
        node: 'moments.ended',
        becomes: 'false',
        wrong: 'The insn at which a run traps is not in its trace.',
      },
      {
        name: 'a-trace-outruns-its-bound',
        inside: 'Killer.limit',
        node: '(endedAt ?? kill) + bound',
        becomes: '(endedAt ?? kill) + DEFAULT_LIMIT',
        wrong: 'A run that breaks its bound is told to go on behind it.',
      },
      {
        name: 'a-kill-comes-a-step-late-in-a-trace',
        inside: 'Killer.comesTo',
        node: 'machine.steps === kill',
        becomes: 'machine.steps - 1 === kill',
        wrong: 'The run of a trace is killed one step later than it should be.',
      },
      {
        name: 'a-trace-ends-a-run-anywhere',
        inside: 'Killer.comesTo',
        node: '!ending.canEnd(vm)',
        becomes: 'false',
        wrong: 'A trace ends a run where the strategy cannot.',
        noticedBy: [ENDS],
      },
      {
        name: 'what-ends-a-run-is-not-told',
        inside: 'Recorder.advance',
        node: 'ended ? { ended } : {}',
        becomes: '{}',
        wrong: 'A trace does not say where a strategy ended the run.',
        noticedBy: [ENDS],
      },
    ],
  ),
  ...mutantsOf(
    'src/report/campaign/show.ts',
    [LINES],
    [
      {
        name: 'lanes-of-the-terminal-never-end',
        inside: 'isOver',
        node: 'to >= step',
        becomes: 'true',
        wrong: 'A lane goes on in the terminal behind the step that gives back.',
      },
      {
        name: 'changes-are-not-cut-to-80-columns',
        inside: 'changesInWords',
        node: 'text.length <= width',
        becomes: 'true',
        wrong: 'Steps that change much are wider than the terminal.',
      },
      {
        name: 'a-leak-has-no-mark-in-the-terminal',
        inside: 'laneMark',
        node: 'lane.to === null',
        becomes: 'false',
        wrong: 'What is never given back does not end in an X.',
      },
    ],
  ),
  ...mutantsOf(
    'src/report/text/wrap.ts',
    [LINES],
    [
      {
        name: 'mails-are-a-word-too-wide',
        inside: 'wrap',
        node: 'line.length + 1 + word.length > columns',
        becomes: 'line.length > columns',
        wrong: 'Lines of mails end behind the word that passes the last column.',
      },
    ],
  ),
  ...mutantsOf(
    'src/report/page/story.ts',
    [LINES],
    [
      {
        name: 'the-way-a-call-can-end-is-not-told',
        inside: 'whyWrong',
        node: "blamed.some(({ slot }) => callAt(killed, slot)?.action === 'stub')",
        becomes: 'false',
        wrong: 'A finding does not say that nothing is proven behind its stub.',
      },
      {
        name: 'nobody-is-told-what-sound-does',
        inside: 'whatIsRight',
        node: 'sound === undefined',
        becomes: 'true',
        wrong: 'A finding does not say what a right rule does.',
      },
    ],
  ),
  ...mutantsOf(
    'src/report/page/html.ts',
    [DOCUMENT],
    [
      {
        name: 'a-title-may-bring-tags',
        inside: 'html',
        node: 'ENTITIES[char]!',
        becomes: 'char',
        wrong: 'The title of a page is markup.',
      },
      {
        name: 'a-script-ends-where-its-text-says-so',
        inside: 'inScript',
        node: "text.replace(/<\\/(?=script)/gi, '<\\\\/')",
        becomes: 'text',
        wrong: 'A closing tag in the text of the script ends it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cli/output/campaign-page.ts',
    [NEWS],
    [
      {
        name: 'the-page-tells-of-gone-findings-as-there',
        inside: 'toldOf',
        node: "remembered.gone === undefined ? 'still there' : 'gone'",
        becomes: "'still there'",
        wrong: 'The page says that a finding is still there which is gone.',
      },
      {
        name: 'the-page-knows-where-it-was-made',
        inside: 'writePage',
        node: 'basename(file)',
        becomes: 'file',
        wrong: 'A page that is mailed tells the path at which it was made.',
        noticedBy: [DOCUMENT],
      },
    ],
  ),
  ...mutantsOf(
    'src/page/steps.ts',
    [FOLDS],
    [
      {
        name: 'a-fold-hides-the-insn-beside-what-matters',
        inside: 'foldedRows',
        node: '[i - 1, i, i + 1]',
        becomes: '[i]',
        wrong: 'The insns beside what matters are folded away.',
      },
      {
        name: 'what-is-given-back-stays-in-the-ledger-of-the-page',
        inside: 'heldAfter',
        node: 'to > last',
        becomes: 'to >= last',
        wrong: 'The page shows as held what the step gives back.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/bound.ts',
    [WAY],
    [
      {
        name: 'the-worst-way-takes-any-turn',
        inside: 'pathFrom',
        node: 'worst === undefined || isMore(worstOf.get(next), worstOf.get(worst))',
        becomes: 'worst === undefined || isMore(worstOf.get(worst), worstOf.get(next))',
        wrong: 'The way to the exit that is told is the shortest, not the longest.',
      },
      {
        name: 'the-worst-place-is-the-last-one',
        inside: 'bounds',
        node: 'isMore(cost, worst)',
        becomes: 'true',
        wrong: 'The worst place to be killed is any place.',
      },
    ],
  ),
];
