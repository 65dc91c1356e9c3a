/**
 * Compares values with Linux: both run a program on the same packet, context and map contents, and the VM gets the same answers of the
 * outside world as the kernel. r0 of every call and of the program, the packet, the context, the maps and the ring buffers must be the
 * same.
 */
import { mix } from '../../../generators/random.js';
import { sample } from '../../../generators/sample.js';
import { straightProgram } from '../../../generators/straight/program.js';
import { BUILT_IN, type KernelProfile } from '../../kernel/profile.js';
import type { Program, ProgType } from '../../object/program.js';
import { runningProfile } from '../../oracle/profile/running.js';
import { refuseToRun } from '../../oracle/testrun.js';
import { verify } from '../../verifier/verify.js';
import type { OpenComparison, Tally } from './comparison.js';
import { firstDifference } from './values/compare.js';
import { drawInputs, type Inputs, RandomStream } from './values/inputs.js';
import { KernelRunner } from './values/kernel-runner.js';
import { BUDGET_AT, LOG, LOG_BYTES, type NotRecorded, type Recording } from './values/log.js';
import { recordingProgram } from './values/recorder.js';
import { runInVm } from './values/vm-runner.js';

/** Which programs to compare test runs on. */
export interface ValuesOptions {
  /** Drawn from these types; all that the kernel can test-run unless told. */
  readonly types?: readonly ProgType[];
  /** What the kernel is; the running one's profile unless told. */
  readonly kernel?: KernelProfile;
  /** Programs of the generators that all campaigns draw from, or straight code that computes. In turns unless told. */
  readonly kind?: 'generated' | 'straight';
}

/** Program types that have a test run. */
export const RUNNABLE: readonly ProgType[] = [
  'xdp',
  'tc',
  'socket_filter',
  'syscall',
  'raw_tracepoint',
  'action',
  'cgroup_skb',
  'lwt_xmit',
];

/** Opens the comparison; holds a few maps and programs of the kernel's until it is closed. Throws InputError where bpf(2) is refused. */
export function openValues(options: ValuesOptions = {}): OpenComparison {
  const kernel = new KernelRunner();
  const profile = options.kernel ?? runningProfile();
  const types = options.types ?? RUNNABLE;
  return {
    compare(seed, index, tally) {
      const kind = options.kind ?? (index % 2 === 0 ? 'generated' : 'straight');
      const [program, draw] = drawProgram(kind, seed, index, types, tally);
      const about = `seed ${seed} ${kind} program ${index}${draw === 0 ? '' : ` draw ${draw}`}, ${program.type}`;
      const test = {
        program,
        about,
        seed: mix(seed ^ 0x5eed, index),
        runs: RUNS_PER_PROGRAM,
        kernel: profile,
      };
      compareValues(kernel, test, tally);
    },
    close: () => kernel.close(),
  };
}

/** Runs of each program. */
const RUNS_PER_PROGRAM = 4;
/** Programs beyond that take longer than they are worth. */
const WALK_BUDGET = 20_000;
/** Programs of each type that tail calls may lead to. */
const JUMP_TARGETS = 2;
/** How often another program is drawn in place of one that must not be run. */
const DRAWS = 8;

/** The first program drawn that may be run, and how many were passed over; the last one if there is none. */
function drawProgram(
  kind: 'generated' | 'straight',
  seed: number,
  index: number,
  types: readonly ProgType[],
  tally: Tally,
): readonly [program: Program, draw: number] {
  if (kind === 'straight') return [straightProgram(seed, index, types), 0];
  for (let draw = 0; ; draw++) {
    const { program } = sample(seed, draw === 0 ? index : mix(index, draw) >>> 1, { types });
    const why = mustNotRun(program);
    if (why === undefined || draw === DRAWS) return [program, draw];
    tally.count(`passed over: ${why}`);
  }
}

/** Why a program must not be test-run: it has effects outside of itself, or goes on after its end. */
function mustNotRun(program: Program): string | undefined {
  const danger = refuseToRun(program);
  if (danger !== undefined) return danger.replace(/^insn \d+: /, '');
  return program.kfuncs.includes('bpf_wq_start') ? 'bpf_wq_start runs the program later' : undefined;
}

