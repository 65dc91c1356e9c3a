/** Campaigns measured as a whole: their rate beside that of the kernel, what a second worker brings, and whether their memory stays flat. */
import { runCampaign } from '../../campaign/campaign.js';
import { checkProgram, programAt } from '../../campaign/check.js';
import { loadRuleSets } from '../../campaign/rules.js';
import { kernelAvailable } from '../../oracle/available.js';
import { loadRate } from '../../oracle/bulk.js';
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
  const start = processorSeconds();
  await all(0, count);
  const ours = count / (processorSeconds() - start);
  const programs = Array.from({ length: count }, (_, index) => programAt(index, options));
  const before = processorSeconds();
  const { loads } = loadRate(programs);
  return measureOf(name, ours, loads / (processorSeconds() - before), '1/s');
}

const settingOf = (seed: number) => ({ seed, rules: ['sound'], worlds: 3, prove: true, kernel: false });

/**
 * Programs in a second that two workers check over those that one checks; each campaign runs for so many seconds. And the processor time that a
 * program takes with one worker over that with two: where other work keeps the processors busy, that tells what two would bring, 1 being twice
 * as much.
 */
export async function secondWorker(seed: number, time: number): Promise<readonly Measure[]> {
  const rates: number[] = [];
  const costs: number[] = [];
  for (const workers of [2, 1]) {
    const start = seconds();
    const busy = processorSeconds();
    const { state } = await runCampaign({ setting: settingOf(seed), time: 1000 * time, workers });
    rates.push(state.done / (seconds() - start));
    costs.push((1000 * (processorSeconds() - busy)) / state.done);
  }
  return [
    measureOf(`two workers / one, ${time} s each`, rates[0]!, rates[1]!, '1/s'),
    measureOf('processor time of a program, one worker / two', costs[1]!, costs[0]!, 'ms'),
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
