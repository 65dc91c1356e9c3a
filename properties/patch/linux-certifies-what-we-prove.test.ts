/** Certificates of Linux, proofs of ours and killed runs say the same of programs under rule sets, right and wrong ones. */

import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { ProgramConstraints } from '../../generators/program.js';
import { sample } from '../../generators/sample.js';
import { checkCertificate } from '../../src/campaign/agreement/certificates/check.js';
import { openCertificates } from '../../src/campaign/agreement/certificates.js';
import { type Counts, emptyCounts, tallyFor } from '../../src/campaign/agreement/counts.js';
import { type PreparedProgram, pathOf, prepareProgram } from '../../src/campaign/kill/prepared-program.js';
import { readObject } from '../../src/object/load.js';
import { certify } from '../../src/oracle/certify.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { RULE_SETS, shippedRuleSet } from '../../src/patch/sets/index.js';
import sound from '../../src/patch/sets/sound.js';
import { isLoadable } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { TELLING } from '../support/two-mode.js';
import { WRONG_RULES } from '../support/wrong-rules.js';

const USUAL_SEED = 20_250_907;
const SEED = Number(process.env.SWANSONG_SEED ?? USUAL_SEED);
/** Programs of the usual seed that are passed over: Linux walks their two-mode text for half a minute. */
const SLOW: ReadonlySet<number> = new Set(SEED === USUAL_SEED ? [20, 23] : []);

async function compared(
  programs: number,
  options: Parameters<typeof openCertificates>[0],
  first = 0,
): Promise<Counts> {
  const counts = emptyCounts();
  const open = openCertificates({ worlds: 2, ...options });
  for (let index = first, left = programs; left > 0; index++) {
    if (SLOW.has(index)) continue;
    await open.compare(SEED, index, tallyFor(counts));
    left--;
  }
  open.close();
  return counts;
}

/** What differs of one program under one rule set. */
async function differences(made: PreparedProgram, rules: RuleSet): Promise<string[]> {
  const counts = emptyCounts();
  const where = { seed: SEED, index: 0 };
  await checkCertificate(made, rules, pathOf(made, rules), where, { worlds: 2 }, tallyFor(counts));
  return Object.keys(counts.differences);
}

const small: ProgramConstraints = { maxInsns: 70 };

describeKnownKernel('linux certifies what we prove', () => {
  it('of generated programs under the sound rules', async () => {
    const { counts, differences: found } = await compared(40, { rules: [sound], random: 0 });
    expect(found).toEqual({});
    expect(counts['sound: certified']).toBe(40);
    expect(counts['sound: proven']).toBe(40);
  });

  it('of generated programs under rules that are wrong, and drawn at random', async () => {
    const { counts, differences: found } = await compared(24, {
      rules: RULE_SETS,
      random: 2,
      constraints: small,
    });
    expect(found).toEqual({});
    for (const name of ['naive', 'rfc-v1', 'rfc-v2', 'rfc-v3', 'random']) {
      expect([name, (counts[`${name}: certified`] ?? 0) > 0]).toEqual([name, true]);
      expect([name, (counts[`${name}: refused`] ?? 0) > 0]).toEqual([name, true]);
    }
  });

  it('of programs that call what a wrong rule is wrong about', async () => {
    let refused = 0;
    for (const { rules, function: only } of WRONG_RULES) {
      const made = prepareProgram(sample(SEED, 0, { ...small, only: [only] }).program, 'privileged');
      if (typeof made === 'string') throw new Error(made);
      expect([rules.name, await differences(made, rules)]).toEqual([rules.name, []]);
      if (certify(made.program, rules, { verified: made.verdict }).verdict === 'refused') refused++;
    }
    expect(refused).toBeGreaterThan(WRONG_RULES.length / 3);
  });

  it('of every program of the sample objects', () => {
    const folder = new URL('../../corpus/objects/', import.meta.url);
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.o'))) {
      for (const program of readObject(readFileSync(new URL(name, folder)), name).programs.filter(
        isLoadable,
      )) {
        const { verdict, message } = certify(program, shippedRuleSet('sound')!);
        expect([name, program.name, verdict, message]).toEqual([name, program.name, 'certified', '']);
      }
    }
  });

  it.each(TELLING)(
    'of a program that needs one part of the two-mode text: $part',
    async ({ case: one, rules }) => {
      const made = prepareProgram(one.program, one.profile);
      if (typeof made === 'string') throw new Error(made);
      expect(await differences(made, rules)).toEqual([]);
    },
  );
});
