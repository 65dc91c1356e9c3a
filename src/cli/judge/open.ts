/** Makes the judge that a setting asks for. Only the one that is asked for is loaded. */
import { giveInput } from '../input/files.js';
import type { Judge, JudgeSetting } from './judge.js';

/** Throws InputError for options that cannot be used. */
export async function openJudge(setting: JudgeSetting): Promise<Judge<unknown>> {
  if (setting.input !== undefined) giveInput(setting.input);
  switch (setting.command) {
    case 'prove': {
      const { Prover } = await import('./prover.js');
      return Prover.open(setting);
    }
    case 'verify': {
      const { Verifier } = await import('./verifier.js');
      return Verifier.open(setting);
    }
  }
}
