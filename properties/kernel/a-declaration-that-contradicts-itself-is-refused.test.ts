/**
 * A kfunc whose flags lie is refused in one line: flags that its prototype cannot have, and outcomes or arguments that are listed and say
 * otherwise than prototype and flags. `rules new` marks the first kind in the file that it begins. No contract of the tables is refused so; and
 * of each of them, a flag that is lost or added and shows in its outcomes is.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contracts } from '../../src/kernel/catalog.js';
import { parsePrototype } from '../../src/kernel/declare/prototype.js';
import { lies } from '../../src/kernel/declare/truth.js';
import { KFUNCS } from '../../src/kernel/tables/rows.js';
import { here, scratch } from '../support/cli.js';
import { answered, LIES, patchOf } from '../support/declare/made-up.js';

const folder = scratch();
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

it.each(LIES)('%s', async (what, c, answers, says) => {
  const file = `lie-${what.replaceAll(/\W/g, '-')}`;
  const begun = await here(['rules', 'new', '--from-c', put(`${file}.diff`, patchOf(c, ''))]);
  expect(begun.exit).toBe(0);
  if (answers === '') expect(begun.out).toContain(`// WRONG ${says}`);
  const types = "types: 'xdp'";
  const said = answers === '' ? types : `${types}, ${answers}`;
  const rules = put(`${file}.ts`, answered(begun.out, { bpf_lie: said }, "rule('all').keep()"));
  const { exit, out, err } = await here(['rules', 'check', rules, '--function', 'bpf_lie']);
  expect([exit, out]).toEqual([2, '']);
  expect(err).toMatch(/^swansong: [^\n]+\n$/);
  expect(err).toContain('declaration bpf_lie: ');
  expect(err).toContain(says);
});

describe('the contracts of the tables', () => {
  const rows = new Map(KFUNCS.map((row) => [row.name, row]));
  const kfuncs = contracts().flatMap((contract) => {
    const row = rows.get(contract.name);
    // Pointers into an arena have a word of their own, which no declaration may have.
    if (row === undefined || contract.flags.some((flag) => flag.startsWith('KF_ARENA'))) return [];
    const proto = parsePrototype(`${row.ret} ${row.name}(${row.params.join(', ')})`);
    return typeof proto === 'string' ? [] : [{ contract, proto }];
  });

  it('do not contradict themselves', () => {
    expect(kfuncs.length).toBeGreaterThan(150);
    for (const { contract, proto } of kfuncs)
      expect([contract.name, ...lies(proto, contract)]).toEqual([contract.name]);
  });

  it('do with one flag lost, or one too many', () => {
    const told = [
      'KF_ACQUIRE',
      'KF_RET_NULL',
      'KF_RELEASE',
      'KF_ITER_NEW',
      'KF_ITER_NEXT',
      'KF_ITER_DESTROY',
    ];
    for (const { contract, proto } of kfuncs)
      for (const flag of told) {
        const has = contract.flags.includes(flag);
        if (contract.outcomes.some(({ effects }) => effects.some(({ kind }) => kind === 'lock'))) continue;
        const flags = has ? contract.flags.filter((one) => one !== flag) : [...contract.flags, flag];
        expect([contract.name, flag, ...lies(proto, { ...contract, flags })].length).toBe(3);
      }
  });
});
