/** Mutants of the command line. */
import { type Mutant, mutantsOf } from './mutant.js';

const NOTICED = ['cli/the-command-line-is-as-people-expect'];

export const CLI_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/cli/measure/bench/proofs.ts',
    ['cli/times-of-proofs-are-told-by-their-medians'],
    [
      {
        name: 'long-programs-decide-the-ratio',
        inside: 'measuresOfProofs',
        node: 'middle(({ proof, verification }) => proof / verification)',
        becomes: 'middle((one) => one.proof) / middle((one) => one.verification)',
        wrong: 'The ratio of the medians is told for the median of the ratios.',
      },
      {
        name: 'the-picture-shows-proofs-twice',
        inside: 'proofPicture',
        node: "dots((t) => t.verification, '#888')",
        becomes: "dots((t) => t.proof, '#888')",
        wrong: 'The picture has no verification to hold a proof against.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cli/commands/run.ts',
    ['cli/costs-are-shown-and-estimated'],
    [
      {
        name: 'programs-that-ask-are-not-killed',
        inside: 'killOf',
        node: 'one.program.kfuncs.includes(ASKS)',
        becomes: 'false',
        wrong: 'A program that asks to be killed runs on.',
      },
      {
        name: 'kills-come-behind-the-call',
        inside: 'stepsBefore',
        node: 'steps.push(vm.machine.steps)',
        becomes: 'steps.length === 0 && steps.push(vm.machine.steps)',
        wrong: 'Only the first call of a function is a place to kill at.',
      },
    ],
  ),
  ...mutantsOf('src/cli/output/colour.ts', NOTICED, [
    {
      name: 'no-color-is-not-heard',
      inside: 'hasColours',
      node: "(env.NO_COLOR ?? '') !== ''",
      becomes: 'false',
      wrong: 'NO_COLOR does not take colours away.',
    },
  ]),
  ...mutantsOf('src/campaign/check/prune.ts', NOTICED, [
    {
      name: 'pruning-keeps-the-longest',
      inside: 'prune',
      node: 'a.insns - b.insns',
      becomes: 'b.insns - a.insns',
      wrong: 'Of the cases of a cause the longest stays.',
    },
    {
      name: 'pruning-takes-all-that-holds-for-the-same',
      inside: 'shownBy',
      node: '`${answer.expected}: ${file}`',
      becomes: 'answer.expected',
      wrong: 'Cases that show that all holds leave for one another, whatever their programs are.',
    },
  ]),
  ...mutantsOf('src/campaign/naming/rules.ts', NOTICED, [
    {
      name: 'cases-keep-paths-of-another-folder',
      inside: 'withRulesFrom',
      node: '/\\s/.test(path)',
      becomes: 'true',
      wrong: 'A case that is written elsewhere names its rule file from the folder in which the command ran.',
      noticedBy: ['campaign/corpus/a-case-names-its-rules-from-where-it-is'],
    },
  ]),
  ...mutantsOf('src/report/campaign/run.ts', NOTICED, [
    {
      name: 'steps-of-a-range-are-lost',
      inside: 'rangesInWords',
      node: 'last[1] = number',
      becomes: 'last[0] = number',
      wrong: 'Of a range of steps only its end is told.',
    },
  ]),
];
