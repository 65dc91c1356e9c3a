/** Mutants of landing pads: of their insns, of the verifier and the VM, of rules that let a call end in one, and of the proof of these. */
import { type Mutant, mutantsOf } from './mutant.js';

const WALKED = 'verifier/walk/a-landing-pad-is-walked-like-any-code';
const RUN = 'vm/insn/a-run-goes-to-the-landing-pad-just-after-unwind-exit';
const RULE = 'patch/a-rule-may-let-a-call-end-in-its-landing-pad';
const PROVEN = 'smt/calls-go-to-their-landing-pads-where-there-are-some';

export const PAD_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/isa/decode.ts',
    ['isa/known-encodings-decode-as-the-kernel-and-llvm-say'],
    [
      {
        name: 'any-source-register-makes-an-unwind-goto',
        inside: 'decodeJmp',
        node: 'insn.src === BPF_UNWIND_GOTO',
        becomes: 'insn.src !== BPF_MAY_GOTO',
        wrong: 'A pseudo jump of a number that nobody has defined is taken for unwind_goto.',
      },
      {
        name: 'any-source-register-makes-an-unwind-exit',
        inside: 'decodeJmp',
        node: 'insn.src === BPF_UNWIND_EXIT',
        becomes: 'insn.src !== 0',
        wrong: 'An exit of a number that nobody has defined is taken for unwind_exit.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/text/known-insns.ts',
    ['verifier/nothing-but-the-profile-tells-kernels-apart'],
    [
      {
        name: 'every-kernel-has-landing-pads',
        inside: 'padRefusal',
        node: 'kernel.landingPads',
        becomes: 'true',
        wrong: 'Programs with landing pads are accepted for kernels that do not know them.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/text/pads.ts',
    [WALKED],
    [
      {
        name: 'a-call-of-a-helper-may-have-a-pad',
        inside: 'checkPads',
        node: "call.target !== 'subprog'",
        becomes: 'false',
        wrong: 'A call of a helper may be followed by unwind_goto.',
      },
      {
        name: 'a-jump-may-lead-to-unwind-goto',
        inside: 'checkPads',
        node: "ops[to]?.kind === 'unwind_goto'",
        becomes: 'false',
        wrong: 'A jump may lead to unwind_goto, where no function was called before.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/insn-step.ts',
    [WALKED],
    [
      {
        name: 'pads-are-not-walked',
        inside: 'InsnStep.unwindGoto',
        node: 'unwound ? pad : slot + 1',
        becomes: 'slot + 1',
        wrong: 'A landing pad is never walked, so it may do anything.',
      },
      {
        name: 'callbacks-may-unwind',
        inside: 'InsnStep.unwindExit',
        node: 'callback !== undefined',
        becomes: 'false',
        wrong: 'A callback is told apart from other functions only by its call having no pad.',
      },
      {
        name: 'r0-of-the-last-call-reaches-the-pad',
        inside: 'InsnStep.leaveEarly',
        node: 'path.setReg(0, nullReg);',
        becomes: '',
        wrong: 'What r0 was before a killed call is there in the pad that the call led to.',
        noticedBy: [PROVEN],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/states-equal.ts',
    [WALKED],
    [
      {
        name: 'how-a-function-left-is-not-compared',
        inside: 'StateComparison.covers',
        node: 'old.unwound !== cur.unwound',
        becomes: 'false',
        wrong: 'A path that goes to the pad is taken for one that goes on behind the call.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/calls.ts',
    [WALKED],
    [
      {
        name: 'pads-of-global-functions-are-not-walked',
        inside: 'Calls.pushUnwound',
        node: 'this.push(slot + 1);',
        becomes: '',
        wrong: 'The pad of a call of a global function is not walked.',
      },
      {
        name: 'a-global-function-may-unwind-to-nowhere',
        inside: 'Calls.pushUnwound',
        node: 'this.unwinding.has(target)',
        becomes: 'false',
        wrong: 'A global function that unwinds may be called without a pad.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/call/invoke.ts',
    [PROVEN],
    [
      {
        name: 'unwind-exit-comes-back-behind-the-call',
        inside: 'leaveUnwinding',
        node: 'machine.unwound = true;',
        becomes: '',
        wrong: 'A run does not go to the pad after unwind_exit.',
        noticedBy: [RUN],
      },
      {
        name: 'a-killed-call-unwinds-without-a-pad',
        inside: 'goesToPad',
        node: 'unwinds.pads.has(frame.callsite)',
        becomes: 'true',
        wrong: 'A killed call leaves its function although the call of that function has no pad.',
      },
      {
        name: 'calls-unwind-before-the-kill',
        inside: 'goesToPad',
        node: 'killed ? options.fastPath?.unwinds : undefined',
        becomes: 'options.fastPath?.unwinds',
        wrong: 'Calls end in their pads in runs that nobody has killed.',
      },
      {
        name: 'r0-in-the-pad-of-a-killed-call-is-large',
        inside: 'callFunction',
        node: 'machine.write(0, 0n);',
        becomes: 'machine.write(0, 64n);',
        wrong: 'A killed call leads to its pad with another number than 0 in r0.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/machine.ts',
    [RUN],
    [
      {
        name: 'a-fork-forgets-that-it-unwinds',
        inside: 'MachineState.fork',
        node: 'copy.unwound = this.unwound;',
        becomes: '',
        wrong: 'A run that is forked behind an unwind_exit goes on behind the call.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/unwinding.ts',
    [RULE, PROVEN],
    [
      {
        name: 'a-dead-pad-is-a-pad',
        inside: 'livePads',
        node: 'facts.at(slot + 1).some(({ state }) => state.unwound === true)',
        becomes: 'true',
        wrong: 'A pad counts that no ordinary run comes to, and that Linux takes out.',
      },
      {
        name: 'one-call-with-a-pad-is-enough',
        inside: 'landingOf',
        node: "calls.includes(false) ? 'some' : 'pad'",
        becomes: "'pad'",
        wrong: 'A global function is held to have a pad although one of its calls has none.',
        noticedBy: [PROVEN],
      },
      {
        name: 'a-static-function-has-any-pad',
        inside: 'landingOf',
        node: 'pads.has(callsite)',
        becomes: 'pads.size > 0',
        wrong: 'A function has a pad if any call of the program has one.',
        noticedBy: [PROVEN],
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/situations.ts',
    [RULE],
    [
      {
        name: 'rules-for-sites-with-a-pad-are-not-asked',
        inside: 'decisionsIn',
        node: '[false, true]',
        becomes: '[false]',
        wrong: 'What a rule set decides at call sites with a pad is not looked at.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/guard.ts',
    [RULE],
    [
      {
        name: 'an-answer-serves-sites-with-and-without-a-pad',
        inside: 'keyOf',
        node: "site.hasPad ? ' with a pad' : ''",
        becomes: "''",
        wrong: 'The answer for a site with a pad is given again for one without.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/patched.ts',
    [PROVEN],
    [
      {
        name: 'no-walk-begins-at-a-call-that-unwinds',
        inside: 'mayLeaveNormalPath',
        node: "landingAt(path, code.ops, visit.slot, visit.state) !== 'none'",
        becomes: 'false',
        wrong: 'The way from a call that ends in its pad is not walked.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/patched-graph.ts',
    [PROVEN],
    [
      {
        name: 'a-call-that-unwinds-limits-its-loop',
        inside: 'PatchedGraph.limit',
        node: 'this.isUnwound(v)',
        becomes: 'false',
        wrong: 'A loop counts as bounded by an iterator whose next function killed runs never call.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/program-proof.ts',
    [PROVEN],
    [
      {
        name: 'a-pad-in-one-state-is-enough',
        inside: 'withPad',
        node: 'visits.every',
        becomes: 'visits.some',
        wrong: 'A call that ends in a pad in some states raises no concern in the others, where it is kept.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/rule-proof.ts',
    [RULE],
    [
      {
        name: 'a-rule-that-unwinds-is-proven',
        inside: 'proveOne',
        node: "unwinds ? { ...head, verdict: 'unknown', reason: PAD_DECIDES } : { ...head, verdict: 'proven' }",
        becomes: "{ ...head, verdict: 'proven' }",
        wrong: 'A rule that lets calls end in pads is proven for programs whose pads nobody has seen.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/certify.ts',
    [RULE],
    [
      {
        name: 'pads-are-certified',
        inside: 'certifyAsLoaded',
        node: 'hasPads(verified.code)',
        becomes: 'false',
        wrong: 'A program with landing pads is written as a two-mode program, which has no words for them.',
      },
    ],
  ),
];
