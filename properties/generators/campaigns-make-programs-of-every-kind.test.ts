/**
 * What 3,200 programs of a campaign contain at least: every insn that Linux has and generators make, every family of fragments, every map,
 * every type of program, every function that can be called, several frames, fragments deep in others. A generator that no longer makes
 * something is noticed here; how often it makes it is its own affair.
 */
import { expect, it } from 'vitest';
import { isRefused } from '../../generators/compile/refused.js';
import { GRAPH_MOVES } from '../../generators/families/graphs.js';
import { ITERATORS } from '../../generators/families/iterators.js';
import { KEPT } from '../../generators/families/objects.js';
import { GENERATED_TYPES } from '../../generators/program.js';
import { sample } from '../../generators/sample.js';
import { BINARY_OPS, COMPARISONS } from '../../src/isa/insn.js';
import { contracts } from '../../src/kernel/catalog.js';
import { add, type Census, called, count } from '../support/generators/census.js';
import { seeded } from '../support/seed.js';

const SEED = seeded(1).seed ?? 0;
const PROGRAMS = 3200;

const census: Census = new Map();
/** By function, the types of the programs that call it. */
const callers = new Map<string, Set<string>>();
for (let index = 0; index < PROGRAMS; index++) {
  const made = sample(SEED, index);
  count(census, made);
  for (const name of called(made.program))
    callers.set(name, (callers.get(name) ?? new Set()).add(made.program.type));
}

/** All words that can be made of one of each list. */
const each = (...parts: readonly (readonly (string | number)[])[]): string[] =>
  parts.reduce<string[]>(
    (all, part) => all.flatMap((a) => part.map((b) => (a === '' ? `${b}` : `${a} ${b}`))),
    [''],
  );

const WIDTHS = [32, 64];
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  arithmetic: [
    ...each(['alu'], BINARY_OPS, WIDTHS, ['constant', 'register']),
    ...each(['neg'], WIDTHS),
    ...each(['end'], ['le', 'be', 'bswap'], [16, 32, 64]),
    ...each(['movsx'], [8, 16, 32], [64]),
    ...each(['movsx'], [8, 16], [32]),
    ...each(['mov'], WIDTHS, ['constant', 'register']),
  ],
  comparisons: each(['jmp'], COMPARISONS, WIDTHS, ['constant', 'register']),
  memory: [
    ...each(['ldx', 'st', 'stx', 'load_acquire', 'store_release'], [1, 2, 4, 8]),
    ...each(['ldx'], [1, 2, 4], ['signed']),
    ...each(['atomic'], ['add', 'or', 'and', 'xor'], [4], ['']).map((text) => text.trim()),
    ...each(['atomic'], ['add', 'or', 'and', 'xor', 'xchg', 'cmpxchg'], [4], ['fetch']),
  ],
  'other insns': [
    ...each(['ld_imm64'], ['map', 'map_value', 'func', 'imm']),
    ...each(['call'], ['helper', 'kfunc', 'subprog']),
    'ja',
    'may_goto',
    'exit',
  ],
  fragments: [
    ...each(['call', 'feature', 'compute', 'context', 'branch', 'touch', 'packet', 'sequence']),
    ...each(['global variable', 'global function', 'subprogram', 'subprogram that acquires']),
    ...each(['fill and'], ['output', 'update']),
    ...each(['lookup in'], ['counters', 'flows', 'percpu', 'recent']),
    ...each(['loop of'], [1, 2, 3, 4, 5]),
    ...each(['may_goto loop', 'leave early', 'tail call', 'throw', 'legacy packet load']),
    ...each(['rcu', 'preempt', 'irq'], ['section']),
    ...each(['nested'], ['sections', 'locks', 'global functions', 'iterators']),
    ...each(['merged references', 'ownership across a tail call', 'three callbacks deep']),
    ...each(['lock in a callback', 'filled map']),
    ...each(['spin', 'resilient', 'irqsave'], ['lock']),
    ...each(['bpf_loop', 'bpf_for_each_map_elem', 'bpf_find_vma', 'timer', 'work']),
    ...each(['plain', 'shared', 'percpu'], ['object']),
    ...each(['exchange with a map', 'read a kept pointer']),
    ...each(ITERATORS, ['iterator']),
    ...GRAPH_MOVES,
  ].map((name) => `fragment ${name}`),
  maps: [
    ...each(
      'guard otherguard fence otherfence counters flows percpu recent events jumps scratch locked lockedflows resilient resilientflows'.split(
        ' ',
      ),
    ),
    ...each('waiting piled samples groups sockets queue index timers works text'.split(' ')),
    ...KEPT.map(({ struct }) => `kept_${struct}`),
  ].map((name) => `map ${name}`),
  structs: each(['struct'], ['plain', 'counted', 'listed', 'sorted']),
  functions: ['function static', 'function global', 'function of exceptions'],
  frames: each(['frames'], [1, 2, 3, 4]),
  nesting: each(['nesting'], [1, 2, 3, 4, 5, 6]),
  'types of programs': each(['type'], GENERATED_TYPES),
};

it.each(Object.entries(EXPECTED))('%s', (_, expected) => {
  expect(expected.filter((what) => !census.has(what))).toEqual([]);
});

it('every function that can be called, each several times', () => {
  const missing = contracts().filter(
    ({ name, types }) =>
      (census.get(`call of ${name}`) ?? 0) < 3 &&
      types.some((type) => GENERATED_TYPES.includes(type) && !isRefused(name, type)),
  );
  expect(missing.map(({ name }) => name)).toEqual([]);
});

it('a function from several types of programs, where several may call it', () => {
  const narrow = contracts().filter(({ name, types }) => {
    const possible = types.filter((type) => GENERATED_TYPES.includes(type) && !isRefused(name, type));
    return (callers.get(name)?.size ?? 0) < Math.min(2, possible.length);
  });
  expect(narrow.map(({ name }) => name)).toEqual([]);
});

it('nothing of a name that is not known here', () => {
  const known: Census = new Map();
  for (const what of Object.values(EXPECTED).flat()) add(known, what);
  const fragments = [...census.keys()].filter((what) => what.startsWith('fragment ') && !known.has(what));
  expect(fragments).toEqual([]);
});
