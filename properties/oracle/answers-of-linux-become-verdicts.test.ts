/**
 * Certificates: which of Linux's answers certifies, which refuses, and which says nothing. Its answers are made up here, one for every insn
 * of the two-mode program and every reason there is, so no kernel is needed.
 */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { add, callHelper, exit, jmp, ldx, mov, r0, r1, r2, r3, r10, st } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import { BUILT_IN } from '../../src/kernel/profile.js';
import type { Program } from '../../src/object/program.js';
import { certify, FORMS } from '../../src/oracle/certify.js';
import type { LoadOptions, LoadResult, Refused } from '../../src/oracle/load.js';
import { rule, ruleSet } from '../../src/patch/define.js';
import { callSites } from '../../src/patch/fast-path.js';
import type { RuleSet } from '../../src/patch/rule.js';
import naive from '../../src/patch/sets/naive.js';
import { twoMode } from '../../src/patch/two-mode/two-mode.js';
import { verify } from '../../src/verifier/verify.js';
import { arrayMap, kernelCase } from '../support/kernel/case.js';
import { programOf } from '../support/kernel/programs.js';

type Answer = Partial<Omit<Refused, 'ok'>> | 'ok';
interface Load {
  readonly program: Program;
  readonly options: LoadOptions;
}
const world = vi.hoisted(
  (): { answer: (load: Load) => Answer; loads: Load[]; open: number; log: string } => ({
    answer: () => 'ok',
    loads: [],
    open: 0,
    log: '',
  }),
);

vi.mock('../../src/oracle/load.js', () => ({
  loadProgram: (program: Program, options: LoadOptions): LoadResult => {
    const load = { program, options };
    world.loads.push(load);
    const answer = world.answer(load);
    if (answer === 'ok') {
      world.open++;
      return { ok: true, fd: 1, maps: [], log: world.log, logCut: false, close: () => world.open-- };
    }
    return {
      ok: false,
      stage: 'program',
      errno: 'EACCES',
      message: 'no',
      log: world.log,
      logCut: false,
      ...answer,
    };
  },
}));

// The answers are none to what a profile asks.
vi.mock('../../src/oracle/profile/running.js', () => ({ profileHere: () => BUILT_IN }));

beforeEach(() => {
  world.answer = () => 'ok';
  world.loads = [];
  world.open = 0;
  world.log = '';
});

/** Looks a value up, twice, and reads it. */
const { program } = kernelCase('certify: lookups', 'xdp', {}, ({ map }) => [
  st(4, r10, -4, 0),
  map(r1, arrayMap(16)),
  mov(r2, r10),
  add(r2, -4),
  callHelper(1),
  jmp('eq', r0, 0, 'out'),
  ldx(4, r3, r0, 0),
  callHelper(7),
  label('out'),
  mov(r0, 0),
  exit(),
]);
const [FIRST, SECOND] = FORMS.privileged;

function textOf(form: (typeof FORMS.privileged)[number], rules: RuleSet = naive, of: Program = program) {
  const verified = verify(of, { profile: 'privileged' });
  if (!verified.ok) throw new Error(verified.message);
  return twoMode(of, verified, callSites(of, verified.facts, rules), { ...form, keep: new Set<number>() });
}
const isText = (load: Load): boolean => load.program !== program;

