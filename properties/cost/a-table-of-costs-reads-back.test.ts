/** A table that is written reads back as it was; what is no row is refused with its file and line. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultCosts } from '../../src/cost/default-costs.js';
import { CostTable, KINDS, parseCosts, printCosts, SOURCES, UNITS } from '../../src/cost/table.js';
import { InputError } from '../../src/isa/errors.js';
import { plainCosts } from '../support/cost/plain.js';
import { seeded } from '../support/seed.js';

describe('a table of costs reads back', () => {
  it('the shipped one, which has every row that must be there', () => {
    const shipped = defaultCosts();
    expect(parseCosts(printCosts(shipped), 'again.tsv').rows).toHaveLength(shipped.rows.length);
    expect(shipped.rows.filter(({ source }) => source === 'measured').length).toBeGreaterThan(60);
    for (const { best, usual, worst, contention } of shipped.rows) {
      expect(best).toBeLessThanOrEqual(usual);
      expect(usual).toBeLessThanOrEqual(worst);
      expect(contention).toBeGreaterThanOrEqual(1);
    }
  });

  it('any other', () => {
    const times = fc.tuple(fc.nat(9999), fc.nat(9999), fc.nat(9999)).map((all) => all.sort((a, b) => a - b));
    const rows = fc.uniqueArray(
      fc.record({
        kind: fc.constantFrom('helper' as const, 'kfunc' as const),
        name: fc.stringMatching(/^bpf_[a-z_]{1,12}(@hash)?$/),
        per: fc.constantFrom(...UNITS),
        source: fc.constantFrom(...SOURCES),
        contention: fc.integer({ min: 1, max: 9 }),
        times,
        endless: fc.boolean(),
      }),
      { selector: ({ kind, name, per }) => `${kind} ${name} ${per}` },
    );
    fc.assert(
      fc.property(rows, (made) => {
        const table = new CostTable([
          ...plainCosts().costs.rows,
          ...made.map(({ times: [best, usual, worst], endless, ...row }) => ({
            ...row,
            best: best!,
            usual: usual!,
            worst: endless ? Number.POSITIVE_INFINITY : worst!,
          })),
        ]);
        const again = parseCosts(printCosts(table, ['a comment']), 'again.tsv');
        const sorted = (one: CostTable) => printCosts(one);
        expect(sorted(again)).toBe(sorted(table));
        for (const row of table.rows) expect(again.of(row.kind, row.name)).toContainEqual(row);
      }),
      seeded(60),
    );
  });

  const GOOD = printCosts(plainCosts().costs);
  const bad: readonly [what: string, line: string, message: RegExp][] = [
    ['a column too few', 'helper\tbpf_x\tcall\t1\t2\t3\t1', /bad\.tsv:\d+: expected 8 columns between tabs/],
    ['a kind', 'helpr\tbpf_x\tcall\t1\t2\t3\t1\tmeasured', /kind: expected one of .*'helpr'.*did you mean/],
    ['a unit', 'helper\tbpf_x\tbit\t1\t2\t3\t1\tmeasured', /per: expected one of/],
    ['no number', 'helper\tbpf_x\tcall\t-1\t2\t3\t1\tmeasured', /best: expected nanoseconds/],
    ['an endless best', 'helper\tbpf_x\tcall\t-\t2\t3\t1\tmeasured', /best: expected nanoseconds/],
    ['out of order', 'helper\tbpf_x\tcall\t1\t5\t3\t1\tmeasured', /expected best <= usual <= worst/],
    ['a factor below 1', 'helper\tbpf_x\tcall\t1\t2\t3\t0.5\tmeasured', /contention: expected a factor/],
    ['a class of insns', 'insn\tjmp\tcall\t1\t2\t3\t1\tmeasured', /name: expected one of/],
    ['twice', 'event\trun\tcall\t1\t2\t3\t1\tmeasured', /a second row for 'event run call'/],
  ];
  it.each(bad)('%s is refused', (_what, line, message) => {
    const describe = (): string => {
      try {
        parseCosts(`${GOOD}${line}\n`, 'bad.tsv');
        return 'accepted';
      } catch (error) {
        if (error instanceof InputError) return error.describe();
        throw error;
      }
    };
    expect(describe()).toMatch(message);
  });

  it('a table without a row that must be there', () => {
    const without = GOOD.split('\n')
      .filter((line) => !line.startsWith('event\tkill'))
      .join('\n');
    expect(() => parseCosts(without, 'bad.tsv')).toThrow("the row 'event kill' is missing");
    expect(KINDS).toContain('event');
  });
});
