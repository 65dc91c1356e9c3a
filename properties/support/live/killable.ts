/** Programs that poll beside their originals, run in the VM: the same seed, the same world. */
import { decodeAll } from '../../../src/isa/decode.js';
import type { ExportOptions } from '../../../src/live/export.js';
import { killableProgram } from '../../../src/live/export.js';
import type { Flat } from '../../../src/live/flat.js';
import type { Polls } from '../../../src/live/polls.js';
import { KILL_SECTION } from '../../../src/live/words.js';
import type { Program } from '../../../src/object/program.js';
import type { FastPath } from '../../../src/patch/rule.js';
import sound from '../../../src/patch/sets/sound.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { type RunResult, Vm } from '../../../src/vm/vm.js';

/** Insns after which a run is given up. */
export const LIMIT = 2000;

/** A program, and the same with polls. */
export interface Pair {
  readonly original: Program;
  readonly flat: Flat;
  readonly polls: Polls;
  readonly path: FastPath;
}

/** The pair of a program; undefined where it cannot be exported. */
export function pairOf(program: Program, options: Omit<ExportOptions, 'asIs' | 'load'>): Pair {
  const { polls, path, ...flat } = killableProgram(program, sound, options);
  const words = flat.program.maps.at(-1)!;
  return { original: { ...program, maps: [...program.maps, words] }, flat, polls, path };
}

/** A program in text. */
export const programOf = (text: string): Program => parseCase(text, 'text').program;

/** A run with this seed. The words are there from the start, so that memory is numbered alike in both runs. */
export function runOf(program: Program, seed: number, path?: FastPath, chooser = seededChooser(seed)): Vm {
  const size = program.maps.at(-1)!.valueSize;
  const maps = new Map([[KILL_SECTION, new Map([['00000000', '00'.repeat(size)]])]]);
  return new Vm(program, {
    env: { choices: new Map<string, string>(), maps },
    chooser,
    maxSteps: LIMIT,
    bound: LIMIT,
    stopsAtFirst: true,
    // Plain insns cannot make stack unreadable.
    readsUnwritten: true,
    ...(path === undefined ? {} : { fastPath: path }),
  });
}

/** Writes the program's word, as another thread does. */
export function setWord(vm: Vm, value: number): void {
  const { maps, memory } = vm.machine;
  const { maps: defs } = vm.code.program;
  const bytes = new Uint8Array(defs.at(-1)!.valueSize);
  bytes[0] = value;
  maps.insert(memory, defs.length - 1, new Uint8Array(4), bytes);
}

/** What outlives a run, and what is said of it. */
export function outcome(vm: Vm, { end, r0, violations }: RunResult): unknown {
  const { memory, ledger, choices, records, packet } = vm.machine;
  const regions = Array.from({ length: memory.count }, (_, number) => memory.get(number));
  return {
    end,
    r0,
    broken: violations.flatMap(({ check, function: by, message }) =>
      check === 'acquire' || check === 'bound'
        ? []
        : [`${check} ${by ?? ''}: ${message.replace(/ at \d+/g, '')}`],
    ),
    held: ledger.holds.map(({ kind, region, offset, by }) => ({ kind, region, offset, by })),
    memory: regions.map((region) =>
      region === undefined || ['stack', 'func'].includes(region.kind) || region.name.includes(KILL_SECTION)
        ? undefined
        : [region.kind, region.alive, Buffer.from(region.bytes.subarray(0, 4096)).toString('hex')],
    ),
    packet,
    records: records.map(({ sent, ...one }) => ({ ...one, sent: sent && Buffer.from(sent).toString('hex') })),
    choices: [...choices.all],
  };
}

/** A kill of a program that polls: at its poll number `nth`, when the original has made `steps`. */
export interface Kill {
  readonly nth: number;
  readonly steps: number;
  readonly slot: number;
  /** What came of it. */
  readonly outcome: unknown;
  /** Insns from there to the exit. */
  readonly after: number;
}

/** Runs the program that polls, and kills a copy of it at each poll, up to `most`. `run`: what came of the run itself. */
export function killAtPolls(
  { flat }: Pair,
  seed: number,
  most: number,
  chooser = seededChooser(seed),
): { readonly kills: readonly Kill[]; readonly run: unknown; readonly longest: number } {
  const ops = decodeAll(flat.program.insns);
  const vm = runOf(flat.program, seed, undefined, chooser);
  const kills: Kill[] = [];
  let steps = 0;
  let longest = 0;
  let since = 0;
  while (vm.running && vm.machine.steps < 2 * LIMIT) {
    const { pc } = vm.machine;
    const origin = flat.origins[pc]!;
    const op = ops[pc]!;
    if (isPoll(flat, ops, pc)) {
      longest = Math.max(longest, since);
      since = 0;
      if (kills.length < most) {
        const killed = vm.fork();
        setWord(killed, 1);
        const before = killed.machine.steps;
        const came = outcome(killed, killed.run());
        const after = killed.machine.steps - before;
        kills.push({ nth: kills.length, steps, slot: origin.slot, outcome: came, after });
      }
    }
    vm.step();
    if (origin.mode === 'normal') {
      steps++;
      since++;
    } else if (origin.mode !== 'switch')
      throw new Error(`the run came to ${op.kind} at ${pc}, which is ${origin.mode}`);
  }
  return { kills, run: outcome(vm, vm.run()), longest: Math.max(longest, since) };
}

/** The insn loads the address of the word, to look at it. */
export function isPoll({ origins }: Flat, ops: ReturnType<typeof decodeAll>, slot: number): boolean {
  const [op, next] = [ops[slot], ops[slot + 2]];
  return (
    origins[slot]?.mode === 'switch' &&
    op?.kind === 'ld_imm64' &&
    op.hi === 0 &&
    next?.kind === 'ldx' &&
    next.size === 4 &&
    ops[slot + 3]?.kind === 'jmp'
  );
}

/** The original, killed after so many steps and not run on. */
export function killedVm({ original, path }: Pair, seed: number, steps: number): Vm {
  const vm = runOf(original, seed, path);
  vm.advance(steps);
  vm.kill();
  return vm;
}

/** What comes of the original when it is killed after so many steps. */
export function killedOriginal(pair: Pair, seed: number, steps: number): unknown {
  const vm = killedVm(pair, seed, steps);
  return outcome(vm, vm.run());
}

/** What comes of the original by itself. */
export function wholeRun({ original }: Pair, seed: number): unknown {
  const vm = runOf(original, seed);
  return outcome(vm, vm.run());
}
