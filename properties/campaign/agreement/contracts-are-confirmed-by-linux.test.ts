/**
 * Linux contradicts no contract: a call of each function, in programs of a type that the seed picks, leaves what the contract says, and takes NULL
 * where it says so. Contracts that say something else are contradicted: an outcome dropped, a reference hidden or made up, a range changed, NULL
 * allowed or forbidden.
 */
import { expect, it } from 'vitest';
import { confirmContract, typesToAsk } from '../../../src/campaign/confirm.js';
import { S64_MIN } from '../../../src/isa/integer.js';
import { contractOf, contracts } from '../../../src/kernel/catalog.js';
import type { Arg, Contract, Outcome } from '../../../src/kernel/contract.js';
import { iteratorRole } from '../../../src/kernel/describe.js';
import type { ProgType } from '../../../src/object/program.js';
import { here } from '../../support/cli.js';
import { describeKernel, describeKnownKernel, messagesKnown } from '../../support/kernel/skip.js';
import { seeded } from '../../support/seed.js';

const SEED = seeded(1).seed ?? 0;

/** One of the types that may call it, another with another seed. */
function someType(c: Contract, at: number): readonly ProgType[] {
  const types = typesToAsk(c);
  return types.length === 0 ? [] : [types[(SEED + at) % types.length]!];
}

const verdictOf = (c: Contract): string => confirmContract(c, someType(c, 0)).verdict;

/** The contracts that a call of is loaded and compared, in one type of programs each. */
let reached: readonly Contract[] | undefined;
function reachable(): readonly Contract[] {
  reached ??= contracts().filter((c) => verdictOf(c) === 'confirmed');
  return reached;
}

const outcomes = (c: Contract, change: (o: Outcome) => readonly Outcome[]): Contract => ({
  ...c,
  outcomes: c.outcomes.flatMap(change),
});

const hidden = (o: Outcome): Outcome =>
  o.r0.kind === 'pointer' && o.r0.acquires !== undefined && o.guard?.kind !== 'map_of_sockets'
    ? { ...o, r0: { kind: 'pointer', to: o.r0.to } }
    : o;
const quiet = (o: Outcome): Outcome => ({
  ...o,
  effects: o.effects.filter(
    (e) => !['release', 'iter_new', 'iter_destroy', 'destroy_dynptr'].includes(e.kind),
  ),
});
const madeUp = (o: Outcome): Outcome =>
  o.r0.kind === 'pointer' &&
  o.r0.acquires === undefined &&
  o.r0.derives === undefined &&
  o.r0.to.kind !== 'mem'
    ? { ...o, r0: { ...o.r0, acquires: 'task' } }
    : o;
const narrower = (o: Outcome): Outcome =>
  o.r0.kind === 'scalar' && o.r0.upTo === undefined && o.r0.min < o.r0.max
    ? { ...o, r0: { ...o.r0, min: o.r0.min + 1n } }
    : o;
const wider = (o: Outcome): Outcome =>
  o.r0.kind === 'scalar' && o.r0.upTo === undefined && o.r0.min > S64_MIN
    ? { ...o, r0: { ...o.r0, min: o.r0.min - 1n } }
    : o;
const untrusted = (o: Outcome): Outcome =>
  o.r0.kind === 'pointer' && o.r0.to.kind === 'btf' && o.r0.acquires === undefined
    ? { ...o, r0: { ...o.r0, to: { ...o.r0.to, trust: o.r0.to.trust === 'rcu' ? 'trusted' : 'rcu' } } }
    : o;

/** An argument that is not NULL is said to be, and the other way round. */
function turned(arg: Arg): Arg {
  if (!['sock', 'btf', 'dynptr', 'ctx', 'map_value'].includes(arg.kind)) return arg;
  const { nullable, ...rest } = arg as Arg & { nullable?: true };
  return (nullable === true ? rest : { ...rest, nullable: true }) as Arg;
}

