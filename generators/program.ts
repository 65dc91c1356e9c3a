/**
 * Programs that Linux accepts, by construction: trees of fragments, compiled. Every shrink of one is such a program too.
 */
import fc from 'fast-check';
import { contracts } from '../src/kernel/catalog.js';
import type { Contract } from '../src/kernel/contract.js';
import { progType } from '../src/kernel/progtypes.js';
import { type DeclaredFunction, PROG_TYPES, type Program, type ProgType } from '../src/object/program.js';
import { spillArbitrary } from './choices.js';
import { compileTree, LEAST_SLOTS, type Tree } from './compile/program.js';
import { isRefused } from './compile/refused.js';
import { callbackArbitrary, laterArbitrary } from './families/callbacks.js';
import { callArbitrary, plainCalls } from './families/calls.js';
import { budgetLoopArbitrary, countedLoopArbitrary, endArbitrary, leaveArbitrary } from './families/flow.js';
import {
  acquiringSubprogramArbitrary,
  nestedGlobalsArbitrary,
  paddedCallArbitrary,
  subprogramArbitrary,
} from './families/functions.js';
import { graphArbitrary } from './families/graphs.js';
import { iteratorArbitrary } from './families/iterators.js';
import { lockArbitrary, nestedLocksArbitrary } from './families/locks.js';
import { globalArbitrary, lookupArbitrary, sendArbitrary } from './families/memory.js';
import { exchangeArbitrary, objectArbitrary, peekArbitrary } from './families/objects.js';
import { LEGACY_LOADS, legacyLoadArbitrary, packetArbitrary, packetFields } from './families/packet.js';
import { nestedSectionsArbitrary, sectionArbitrary } from './families/sections.js';
import {
  acrossTailCallArbitrary,
  deepCallbacksArbitrary,
  filledArbitrary,
  lockedCallbackArbitrary,
  mergedArbitrary,
  nestedIteratorsArbitrary,
} from './families/shapes.js';
import {
  type Body,
  branchArbitrary,
  computeArbitrary,
  contextArbitrary,
  touchingArbitrary,
} from './families/values.js';
import { type Fragment, hollowable, outline, sequence } from './fragment.js';
import { callFragment } from './smallest-call.js';

/** Narrows which programs are drawn. */
export interface ProgramConstraints {
  /** Program types to draw from; `GENERATED_TYPES` unless told. */
  readonly types?: readonly ProgType[];
  /** Most slots of a program, 120 unless told, at least 2. */
  readonly maxInsns?: number;
  /** How deep fragments may nest, 4 unless told. */
  readonly depth?: number;
  /** Call only these functions, besides those that fragments of control and memory need; each program calls one of them at least. */
  readonly only?: readonly string[];
  /** Functions that no kernel has yet, which are called as those of the tables are. */
  readonly declared?: readonly DeclaredFunction[];
  /** The programs are for kernels with landing pads, and some have them. */
  readonly landingPads?: boolean;
  /** Every program calls this function, and it is the one that calls are drawn from as often as all others together. */
  readonly aim?: string;
}

/** A program and the tree that it was compiled from, so that shrinking can work on the tree. */
export interface GeneratedProgram {
  readonly program: Program;
  readonly tree: Tree;
}

export const DEFAULT_MAX_INSNS = 120;
const DEFAULT_DEPTH = 4;

/** Fragments of one kind around others, and how often they are drawn beside those of other kinds. */
interface Family {
  readonly weight: number;
  readonly around: (inner: Body) => fc.Arbitrary<Fragment>;
}

/** What programs of a type are made of: the families of every program, and those that `only` leaves out. */
function families(type: ProgType): Readonly<Record<'plain' | 'special', readonly Family[]>> {
  return {
    plain: [
      { weight: 4, around: computeArbitrary },
      { weight: 4, around: branchArbitrary },
      { weight: 3, around: contextArbitrary },
      { weight: 4, around: lookupArbitrary },
      { weight: 1, around: globalArbitrary },
      { weight: 3, around: sendArbitrary },
      { weight: 3, around: subprogramArbitrary },
      { weight: 2, around: countedLoopArbitrary },
      { weight: 1, around: budgetLoopArbitrary },
      { weight: 1, around: endArbitrary },
      ...(packetFields(type) !== undefined ? [{ weight: 4, around: packetArbitrary }] : []),
      ...(LEGACY_LOADS.includes(type) ? [{ weight: 3, around: legacyLoadArbitrary }] : []),
    ],
    special: [
      { weight: 3, around: sectionArbitrary },
      { weight: 1, around: nestedSectionsArbitrary },
      { weight: 3, around: lockArbitrary },
      { weight: 1, around: nestedLocksArbitrary },
      { weight: 1, around: nestedGlobalsArbitrary },
      { weight: 3, around: iteratorArbitrary },
      { weight: 3, around: callbackArbitrary },
      { weight: 1, around: laterArbitrary },
      { weight: 1, around: acquiringSubprogramArbitrary },
      { weight: 2, around: objectArbitrary },
      { weight: 2, around: exchangeArbitrary },
      { weight: 1, around: peekArbitrary },
      { weight: 3, around: graphArbitrary },
      { weight: 2, around: mergedArbitrary },
      { weight: 2, around: acrossTailCallArbitrary },
      { weight: 1, around: deepCallbacksArbitrary },
      { weight: 1, around: nestedIteratorsArbitrary },
      { weight: 1, around: lockedCallbackArbitrary },
      { weight: 1, around: filledArbitrary },
    ],
  };
}

