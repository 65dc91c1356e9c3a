/**
 * Near misses: accepted programs with one thing broken. A verifier refuses most of them; some are still good. They serve to test that two
 * verifiers agree, and that each check refuses what it should.
 */
import fc from 'fast-check';
import { InputError } from '../src/isa/errors.js';
import { subprogStarts } from '../src/isa/target.js';
import type { Program } from '../src/object/program.js';
import { MENDED_BREAKS } from './breaks/mended.js';
import { RESOURCE_BREAKS } from './breaks/resources.js';
import { VALUE_BREAKS } from './breaks/values.js';
import { Draft } from './edit.js';
import { type GeneratedProgram, type ProgramConstraints, programArbitrary } from './program.js';

/** A broken program, the good one that it was made from, and the place where they differ. */
export interface NearMiss {
  readonly program: Program;
  readonly original: GeneratedProgram;
  /** What was broken, for people. */
  readonly what: string;
  /** Slot of the original program where it was broken. */
  readonly slot: number;
}

const BREAKERS = { ...RESOURCE_BREAKS, ...VALUE_BREAKS, ...MENDED_BREAKS };

/** The ways to break a program. */
export const BREAKS: readonly string[] = Object.keys(BREAKERS);

/** Breaks `original` in this way at the `which`-th place; undefined where there is no place, or nothing would change. */
function broken(original: GeneratedProgram, what: string, which: number): NearMiss | undefined {
  const draft = new Draft(original.program);
  const slot = BREAKERS[what]?.(draft, which);
  if (slot === undefined) return undefined;
  try {
    const program = draft.link(original.program.name);
    const starts = subprogStarts(program.insns);
    const wanted = program.subprogs.every((one) => one.exceptionCallback || starts.includes(one.start));
    // If nothing refers to a function any more, the program no longer fits its BTF.
    return sameInsns(program, original.program) || !wanted ? undefined : { program, original, what, slot };
  } catch (error) {
    // If the insns cannot be encoded any more, there is no program.
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/**
 * Breaks `original` at the `which`-th place (counted round and round) in the way named, or in the next way that finds a place. The
 * result differs from the original in its insns.
 */
export function breakProgram(original: GeneratedProgram, way: string, which: number): NearMiss {
  const first = Math.max(0, BREAKS.indexOf(way));
  for (let i = 0; i < BREAKS.length; i++) {
    const nearMiss = broken(original, BREAKS[(first + i) % BREAKS.length]!, which);
    if (nearMiss !== undefined) return nearMiss;
  }
  throw new Error('a program without a result cannot be broken');
}

/** Near misses of `original` in this way at up to `places` places, counted from the `from`-th; no two alike. */
export function nearMissesOf(
  original: GeneratedProgram,
  way: string,
  places: number,
  from: number,
): readonly NearMiss[] {
  const found: NearMiss[] = [];
  for (let i = 0; i < places; i++) {
    const nearMiss = broken(original, way, from + i);
    if (nearMiss === undefined) continue;
    if (!found.some(({ program }) => sameInsns(program, nearMiss.program))) found.push(nearMiss);
  }
  return found;
}

function sameInsns(a: Program, b: Program): boolean {
  const text = ({ insns }: Program) => JSON.stringify(insns);
  return text(a) === text(b);
}

/** Near misses of generated programs. They shrink as their originals do. */
export function nearMissArbitrary(constraints: ProgramConstraints = {}): fc.Arbitrary<NearMiss> {
  return fc
    .record({
      original: programArbitrary(constraints),
      way: fc.constantFrom(...BREAKS),
      which: fc.nat({ max: 255 }),
    })
    .map(({ original, way, which }) => breakProgram(original, way, which));
}
