import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { InputError } from '../../../src/isa/errors.js';
import { MOST_FRAMES } from '../../../src/isa/insn.js';
import { S64_MAX, S64_MIN } from '../../../src/isa/integer.js';
import { type Behaviour, BUILT_IN, type KernelProfile } from '../../../src/kernel/profile.js';
import { PROG_TYPES, type Program } from '../../../src/object/program.js';
import { type Case, parseCase } from '../../../src/vm/case/case.js';
import type { Expectation } from '../../../src/vm/case/expectation.js';
import { printCase } from '../../../src/vm/case/print.js';
import { type Environment, parseChoice, printChoice } from '../../../src/vm/state/environment.js';
import { CHECKS } from '../../../src/vm/state/trap.js';
import { seeded } from '../../support/seed.js';
import { SAMPLES } from '../../support/vm/sample-cases.js';

const hexBytes = fc.uint8Array({ minLength: 1, maxLength: 24 });
const choiceText = fc
  .record({
    outcome: fc.option(fc.constantFrom('null', 'found'), { nil: undefined }),
    value: fc.option(fc.bigInt({ min: S64_MIN, max: S64_MAX }), { nil: undefined }),
    bytes: fc.option(fc.uint8Array({ minLength: 1, maxLength: 9 }), { nil: undefined }),
  })
  .map(({ outcome, value, bytes }) =>
    printChoice({
      ...(outcome && { outcome }),
      ...(value !== undefined && { value }),
      ...(bytes && { bytes }),
    }),
  )
  .filter((text) => text !== '');

const environment: fc.Arbitrary<Environment> = fc
  .record({
    packet: fc.option(hexBytes, { nil: undefined }),
    ctx: fc.option(hexBytes, { nil: undefined }),
    choices: fc.dictionary(
      fc.integer({ min: 1, max: 9 }).map((n) => `bpf_sk_lookup_tcp#${n}`),
      choiceText,
    ),
  })
  .map(({ packet, ctx, choices }) => ({
    choices: new Map(Object.entries(choices)),
    ...(packet && { packet }),
    ...(ctx && { ctx }),
  }));

const expectation: fc.Arbitrary<Expectation> = fc.oneof(
  fc.constant<Expectation>({ kind: 'holds' }),
  fc
    .record({
      check: fc.constantFrom(...CHECKS),
      function: fc.option(fc.constantFrom('bpf_sk_release', 'bpf_spin_unlock'), { nil: undefined }),
      slot: fc.option(fc.nat(200), { nil: undefined }),
    })
    .map(({ check, function: named, slot }) => ({
      kind: 'breaks' as const,
      check,
      ...(named && { function: named }),
      ...(slot !== undefined && { slot }),
    })),
);

/** What a case keeps of a program: what the kernel is told besides (BTF bytes, line info) comes from elsewhere. */
function kept(program: Program): unknown {
  const { btf: _btf, lines: _lines, ...rest } = program;
  return { ...rest, maps: rest.maps.map(({ btfKey: _key, btfValue: _value, ...map }) => map) };
}

const BEHAVIOURS = Object.keys(BUILT_IN.behaviour).filter((name) => name !== 'frames') as Exclude<
  keyof Behaviour,
  'frames'
>[];
const functionName = fc.constantFrom('bpf_sk_lookup_tcp', 'bpf_rcu_read_lock', 'of_mine');

