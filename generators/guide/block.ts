/**
 * Guided programs. A campaign's programs are made in blocks. In a block the next program is made from what those before it have reached;
 * between blocks nothing is carried over but whose turn it is, which the number of the block tells. So a program depends on seed, number and
 * constraints alone: whoever checks a part of a campaign makes the blocks that it lies in.
 */
import type fc from 'fast-check';
import type { ProgType } from '../../src/object/program.js';
import type { Tree } from '../compile/program.js';
import { type Fragment, sequence } from '../fragment.js';
import {
  fragmentsArbitrary,
  type GeneratedProgram,
  type ProgramConstraints,
  programArbitrary,
  programOfTree,
  turnsOf,
  typesThatCall,
  wrapped,
} from '../program.js';
import { mix, randomFor } from '../random.js';
import { ACCEPTED_WAYS, callFragment, coverageOf } from '../smallest-call.js';
import { ranAfterKill, reachOf } from './reach.js';
import { type Path, pathsOf, replaced, smallerTrees } from './trees.js';

/** Programs in a block. */
export const BLOCK = 32;
/** Functions that a new program is made to call. */
export const WANTED = 6;
/** Of so many functions a block gives each its first turn. */
const TURNS = BLOCK * WANTED;
/** Smaller trees that are tried before a program is mutated. */
const SHORTENINGS = 3;

/** A program that reached what none before it in the block had reached. */
interface Kept {
  readonly made: GeneratedProgram;
  /** What it reached first. */
  readonly news: readonly string[];
  shortened: boolean;
}

/** A function that programs are made to call when it is its turn. */
interface Turn {
  readonly name: string;
  readonly types: readonly ProgType[];
}

/** The programs of one block, made one after the other as they are asked for. */
export class Block {
  private readonly made: GeneratedProgram[] = [];
  /** Programs that reached a feature, by feature. */
  private readonly reached = new Map<string, number>();
  /** Turns that a function got, by name. */
  private readonly turns = new Map<string, number>();
  private readonly kept: Kept[] = [];
  /** Functions in the order in which they get their turns here, with the types of programs that can call them. */
  private readonly order: readonly Turn[];

  constructor(
    private readonly seed: number,
    /** From 0. */
    private readonly number: number,
    private readonly constraints: ProgramConstraints,
  ) {
    const all = shuffled(turnsOf(constraints), mix(seed, -1));
    const from = all.length === 0 ? 0 : (number * TURNS) % all.length;
    this.order = [...all.slice(from), ...all.slice(0, from)].map((contract) => ({
      name: contract.name,
      types: typesThatCall(contract, constraints),
    }));
  }

  /** Program `nth` of the block, from 0; those before it are made first. */
  program(nth: number): GeneratedProgram {
    while (this.made.length <= nth) {
      const index = this.number * BLOCK + this.made.length;
      const made = this.next(randomFor(this.seed, index));
      this.made.push(made);
      // Nobody learns from the last one.
      if (this.made.length < BLOCK) this.learn(made, index);
    }
    return this.made[nth]!;
  }

  private next(random: fc.Random): GeneratedProgram {
    if (this.order.length === 0) return drawn(programArbitrary(this.constraints), random);
    const parent = this.kept.length > 0 && random.nextInt(0, 3) === 0 ? this.parent(random) : undefined;
    return parent === undefined ? this.fresh(random) : this.mutant(parent, random);
  }

  private learn(made: GeneratedProgram, index: number): void {
    const reach = reachOf(made.program, mix(this.seed, index));
    const news = [...reach].filter((feature) => !this.reached.has(feature));
    for (const feature of reach) this.reached.set(feature, (this.reached.get(feature) ?? 0) + 1);
    if (news.length > 0) this.kept.push({ made, news, shortened: false });
  }

  /** The functions whose turn it is in programs of `type`: those not run after a kill yet, then those that were so least. */
  private wanted(count: number, type?: ProgType): readonly Turn[] {
    const best: { readonly turn: Turn; readonly need: number }[] = [];
    for (const turn of this.order) {
      if (type !== undefined && !turn.types.includes(type)) continue;
      const ran = this.reached.get(ranAfterKill(turn.name)) ?? 0;
      const need = 2 * ran + (this.turns.get(turn.name) ?? 0);
      if (best.length === count && best.at(-1)!.need <= need) continue;
      const at = best.findIndex((one) => one.need > need);
      best.splice(at < 0 ? best.length : at, 0, { turn, need });
      if (best.length > count) best.pop();
    }
    return best.map(({ turn }) => turn);
  }

  private take({ name }: Turn): void {
    this.turns.set(name, (this.turns.get(name) ?? 0) + 1);
  }

  /** A new program around calls of the functions whose turn it is. */
  private fresh(random: fc.Random): GeneratedProgram {
    const { types } = this.wanted(1)[0]!;
    const type = types[random.nextInt(0, types.length - 1)]!;
    const functions = this.wanted(WANTED, type);
    for (const turn of functions) this.take(turn);
    const some = fragmentsArbitrary(type, { ...this.constraints, depth: 2 });
    let body: readonly Fragment[] = [];
    for (const { name } of [...functions].reverse()) {
      // Room is for calls: only some have other fragments in them. Now and then one is called while what the others got is held.
      const inner = random.nextInt(0, 3) === 0 ? drawn(some, random).slice(0, 1) : [];
      const nests = random.nextInt(0, 2) === 0;
      const call = this.call(name, type, nests ? [...inner, ...body] : inner, random);
      const fragment = random.nextInt(0, 5) === 0 ? wrapped(type, [call], random) : call;
      body = nests ? [fragment] : [fragment, ...body];
    }
    return this.programOf(type, body, random);
  }

