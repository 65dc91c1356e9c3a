/** Mutants of what is read and told of maps of programs and of tail calls, and of maps with pointers to structs. */
import { type Mutant, mutantsOf } from '../mutant.js';

const MAPS = 'object/map-definitions-are-read-whole';
const SHARED = 'object/a-tail-call-enters-programs-that-may-share-its-map';
const KILLED = 'smt/a-killed-run-enters-another-program-only-where-its-proof-says-so';

export const TAIL_CALL_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/object/target.ts',
    ['object/sample-objects-are-proven'],
    [
      {
        name: 'pointers-to-any-struct-are-the-objects-own',
        inside: 'needsNoKernel',
        node: '!own.has(field.struct)',
        becomes: 'false',
        wrong:
          'Without the types of a kernel, pointers in maps to its structs are taken for pointers to allocated objects.',
      },
      {
        name: 'own-structs-are-looked-up-too',
        inside: 'needsNoKernel',
        node: '!own.has(field.struct)',
        becomes: 'true',
        wrong: 'Without the types of a kernel, no map may hold pointers to allocated objects.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/maps.ts',
    [MAPS],
    [
      {
        name: 'entries-of-the-next-map-count',
        inside: 'initialPrograms',
        node: 'one.offset >= symbol.value + symbol.size',
        becomes: 'false',
        wrong: 'A map of programs begins with the programs of the map behind it.',
      },
      {
        name: 'anything-is-a-program',
        inside: 'initialPrograms',
        node: '!Number.isInteger(index) || one.symbol.type !== STT_FUNC',
        becomes: '!Number.isInteger(index)',
        wrong: 'A map of programs begins with a variable.',
      },
      {
        name: 'values-begin-with-their-map',
        inside: 'initialPrograms',
        node: 'symbol.value + values / 8',
        becomes: 'symbol.value',
        wrong: 'Entries of a map of programs are counted from the start of its definition.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/program-arrays.ts',
    [SHARED],
    [
      {
        name: 'fragments-do-not-matter',
        inside: 'mayEnter',
        node: 'hasFragments(from) === hasFragments(to)',
        becomes: 'true',
        wrong: 'A program for packets in fragments is entered by one that has none.',
      },
      {
        name: 'no-type-goes-by-its-function',
        inside: 'mayEnter',
        node: '!BY_TARGET.has(from.type)',
        becomes: 'true',
        wrong: 'An LSM program is entered from another hook.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/tail-calls.ts',
    [KILLED],
    [
      {
        name: 'no-killed-run-enters-a-program',
        inside: 'tailCalls',
        node: '!path.stubs.has(slot)',
        becomes: 'false',
        wrong: 'Under rules that keep tail calls a killed run is said to enter no program.',
      },
      {
        name: 'stubbed-tail-calls-are-made',
        inside: 'tailCalls',
        node: '!path.stubs.has(slot)',
        becomes: 'true',
        wrong: 'A killed run is said to enter a program by a call that is replaced.',
      },
      {
        name: 'the-first-state-tells-the-map',
        inside: 'mapsAt',
        node: '[...indexes]',
        becomes: '[...indexes].slice(0, 1)',
        wrong: 'Of two maps that a tail call looks into only one is told.',
      },
      {
        name: 'the-first-state-tells-the-index',
        inside: 'indexAt',
        node: 'indexes.size === 1',
        becomes: 'true',
        wrong: 'Where runs have several indexes one of them is told.',
      },
      {
        name: 'functions-make-no-tail-calls',
        inside: 'tailCalls',
        node: 'frameOf(state).subprog !== 0',
        becomes: 'false',
        wrong: 'A tail call of a function is taken for one of the main program.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/loader-settings.ts',
    ['object/what-a-loader-says-is-as-if-the-object-said-it'],
    [
      {
        name: 'patterns-fit-sections-first',
        inside: 'settingFor',
        node: '[program, plain]',
        becomes: '[plain, program]',
        wrong: 'A pattern that fits the section of a program counts before one that fits its name.',
      },
    ],
  ),
];
