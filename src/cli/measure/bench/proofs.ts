/** What a whole proof takes beside a verification, over programs of 20 to 2,000 insns: the ratio in the median, and a picture of it. */
import { scaleLog } from 'd3-scale';
import { median } from 'simple-statistics';
import { compileTree } from '../../../../generators/compile/program.js';
import { sample } from '../../../../generators/sample.js';
import { loadRuleSets } from '../../../campaign/naming/rules.js';
import type { Program } from '../../../object/program.js';
import { proveProgram } from '../../../smt/program-proof.js';
import { verify } from '../../../verifier/verify.js';
import { type Measure, measureOf, processorSeconds } from './measure.js';

/** Sizes of programs, in insns at the most. */
const SIZES = [20, 50, 100, 200, 500, 1000, 2000];
/** How often each thing is timed; the best time counts. */
const TIMES = 3;

/** One program: what its verdict takes, and what its whole proof takes, the verification in it. In milliseconds of processor time. */
export interface ProofTime {
  readonly insns: number;
  readonly points: number;
  readonly verification: number;
  readonly proof: number;
}

/** A program of nearly `size` insns that is accepted: the bodies of generated programs of one type, one behind the other. */
function programOf(seed: number, nth: number, size: number): Program | undefined {
  let index = nth * 1000;
  const { tree } = sample(seed, index);
  let body = tree.body;
  for (;;) {
    const program = compileTree({ ...tree, body }, size);
    if (program.insns.length >= 0.8 * size) return verify(program, { facts: false }).ok ? program : undefined;
    let next = sample(seed, ++index).tree;
    while (next.type !== tree.type && index < nth * 1000 + 999) next = sample(seed, ++index).tree;
    if (next.type !== tree.type) return undefined;
    body = [...body, ...next.body];
  }
}

async function best(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < TIMES; i++) {
    const start = processorSeconds();
    await work();
    times.push(1000 * (processorSeconds() - start));
  }
  return Math.min(...times);
}

/** Times `each` programs of every size. What Z3 is asked about functions was asked before, as in any run over more than a few programs. */
export async function timeProofs(seed: number, each: number): Promise<readonly ProofTime[]> {
  const [sound] = await loadRuleSets(['sound']);
  const times: ProofTime[] = [];
  for (const size of SIZES) {
    let found = 0;
    for (let nth = 0; found < each && nth < 5 * each; nth++) {
      const program = programOf(seed, nth, size);
      if (program === undefined) continue;
      found++;
      const { verdict, points } = await proveProgram(program, sound!.rules, { maxRuns: 0 });
      // The search for a run that breaks something is no part of a proof.
      if (verdict !== 'proven') continue;
      const verification = await best(() => verify(program, { facts: false }));
      const proof = await best(() => proveProgram(program, sound!.rules));
      times.push({ insns: program.insns.length, points, verification, proof });
    }
  }
  return times;
}

/** The median of proof over verification, and how the time of an insn grows from programs of about 200 insns to those of about 2,000. */
export function measuresOfProofs(times: readonly ProofTime[]): readonly Measure[] {
  const middle = (of: (one: ProofTime) => number, among = times): number => median(among.map(of));
  const near = (size: number): readonly ProofTime[] =>
    times.filter(({ insns }) => insns > 0.7 * size && insns <= size);
  const ofInsn = ({ proof, insns }: ProofTime): number => (1000 * proof) / insns;
  const ratio = middle(({ proof, verification }) => proof / verification);
  const verification = middle((one) => one.verification);
  return [
    measureOf(
      'whole proof / verification, median of 20 to 2,000 insns',
      ratio * verification,
      verification,
      'ms',
    ),
    measureOf(
      'proof time of an insn, of 2,000 insns / of 200',
      middle(ofInsn, near(2000)),
      middle(ofInsn, near(200)),
      'us',
    ),
  ];
}

/** The times as a table, a program a line. */
export const proofTable = (times: readonly ProofTime[]): string =>
  [
    'insns\tpoints\tverification ms\tproof ms',
    ...times.map((t) => [t.insns, t.points, t.verification.toFixed(3), t.proof.toFixed(3)].join('\t')),
    '',
  ].join('\n');

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM] = [640, 420, 60, 20, 370];

/** The same as a picture (SVG): time over insns, both in powers of ten. */
export function proofPicture(times: readonly ProofTime[]): string {
  const all = times.flatMap(({ verification, proof }) => [verification, proof]);
  const x = scaleLog([10, 3000], [LEFT, WIDTH - 20]);
  const y = scaleLog([Math.min(...all) / 1.5, Math.max(...all) * 1.5], [BOTTOM, TOP]);
  const dots = (of: (one: ProofTime) => number, colour: string): string =>
    times
      .map(
        (t) => `<circle cx="${x(t.insns).toFixed(1)}" cy="${y(of(t)).toFixed(1)}" r="3" fill="${colour}"/>`,
      )
      .join('\n');
  const tens = (from: number, to: number): number[] =>
    [0.01, 0.1, 1, 10, 100, 1000, 10_000].filter((n) => n >= from && n <= to);
  const [low, high] = y.domain() as [number, number];
  const lines = [
    ...tens(10, 3000).map((n) => `<text x="${x(n)}" y="${BOTTOM + 18}" text-anchor="middle">${n}</text>`),
    ...tens(low, high).map(
      (n) =>
        `<path d="M${LEFT} ${y(n)}H${WIDTH - 20}" stroke="#ddd"/><text x="${LEFT - 6}" y="${y(n) + 4}" text-anchor="end">${n}</text>`,
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<title>Time of proofs and verifications over insns</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>
${lines.join('\n')}
${dots((t) => t.verification, '#888')}
${dots((t) => t.proof, '#1f5fbf')}
<text x="${LEFT}" y="${HEIGHT - 12}">insns; milliseconds of processor time: whole proof (blue), verification alone (grey)</text>
</svg>
`;
}