  private call(name: string, type: ProgType, inner: readonly Fragment[], random: fc.Random): Fragment {
    const way = ACCEPTED_WAYS[random.nextInt(0, ACCEPTED_WAYS.length - 1)];
    return callFragment(name, type, inner, this.constraints.declared ?? [], way) ?? sequence(inner);
  }

  /** Of three kept programs the one whose news have been reached least since. */
  private parent(random: fc.Random): Kept {
    const some = Array.from({ length: 3 }, () => this.kept[random.nextInt(0, this.kept.length - 1)]!);
    const rarest = ({ news }: Kept): number => Math.min(...news.map((one) => this.reached.get(one) ?? 0));
    return some.reduce((best, one) => (rarest(one) < rarest(best) ? one : best));
  }

  /** A kept program with a few changes to its tree. */
  private mutant(parent: Kept, random: fc.Random): GeneratedProgram {
    this.shorten(parent);
    const { tree } = parent.made;
    let { body } = tree;
    for (let edits = random.nextInt(1, 3); edits > 0; edits--) body = this.edited(body, tree.type, random);
    return this.programOf(tree.type, body, random);
  }

  /** Cuts a kept program down to what it was kept for. */
  private shorten(kept: Kept): void {
    if (kept.shortened) return;
    kept.shortened = true;
    let { made } = kept;
    let left = SHORTENINGS;
    for (let again = true; again && left > 0; ) {
      again = false;
      for (const body of smallerTrees(made.tree.body)) {
        if (left-- <= 0) break;
        const smaller = programOfTree({ ...made.tree, body }, this.constraints);
        const reach = reachOf(smaller.program, this.seed);
        if (!kept.news.every((feature) => reach.has(feature))) continue;
        [made, again] = [smaller, true];
        break;
      }
    }
    Object.assign(kept, { made });
  }

  private edited(body: readonly Fragment[], type: ProgType, random: fc.Random): readonly Fragment[] {
    const paths = pathsOf(body);
    const path: Path | undefined = paths[random.nextInt(0, Math.max(0, paths.length - 1))];
    const node = path?.at(-1);
    if (path === undefined || node === undefined) return [this.needed(type, [], random)];
    switch (random.nextInt(0, 6)) {
      case 0:
        return replaced(body, path, [this.needed(type, [], random), node]);
      case 1:
        return replaced(body, path, [node, this.needed(type, [], random)]);
      case 2:
        return replaced(body, path, [this.needed(type, [node], random)]);
      case 3:
        return replaced(body, path, [wrapped(type, [node], random)]);
      case 4:
        return replaced(body, path, drawn(fragmentsArbitrary(type, this.constraints), random));
      case 5:
        return replaced(body, path, [node, ...this.donated(type, random)]);
      default:
        return replaced(body, path, node.body);
    }
  }

  /** A call of one of the functions whose turn it is, around these. */
  private needed(type: ProgType, inner: readonly Fragment[], random: fc.Random): Fragment {
    const functions = this.wanted(WANTED, type);
    const turn = functions[random.nextInt(0, Math.max(0, functions.length - 1))];
    if (turn === undefined) return sequence(inner);
    this.take(turn);
    return this.call(turn.name, type, inner, random);
  }

  /** A part of another kept program of the same type. */
  private donated(type: ProgType, random: fc.Random): readonly Fragment[] {
    const paths = this.kept
      .filter(({ made }) => made.tree.type === type)
      .flatMap(({ made }) => pathsOf(made.tree.body));
    const path = paths[random.nextInt(0, Math.max(0, paths.length - 1))];
    return path === undefined ? [] : [path.at(-1)!];
  }

  private programOf(type: ProgType, body: readonly Fragment[], random: fc.Random): GeneratedProgram {
    const { declared = [], aim } = this.constraints;
    const tree: Tree = {
      type,
      body,
      spillCtx: random.nextInt(0, 2) === 0,
      value: random.nextInt(0, 7),
      ...(declared.length === 0 ? {} : { declared }),
    };
    const made = programOfTree(tree, this.constraints);
    if (aim === undefined || coverageOf(made.program).has(aim)) return made;
    const call = callFragment(aim, type, [], declared) ?? sequence([]);
    return programOfTree({ ...tree, body: [call, ...body] }, this.constraints);
  }
}

function drawn<T>(arbitrary: fc.Arbitrary<T>, random: fc.Random): T {
  return arbitrary.generate(random, undefined).value;
}

/** The same list in an order that the seed tells. */
function shuffled<T>(list: readonly T[], seed: number): readonly T[] {
  const random = randomFor(seed, 0);
  const all = [...list];
  for (let i = all.length - 1; i > 0; i--) {
    const j = random.nextInt(0, i);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