/** Kernels that differ from the built-in one in some way. */
const kernel: fc.Arbitrary<KernelProfile> = fc
  .record({
    release: fc.constantFrom('6.18.44', 'a kernel of mine', ''),
    digest: fc.constantFrom('2e366f6dd3d1', 'built-in'),
    types: fc.dictionary(functionName, fc.subarray([...PROG_TYPES]), { maxKeys: 2, noNullPrototype: true }),
    prototypes: fc.dictionary(functionName, fc.constantFrom('void f(void)', 'int f(const struct a *p)'), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    sleeps: fc.dictionary(functionName, fc.boolean(), { maxKeys: 2, noNullPrototype: true }),
    flipped: fc.subarray(BEHAVIOURS),
    frames: fc.integer({ min: 1, max: MOST_FRAMES }),
  })
  .map(({ flipped, frames, ...rest }) => ({
    ...rest,
    behaviour: {
      ...BUILT_IN.behaviour,
      ...Object.fromEntries(flipped.map((name) => [name, !BUILT_IN.behaviour[name]])),
      frames,
    },
  }));

const cases: fc.Arbitrary<Case> = fc
  .record({
    index: fc.nat(400),
    env: environment,
    expect: fc.option(expectation, { nil: undefined }),
    kill: fc.option(fc.nat(1000), { nil: undefined }),
    bound: fc.option(fc.nat(1000), { nil: undefined }),
    rules: fc.option(fc.constantFrom('sound', 'rules/mine.ts'), { nil: undefined }),
    profile: fc.constantFrom<'privileged' | 'strict'>('privileged', 'strict'),
    kernel: fc.option(kernel, { nil: undefined }),
    comments: fc.array(fc.constantFrom('', 'found by seed 7', '  indented', '# twice'), { maxLength: 3 }),
  })
  .map(({ index, kill, bound, rules, kernel: of, expect: expected, ...rest }) => ({
    program: sample(77, index).program,
    ...rest,
    ...(kill !== undefined && { kill }),
    ...(bound !== undefined && { bound }),
    ...(of && { kernel: of }),
    ...(rules && { rules }),
    ...(expected && { expect: expected }),
  }));

describe('a case reads back as it was written', () => {
  test('with generated programs', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const text = printCase(one);
        const { body: _, ...back } = parseCase(text);
        expect({ ...back, program: kept(back.program) }).toEqual({ ...one, program: kept(one.program) });
        expect(printCase(parseCase(text))).toBe(text);
      }),
      seeded(150),
    );
  });

  test('with comments in its program', () => {
    const text = `# a title
# more
.type tc
.license GPL v2
.map m hash key=8 value=24 entries=3 flags=0x1 kptr:task_struct@0 spin_lock@8
.map d array key=4 value=4 entries=1 flags=0x80 frozen initial=01020304
.struct item size=40 list_node@0 refcount@24
.struct other size=8 id=9
.rules naive
.kill step=9
.env packet=0011ff
.env ctx.mark=5
.env map m[0000000000000001]=aa
.env bpf_map_lookup_elem#1=found
.expect misuse bpf_spin_unlock at 14

    r0 = 0   ; the answer
    # nothing more
    exit
`;
    expect(printCase(parseCase(text))).toBe(text);
  });

  test('as the design writes it, short names and blanks and all', () => {
    const one = parseCase(`# leak: the lock is skipped
.type   xdp
.map    m  array  key=4 value=16 entries=1 spin_lock@0
.rules  rfc-v1
.kill   step=9
.env    lookup#1=found
.expect misuse bpf_spin_unlock at 14

    r1 = map m
    r0 = 0
    exit`);
    expect(one.env.choices).toEqual(new Map([['bpf_map_lookup_elem#1', 'found']]));
    expect(one.expect).toEqual({ kind: 'breaks', check: 'misuse', function: 'bpf_spin_unlock', slot: 14 });
    expect(one.kill).toBe(9);
    expect(parseCase(printCase(one))).toEqual({ ...one });
  });

  test('and so does a choice', () => {
    fc.assert(
      fc.property(choiceText, (text) => {
        expect(printChoice(parseChoice(text))).toBe(text);
      }),
      seeded(300),
    );
  });

  test('samples too', () => {
    for (const [name, one] of SAMPLES)
      expect(printCase(parseCase(printCase(one))), name).toBe(printCase(one));
  });
});

