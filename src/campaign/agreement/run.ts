/**
 * Runs a comparison over the programs of a seed, in several threads. The results are merged in order, so they do not depend on the number
 * of threads. The state is kept in a file, from which a run can be continued.
 */
import { InputError } from '../../isa/errors.js';
import { BUILT_IN, differencesOf, type KernelProfile, profileName } from '../../kernel/profile.js';
import { profileHere } from '../../oracle/profile/running.js';
import { version } from '../shards/version.js';
import { readJsonFile, writeJsonFile } from '../storage/json-file.js';
import { openPool, type Pool } from '../threads/pool.js';
import { ComparisonRunner, type ComparisonSetting, type ProgramRange } from './comparison-runner.js';
import { addCounts, type Counts, emptyCounts } from './counts.js';

/** Programs that a thread takes at once. */
const RANGE = 8;
/** Milliseconds between two writes of the state. */
const SAVE_EVERY = 10_000;

/** A comparison as far as it has come. Written as JSON, so that it can be continued. */
export interface AgreementState extends ComparisonSetting, Counts {
  readonly version: string;
  /** Programs compared: those with an index below. */
  done: number;
  /** Time spent, in milliseconds. */
  ms: number;
}

/** How far to compare, with how many threads, and where the state is kept. */
export interface AgreementOptions extends ComparisonSetting {
  /** Programs to compare in all. */
  readonly programs: number;
  readonly workers: number;
  /** File that keeps the state. */
  readonly file: string;
  readonly stop?: AbortSignal;
  readonly progress?: (state: AgreementState) => void;
}

/** Throws InputError where bpf(2) is refused, and for a file that keeps another run. */
export async function runAgreement(options: AgreementOptions): Promise<AgreementState> {
  const { comparison, seed, loader, file } = options;
  const kernelProfile = options.kernelProfile ?? profileHere();
  const setting: ComparisonSetting = {
    comparison,
    seed,
    ...(loader === undefined ? {} : { loader }),
    kernelProfile,
  };
  const state = readAgreement(file) ?? { version: version(), ...setting, done: 0, ms: 0, ...emptyCounts() };
  for (const key of ['comparison', 'seed', 'loader'] as const) {
    if (state[key] === setting[key]) continue;
    throw new InputError(`another run is kept here: its ${key} is ${state[key]}, not ${setting[key]}`, {
      file,
    });
  }
  if (!isOfKernel(state, kernelProfile)) {
    const [there, here] = [state.kernelProfile ?? BUILT_IN, kernelProfile].map(profileName);
    throw new InputError(`another run is kept here: its kernel profile is ${there}, not ${here}`, { file });
  }
  const pool = await openPool<ProgramRange, Counts>({
    open: () => ComparisonRunner.open(setting),
    entry: new URL('./thread.js', import.meta.url),
    data: setting,
    workers: options.workers,
  });
  try {
    await compareRanges(state, pool, options);
  } finally {
    await pool.close();
    writeJsonFile(file, state);
  }
  return state;
}

async function compareRanges(
  state: AgreementState,
  pool: Pool<ProgramRange, Counts>,
  { programs, file, stop, progress }: AgreementOptions,
): Promise<void> {
  const before = state.ms;
  const begun = performance.now();
  let saved = begun;
  let next = state.done;
  const came = new Map<number, { readonly to: number; readonly counts: Counts }>();
  const lane = async (): Promise<void> => {
    while (next < programs && stop?.aborted !== true) {
      const from = next;
      const to = Math.min(from + RANGE, programs);
      next = to;
      came.set(from, { to, counts: await pool.run({ from, to }) });
      for (let due = came.get(state.done); due !== undefined; due = came.get(state.done)) {
        came.delete(state.done);
        addCounts(state, due.counts);
        state.done = due.to;
      }
      const now = performance.now();
      state.ms = Math.round(before + now - begun);
      progress?.(state);
      if (now - saved < SAVE_EVERY) continue;
      saved = now;
      writeJsonFile(file, state);
    }
  };
  await Promise.all(Array.from({ length: pool.width }, lane));
}

/**
 * Old state files have no kernel profile. Their runs used the built-in one, so they can be continued for any kernel that does not differ
 * from it.
 */
function isOfKernel(state: AgreementState, kernel: KernelProfile): boolean {
  if (state.kernelProfile === undefined) return differencesOf(kernel).length === 0;
  return state.kernelProfile.digest === kernel.digest;
}

/** The run that a file keeps, if the file exists. Throws InputError for a file that holds no run. */
export function readAgreement(file: string): AgreementState | undefined {
  return readJsonFile(file, 'a comparison', isState);
}

function isState(value: unknown): value is AgreementState {
  if (typeof value !== 'object' || value === null) return false;
  const { comparison, done, counts, differences } = value as Partial<AgreementState>;
  const counted = counts !== undefined && differences !== undefined;
  return typeof comparison === 'string' && typeof done === 'number' && counted;
}