/** A fragment of one of the families that Linux treats in a way of its own, around these. */
export function wrapped(type: ProgType, around: readonly Fragment[], random: fc.Random): Fragment {
  // Each as often as it has weight. Only the one that is drawn is built.
  const tickets = families(type).special.flatMap(({ weight, around: make }) =>
    Array.from({ length: weight }, () => make),
  );
  const make = tickets[random.nextInt(0, tickets.length - 1)]!;
  return make(fc.constant([...around])).generate(random, undefined).value;
}

/** Fragments for programs of `type`, nested up to `depth`. */
function bodyArbitrary(
  type: ProgType,
  depth: number,
  { only, declared = [], aim, landingPads }: Calls,
): Body {
  const names = plainCalls(type, declared).filter((name) => only === undefined || only.includes(name));
  const { body } = fc.letrec<{ body: Fragment[]; fragment: Fragment }>((tie) => {
    const inner = tie('body');
    const none: Body = fc.constant([]);
    const calls = (weight: number, nested: Body) => [
      ...(names.length === 0 ? [] : [{ weight, arbitrary: callArbitrary(names, nested) }]),
      ...(aim === undefined ? [] : [{ weight: 3 * weight, arbitrary: aimed(aim, type, nested, declared) }]),
    ];
    const leaves = [
      { weight: 3, arbitrary: touchingArbitrary() },
      ...calls(4, none),
      { weight: 2, arbitrary: computeArbitrary(none) },
      { weight: 2, arbitrary: contextArbitrary(none) },
      { weight: 3, arbitrary: leaveArbitrary() },
      { weight: 1, arbitrary: endArbitrary(none) },
    ];
    const around = (list: readonly Family[]) =>
      list.map((one) => ({ weight: one.weight, arbitrary: one.around(inner) }));
    const { plain, special } = families(type);
    const padded = landingPads === true ? [{ weight: 12, arbitrary: paddedCallArbitrary(inner) }] : [];
    const leaf = fc.oneof(...leaves);
    return {
      body: fc.array(tie('fragment'), { maxLength: 3 }),
      fragment: fc.oneof(
        { maxDepth: depth, depthSize: 'small', withCrossShrink: true },
        { weight: 4, arbitrary: leaf },
        { weight: 6, arbitrary: hollowable(fc.oneof(...around(plain), ...padded, ...calls(8, inner))) },
        ...(only === undefined ? [{ weight: 5, arbitrary: hollowable(fc.oneof(...around(special))) }] : []),
      ),
    };
  });
  return body;
}

/** What a program may call. */
export type Calls = Pick<ProgramConstraints, 'only' | 'declared' | 'aim' | 'landingPads'>;

/** A call of `aim` around nested fragments. */
function aimed(
  aim: string,
  type: ProgType,
  nested: Body,
  declared: readonly DeclaredFunction[],
): fc.Arbitrary<Fragment> {
  return nested.map((inner) => callFragment(aim, type, inner, declared) ?? sequence(inner));
}

/** Bodies by what is declared; for programs that call nothing that is, under `NOTHING`. */
const bodies = new WeakMap<readonly DeclaredFunction[], Map<string, Body>>();
const NOTHING: readonly DeclaredFunction[] = [];

/** The same arbitrary for the same question: building one takes longer than drawing from it. */
function bodyFor(type: ProgType, depth: number, calls: Calls): Body {
  const { only, aim, landingPads, declared = NOTHING } = calls;
  const key = `${type} ${depth} ${only?.join() ?? '*'} ${aim ?? ''} ${landingPads === true}`;
  const asked = bodies.get(declared) ?? new Map<string, Body>();
  bodies.set(declared, asked);
  const known = asked.get(key);
  if (known !== undefined) return known;
  const made = bodyArbitrary(type, depth, calls);
  asked.set(key, made);
  return made;
}