/** What a program is compared with. */
export interface ValueTest {
  readonly program: Program;
  /** How to see it again. */
  readonly about: string;
  readonly seed: number;
  /** Runs, each on other inputs. */
  readonly runs: number;
  /** What the kernel is; the built-in profile unless told. */
  readonly kernel?: KernelProfile;
}

/** Runs a program in both, and tells `tally`. */
export function compareValues(kernel: KernelRunner, test: ValueTest, tally: Tally): void {
  const { program } = test;
  tally.count('programs');
  const recording = makeRecorder(program, test.kernel);
  if ('why' in recording) {
    countLeftOut(tally, 'programs', recording.why);
    return;
  }
  for (let run = 0; run < test.runs; run++) {
    const answer = runInKernel(kernel, recording, new RandomStream(mix(test.seed, run)));
    if (answer.kind === 'refused') {
      countLeftOut(tally, 'programs', `refused: ${answer.what.replace(/\d+/g, 'N')}`);
      return;
    }
    const outcome = answer.kind === 'run' ? answer.compareWithVm() : answer;
    if (outcome.kind === 'left out') {
      countLeftOut(tally, 'runs', outcome.what);
      continue;
    }
    tally.count('test runs');
    tally.count(`test runs: ${program.type}`);
    if (outcome.kind === 'differs')
      tally.differ(`value: ${outcome.what}`, `${test.about} run ${run}: ${outcome.detail}`);
  }
}

function countLeftOut(tally: Tally, what: 'programs' | 'runs', why: string): void {
  tally.count(`${what} left out`);
  tally.count(`${what} left out: ${why}`);
}

/** The program that records, or why there is none. */
export function makeRecorder(program: Program, kernel: KernelProfile = BUILT_IN): Recording | NotRecorded {
  const why = mustNotRun(program);
  if (why !== undefined) return { why };
  const accepted = verify(program, { profile: 'privileged', kernel, budget: WALK_BUDGET });
  if (!accepted.ok) return { why: `our verifier: ${accepted.message.replace(/\d+/g, 'N')}` };
  return recordingProgram(program, accepted);
}

/** Whether both sides observed the same, where they differ, or why the run was left out. */
export type RunOutcome =
  | { readonly kind: 'same' }
  | { readonly kind: 'left out'; readonly what: string }
  | { readonly kind: 'differs'; readonly what: string; readonly detail: string };

/** A run in the kernel, to be compared with one in the VM. */
export interface KernelTestRun {
  readonly kind: 'run';
  compareWithVm(): RunOutcome;
}

/** Has the kernel run a program that records, on inputs from `random`. */
export function runInKernel(
  kernel: KernelRunner,
  recording: Recording,
  random: RandomStream,
): KernelTestRun | { readonly kind: 'refused' | 'left out'; readonly what: string } {
  const inputs = drawInputs(recording.program, random, JUMP_TARGETS);
  const start = startOfLog(inputs);
  const theirs = kernel.run(recording, inputs, start);
  if (theirs.kind === 'refused') return { kind: 'refused', what: theirs.message };
  const { run } = theirs;
  if (logOverflows(run.observed.log)) return { kind: 'left out', what: 'more calls than the log holds' };
  return {
    kind: 'run',
    compareWithVm() {
      const ours = runInVm(recording, inputs, start, run);
      if (ours.kind === 'left out') return { kind: 'left out', what: ours.why };
      if (ours.kind === 'differs')
        return { kind: 'differs', what: ours.what.replace(/-?\d+/g, 'N'), detail: ours.what };
      const found = firstDifference(recording.program, recording.sites, run.observed, ours.observed);
      return found === undefined
        ? { kind: 'same' }
        : { kind: 'differs', what: found.kind, detail: found.detail };
    },
  };
}

function startOfLog(inputs: Inputs): Uint8Array {
  const log = new Uint8Array(LOG.valueSize);
  new DataView(log.buffer).setBigInt64(BUDGET_AT, BigInt(inputs.budget), true);
  return log;
}

const logOverflows = (log: Uint8Array): boolean =>
  new DataView(log.buffer, log.byteOffset).getBigUint64(0, true) > BigInt(LOG_BYTES);
