/**
 * The proof of one program cannot hold a campaign up: what it may take is counted, in insns and in questions that Z3 leaves open. A search that
 * is given up for that is told in the reason of the unknown, and is the same each time.
 */
import { expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { checkOne, PROOF_EFFORT } from '../../../src/campaign/check/check.js';
import { loadRuleSets } from '../../../src/campaign/naming/rules.js';
import { proveProgram } from '../../../src/smt/program-proof.js';
import { explore } from '../../../src/smt/symbolic/explore.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { prepare } from '../../../src/vm/state/code.js';

const [sound, rfc] = await loadRuleSets(['sound', 'rfc-v1']);

/** Each branch is a question about a product that Z3 cannot answer with nearly no effort. */
const branches = (count: number): string =>
  Array.from(
    { length: count },
    (_, i) => `    call bpf_get_prandom_u32
    r6 = r0
    call bpf_get_prandom_u32
    r6 *= r0
    r6 ^= r0
    if r6 == ${1_000_003 * (i + 3)} goto on${i}
    r7 = 1
on${i}:
`,
  ).join('');
const code = prepare(parseCase(`.type xdp\n${branches(12)}    r0 = 0\n    exit\n`).program);

it('a search stops when Z3 has left as many questions open as it may', async () => {
  const search = (maxUnanswered?: number) =>
    explore(code, { kill: 'none', rlimit: 1, ...(maxUnanswered === undefined ? {} : { maxUnanswered }) });
  const free = await search();
  expect(free.solver.unknown).toBeGreaterThan(6);
  for (const most of [1, 3, 5]) {
    const { solver, verdict, gaps } = await search(most);
    expect([solver.unknown, verdict]).toEqual([most, 'unknown']);
    expect(gaps).toContain('the budget of paths is spent');
  }
});

it('every proof of a campaign has these bounds', async () => {
  const { program } = sample(1, 3);
  let given: unknown;
  await checkOne(program, 3, {
    seed: 1,
    rules: [sound!],
    worlds: 1,
    prove: true,
    prover: (one, rules, options) => {
      given = options;
      return proveProgram(one, rules, options);
    },
  });
  expect(given).toMatchObject(PROOF_EFFORT);
});

it('what is given up says so, and is unknown', async () => {
  let told = 0;
  for (let index = 0; index < 200 && told === 0; index++) {
    const { program } = sample(1, index, { maxInsns: 60 });
    const prove = (more: object) => proveProgram(program, rfc!.rules, { maxRuns: 4, ...more });
    const whole = await prove({});
    if (whole.verdict !== 'unknown') continue;
    // The walk of the fast path is cut in the same way, where it is that which decides.
    const short = await prove({ budget: 1 });
    if (!/too large/.test(short.reason ?? '')) continue;
    const cut = await prove({ maxUnanswered: 0 });
    expect(cut.verdict).toBe('unknown');
    expect(cut.reason).toBe(
      `${whole.reason}; the search for a run was given up, because Z3 left too many questions open`,
    );
    expect(short.verdict).toBe('unknown');
    told++;
  }
  expect(told).toBe(1);
});