function programOf(
  type: ProgType,
  features: readonly string[],
  constraints: ProgramConstraints,
): fc.Arbitrary<GeneratedProgram> {
  const { declared = NOTHING } = constraints;
  const body = fragmentsArbitrary(type, constraints);
  const featured: fc.Arbitrary<Fragment[]> =
    features.length === 0
      ? fc.constant([])
      : fc.tuple(fc.constantFrom(...features), body).map(([name, inner]) => {
          const feature = callFragment(name, type, inner, declared);
          return feature === undefined ? inner : [feature];
        });
  return fc
    .record({ first: featured, rest: body, spillCtx: spillArbitrary, value: fc.nat({ max: 7 }) })
    .map(({ first, rest, spillCtx, value }) => {
      const tree: Tree = {
        type,
        body: [...first, ...rest],
        spillCtx,
        value,
        ...(declared.length === 0 ? {} : { declared }),
      };
      return programOfTree(tree, constraints);
    });
}

/** The program that a tree makes, as far as the slots that it may have go. */
export function programOfTree(
  tree: Tree,
  { maxInsns = DEFAULT_MAX_INSNS }: ProgramConstraints,
): GeneratedProgram {
  const program = compileTree(tree, Math.max(LEAST_SLOTS, maxInsns));
  return {
    program,
    tree,
    [fc.toStringMethod]: () => `${tree.type}, ${program.insns.length} insns\n${outline(tree.body)}`,
  } as GeneratedProgram;
}

/** Fragments as programs of `type` are made of. */
export function fragmentsArbitrary(type: ProgType, constraints: ProgramConstraints): Body {
  return bodyFor(type, constraints.depth ?? DEFAULT_DEPTH, constraints);
}

/** Program types that programs are made for unless told: all types whose context does not depend on the attach target. */
export const GENERATED_TYPES: readonly ProgType[] = PROG_TYPES.filter(
  (type) => progType(type).arguments !== true,
);

/**
 * Programs that Linux 6.18 accepts, in both profiles. They shrink by dropping fragments, by replacing a fragment with what
 * is nested in it, and by plainer choices inside fragments; so every shrink is accepted too.
 */
export function programArbitrary(constraints: ProgramConstraints = {}): fc.Arbitrary<GeneratedProgram> {
  const types = constraints.types ?? GENERATED_TYPES;
  return fc.oneof(
    { withCrossShrink: false },
    ...types.map((type) => programOf(type, featuresFor(type, constraints), constraints)),
  );
}

/** Types among these whose programs can be made to call it. */
function possibleTypes(contract: Contract, types: readonly ProgType[]): readonly ProgType[] {
  return contract.types.filter((type) => types.includes(type) && !isRefused(contract.name, type));
}

/** What a program of `type` may have to call. */
function featuresFor(type: ProgType, { only, declared, aim }: Calls): readonly string[] {
  return contracts(declared)
    .filter((contract) => possibleTypes(contract, [type]).length > 0)
    .filter(({ name }) => (aim === undefined ? only === undefined || only.includes(name) : name === aim))
    .map(({ name }) => name);
}

/** Turns by what is declared, as bodies are kept. */
const turns = new WeakMap<readonly DeclaredFunction[], Map<string, readonly Contract[]>>();

/** The functions that a campaign's programs have to call in turn, in the order of the catalog. */
export function turnsOf(constraints: ProgramConstraints): readonly Contract[] {
  const { types = GENERATED_TYPES, declared = NOTHING, aim, only } = constraints;
  const key = `${types === GENERATED_TYPES ? '*' : types.join()} ${aim ?? ''} ${only?.join() ?? '*'}`;
  const asked = turns.get(declared) ?? new Map<string, readonly Contract[]>();
  turns.set(declared, asked);
  const known = asked.get(key);
  if (known !== undefined) return known;
  const found = contracts(declared).filter(
    (contract) =>
      possibleTypes(contract, types).length > 0 &&
      (aim === undefined || contract.name === aim) &&
      (only === undefined || only.includes(contract.name)),
  );
  asked.set(key, found);
  return found;
}

/** Types among those asked for whose programs can be made to call the function. */
export function typesThatCall(contract: Contract, { types }: ProgramConstraints): readonly ProgType[] {
  return possibleTypes(contract, types ?? GENERATED_TYPES);
}

/**
 * The arbitrary of the `index`-th program of a campaign. Functions take turns, so that any hundred or two of programs in a row
 * calls every function of the catalog; which program type calls it changes from round to round.
 */
export function turnArbitrary(
  seed: number,
  index: number,
  constraints: ProgramConstraints = {},
): fc.Arbitrary<GeneratedProgram> {
  const functions = turnsOf(constraints);
  const contract = functions[index % Math.max(1, functions.length)];
  if (contract === undefined) return programArbitrary(constraints);
  const possible = typesThatCall(contract, constraints);
  // Functions in a row get different types, and each function another one in the next round.
  const turn = Math.floor(index / functions.length) + (seed >>> 0) + (index % functions.length);
  return programOf(possible[turn % possible.length]!, [contract.name], constraints);
}
