/** From rounds to rows: interrupted rounds are left out, variants joined, pairs halved, bytes told from calls; and no probe is a program that is refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rowsFrom } from '../../src/cost/measure/measure.js';
import { PROBES, type Probe, probeText } from '../../src/cost/measure/probes.js';
import { withoutInterrupted } from '../../src/cost/measure/rounds.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { plainCosts, row } from '../support/cost/plain.js';
import { seeded } from '../support/seed.js';

const probeOf = (name: string, more: Partial<Probe> = {}): Probe => ({
  ...PROBES.find((one) => one.name === name)!,
  ...more,
});
const measured = (probe: Probe, best: number, usual: number, worst: number) => ({
  probe,
  best,
  usual,
  worst,
  outliers: [],
});

describe('rows are made of what was measured', () => {
  const before = plainCosts(row('helper', 'bpf_spin_lock', 1, { contention: 4 })).costs;

  it('a pair is halved, and keeps its factor', () => {
    const rows = rowsFrom([measured(probeOf('bpf_spin_lock'), 10, 20, 30)], before);
    expect(rows).toEqual([
      row('helper', 'bpf_spin_lock', { best: 4, usual: 10, worst: 15 }, { contention: 4, source: 'pair' }),
      row('helper', 'bpf_spin_unlock', { best: 4, usual: 10, worst: 15 }, { source: 'pair' }),
    ]);
  });

  it('variants are joined, and one that shows only the worst gives nothing else', () => {
    const probe = probeOf('bpf_map_lookup_elem', { mapType: 'hash' });
    const rows = rowsFrom(
      [
        measured(probe, 30, 40, 90),
        measured({ ...probe, mapType: 'array' }, 10, 12, 13),
        measured({ ...probe, onlyWorst: true }, 1, 1, 70),
      ],
      before,
    );
    expect(rows.map(({ name, best, usual, worst }) => [name, best, usual, worst])).toEqual([
      ['bpf_map_lookup_elem@hash', 24, 40, 90],
      ['bpf_map_lookup_elem', 8, 26, 90],
      ['bpf_map_lookup_elem@array', 8, 12, 13],
    ]);
  });

  it('bytes are told from the call', () => {
    const probe = probeOf('bpf_skb_load_bytes');
    fc.assert(
      fc.property(fc.nat(100), fc.nat(20), (call, byte) => {
        const at = (bytes: number) => {
          const each = (call + byte * bytes) / bytes;
          return measured({ ...probe, times: bytes }, each, each, each);
        };
        const rows = rowsFrom([at(8), at(128)], before);
        expect(rows.map(({ per }) => per)).toEqual(['call', 'byte']);
        expect(rows[0]!.usual).toBeCloseTo(call, 6);
        expect(rows[1]!.usual).toBeCloseTo(byte, 6);
      }),
      seeded(50),
    );
  });

  it('interrupted rounds are left out, whatever the others are', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 100, max: 130 }), { minLength: 5, maxLength: 20 }), (rounds) => {
        const { kept, outliers } = withoutInterrupted([...rounds, 40_000]);
        expect(kept).toEqual(rounds);
        expect(outliers).toEqual([40_000]);
      }),
      seeded(50),
    );
  });

  it.each(PROBES.map((probe) => [`${probe.name} per ${probe.per}`, probe] as const))(
    'our verifier accepts the programs of %s',
    (_name, probe) => {
      for (const one of [true, false]) {
        const { program } = parseCase(probeText(probe, one), 'probe.bpf');
        const verdict = verify(program);
        expect(verdict.ok ? '' : `insn ${verdict.slot}: ${verdict.message}`).toBe('');
      }
    },
  );
});
