/** Campaigns measured as a whole: their rate beside that of the kernel, what a second worker brings, and whether their memory stays flat. */
import { sample } from '../../../generators/sample.js';
import { runCampaign } from '../../campaign/campaign.js';
import { checkProgram } from '../../campaign/check.js';
import { loadRuleSets } from '../../campaign/rules.js';
import { kernelAvailable } from '../../oracle/available.js';
import { loadRate } from '../../oracle/bulk.js';
import { type Measure, measureOf, seconds } from './measure.js';

const MIB = 2 ** 20;
/** Programs checked before the clock starts, so that it does not measure how the compiler warms up. */
const WARM = 300;

/**
 * Programs checked in a second on one core over those that the kernel loads, the same ones: each made, verified, killed before every insn
 * and proven. Answers why not where bpf(2) is refused.
 */
export async function checkedOverLoaded(
  seed: number,
  count: number,
  worlds: number,
): Promise<Measure | string> {
  const name = `programs checked, killed in ${worlds === 1 ? 'one environment' : `${worlds} environments`} and proven / kernel loads`;
  const kernel = kernelAvailable();
  if (!kernel.ok) return `${name}: ${kernel.reason}`;
  const rules = await loadRuleSets(['sound']);
  const all = async (from: number, to: number): Promise<void> => {
    for (let index = from; index < to; index++)
      await checkProgram(index, { seed, rules, worlds, prove: true });
  };
  await all(count, count + WARM);
  const start = seconds();
  await all(0, count);
  const ours = count / (seconds() - start);
  const programs = Array.from({ length: count }, (_, index) => sample(seed, index).program);
  return measureOf(name, ours, loadRate(programs).rate, '1/s');
}

const settingOf = (seed: number) => ({ seed, rules: ['sound'], worlds: 3, prove: true, kernel: false });

/** Programs in a second that two workers check over those that one checks; each campaign runs for so many seconds. */
export async function secondWorker(seed: number, time: number): Promise<Measure> {
  const rates: number[] = [];
  for (const workers of [2, 1]) {
    const start = seconds();
    const { state } = await runCampaign({ setting: settingOf(seed), time: 1000 * time, workers });
    rates.push(state.done / (seconds() - start));
  }
  return measureOf(`two workers / one, ${time} s each`, rates[0]!, rates[1]!, '1/s');
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