describeKernel('the running kernel', () => {
  it('is told by contracts check', async () => {
    const { exit, out } = await here(['contracts', 'check', '--function', 'bpf_sk_lookup_tcp', '--json']);
    const { functions, summary } = JSON.parse(out) as { functions: unknown[]; summary: unknown };
    expect(exit).toBe(0);
    expect(summary).toEqual({ functions: 1, modelled: 1, confirmed: 1, contradicted: 0, unreachable: 0 });
    expect(functions).toMatchObject([{ name: 'bpf_sk_lookup_tcp', modelled: true, confirmed: true }]);
    const text = await here(['contracts', 'check', '--function', 'bpf_rc_repeat']);
    expect(text).toMatchObject({ exit: 0, err: '' });
    expect(text.out).toMatch(
      /^not reachable, no type of programs .*: bpf_rc_repeat\n0 confirmed, 0 contradicted, 1 not/,
    );
    expect((await here(['contracts', 'check', '--function', 'bpf_lop'])).err).toMatch(
      /did you mean 'bpf_loop'/,
    );
  });
});

describeKnownKernel('Linux as it is known', () => {
  it('contradicts no contract', () => {
    const said = contracts().map((c, at) => [c.name, confirmContract(c, someType(c, at))] as const);
    expect(
      said.flatMap(([name, { contradictions }]) => contradictions.map((text) => `${name}: ${text}`)),
    ).toEqual([]);
  });

  it.skipIf(!messagesKnown())('reaches most contracts that a type of programs may call', () => {
    expect(reachable().length).toBeGreaterThan(300);
  });

  it.skipIf(!messagesKnown())('contradicts contracts that are changed, in every way that shows', () => {
    const ways: readonly (readonly [string, (c: Contract) => Contract])[] = [
      ['a reference is hidden', (c) => outcomes(c, (o) => [hidden(o)])],
      ['what is given back is kept', (c) => outcomes(c, (o) => [quiet(o)])],
      ['a reference is made up', (c) => outcomes(c, (o) => [madeUp(o)])],
      ['a range is narrower', (c) => outcomes(c, (o) => [narrower(o)])],
      ['a range is wider', (c) => outcomes(c, (o) => [wider(o)])],
      ['a pointer is trusted otherwise', (c) => outcomes(c, (o) => [untrusted(o)])],
      [
        'NULL is left out',
        (c) =>
          iteratorRole(c) === undefined
            ? outcomes(c, (o) => (o.r0.kind === 'null' && o.guard === undefined ? [] : [o]))
            : c,
      ],
      ['NULL is taken otherwise', (c) => ({ ...c, args: c.args.map(turned) })],
    ];
    const counts = ways.map(([way, change]) => {
      let changed = 0;
      const passed: string[] = [];
      for (const c of reachable()) {
        const wrong = change(c);
        if (JSON.stringify(wrong, asText) === JSON.stringify(c, asText)) continue;
        changed++;
        if (verdictOf(wrong) !== 'contradicted') passed.push(c.name);
      }
      expect([way, passed]).toEqual([way, []]);
      return changed;
    });
    expect(counts.reduce((a, b) => a + b)).toBeGreaterThan(300);
    expect(Math.min(...counts)).toBeGreaterThan(0);
  });

  it.skipIf(!messagesKnown())('contradicts a call that the contract gets wrong', () => {
    const clock = contractOf('bpf_ktime_get_ns')!;
    const pointer: Outcome = { name: 'made', r0: { kind: 'null' }, effects: [] };
    expect(confirmContract({ ...clock, outcomes: [pointer] }).contradictions.join()).toMatch(
      /r0 is a number/,
    );
    const lookup = contractOf('bpf_sk_lookup_tcp')!;
    expect(confirmContract(outcomes(lookup, (o) => [hidden(o)])).contradictions.join()).toMatch(
      /r0 holds a reference \(sock\).*something is acquired/,
    );
    // A lock that may fail: with which number it is held, and that its IRQ state is not all that it takes.
    const tries = contractOf('bpf_res_spin_lock')!;
    const looser = outcomes(tries, (o) =>
      o.r0.kind === 'scalar' && o.name === 'taken' ? [{ ...o, r0: { ...o.r0, min: -1n } }] : [o],
    );
    expect(confirmContract(looser).contradictions.join()).toMatch(/1 taken .* not from -1 to 0/);
    const irq = contractOf('bpf_res_spin_lock_irqsave')!;
    const unlocked = outcomes(irq, (o) => [
      { ...o, effects: o.effects.filter(({ kind }) => kind !== 'lock') },
    ]);
    expect(confirmContract(unlocked).contradictions.join()).toMatch(/2 taken with r0 from 0 to 0/);
    const cast = contractOf('bpf_task_pt_regs')!;
    expect(confirmContract(outcomes(cast, (o) => [madeUp(o)])).contradictions.join()).toMatch(
      /r0 holds no reference/,
    );
  });
});

const asText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);
