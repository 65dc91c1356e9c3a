/**
 * Each question of a rule proof, written as SMT-LIB 2, gets the same answer when it is read by a solver's own parser: by Z3 here, and by
 * another solver where one is installed.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contracts } from '../../../src/kernel/catalog.js';
import { RULE_SETS } from '../../../src/patch/sets/index.js';
import { questionText } from '../../../src/smt/rule/question-text.js';
import { proveRules } from '../../../src/smt/rule-proof.js';
import { apply, evaluator } from '../../../src/smt/term/evaluate.js';
import { toSmtLib } from '../../../src/smt/term/smtlib.js';
import type { Term, TermOp } from '../../../src/smt/term/term.js';
import { Terms } from '../../../src/smt/term/terms.js';
import { z3Module } from '../../../src/smt/z3/module.js';
import { here, scratch } from '../../support/cli.js';
import { seeded } from '../../support/seed.js';

/** Answers what Z3 says of a text, with a context of its own. */
async function z3Says(text: string): Promise<string> {
  const z3 = await z3Module();
  const config = z3._Z3_mk_config();
  const context = z3._Z3_mk_context_rc(config);
  z3._Z3_del_config(config);
  z3._set_noop_error_handler(context);
  const said = z3.ccall('Z3_eval_smtlib2_string', 'string', ['number', 'string'], [context, text]);
  z3._Z3_del_context(context);
  return String(said).trim();
}

interface Written {
  readonly text: string;
  readonly verdict: string;
}

async function questions(): Promise<readonly Written[]> {
  const written: Written[] = [];
  for (const rules of RULE_SETS)
    await proveRules(rules, contracts(), {
      asked: (one) => written.push({ text: questionText(rules.name, one), verdict: one.verdict }),
    });
  return written;
}

const all = await questions();
/** Every so many of them, to be quick. */
const some = all.filter((_, i) => i % 5 === 0);

test('rule proofs get the same answer from Z3 when they are read back', async () => {
  expect(new Set(all.map(({ verdict }) => verdict))).toEqual(new Set(['sat', 'unsat']));
  for (const { text, verdict } of some) {
    expect([await z3Says(text), text]).toEqual([verdict, text]);
    expect(text).toContain(`(set-info :status ${verdict})`);
  }
});

const OPS = ['add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'lshr', 'ashr'] as const;
const TESTS = ['ult', 'ule', 'slt', 'sle', 'eq'] as const;

/** What terms say of two bytes, as a question: with `holds` it is true of these two, otherwise its opposite is asked. */
function statement(
  a: bigint,
  b: bigint,
  op: (typeof OPS)[number],
  rel: (typeof TESTS)[number],
  holds: boolean,
): string {
  const t = new Terms();
  const [x, y] = [t.variable(8, 'x one'), t.variable(8, 'y')];
  const made = t[op](x, y);
  const halves = t.concat(t.sext(16, made), t.zext(16, t.extract(made, 1, 5)));
  // Multiplied, so that no comparison with a constant is taken apart before it is written.
  const wide = t.mul(halves, t.or(t.zext(32, x), t.zext(32, y)));
  const is = (term: Term, value: bigint): Term => t.eq(term, t.constant(term.width, value));
  const value = evaluator(
    new Map([
      ['x one', a],
      ['y', b],
    ]),
  );
  const right = t.all([
    is(wide, value(wide)),
    t.iff(t[rel](made, y), t.bool(apply(rel as TermOp, 8, value(made), b) === 1n)),
  ]);
  const head = { comments: [], status: 'unknown' } as const;
  return toSmtLib([is(x, a), is(y, b), holds ? right : t.not(right)], head);
}

test('an operation means in SMT-LIB what it means in terms', async () => {
  const word = fc.bigInt(0n, 255n);
  await fc.assert(
    fc.asyncProperty(
      word,
      word,
      fc.constantFrom(...OPS),
      fc.constantFrom(...TESTS),
      async (a, b, op, rel) => {
        expect(await z3Says(statement(a, b, op, rel, true))).toBe('sat');
        expect(await z3Says(statement(a, b, op, rel, false))).toBe('unsat');
      },
    ),
    seeded(40),
  );
});

test('rules check writes them', async () => {
  const folder = scratch();
  const ran = await here(['rules', 'check', 'rfc-v1', '--function', 'bpf_spin_lock', '--smt2', folder]);
  expect(ran.exit).toBe(1);
  expect(readdirSync(folder)).toEqual(['rfc-v1-bpf_spin_lock.smt2']);
  const text = readFileSync(join(folder, 'rfc-v1-bpf_spin_lock.smt2'), 'utf8');
  expect(text).toMatch(/^; rule set rfc-v1, function bpf_spin_lock: stubbed by 'void helpers become 0'\n/);
  expect(await z3Says(text)).toBe('sat');
});

/** A solver on the path, with the options that make it read standard input. */
const second = (
  [
    ['cvc5', ['--lang', 'smt2', '-']],
    ['z3', ['-in', '-smt2']],
  ] as const
).find(([name]) => spawnSync(name, ['--version']).status === 0);

/** The answers of the other solver, asked by one process: it forgets everything between two questions. */
function secondSays(
  [name, options]: NonNullable<typeof second>,
  texts: readonly string[],
): readonly string[] {
  const { stdout } = spawnSync(name, [...options], { input: texts.join('(reset)\n'), encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line !== '');
}

test('another solver gives the same answer', (context) => {
  if (second === undefined) return context.skip('neither cvc5 nor z3 is installed');
  const said = secondSays(
    second,
    some.map(({ text }) => text),
  );
  expect(said.length).toBe(some.length);
  const other = some.filter(({ verdict }, i) => said[i] !== verdict);
  expect(other.map(({ text }) => text)).toEqual([]);
  expect(new Set(said)).toEqual(new Set(['sat', 'unsat']));
});

test('another solver means by an operation what terms mean', (context) => {
  if (second === undefined) return context.skip('neither cvc5 nor z3 is installed');
  const word = fc.bigInt(0n, 255n);
  const drawn = fc.sample(fc.tuple(word, word, fc.constantFrom(...OPS), fc.constantFrom(...TESTS)), {
    ...seeded(200),
    numRuns: 200,
  });
  const asked = drawn.flatMap(([a, b, op, rel]) => [
    { text: statement(a, b, op, rel, true), answer: 'sat' },
    { text: statement(a, b, op, rel, false), answer: 'unsat' },
  ]);
  const said = secondSays(
    second,
    asked.map(({ text }) => text),
  );
  expect(said).toEqual(asked.map(({ answer }) => answer));
});
