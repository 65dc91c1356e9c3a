/**
 * `npm run bench`: how fast swansong is, as ratios of figures from one run on one machine, so that they can be compared between machines.
 * Reads the clock, as nothing else in swansong does for what it answers.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { sample } from '../../../generators/sample.js';
import { runCampaign } from '../../campaign/campaign.js';
import { loadRuleSets } from '../../campaign/naming/rules.js';
import { assemble } from '../../isa/assemble.js';
import type { Program } from '../../object/program.js';
import { documentOf, toJson } from '../../report/document.js';
import { table } from '../../report/text/table.js';
import { proveProgram } from '../../smt/program-proof.js';
import { verify } from '../../verifier/verify.js';
import { Vm } from '../../vm/vm.js';
import { measureAgainst, openCheckout } from './bench/against.js';
import { checkedOverLoaded, flatMemory, type Pace, paceOf, secondWorker } from './bench/campaigns.js';
import { type Measure, measureOf, seconds } from './bench/measure.js';
import { runPlain } from './bench/plain.js';
import { measuresOfProofs, proofPicture, proofTable, timeProofs } from './bench/proofs.js';

/** Seed and number of the programs that are measured. */
const SEED = 1;
const PROGRAMS = 150;
/** Programs of each size whose proofs are timed. */
const EACH_SIZE = 8;
/** Programs of the campaign whose memory is measured. */
const CAMPAIGN = 500;

/** Arithmetic, branches, and stack accesses, about five million insns of them. */
const LOOP = `
    r0 = 0
    r6 = 500000
loop:
    r1 = r6
    r1 *= 0x1e3779b1
    r1 ^= r0
    *(u64 *)(r10 -8) = r1
    r2 = *(u64 *)(r10 -8)
    r2 >>= 7
    r0 += r2
    w0 += w1
    r6 += -1
    if r6 != 0 goto loop
    exit
`;

/** Seconds that `work` takes, and what it answers. */
async function timed<T>(work: () => T | Promise<T>): Promise<{ readonly took: number; readonly result: T }> {
  const start = seconds();
  const result = await work();
  return { took: seconds() - start, result };
}

function loopProgram(): Program {
  return {
    name: 'loop',
    type: 'xdp',
    insns: assemble(LOOP).insns,
    maps: [],
    kfuncs: [],
    subprogs: [{ name: 'main', start: 0, linkage: 'static' }],
    localTypes: [],
  };
}

async function vmSpeed(): Promise<Measure> {
  const program = loopProgram();
  const { insns } = program;
  const run = () => new Vm(program, { maxSteps: 100_000_000 }).run();
  run();
  const ours = await timed(run);
  runPlain(insns);
  const plain = await timed(() => runPlain(insns));
  if (ours.result.r0 !== plain.result.r0 || ours.result.steps !== plain.result.steps) {
    throw new Error('the VM and the baseline do not agree');
  }
  return measureOf(
    'VM / plain interpreter',
    ours.result.steps / ours.took,
    plain.result.steps / plain.took,
    'insns/s',
  );
}

async function proofCost(programs: readonly Program[]): Promise<Measure> {
  const [rules] = await loadRuleSets(['sound']);
  // Start Z3 before the clock.
  await proveProgram(programs[0]!, rules!.rules);
  const verification = await timed(() => programs.map((program) => verify(program)));
  const proof = await timed(async () => {
    for (const [i, program] of programs.entries()) {
      const verified = verification.result[i]!;
      if (verified.ok) await proveProgram(program, rules!.rules, { verified });
    }
  });
  return measureOf('proof time / verification time', proof.took, verification.took, 's');
}

