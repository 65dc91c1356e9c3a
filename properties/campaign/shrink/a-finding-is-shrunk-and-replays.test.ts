/**
 * What a campaign finds is shrunk to a case that breaks the same check for the same cause, that our verifier accepts, and that nothing
 * smaller stands in for; and it is kept in one file for each cause.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { checkOne, type Suspect } from '../../../src/campaign/check/check.js';
import { replayText } from '../../../src/campaign/check/replay.js';
import { causeKey, isSameOrPart } from '../../../src/campaign/kill/cause.js';
import { loadRuleSets } from '../../../src/campaign/naming/rules.js';
import { close, type Draft, open, without } from '../../../src/campaign/shrink/draft.js';
import { shrinkCase } from '../../../src/campaign/shrink/shrink.js';
import { insnCount, isSmaller, sizeOf } from '../../../src/campaign/shrink/size.js';
import { caseName, storeCase } from '../../../src/campaign/storage/corpus.js';
import { decodeAll } from '../../../src/isa/decode.js';
import { targetOf } from '../../../src/isa/target.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { here, scratch } from '../../support/cli.js';
import { seeded } from '../../support/seed.js';

const folder = scratch();

/** Causes that each rule set is looked for; small programs show them as well as large ones, and are shrunk sooner. */
const ENOUGH = 3;

describe.each(['rfc-v1', 'naive', 'rfc-v2'])('findings under %s', (name) => {
  it('are small, replay, and cannot be shrunk any more', async () => {
    const [rules] = await loadRuleSets([name]);
    const options = { seed: 21, rules: [rules!], worlds: 2, prove: false };
    const found = new Map<string, Suspect>();
    for (let index = 0; found.size < ENOUGH && index < 60; index++) {
      const report = await checkOne(sample(21, index, { maxInsns: 50 }).program, index, options);
      expect(report.disagreements).toEqual([]);
      for (const suspect of report.suspects)
        if (found.size < ENOUGH) found.set(causeKey(suspect.cause), suspect);
    }
    expect(found.size).toBe(ENOUGH);
    for (const [key, { text, cause }] of found) {
      const before = parseCase(text);
      const target = { rules: rules!, profile: before.profile, cause };
      const small = shrinkCase(before, target);
      const after = parseCase(small.text);
      expect(isSameOrPart(small.cause, cause), key).toBe(true);
      expect(await replayText(small.text, 'small.bpf'), key).toMatchObject({ ok: true });
      expect(verify(after.program).ok, key).toBe(true);
      expect(after.expect, key).toMatchObject({ kind: 'breaks', check: cause.check });
      expect(insnCount(after.program), key).toBe(small.insns);
      expect(small.insns, key).toBeLessThanOrEqual(15);
      const sizes = [after, before].map(({ program, env, kill }) =>
        sizeOf({ program, env, step: kill ?? 0 }),
      );
      expect(isSmaller(sizes[1]!, sizes[0]!), key).toBe(false);
      const again = shrinkCase(after, { ...target, cause: small.cause });
      expect(again.insns, key).toBe(small.insns);
      expect(isSameOrPart(again.cause, small.cause), key).toBe(true);
    }
  });
});

/** A call takes so many insns at the most: its arguments, a test of what it answers; and a program a few more. */
const FOR_A_CALL = 5;

