/** Mutants of what is advised of programs that are not verified. */
import { type Mutant, mutantsOf } from '../mutant.js';

export const ADVICE_MUTANTS: readonly Mutant[] = mutantsOf(
  'src/smt/program-proof.ts',
  ['smt/what-is-not-verified-says-whose-turn-it-is'],
  [
    {
      name: 'every-refusal-is-linuxs',
      inside: 'adviceOn',
      node: 'stricterLine(refusal, program) === undefined',
      becomes: 'true',
      wrong: 'A program that Linux may accept is to be mended.',
    },
    {
      name: 'what-is-not-modelled-is-to-be-mended',
      inside: 'adviceOn',
      node: 'return ADVICE.notModelled;',
      becomes: 'return ADVICE.notVerified;',
      wrong: 'A program is to be mended because swansong has no model of what it does.',
    },
    {
      name: 'what-other-kernels-give-is-to-be-mended',
      inside: 'adviceOn',
      node: 'callsWhatNoneHave(refusal, program)',
      becomes: 'false',
      wrong: 'A program is to be mended because it calls a function that kernels built otherwise give to it.',
    },
  ],
);