/** What this file prints, called again with these arguments. */
function inOwnProcess<T>(...args: readonly string[]): T {
  const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the campaign that is measured failed: ${args.join(' ')}`);
  return JSON.parse(stdout) as T;
}

/** Peak memory of a campaign, in a process of its own. */
function peakMemory(): Measure {
  const bytes = inOwnProcess<number>('--memory');
  return measureOf(`peak memory of ${CAMPAIGN} programs / 1 GiB`, bytes / 2 ** 30, 1, 'GiB');
}

async function campaignMemory(): Promise<void> {
  const setting = { seed: SEED, rules: ['sound'], worlds: 3, prove: true, kernel: false };
  await runCampaign({ setting, programs: CAMPAIGN, workers: availableParallelism() });
  process.stdout.write(`${process.resourceUsage().maxRSS * 1024}`);
}

interface Options {
  readonly json?: string;
  readonly against?: string;
  readonly memory?: true;
  readonly proofs?: true;
  readonly plot?: string;
  readonly pace?: string;
  readonly campaigns?: true;
  readonly long: string;
  readonly programs: string;
}

/** What proofs take over the size of programs; also written as a table and a picture, if a folder is named. */
async function proofs({ plot }: Options): Promise<readonly Measure[]> {
  const times = await timeProofs(SEED, EACH_SIZE);
  if (plot !== undefined) {
    mkdirSync(plot, { recursive: true });
    writeFileSync(join(plot, 'proof-time.tsv'), proofTable(times));
    writeFileSync(join(plot, 'proof-time.svg'), proofPicture(times));
  }
  return measuresOfProofs(times);
}

/** The figures of whole campaigns. */
async function campaigns({ long, programs }: Options): Promise<readonly (Measure | string)[]> {
  return [
    await checkedOverLoaded(SEED, PROGRAMS, 1),
    await checkedOverLoaded(SEED, PROGRAMS, 3),
    await checkedOverLoaded(SEED, PROGRAMS, 3, true),
    ...secondWorker(Number(long), (workers) => inOwnProcess<Pace>('--pace', `${workers}`, '--long', long)),
    await flatMemory(SEED, Number(programs)),
  ];
}

async function main(given: Options): Promise<void> {
  const { json, against } = given;
  const programs = Array.from({ length: PROGRAMS }, (_, index) => sample(SEED, index).program);
  const measured = given.proofs
    ? await proofs(given)
    : against === undefined
      ? [
          ...(await campaigns(given)),
          ...(given.campaigns ? [] : [await vmSpeed(), await proofCost(programs), peakMemory()]),
          ...(given.campaigns ? [] : await proofs(given)),
        ]
      : measureAgainst({ Vm, verify }, await openCheckout(resolve(against)), loopProgram(), programs);
  const measures = measured.filter((one) => typeof one !== 'string');
  const skipped = measured.filter((one) => typeof one === 'string');
  if (json !== undefined) writeFileSync(json, toJson(documentOf('bench', { measures, skipped })));
  const figure = (value: number): string => Number(value.toPrecision(3)).toLocaleString('en');
  process.stdout.write(
    table(
      ['measure', 'ours', 'other', 'unit', 'ratio'],
      measures.map(({ name, ours, other, unit, ratio }) => [
        name,
        figure(ours),
        figure(other),
        unit,
        figure(ratio),
      ]),
      ['ours', 'other', 'ratio'],
    ),
  );
  for (const reason of skipped) process.stdout.write(`not measured: ${reason}\n`);
}

const options = new Command('bench')
  .description('How fast swansong is, as ratios of figures from one run.')
  .option('--json <file>', 'also write the figures as JSON')
  .option('--against <folder>', 'compare VM and verifier with those of another checkout, which must be built')
  .option('--campaigns', 'only the figures of whole campaigns')
  .option('--proofs', 'only what proofs take over the size of programs')
  .option('--plot <folder>', 'also write what proofs take as proof-time.tsv and proof-time.svg')
  .option('--long <seconds>', 'how long the campaigns of one and of two workers run', '20')
  .option('--programs <N>', 'programs of the campaign whose memory must stay flat', '1000')
  .option('--pace <workers>', 'only run the campaign whose pace is measured, and print it as JSON')
  .option('--memory', 'only run the campaign whose memory is measured, and print its peak in bytes')
  .parse()
  .opts<Options>();
if (options.memory) await campaignMemory();
else if (options.pace !== undefined)
  process.stdout.write(JSON.stringify(await paceOf(SEED, Number(options.long), Number(options.pace))));
else await main(options);
process.exit(0);