it('the findings that a campaign reports are as small as their calls let them be, replay, and are shrunk from their trees', async () => {
  const corpus = join(folder, 'rfc-v1');
  const args = ['fuzz', '--seed', '3', '--rules', 'rfc-v1', '--no-proofs', '--worlds', '1', '--json'];
  let reported: readonly { file: string; insns: number; check: string; shrunk: boolean }[] = [];
  for (let programs = 3; reported.length === 0 && programs < 30; programs += 3) {
    const ran = await here([...args, '--programs', `${programs}`, '--corpus', corpus]);
    reported = JSON.parse(ran.out).findings;
    expect(ran.exit).toBe(reported.length > 0 ? 1 : 0);
  }
  expect(reported.length).toBeGreaterThan(0);
  for (const one of reported) {
    expect(one).toMatchObject({ rules: 'rfc-v1', shrunk: true });
    const text = readFileSync(one.file, 'utf8');
    const { program } = parseCase(text);
    expect(insnCount(program)).toBe(one.insns);
    const calls = decodeAll(program.insns).filter((op) => op?.kind === 'call').length;
    expect(one.insns, one.file).toBeLessThanOrEqual(FOR_A_CALL * (calls + 1));
    expect(text).toMatch(/^# seed 3, program \d+, world 0$/m);
  }
  expect((await here(['replay', corpus, '--quiet'])).exit).toBe(0);
});

describe('a draft', () => {
  const programs = fc
    .tuple(fc.nat({ max: 2 ** 31 - 1 }), fc.nat({ max: 999 }))
    .map(([seed, index]) => sample(seed, index).program);

  it('that is not edited closes to the program it was opened from', () => {
    fc.assert(
      fc.property(programs, (program) => {
        const same = close(open(program))!;
        expect(same.insns).toEqual(program.insns);
        expect(same.subprogs.map(({ name, start }) => [name, start])).toEqual(
          program.subprogs.map(({ name, start }) => [name, start]),
        );
      }),
      seeded(100),
    );
  });

  it('leads every jump and call to the same operation, whatever else is dropped', () => {
    fc.assert(
      fc.property(programs, fc.infiniteStream(fc.nat({ max: 9 })), (program, dice) => {
        const draft = open(program);
        const gone = draft.nodes.map(() => dice.next().value === 0);
        const edited = without(draft, (i) => gone[i]!);
        const made = close(edited);
        if (made === undefined) return;
        // Functions that nothing calls any more are gone, with what they led to.
        const left = targetsOf(edited);
        for (const target of targetsIn(made)) expect(left.splice(left.indexOf(target), 1)).toEqual([target]);
      }),
      seeded(200),
    );
  });

  /** For each operation that leads somewhere, the kind of operation it leads to. */
  function targetsOf({ nodes, tail }: Draft): string[] {
    const where = new Map<string, string>();
    for (const { labels, item } of nodes)
      for (const label of labels) where.set(label, item.kind === 'linked' ? item.op.kind : item.kind);
    for (const label of tail) where.set(label, 'end');
    return nodes
      .flatMap(({ item }) => (item.kind === 'linked' ? [`${item.op.kind} to ${where.get(item.target)}`] : []))
      .sort();
  }

  function targetsIn(program: { readonly insns: Parameters<typeof decodeAll>[0] }): readonly string[] {
    const ops = decodeAll(program.insns);
    return ops
      .flatMap((op, slot) => {
        const target = op && targetOf(op, slot);
        return target === undefined
          ? []
          : [`${op!.kind} to ${target === ops.length ? 'end' : ops[target]?.kind}`];
      })
      .sort();
  }
});

describe('the corpus', () => {
  const cause = { rules: 'r', check: 'leak', rule: 'a rule', function: 'bpf_f', kind: 'k' } as const;
  const never = async (): Promise<boolean> => false;
  const always = async (): Promise<boolean> => true;

  it('keeps one file for each cause and overwrites none', async () => {
    const corpus = join(folder, 'corpus');
    const first = await storeCase(corpus, cause, 'one', never);
    expect(first.file).toBe(join(corpus, `${caseName(cause)}.bpf`));
    // The same again, or another one while the first still holds: nothing is written.
    expect(await storeCase(corpus, cause, 'one', never)).toEqual(first);
    expect(await storeCase(corpus, cause, 'two', always)).toEqual(first);
    // The first does not hold any more: both are kept.
    const second = await storeCase(corpus, cause, 'two', never);
    expect(second.file).not.toBe(first.file);
    expect(readFileSync(first.file, 'utf8')).toBe('one');
    expect(readFileSync(second.file, 'utf8')).toBe('two');
    const other = await storeCase(corpus, { ...cause, kind: 'other' }, 'one', never);
    expect(new Set([first.file, second.file, other.file]).size).toBe(3);
    expect(readdirSync(corpus)).toHaveLength(3);
  });

  it('gives files names that a file system takes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        expect(caseName({ ...cause, function: name })).toMatch(/^[\w.+-]{1,110}$/);
      }),
      seeded(100),
    );
  });
});

it('a case that does not replay is told from one that does', async () => {
  const corpus = join(folder, 'broken');
  mkdirSync(corpus);
  const source = readdirSync(join(folder, 'rfc-v1'))[0]!;
  const one = parseCase(readFileSync(join(folder, 'rfc-v1', source), 'utf8'));
  // The same under rules that are right.
  writeFileSync(join(corpus, 'sound.bpf'), printCase({ ...one, rules: 'sound' }));
  expect((await here(['replay', corpus, '--quiet'])).exit).toBe(1);
});
