/** Mutants of the two-mode text. */
import { type Mutant, mutantsOf } from '../mutant.js';

const TEXTS = 'patch/two-mode-texts-run-as-killed-runs-do';

export const TWO_MODE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/patch/two-mode/plan.ts',
    [TEXTS],
    [
      {
        name: 'stubs-are-not-written',
        inside: 'Plan.writeStub',
        node: 'this.stubs.set(slot, text)',
        becomes: 'undefined',
        wrong: 'Calls that have a stub are made in the patched text.',
      },
      {
        name: 'what-is-live-is-asked-at-the-call',
        inside: 'Plan.writeStub',
        node: 'code.live[slot + 1] ?? 0',
        becomes: 'code.live[slot] ?? 0',
        wrong: 'Registers that are read by the call count as read behind it.',
      },
      {
        name: 'only-direct-callers-differ',
        inside: 'Plan.findDiffering',
        node: 'this.callees(slot, op).some((start) => found.has(start))',
        becomes: 'false',
        wrong: 'A function whose callee has a stub is taken to do as before after the kill.',
      },
      {
        name: 'a-callback-that-is-also-called-at-once-runs-later',
        inside: 'Plan.findLater',
        node: '!atOnce.has(start)',
        becomes: 'true',
        wrong: 'A function that is called back both at once and later counts as called later only.',
      },
      {
        name: 'calls-that-are-to-be-kept-are-stubbed',
        inside: 'Plan.writeStub',
        node: 'this.options.keep?.has(slot)',
        becomes: 'false',
        wrong: 'Sites that are to be kept are stubbed all the same.',
      },
      {
        name: 'the-high-half-of-live-stack-is-lost',
        inside: 'liveStackSlots',
        node: '(BigInt((high[slot] ?? 0) >>> 0) << 32n)',
        becomes: '0n',
        wrong: 'Stack below fp-256 counts as never read.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/two-mode.ts',
    [TEXTS],
    [
      {
        name: 'no-kill-before-a-call',
        inside: 'Builder.normal',
        node: "points === 'every' || differs",
        becomes: 'false',
        wrong: 'The kill comes before none of the insns.',
      },
      {
        name: 'functions-are-not-killed-while-they-run',
        inside: 'Builder.mayKillDuring',
        node: 'sub || this.plan.options.killsInCallbacks !== false',
        becomes: '!sub && this.plan.options.killsInCallbacks !== false',
        wrong: 'The kill does not come while a called function runs.',
      },
      {
        name: 'patched-text-calls-plain-functions',
        inside: 'Builder.patched',
        node: `this.relinked(op, slot, 'patched', \`\${scope} patched\`)`,
        becomes: "this.relinked(op, slot, 'plain', scope + ' patched')",
        wrong: 'After the kill functions are called as they were.',
      },
      {
        name: 'patched-text-gives-plain-callbacks',
        inside: 'Builder.patched',
        node: "callback.async ? 'killable' : 'patched'",
        becomes: "callback.async ? 'killable' : 'plain'",
        wrong: 'Helpers that run on after the kill call back what they were given before it.',
      },
      {
        name: 'callbacks-are-not-killed-while-they-run',
        inside: 'Builder.killedCall',
        node: "'killable'",
        becomes: "'plain'",
        wrong: 'The kill does not come while a callback runs.',
      },
      {
        name: 'whoever-is-killed-goes-on-unpatched',
        inside: 'Builder.killedCall',
        node: `\`\${scope} patched \${slot + slots(op)}\``,
        becomes: "scope + ' normal ' + String(slot + slots(op))",
        wrong: 'The caller of a function that was killed goes on as if it had not been.',
      },
      {
        name: 'a-killed-function-may-return-unkilled',
        inside: 'Builder.normal',
        node: "op.kind === 'exit' && variant === 'killed'",
        becomes: 'false',
        wrong: 'A call during which the kill comes may return without one.',
      },
      {
        name: 'async-callbacks-stay-plain',
        inside: 'Builder.patched',
        node: "callback.async ? 'killable' : 'patched'",
        becomes: "'patched'",
        wrong: 'A callback that is set after the kill and runs later is patched from its start.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/stub-text.ts',
    [TEXTS],
    [
      {
        name: 'registers-survive-a-stub',
        inside: 'ARGUMENTS',
        node: '0b111110',
        becomes: '0b111100',
        wrong: 'The value of r1 is kept over a stub.',
      },
      {
        name: 'fills-end-one-byte-early',
        inside: 'writeFill',
        node: 'offset < min',
        becomes: 'offset < min - 1',
        wrong: 'The last byte of output memory is not filled.',
      },
      {
        name: 'the-largest-variable-fill-is-left-out',
        inside: 'writeFill',
        node: "jump('le', sizeIn!, offset, done)",
        becomes: "jump('lt', sizeIn!, offset, done)",
        wrong: 'One byte more than the size is filled.',
      },
      {
        name: 'stores-are-wider-than-aligned',
        inside: 'widestStore',
        node: 'place % size === 0 && size <= left',
        becomes: 'size <= left',
        wrong: 'Stores to the stack need not be aligned.',
      },
      {
        name: 'unsigned-immediates-fit',
        inside: 'loadConstant',
        node: 'BigInt.asIntN(32, value) === value',
        becomes: 'BigInt.asUintN(32, value) === value || BigInt.asIntN(32, value) === value',
        wrong: 'An r0 of 0x80000000 is written as an immediate, which extends its sign.',
      },
      {
        name: 'sizes-need-not-be-guarded',
        inside: 'writeFill',
        node: 'jump(GT, sizeIn, max, labels.guard)',
        becomes: 'undefined',
        wrong: 'A killed run may have a larger size than the verifier saw.',
      },
      {
        name: 'unreadable-r0-is-readable',
        inside: 'stubText',
        node: '(site.live & 1) !== 0',
        becomes: '(site.live & 2) !== 0',
        wrong: 'A stub of a void function leaves the old r0 readable.',
      },
      {
        name: 'a-frame-is-256-bytes',
        inside: 'MAX_FILLED',
        node: '512',
        becomes: '511',
        wrong: 'Of 512 bytes only the first and the last are filled.',
      },
      {
        name: 'smallest-size-is-largest',
        inside: 'fillOf',
        node: 'lesser(num.umin, least)',
        becomes: 'lesser(num.umax, least)',
        wrong: 'The smallest size that the verifier saw is not known.',
      },
      {
        name: 'variable-fill-writes-one-byte-too-many',
        inside: 'writeFill',
        node: "jump('le', sizeIn!, offset, done)",
        becomes: "jump('lt', sizeIn!, offset, done)",
        wrong: 'A stub in plain BPF that zeroes a buffer of variable size also zeroes the byte behind it.',
      },
      {
        name: 'maps-of-other-types-count-for-the-size-of-a-value',
        inside: 'valueSize',
        node: 'types === undefined || types.includes(type)',
        becomes: 'true',
        wrong:
          'A stub that fills a map value is left out as soon as any other map of the program has values of another size.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/callbacks.ts',
    [TEXTS],
    [
      {
        name: 'the-last-pointer-loaded-is-the-callback',
        inside: 'callbackTargets',
        node: '!joins.has(at + 1)',
        becomes: 'true',
        wrong: 'The callback is read off insns that a jump may pass by.',
      },
      {
        name: 'callback-is-sought-across-joins',
        inside: 'callbackTargets',
        node: '!joins.has(at + 1)',
        becomes: 'true',
        wrong:
          'Where branches that load different callbacks meet before a call, only the callback of the last branch is taken for its target.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/lines.ts',
    [TEXTS],
    [
      {
        name: 'nothing-behind-a-goto-is-reached',
        inside: 'jumps',
        node: "op.kind === 'may_goto'",
        becomes: 'false',
        wrong: 'Text that only a may_goto leads to is left out.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/unwritten.ts',
    [TEXTS],
    [
      {
        name: 'one-free-half-is-enough',
        inside: 'unwrittenWindows',
        node: '!free(at + 8)',
        becomes: 'false',
        wrong: 'A dynptr is put over stack of which the second half is still read.',
      },
      {
        name: 'window-may-end-in-a-live-slot',
        inside: 'unwrittenWindows',
        node: '!both.some((byte) => left.has(byte)) || !free(at) || !free(at + 8)',
        becomes: '!both.some((byte) => left.has(byte)) || !free(at)',
        wrong:
          'A dynptr that makes unwritten stack unreadable may overwrite a slot beside it that is read later.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/unwritten.ts',
    ['patch/windows-lie-where-every-visit-leaves-bytes-unwritten'],
    [
      {
        name: 'visits-may-differ-in-size',
        inside: 'unwrittenWindows',
        node: 'range[1] !== first[1]',
        becomes: 'false',
        wrong: 'Stack is hidden by the size that the first visit of a call has, whatever the others have.',
      },
    ],
  ),
];
