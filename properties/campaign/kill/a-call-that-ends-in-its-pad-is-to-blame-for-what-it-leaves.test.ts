/**
 * Where a killed call ends in its landing pad and something stays held, that call is the cause; the case that is written of it replays, also
 * when it is shrunk; and campaigns for kernels with landing pads draw programs that have them.
 */
import { expect, it } from 'vitest';
import { killBeforeEveryInsn } from '../../../src/campaign/kill/kill-everywhere.js';
import {
  caseOf,
  causeOfBroken,
  pathOf,
  prepareProgram,
  replayed,
  runOptions,
} from '../../../src/campaign/kill/prepared-program.js';
import { shrinkCase } from '../../../src/campaign/shrink/shrink.js';
import { constraintsOf } from '../../../src/campaign/threads/job.js';
import { BUILT_IN } from '../../../src/kernel/profile.js';
import { rule, ruleSet } from '../../../src/patch/define.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { printCase } from '../../../src/vm/case/print.js';
import { padProgram, WITH_PADS } from '../../support/pads/pads.js';

/** `work` is left in the middle of an RCU section. */
const LEAKY = padProgram(`main:
    r7 = 1
    call work
    unwind_goto pad
    r0 = 0
    exit
pad:
    r0 = r7
    r0 = 0
    exit
work:
    r6 = 5
    call bpf_rcu_read_lock
    call bpf_get_smp_processor_id
    call bpf_ktime_get_ns
    call bpf_rcu_read_unlock
    call bpf_get_prandom_u32
    if r0 > 7 goto away
    r0 = 0
    exit
away:
    r0 = 0
    unwind_exit
`);

const rules = ruleSet('unwinding', [
  rule('the time ends in the pad')
    .when((f) => f.name === 'bpf_ktime_get_ns')
    .unwind(),
  rule('the processor is 0')
    .when((f) => f.name === 'bpf_get_smp_processor_id')
    .stub({ r0: 0 }),
]);
const named = { name: 'unwinding', rules };

it('the call is blamed, and the case replays as it is and shrunk', () => {
  const prepared = prepareProgram(LEAKY, 'privileged', { kernel: WITH_PADS });
  if (typeof prepared === 'string') throw new Error(prepared);
  const path = pathOf(prepared, rules);
  const { broken } = killBeforeEveryInsn(prepared.code, runOptions(prepared, path));
  const leak = broken.find(({ violation }) => violation.check === 'leak')!;
  const cause = causeOfBroken(prepared, path, leak);
  expect(cause).toMatchObject({
    check: 'leak',
    rule: 'the time ends in the pad',
    function: 'bpf_ktime_get_ns',
  });
  const one = parseCase(printCase(caseOf(prepared, named, leak, [])));
  expect(one.kernel?.behaviour.landingPads).toBe(true);
  expect(replayed(one, rules)).toMatchObject({ ok: true });
  const small = shrinkCase(one, { rules: named, profile: 'privileged', kernel: WITH_PADS, cause });
  const shrunk = parseCase(small.text);
  expect(shrunk.program.insns.length).toBeLessThan(LEAKY.insns.length);
  expect(replayed(shrunk, rules)).toMatchObject({ ok: true });
});

it('campaigns draw programs with pads just for kernels that have them', () => {
  const setting = { seed: 1, rules: [], worlds: 1, prove: false, kernel: false };
  expect(constraintsOf({ ...setting, kernelProfile: WITH_PADS })).toEqual({ landingPads: true });
  expect(constraintsOf({ ...setting, kernelProfile: BUILT_IN })).toEqual({});
  expect(constraintsOf(setting)).toEqual({});
});
