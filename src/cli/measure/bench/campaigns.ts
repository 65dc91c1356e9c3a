/** Campaigns measured as a whole: their rate beside that of the kernel, what a second worker brings, and whether their memory stays flat. */
import { runCampaign } from '../../../campaign/campaign.js';
import { checkProgram, programAt } from '../../../campaign/check/check.js';
import { loadRuleSets } from '../../../campaign/naming/rules.js';
import { kernelAvailable } from '../../../oracle/available.js';
import { loadRate } from '../../../oracle/bulk.js';
import { type Measure, measureOf, processorSeconds, seconds } from './measure.js';

const MIB = 2 ** 20;
/**
 * Programs checked before the clock starts, so that it does not measure how the compiler warms up: after so many, most of what a night takes
 * is done by compiled code.
 */
const WARM = 2000;

/**
 * Programs checked in a second of processor time over those that the kernel loads, the same ones: each made, verified, killed before every
 * insn and proven. All threads count: the compiler's and the collector's too. Answers why not where bpf(2) is refused.
 */
export async function checkedOverLoaded(
  seed: number,
  count: number,
  worlds: number,
  guided = false,
): Promise<Measure | string> {
  const where = worlds === 1 ? 'one environment' : `${worlds} environments`;
  const name = `${guided ? 'guided ' : ''}programs checked, killed in ${where} and proven / kernel loads`;
  const kernel = kernelAvailable();
  if (!kernel.ok) return `${name}: ${kernel.reason}`;
  const rules = await loadRuleSets(['sound']);
  const options = { seed, rules, worlds, prove: true, guided };
  const all = async (from: number, to: number): Promise<void> => {
    for (let index = from; index < to; index++) await checkProgram(index, options);
  };
  await all(count, count + WARM);
  const programs = Array.from({ length: count }, (_, index) => programAt(index, options));
  let [ours, kernels] = [0, 0];
  // In turns, so that what else the machine does meets both alike. The best of each counts.
  for (let round = 0; round < ROUNDS; round++) {
    const start = processorSeconds();
    await all(0, count);
    const middle = processorSeconds();
    const { loads } = loadRate(programs);
    ours = Math.max(ours, count / (middle - start));
    kernels = Math.max(kernels, loads / (processorSeconds() - middle));
  }
  return measureOf(name, ours, kernels, '1/s');
}

/** How often each of two rates is measured. */
const ROUNDS = 4;

const settingOf = (seed: number) => ({ seed, rules: ['sound'], worlds: 3, prove: true, kernel: false });

/** What a campaign does in a second, and milliseconds of processor time that a program takes. */
export interface Pace {
  readonly rate: number;
  readonly cost: number;
}

/** The pace of a campaign with so many workers in the second half of so many seconds: the first goes into starting, and compiling hot code. */
export async function paceOf(seed: number, time: number, workers: number): Promise<Pace> {
  const start = seconds();
  let half: { readonly done: number; readonly at: number; readonly busy: number } | undefined;
  const progress = ({ done }: { readonly done: number }): void => {
    const at = seconds();
    if (at - start >= time / 2) half ??= { done, at, busy: processorSeconds() };
  };
  const { state } = await runCampaign({ setting: settingOf(seed), time: 1000 * time, workers, progress });
  if (half === undefined) throw new Error(`no program was checked in half of ${time} s`);
  const done = state.done - half.done;
  return { rate: done / (seconds() - half.at), cost: (1000 * (processorSeconds() - half.busy)) / done };
}

/**
 * Programs in a second that two workers check over those that one checks, each in a process of its own that runs for so many seconds. And the
 * processor time that a program takes with one worker over that with two: where other work keeps the processors busy, that tells what two would
 * bring, 1 being twice as much. `pace` runs `paceOf` in a process of its own.
 */
export function secondWorker(time: number, pace: (workers: number) => Pace): readonly Measure[] {
  const [two, one] = [pace(2), pace(1)];
  return [
    measureOf(`two workers / one, ${time} s each`, two.rate, one.rate, '1/s'),
    measureOf('processor time of a program, one worker / two', one.cost, two.cost, 'ms'),
  ];
}

/** What a worker takes at the end of so many programs over what it took after half of them, the most seen in a tenth of them each. */
export async function flatMemory(seed: number, programs: number): Promise<Measure> {
  let [half, end] = [0, 0];
  const progress = ({ done }: { readonly done: number }): void => {
    const { rss } = process.memoryUsage();
    if (done >= 0.4 * programs && done <= 0.5 * programs) half = Math.max(half, rss);
    if (done >= 0.9 * programs) end = Math.max(end, rss);
  };
  await runCampaign({ setting: settingOf(seed), programs, workers: 1, progress });
  return measureOf(`memory after ${programs} programs / after half`, end / MIB, half / MIB, 'MiB');
}
