/** Mutants of shrinking. */
import { type Mutant, mutantsOf } from '../mutant.js';

export const SHRINK_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/campaign/shrink/draft.ts',
    ['campaign/shrink/each-pass-offers-what-it-says', 'campaign/shrink/a-finding-is-shrunk-and-replays'],
    [
      {
        name: 'labels-behind-the-end-are-lost',
        inside: 'without',
        node: '[...carried, ...draft.tail]',
        becomes: 'draft.tail',
        wrong: 'Labels of the last operations are lost when those are dropped.',
      },
      {
        name: 'every-new-operation-is-led-to',
        inside: 'replaced',
        node: 'i === 0 ? labels : []',
        becomes: '[]',
        wrong: 'What led to an operation that was replaced leads nowhere.',
      },
      {
        name: 'exception-callback-is-not-reached',
        inside: 'liveNodes',
        node: 'exceptionCallbackLabels(draft)',
        becomes: 'new Set()',
        wrong: 'A program that is shrunk loses its exception callback, since no insn names it.',
        noticedBy: ['campaign/shrink/a-finding-is-shrunk-and-replays'],
      },
      {
        name: 'callbacks-start-no-function',
        inside: 'calledLabels',
        node: "item.op.kind === 'call' || item.op.kind === 'ld_imm64'",
        becomes: "item.op.kind === 'call'",
        wrong: 'A function that is inlined takes with it the callbacks behind it.',
      },
      {
        name: 'an-exception-callback-starts-no-function',
        inside: 'bodiesOf',
        node: 'new Set([...calledLabels(nodes), ...exceptionCallbackLabels(draft)])',
        becomes: 'calledLabels(nodes)',
        wrong: 'A function that is inlined takes with it the exception callback behind it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shrink/passes.ts',
    ['campaign/shrink/each-pass-offers-what-it-says'],
    [
      {
        name: 'the-last-run-is-not-dropped',
        inside: 'dropRuns',
        node: 'draft.nodes.length - length + 1',
        becomes: 'draft.nodes.length - length',
        wrong: 'The operations at the end are never dropped together.',
      },
      {
        name: 'jumps-of-32-bits-stay',
        inside: 'simplerJumps',
        node: 'if (op.width === 32) yield { ...op, width: 64 };',
        becomes: '',
        wrong: 'A comparison of 32 bits is never made one of 64.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shrink/rewrites.ts',
    ['campaign/shrink/each-pass-offers-what-it-says'],
    [
      {
        name: 'r5-is-no-argument',
        inside: 'argumentsFrom',
        node: 'dst > 5',
        becomes: 'dst > 4',
        wrong: 'What makes the fifth argument of a call stays when the call goes.',
      },
      {
        name: 'calls-keep-addresses',
        inside: 'rematerializeAddress',
        node: "copy.kind === 'call' && op.dst <= 5",
        becomes: 'false',
        wrong: 'An address counts as kept over a call that destroys its register.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shrink/size.ts',
    ['campaign/shrink/a-step-of-shrinking-is-smaller'],
    [
      {
        name: 'only-the-first-part-of-a-size-counts',
        inside: 'isSmaller',
        node: 'value !== b[i]',
        becomes: 'value < b[i]!',
        wrong: 'A case that is smaller in a later part counts as smaller although an earlier one is larger.',
      },
      {
        name: 'fields-of-the-context-weigh-nothing',
        inside: 'weightOfEnvironment',
        node: '10 * (ctxFields?.size ?? 0)',
        becomes: '0',
        wrong: 'Settled fields of the context weigh nothing, so they are never left out.',
      },
      {
        name: 'a-negative-number-weighs-no-more',
        inside: 'bitsOf',
        node: 'value < 0 ? 1 : 0',
        becomes: '0',
        wrong: 'A negative number weighs as little as a positive one.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shrink/simpler-environments.ts',
    ['campaign/shrink/a-step-of-shrinking-is-smaller'],
    [
      {
        name: 'choices-of-dropped-calls-stay',
        inside: 'trimEnvironment',
        node: 'recorded.has(key)',
        becomes: 'true',
        wrong: 'Choices of calls that the program does not make any more are kept.',
      },
      {
        name: 'the-first-local-type-goes',
        inside: 'simplerPrograms',
        node: 'program.localTypes.slice(0, -1)',
        becomes: 'program.localTypes.slice(1)',
        wrong: 'The first local type is taken out, so that ids of the others are wrong.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shrink/registers.ts',
    ['campaign/shrink/registers-of-an-operation-are-those-of-its-spelling'],
    [
      {
        name: 'copies-with-a-sign-set-nothing',
        inside: 'definedRegister',
        node: `op.kind === 'movsx'`,
        becomes: 'false',
        wrong: 'A copy that extends the sign counts as if it set no register.',
      },
    ],
  ),
];
