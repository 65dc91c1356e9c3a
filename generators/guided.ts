/** Guided programs of a campaign, by seed and number. */
import { BLOCK, Block } from './guide/block.js';
import { smallerTrees } from './guide/trees.js';
import { type GeneratedProgram, type ProgramConstraints, programOfTree } from './program.js';
import type { Shrinkable } from './sample.js';

/** The blocks that were asked for last, latest last, so that programs that are asked for in order are made once. */
const open: { readonly key: string; readonly block: Block }[] = [];
const MOST_OPEN = 4;

/**
 * The `index`-th program of the guided campaign with this seed. The same arguments give the same insns, whatever was made before. Takes
 * as long as all programs of its block up to it, unless those were made just before.
 */
export function guided(seed: number, index: number, constraints: ProgramConstraints = {}): GeneratedProgram {
  const number = Math.floor(index / BLOCK);
  const key = JSON.stringify([seed, number, constraints]);
  const at = open.findIndex((one) => one.key === key);
  const entry = at >= 0 ? open.splice(at, 1)[0]! : { key, block: new Block(seed, number, constraints) };
  open.push(entry);
  if (open.length > MOST_OPEN) open.shift();
  return entry.block.program(index % BLOCK);
}

/** Like `guided`, with programs of smaller trees. */
export function guidedTree(seed: number, index: number, constraints: ProgramConstraints = {}): Shrinkable {
  return shrinkable(guided(seed, index, constraints), constraints);
}

function shrinkable(value: GeneratedProgram, constraints: ProgramConstraints): Shrinkable {
  return {
    value,
    *shrinks() {
      for (const body of smallerTrees(value.tree.body))
        yield shrinkable(programOfTree({ ...value.tree, body }, constraints), constraints);
    },
  };
}