describe('a bad case is refused in one line, with file, line and column', () => {
  const BAD: readonly (readonly [string, string, RegExp])[] = [
    ['.typ xdp\nexit', '1:1', /unknown directive '.typ'/],
    ['.kernel 6.18\nexit', '1:13', /expected a digest/],
    ['.kernel 6.18 ab nesting=true\nexit', '1:17', /no behaviour is called 'nesting'/],
    ['.kernel 6.18 ab frames=17\nexit', '1:17', /from 1 to 16/],
    ['.kernel 6.18 ab nestedRcu=1\nexit', '1:17', /true or false/],
    ['.kernel a b\n.kernel a b\nexit', '2:1', /two .kernel lines/],
    ['.kernel_types f xdp\nexit', '1:1', /needs a .kernel line/],
    ['.kernel a b\n.kernel_types f xpd\nexit', '2:17', /no program type 'xpd'/],
    ['.kernel a b\n.kernel_sleeps f maybe\nexit', '2:18', /true or false/],
    ['.type xpd\nexit', '1:7', /no program type 'xpd'/],
    ['.type\nexit', '1:6', /expected a program type/],
    ['.type xdp tc\nexit', '1:11', /unexpected 'tc'/],
    ['# c\n.map m arry key=4\nexit', '2:8', /no map type 'arry'/],
    ['.map m array key=four\nexit', '1:18', /'four' is not a number/],
    ['.map m array lock@0\nexit', '1:14', /no kind of field is called 'lock'/],
    ['.map m array spin_lock@x\nexit', '1:14', /'x' is not a number/],
    ['.map m array key=4\n.map m array key=4\nexit', '2:6', /two maps named m/],
    ['.struct s\nexit', '1:10', /has a size/],
    ['.kill 9\nexit', '1:7', /expected step=N/],
    ['.kill step=-1\nexit', '1:12', /'-1' is not a number/],
    ['.profile lax\nexit', '1:10', /no profile 'lax'/],
    ['.env packet=0g\nexit', '1:13', /not bytes in hex/],
    ['.env packet\nexit', '1:12', /expected packet=/],
    ['.env ctx.nothing=1\nr0 = 0\nexit', '1:6', /no nothing/],
    ['.env sk_lookup_tcp#1=fnd\nexit', '1:22', /no outcome 'fnd'; it has null, found/],
    ['.env no_such#1=ok\nexit', '1:6', /no function is called no_such/],
    ['.env sk_lookup_tcp#0=found\nexit', '1:6', /is not FUNCTION#N/],
    ['.env bpf_get_prandom_u32#1=done:1:2:3\nexit', '1:28', /more than outcome, value and bytes/],
    ['.env map m[00]=00\nexit', '1:10', /no map is called m/],
    [
      '.exception_callback main\nmain:\nr0 = 0\nexit',
      '1:21',
      /no function but the main program is called main/,
    ],
    ['.exception_callback far\nr0 = 0\nexit', '1:21', /no function but the main program is called far/],
    ['.map m hash key=4 value=4\n.env map m[00]=00\nr0 = 0\nexit', '2:12', /the key has 1 bytes/],
    ['.expect leek\nexit', '1:9', /no check 'leek'/],
    ['.expect leak at\nexit', '1:16', /expected a slot/],
    ['.expect leak f g\nexit', '1:16', /unexpected 'g'/],
    ['.global g\nr0 = 0\nexit', '1:9', /no function is called g/],
    ['.type xdp\n\n  r0 = 0\n  r0 = q\n  exit', '4:8', /./],
    ['.type xdp\n  call bpf_no_such_helper\n  exit', '2:8', /./],
    ['.type xdp\n', '', /no program/],
  ];

  for (const [text, place, message] of BAD) {
    test(`${JSON.stringify(text)}`, () => {
      let error: unknown;
      try {
        parseCase(text, 'a.bpf');
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(InputError);
      const described = (error as InputError).describe();
      expect(described).not.toContain('\n');
      expect(described).toMatch(message);
      expect(described.startsWith(place === '' ? 'a.bpf:' : `a.bpf:${place}:`), described).toBe(true);
    });
  }

  test('whatever the bytes', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '.map m array key=4',
        '.env x#1=',
        '.expect',
        '.kill',
        '.bound',
        'r0 = 0',
        'exit',
        '.struct',
        '.env map',
        '.global',
        '#',
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        try {
          parseCase(lines.join('\n'), 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      seeded(500),
    );
  });
});
