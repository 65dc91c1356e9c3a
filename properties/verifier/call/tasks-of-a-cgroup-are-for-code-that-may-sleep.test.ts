/**
 * The tasks of a cgroup may be gone through where the program may sleep: in the main function of a sleepable program and in what it calls, but not
 * in the callback of a timer, which never sleeps (check_css_task_iter_allowlist). Linux says the same of each.
 */
import { describe, expect, it } from 'vitest';
import { loadProgram } from '../../../src/oracle/load.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { describeKernel } from '../../support/kernel/skip.js';

/** Goes through the tasks of a cgroup. */
const THROUGH = `    r1 = 1
    call bpf_cgroup_from_id
    if r0 == 0x0 goto none
    r6 = r0
    r1 = r10
    r1 += -24
    r2 = r6
    r3 = 0
    call bpf_iter_css_task_new
    r1 = r10
    r1 += -24
    call bpf_iter_css_task_destroy
    r1 = r6
    call bpf_cgroup_release
none:
    r0 = 0
    exit
`;
const HEAD = '.type syscall\n.sleepable\n.map t array key=4 value=16 entries=1 timer@0\n';
const later = (set: string): string => `${HEAD}main:
    r1 = mapvalue t
    r2 = func later
    ${set}
    r0 = 0
    exit
later:
${THROUGH}`;

const PROGRAMS: Readonly<Record<string, readonly [string, boolean]>> = {
  'in the main function': [`${HEAD}main:\n${THROUGH}`, true],
  'in a function that it calls': [
    `${HEAD}main:\n    call through\n    r0 = 0\n    exit\nthrough:\n${THROUGH}`,
    true,
  ],
  'in the callback of a timer': [later('call bpf_timer_set_callback'), false],
};

describe('going through the tasks of a cgroup', () => {
  it.each(Object.entries(PROGRAMS))('%s', (_, [text, ok]) => {
    const verdict = verify(parseCase(text).program, { facts: false });
    expect([verdict.ok, verdict.ok ? '' : verdict.message]).toEqual([
      ok,
      ok ? '' : 'css_task_iter is only allowed in bpf_lsm, bpf_iter and sleepable progs',
    ]);
  });
});

describeKernel('Linux says the same of going through them', () => {
  it.each(Object.entries(PROGRAMS))('%s', (_, [text, ok]) => {
    const result = loadProgram(parseCase(text).program);
    if (result.ok) result.close();
    else if (result.stage !== 'program') return;
    expect(result.ok).toBe(ok);
  });
});
