/**
 * A program that replaces a function of another one (freplace) is verified with the arguments of that function, as a program of the other one's type and
 * attach type, and proven so. What Linux asks beforehand is asked in its words: a global function, the same arguments, no moves of the packet that the
 * function does not make. Without the other program nothing is judged, and a sentence says how to give it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readObject } from '../../src/object/load.js';
import type { Program } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case/case.js';
import { printCase } from '../../src/vm/case/print.js';
import { EMPTY } from '../../src/vm/state/environment.js';
import { cannotRun } from '../../src/vm/state/runnable.js';
import { here } from '../support/cli.js';
import { describeKernel } from '../support/kernel/skip.js';

const FOLDER = 'corpus/objects/extensions';
const REPLACED = `${FOLDER}/replaced.o`;
const REPLACING = `${FOLDER}/replacing.o`;

/** What each program replaces, and what Linux says against it; '' for nothing. */
const PROGRAMS: Readonly<Record<string, readonly [replaces: string, words: string]>> = {
  holds_socket: ['of_context', ''],
  leaks_socket: ['of_context', 'Unreleased reference id='],
  adds_number: ['of_number', ''],
  asks_first: ['of_memory', ''],
  does_not_ask: ['of_memory', "R1 invalid mem access 'mem_or_null'"],
  moves_more: ['of_context', 'Extension program changes packet data, while original does not'],
  moves_as_well: ['moves_packet', ''],
  of_hidden: ['hidden', 'hidden() is not a global function'],
  fewer_arguments: ['of_number', 'fewer_arguments() has 1 args while of_number() has 2 args'],
  wider_argument: ['of_number', 'arg1 in wider_argument() has size 8 while of_number() has 4'],
  other_kind: ['of_number', 'arg1 in other_kind() is PTR while of_number() has INT'],
  other_context: [
    'of_context',
    "arg0 other_context(struct xdp_md *) doesn't match of_context(struct __sk_buff *)",
  ],
  whole_program: ['device', ''],
  within_range: ['group', ''],
  out_of_range: ['group', 'At program exit the register R0 has smin=7 smax=7 should have been in [0, 1]'],
};

const attach = new Map(Object.entries(PROGRAMS).map(([name, [of]]) => [name, `${REPLACED}:${of}`] as const));
const read = (settings: { readonly attach?: ReadonlyMap<string, string> } = { attach }) =>
  readObject(readFileSync(REPLACING), REPLACING, {
    targetBtf: 'none',
    loader: {
      ...settings,
      programsOf: (file) => readObject(readFileSync(file), file, { targetBtf: 'none' }).programs,
    },
  });
const named = (name: string): Program => read().programs.find((one) => one.name === name)!;

describe('a program that replaces a function is judged as that function', () => {
  it.each(Object.entries(PROGRAMS))('%s', async (name, [of, words]) => {
    const program = named(name);
    expect(program.replaces).toMatchObject({ function: of, file: REPLACED });
    const other = program.replaces!.of!;
    expect([program.type, program.attach]).toEqual([other.type, other.attach]);
    const verdict = verify(program);
    if (words === '') expect(verdict).toMatchObject({ ok: true });
    else {
      expect(verdict).toMatchObject({ ok: false, reason: 'rejected' });
      expect(!verdict.ok && verdict.message).toContain(words);
    }
    const proof = await proveProgram(program, shippedRuleSet('sound')!);
    expect(proof.verdict).toBe(words === '' ? 'proven' : 'unknown');
    expect(proof.reason).toBe(verdict.ok ? '' : `not verified: ${verdict.message}`);
    // A text does not have the other program. What is asked of both is not asked of it, all else is.
    const text = parseCase(printCase({ program, profile: 'privileged', env: EMPTY, comments: [] })).program;
    expect(text.replaces).toEqual({ function: of });
    const again = verify(text);
    if (verdict.ok || verdict.slot >= 0)
      expect(again.ok || again.message).toBe(verdict.ok || verdict.message);
  });

  it('rules that break it are refuted', async () => {
    const proof = await proveProgram(named('holds_socket'), shippedRuleSet('rfc-v1')!);
    expect(proof.verdict).toBe('refuted');
  });

  it('of its own object, wherever that stands in it', () => {
    const own = named('of_own');
    expect(own.replaces).toMatchObject({ function: 'own', of: { name: 'entry' } });
    expect(own.replaces).not.toHaveProperty('file');
    expect(verify(own).ok).toBe(true);
    // As its loader says, whatever the section does.
    for (const name of ['left_open', 'holds_socket']) {
      const moved = read({ attach: new Map([[name, 'own']]) }).programs;
      expect(moved.find((one) => one.name === name)?.replaces).toMatchObject({ function: 'own' });
    }
  });

  it('what takes more than a context is not run', () => {
    expect(cannotRun(named('holds_socket'))).toBeUndefined();
    for (const name of ['adds_number', 'asks_first'])
      expect(cannotRun(named(name))).toContain('takes more than its context');
  });

  it('without the other program it is left out, with a way on', () => {
    const { programs, skipped } = read({});
    expect(programs.map(({ name }) => name)).toEqual(['entry', 'of_own']);
    expect(skipped.map(({ name }) => name)).toEqual([...Object.keys(PROGRAMS), 'left_open'].sort(byPlace));
    for (const { name, reason, absent } of skipped) {
      expect(absent).toBe(true);
      expect(reason).toContain(`say of which with --attach ${name}=FILE:FUNCTION`);
    }
    expect(() => read({ attach: new Map([['left_open', `${REPLACED}:nowhere`]]) })).toThrow(
      `no program of ${REPLACED} has a function 'nowhere'; there are entry, of_context`,
    );
  });

  it('on the command line', async () => {
    const without = await here(['prove', REPLACING, '--prog', 'adds_number', '--json']);
    expect(without.exit).toBe(3);
    expect(JSON.parse(without.out)).toMatchObject({
      programs: [{ verdict: 'unknown', advice: 'with --attach adds_number=FILE:FUNCTION' }],
    });
    const given = ['--attach', `adds_number=${REPLACED}:of_number`];
    const withIt = await here(['prove', REPLACING, '--prog', 'adds_number', ...given, '--json']);
    expect(withIt.exit).toBe(0);
    expect(JSON.parse(withIt.out)).toMatchObject({
      programs: [{ verdict: 'proven', replaces: `${REPLACED}:of_number` }],
    });
    const bad = await here(['prove', REPLACING, '--attach', 'adds_number=nowhere.o:f']);
    expect([bad.exit, bad.err.trim().split('\n').length]).toEqual([2, 1]);
  });
});

const ORDER = readFileSync(`${FOLDER}/replacing.c`, 'utf8');
const byPlace = (a: string, b: string): number => ORDER.indexOf(`${a}(`) - ORDER.indexOf(`${b}(`);

describeKernel('and Linux says the same', () => {
  it.for(Object.entries(PROGRAMS))('%s', ([name, [, words]], { skip }) => {
    const result = loadProgram(named(name));
    if (result.ok) {
      result.close();
      expect(words).toBe('');
      return;
    }
    if (result.stage !== 'program' || result.message.endsWith('no word from the verifier'))
      skip(`this kernel does not come to verify programs that replace functions: ${result.message}`);
    expect(result.message).toContain(words);
  });
});