describe('answers of Linux become verdicts', () => {
  it('the first form that is accepted certifies, and nothing stays open', () => {
    const made = textOf(FIRST!);
    expect(certify(program, naive)).toEqual({
      verdict: 'certified',
      message: '',
      sitesLeftOut: made.leftOut,
      sitesStubbed: made.stubbed,
      insns: made.program.insns.length,
      walked: 0,
      form: FIRST,
      notLookedFor: [],
    });
    expect(made.stubbed).toBeGreaterThan(0);
    expect(
      world.loads.map(({ program, options }) => [program.insns.length, options.strictCaps, options.logLevel]),
    ).toEqual([[made.program.insns.length, false, 0]]);
    expect(world.open).toBe(0);
  });

  it('a form that is refused is no verdict while another is accepted', () => {
    const [first, second] = [textOf(FIRST!), textOf(SECOND!)];
    world.answer = ({ program }) => (program.insns.length === first.program.insns.length ? {} : 'ok');
    expect(certify(program, naive)).toMatchObject({
      verdict: 'certified',
      form: SECOND,
      insns: second.program.insns.length,
    });
    // Twice the first: without its reason, and with it.
    expect(world.loads.map(({ options }) => options.explain)).toEqual([false, true, false]);
    expect(world.open).toBe(0);
  });

  it('a refusal names the insn and in what mode it ran', () => {
    const WORDS = {
      normal: 'before the kill, insn',
      switch: 'at the kill before insn',
      patched: 'after the kill, insn',
      stub: 'after the kill, the stub at insn',
    };
    const made = textOf(SECOND!);
    const seen = new Set<string>();
    for (const [slot, origin] of made.origins.entries()) {
      world.answer = (load) => (isText(load) ? { insn: slot, message: 'a complaint' } : 'ok');
      const { mode, slot: at } = origin;
      if (mode === 'guard') continue;
      const verdict = certify(program, naive, { forms: [SECOND!] });
      expect(verdict).toMatchObject({ verdict: 'refused', at: origin, form: SECOND });
      expect(verdict.message).toBe(at < 0 ? 'a complaint' : `${WORDS[mode]} ${at}: a complaint`);
      seen.add(mode);
    }
    expect([...seen]).toEqual(expect.arrayContaining(['normal', 'switch', 'patched', 'stub']));
    world.answer = (load) => (isText(load) ? { message: 'a complaint' } : 'ok');
    const nowhere = certify(program, naive);
    expect([nowhere.verdict, nowhere.message, nowhere.at]).toEqual(['refused', 'a complaint', undefined]);
    expect(world.open).toBe(0);
  });

  it('the last form that is refused is told of, and a refusal more than what says nothing', () => {
    const first = textOf(FIRST!).program.insns.length;
    world.answer = (load) =>
      isText(load) ? { message: load.program.insns.length === first ? 'one' : 'two' } : 'ok';
    expect(certify(program, naive)).toMatchObject({ verdict: 'refused', message: 'two', form: SECOND });
    world.answer = (load) =>
      isText(load) ? (load.program.insns.length === first ? { message: 'one' } : { errno: 'ENOMEM' }) : 'ok';
    expect(certify(program, naive)).toMatchObject({ verdict: 'refused', message: 'one', form: FIRST });
    world.answer = (load) =>
      isText(load) ? { errno: 'ENOMEM', message: load.program.insns.length === first ? 'one' : 'two' } : 'ok';
    expect(certify(program, naive)).toMatchObject({ verdict: 'inexpressible', message: 'one', form: FIRST });
  });

  it.each<[string, Answer]>([
    ['too large (error)', { errno: 'E2BIG', message: 'x' }],
    ['no memory', { errno: 'ENOMEM', message: 'x' }],
    ['a call that was not made', { stage: 'call' }],
    ['a map that was not made', { stage: 'map' }],
    ['BTF that was not taken', { stage: 'btf' }],
    ['a kfunc that is not there', { stage: 'kfunc' }],
    ['too large', { message: 'BPF program is too large. Processed 1000001 insn' }],
    ['too many jumps', { message: 'The sequence of 8193 jumps is too complex.' }],
    ['stacks together', { message: 'combined stack size of 5 calls is 600. Too large' }],
    ['a stack', { message: 'stack size of 3 calls is 600. Too large' }],
    ['stack depth', { message: 'stack depth 520 exceeds 512' }],
    ['frames', { message: 'the call stack of 9 frames is too deep !' }],
    ['subprograms', { message: 'too many subprograms' }],
    ['tail calls', { message: 'tail_calls are not allowed when call stack of previous frames is 300 bytes' }],
    ['masking', { message: 'R1 has pointer arithmetic with it prohibited for !root' }],
    ['a bug', { message: 'verifier bug: No program to jit' }],
  ])('%s says nothing', (_, answer) => {
    world.answer = (load) => (isText(load) ? { insn: 0, message: 'm', ...(answer as object) } : 'ok');
    const verdict = certify(program, naive);
    expect(verdict.verdict).toBe('inexpressible');
    // Nowhere is to blame for a size.
    expect(verdict.message).not.toMatch(/insn \d+:/);
    const { errno } = answer as Partial<Refused>;
    if (errno === 'E2BIG') expect(verdict.message).toBe('too large for Linux to walk (E2BIG)');
  });

  it.each([
    'R1 !read_ok',
    'invalid access to map value',
    'Unreleased reference id=2 alloc_insn=4',
    'stack depth',
    'too many',
  ])('and this refuses: %s', (message) => {
    world.answer = (load) => (isText(load) ? { message } : 'ok');
    expect(certify(program, naive).verdict).toBe('refused');
  });

  it('a program that Linux does not take, or we do not, has no verdict', () => {
    world.answer = (load) => ({ message: isText(load) ? 'text' : 'whole' });
    expect(certify(program, naive)).toMatchObject({
      verdict: 'inexpressible',
      message: 'Linux refuses the program itself: whole',
      insns: 0,
      sitesStubbed: 0,
      notLookedFor: [],
    });
    world.loads = [];
    expect(certify(programOf('xdp', [mov(r0, r2), exit()]), naive)).toMatchObject({
      verdict: 'inexpressible',
      message: expect.stringMatching(/^our verifier does not accept it: R2 !read_ok/),
    });
    expect(world.loads).toEqual([]);
    expect(certify(program, naive, { forms: [] })).toMatchObject({
      verdict: 'inexpressible',
      message: 'no form was tried',
    });
  });

  it('how many insns were walked, where that is asked', () => {
    world.log = 'processed 7 insns (limit 1000000)\nprocessed 321 insns (limit 1000000)\n';
    expect(certify(program, naive, { stats: true }).walked).toBe(321);
    expect(world.loads.map(({ options }) => options.logLevel)).toEqual([4]);
  });

  it('a strict profile is one without capabilities, and in other forms', () => {
    expect(certify(program, naive, { profile: 'strict' }).form).toEqual({ points: 'every', by: 'may_goto' });
    expect(world.loads.every(({ options }) => options.strictCaps === true)).toBe(true);
    expect(FORMS).toEqual({
      privileged: [
        { points: 'every', by: 'may_goto' },
        { points: 'needed', by: 'compare' },
      ],
      strict: [
        { points: 'every', by: 'may_goto' },
        { points: 'needed', by: 'may_goto' },
      ],
    });
  });

  it('a long program is killed where that is needed only', () => {
    const long = (insns: number): Program =>
      programOf('xdp', [...Array.from({ length: insns - 2 }, () => mov(r1, 0)), mov(r0, 0), exit()]);
    expect(certify(long(16_000), naive).form).toEqual(FIRST);
    expect(certify(long(16_001), naive).form).toEqual(SECOND);
    expect(certify(long(16_001), naive, { forms: [FIRST!] }).form).toEqual(FIRST);
  });

  describe('stubs that leave memory unwritten', () => {
    /** The comm of the task, onto the stack. */
    const comm = programOf('tracepoint', [
      mov(r1, r10),
      add(r1, -16),
      mov(r2, 16),
      callHelper(16),
      mov(r0, 0),
      exit(),
    ]);
    const rules = ruleSet('leaves', [rule('all fail').stub({ r0: -22n })]);
    const writes = ruleSet('writes', [rule('all fail').stub({ r0: -22n, writes: [0] })]);
    const [UNREAD, OTHER] = [{ message: 'invalid read from stack off -16' }, { message: 'R1 !read_ok' }];
    /** Answers: for the program from a strict loader, its text from one, and for texts from another. */
    const certified = (plain: Answer, strict: Answer, hidden: Answer, of = rules) => {
      let texts = 0;
      world.answer = ({ program, options }) => {
        if (program === comm) return plain;
        if (options.strictCaps === true) return strict;
        // The first text is the one that is certified; a refusal is asked about twice.
        return texts++ === 0 ? 'ok' : hidden;
      };
      const { verdict, message, notLookedFor } = certify(comm, of);
      expect(world.open).toBe(0);
      return [verdict, message, notLookedFor];
    };

    it('are judged as from a loader that may not read such memory', () => {
      expect(certified('ok', 'ok', UNREAD)).toEqual(['certified', '', []]);
      expect(certified('ok', UNREAD, OTHER)).toEqual([
        'refused',
        `${UNREAD.message} (a loader without CAP_PERFMON)`,
        [],
      ]);
      expect(certified('ok', { message: 'invalid indirect read from stack off -16' }, OTHER)[0]).toBe(
        'refused',
      );
    });

    it('or else with the memory made unreadable', () => {
      for (const [plain, strict] of [
        [OTHER, 'ok'],
        ['ok', OTHER],
      ] as const) {
        expect(certified(plain, strict, UNREAD)).toEqual([
          'refused',
          `${UNREAD.message} (what a stub leaves unwritten made unreadable)`,
          [],
        ]);
        expect(certified(plain, strict, 'ok')).toEqual(['certified', '', ['unwritten memory']]);
        expect(certified(plain, strict, OTHER)).toEqual(['certified', '', ['unwritten memory']]);
      }
    });

    it('and those that write it are not', () => {
      expect(certified(OTHER, OTHER, UNREAD, writes)).toEqual(['certified', '', []]);
      expect(world.loads).toHaveLength(1);
    });
  });
});
