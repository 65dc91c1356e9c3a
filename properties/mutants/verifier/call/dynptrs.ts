/** Mutants of what is known of dynptrs, of sizes that are not known, and of the places where functions are called. */
import { type Mutant, mutantsOf } from '../../mutant.js';

const ARGUMENTS = ['verifier/call/arguments-are-judged-as-by-linux'];

export const DYNPTR_MUTANTS: readonly Mutant[] = [
  ...mutantsOf('src/kernel/describe.ts', ARGUMENTS, [
    {
      name: 'metadata-stays-where-it-is',
      inside: 'writeMovesPacket',
      node: "type === 'skb' || type === 'skb_meta'",
      becomes: "type === 'skb'",
      wrong: 'A write to a dynptr of metadata leaves its slices valid.',
    },
  ]),
  ...mutantsOf('src/verifier/state/stack.ts', ARGUMENTS, [
    {
      name: 'slices-to-write-become-numbers',
      inside: 'destroyDynptrAt',
      node: "r.struct !== ''",
      becomes: 'r.readonly',
      wrong: 'A slice to write whose dynptr is overwritten counts as a number.',
    },
    {
      name: 'nothing-may-be-read-anywhere',
      inside: 'stackRange',
      node: "p.strict && way === 'read from' && size === 0 && slotOf(min) >= p.frameAt(ptr.frame).stack.length",
      becomes: 'false',
      wrong: 'Without capabilities, 0 bytes may be read below all that was written to the stack.',
    },
  ]),
  ...mutantsOf('src/verifier/call/args-slots.ts', ARGUMENTS, [
    {
      name: 'the-second-half-is-a-dynptr',
      inside: 'dynptrAt',
      node: 'slot?.dynptr?.first === true',
      becomes: 'slot?.dynptr !== undefined',
      wrong: 'A pointer to the second half of a dynptr is taken for one to the dynptr.',
    },
  ]),
  ...mutantsOf('src/verifier/call/effects.ts', ARGUMENTS, [
    {
      name: 'clones-own-nothing',
      inside: 'applyEffect',
      node: 'makeDynptr(p, reg!, from.type, from.ref, p.newId())',
      becomes: 'makeDynptr(p, reg!, from.type, 0, p.newId())',
      wrong: 'The clone of a dynptr that holds a record cannot be given back.',
    },
  ]),
  ...mutantsOf('src/verifier/call/args-memory.ts', ARGUMENTS, [
    {
      name: 'sizes-are-taken-for-known',
      inside: 'checkMem',
      node: 'isConst(size.num)',
      becomes: 'true',
      wrong: 'A function that writes an unknown number of bytes is taken to write the most of them.',
    },
    {
      name: 'a-size-that-may-be-zero-is-not',
      inside: 'checkMem',
      node: 'size.num.umin === 0n && !zero',
      becomes: 'size.num.umax === 0n && !zero',
      wrong: 'A size from 0 is taken where 0 is not.',
    },
  ]),
  ...mutantsOf('src/verifier/call/allowed.ts', ARGUMENTS, [
    {
      name: 'kfuncs-sleep-with-interrupts-off',
      inside: 'AllowedCalls.check',
      node: 'p.irq !== 0',
      becomes: 'p.irq !== 0 && helper',
      wrong: 'Kfuncs that sleep may be called with interrupts off.',
    },
    {
      name: 'locks-are-not-seen-from-callees',
      inside: 'AllowedCalls.check',
      node: 'p.lockHeld !== undefined && c.underLock !== true',
      becomes: 'p.lockHeld !== undefined && c.underLock !== true && p.depth === 0',
      wrong: 'Any function may be called from a called function or callback that took a lock.',
    },
  ]),
];
