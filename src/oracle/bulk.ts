/**
 * Asks the kernel for verdicts on many programs, as a fuzz campaign needs it. Each program is loaded and closed at once.
 *
 * Maps stay open and are lent to the next program that needs one of the same shape, which saves most system calls. That is safe, because
 * a verdict does not depend on a map's contents, unless the map is frozen.
 */
import { InputError } from '../isa/errors.js';
import type { MapDef, Program } from '../object/program.js';
import { kernelAvailable } from './available.js';
import { type LoadOptions, loadProgram, verifiedInsns } from './load.js';
import { closeMaps, createMap, type KernelMap, type MapBtf } from './maps.js';

/** What the kernel said of one program. */
export interface Judgement {
  readonly accepted: boolean;
  /** False when the question could not be put (an unknown kfunc; a map or BTF that the kernel would not take). */
  readonly judged: boolean;
  /** The kernel's first complaint, if it was refused. */
  readonly message?: string;
  readonly errno?: string;
  /** Insns that its verifier walked, of a program that it accepted; where it was asked for. */
  readonly walked?: number;
  /** Slot that the verifier stood at, where it tells. */
  readonly insn?: number;
}

/** The most maps kept open; beyond that the one that was not lent for longest is closed. */
const KEPT_MAPS = 64;

/** Judges programs. Close it at the end. */
export class KernelJudge {
  private readonly kept = new Map<string, KernelMap>();

  /** Throws InputError where bpf(2) is refused, with the reason. */
  constructor(
    private readonly options: Pick<LoadOptions, 'strictCaps' | 'explain'> & {
      /** Ask also how many insns were walked, which is one more system call. */
      readonly walked?: true;
    } = {},
  ) {
    const kernel = kernelAvailable();
    if (!kernel.ok) throw new InputError(kernel.reason);
  }

  /** Loads `program`, closes it, and says how it went. */
  judge(program: Program): Judgement {
    try {
      const { walked: _, ...options } = this.options;
      const result = loadProgram(program, { ...options, lend: this.lend });
      if (result.ok) {
        const walked = this.options.walked === true ? verifiedInsns(result.fd) : undefined;
        result.close();
        return { accepted: true, judged: true, ...(walked === undefined ? {} : { walked }) };
      }
      const { errno, message, insn } = result;
      const judged = result.stage === 'program';
      return { accepted: false, judged, errno, message, ...(insn === undefined ? {} : { insn }) };
    } finally {
      this.trim();
    }
  }

  /** Closes the maps that are kept. The judge can go on afterwards. */
  close(): void {
    const maps = [...this.kept.values()];
    this.kept.clear();
    closeMaps(maps);
  }

  private readonly lend = (
    program: Program,
    index: number,
    btf: MapBtf | undefined,
  ): KernelMap | undefined => {
    const def = program.maps[index]!;
    // BTF goes with one program; a prog_array belongs to the type of the first program that calls through it.
    if (btf !== undefined || def.type === 'prog_array' || def.initial !== undefined || def.frozen === true)
      return undefined;
    const shape = shapeOf(def);
    // Two maps of the same shape must stay two maps: the verifier tells their locks apart.
    const twins = program.maps.slice(0, index).filter((other) => shapeOf(other) === shape).length;
    const key = `${shape} ${twins}`;
    const map = this.kept.get(key) ?? createMap(def);
    this.kept.delete(key);
    this.kept.set(key, map);
    return map;
  };

  private trim(): void {
    for (const [key, map] of this.kept) {
      if (this.kept.size <= KEPT_MAPS) return;
      this.kept.delete(key);
      map.close();
    }
  }
}

function shapeOf(def: MapDef): string {
  return `${def.name} ${def.type} ${def.keySize} ${def.valueSize} ${def.maxEntries} ${def.flags}`;
}

/**
 * Loads per second of `programs`, taken in turn for at least `seconds`, the first round not counted; and all loads, that round among them.
 * A measure for the bench: it reads the clock, so it is not for results that must be the same twice.
 */
export function loadRate(
  programs: readonly Program[],
  seconds = 1,
): { readonly rate: number; readonly loads: number; readonly refused: number } {
  const judge = new KernelJudge({ explain: false });
  try {
    const round = (): number => programs.filter((program) => !judge.judge(program).accepted).length;
    const refused = round();
    let loads = 0;
    const start = process.hrtime.bigint();
    let spent = 0;
    while (spent < seconds && programs.length > 0) {
      round();
      loads += programs.length;
      spent = Number(process.hrtime.bigint() - start) / 1e9;
    }
    return { rate: loads === 0 ? 0 : loads / spent, loads: loads + programs.length, refused };
  } finally {
    judge.close();
  }
}
