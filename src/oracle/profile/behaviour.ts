/**
 * Finds out how the running kernel behaves where kernels are known to differ. Each question is a small program that some kernels accept
 * and others refuse.
 */
import { MAX_FRAMES, MOST_FRAMES } from '../../isa/insn.js';
import { type Behaviour, BUILT_IN } from '../../kernel/profile.js';
import type { Program } from '../../object/program.js';
import { parseCase } from '../../vm/case/case.js';
import { kernelFunctionId, kernelShowsBtf, runningKernelTypes } from '../btf.js';
import { loadProgram } from '../load.js';
import { testRun } from '../testrun.js';

const program = (text: string): Program => parseCase(text).program;

/** Asks for `nullKfuncMemory`: a look-up with NULL and size 0 for all its memory. */
const nullMemory = (
  name: string,
  args: number,
  release: string,
): readonly [kfunc: string, asked: Program] => [
  name,
  program(`.type xdp
main:
${Array.from({ length: args - 1 }, (_, i) => `    r${i + 2} = 0`).join('\n')}
    call ${name}
    if r0 == 0 goto out
    r1 = r0
    call ${release}
out:
    r0 = 0
    exit
`),
];

const NULL_MEMORY = [
  nullMemory('bpf_xdp_ct_lookup', 5, 'bpf_ct_release'),
  nullMemory('bpf_xdp_get_xfrm_state', 3, 'bpf_xdp_xfrm_state_release'),
];

const NESTED_RCU = program(`.type tracepoint
main:
    call bpf_rcu_read_lock
    call bpf_rcu_read_lock
    call bpf_rcu_read_unlock
    call bpf_rcu_read_unlock
    r0 = 0
    exit
`);

/**
 * A cgroup that is protected by RCU and not trusted, for what is part of it: `lesserKfuncPointers`. Undefined where this kernel has not all that
 * leads there.
 */
function lesserPointer(): Program | undefined {
  const types = runningKernelTypes();
  const ofTask = types.member('task_struct', 'cgroups');
  const ofSet = types.member('css_set', 'dfl_cgrp');
  if (ofTask === undefined || ofSet === undefined || kernelFunctionId('css_rstat_updated') === undefined)
    return undefined;
  return program(`.type tracepoint
main:
    call bpf_get_current_task_btf
    r1 = *(u64 *)(r0 + ${ofTask.offset})
    r1 = *(u64 *)(r1 + ${ofSet.offset})
    r2 = 0
    call css_rstat_updated
    r0 = 0
    exit
`);
}

const ORDERED_ACCESS = program(`.type socket_filter
main:
    *(u64 *)(r10 - 8) = 0
    r0 = load_acquire((u64 *)(r10 - 8))
    exit
`);

const SIGNED_INSNS = program(`.type socket_filter
main:
    r1 = 1
    r0 = (s8)r1
    r0 = bswap64 r0
    r0 s/= 2
    exit
`);

const CALLED_BACK = program(`.type xdp
main:
    r1 = 1
    r2 = func round
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
round:
    r0 = 0
    exit
`);

/** Two frames that do not both fit on the kernel's stack. */
const LARGE_FRAMES = program(`.type tracepoint
main:
    *(u64 *)(r10 - 400) = 0
    call deeper
    exit
deeper:
    *(u64 *)(r10 - 400) = 0
    r0 = 0
    exit
`);

/** A chain of calls this many frames deep. */
function chain(frames: number): Program {
  const names = Array.from({ length: frames - 1 }, (_, i) => `f${i + 1}`);
  const calls = ['main', ...names].map((name, i) => {
    const next = names[i];
    return `${name}:\n${next === undefined ? '' : `    call ${next}\n`}    r0 = 0\n    exit\n`;
  });
  return program(`.type socket_filter\n${calls.join('')}`);
}

const MAY_GOTO = program(`.type socket_filter
main:
    r0 = 0
    may_goto out
    r0 = 1
out:
    exit
`);

/** A subprogram that is left both ways, and a caller with a landing pad. */
const LANDING_PAD = program(`.type socket_filter
main:
    call work
    unwind_goto pad
    r0 = 0
    exit
pad:
    r0 = 1
    exit
work:
    call bpf_get_prandom_u32
    if r0 > 7 goto away
    exit
away:
    unwind_exit
`);

/**
 * Leaves a may_goto loop by itself after more rounds than a counting kernel allows (BPF_MAX_LOOPS): r0 is 1 where the loop is timed. Rounds are
 * counted in a map, where the verifier does not follow them.
 */
const MANY_ROUNDS = program(`.type syscall
.map rounds array key=4 value=8 entries=1
main:
    r6 = mapvalue rounds
    r0 = 0
round:
    may_goto out
    r1 = *(u64 *)(r6 + 0)
    r1 += 1
    *(u64 *)(r6 + 0) = r1
    if r1 < 8400000 goto round
    r0 = 1
out:
    exit
`);

function takes(asked: Program): boolean {
  const result = loadProgram(asked, { explain: false });
  if (result.ok) result.close();
  return result.ok;
}

/** The questions that take only milliseconds. If this kernel cannot be asked one of them, the built-in profile's answer is used. */
export function runningBehaviour(): Behaviour {
  const has = (name: string): boolean => kernelShowsBtf() && kernelFunctionId(name) !== undefined;
  const lookup = NULL_MEMORY.find(([name]) => has(name));
  const lesser = kernelShowsBtf() ? lesserPointer() : undefined;
  let frames = 1;
  for (const depth of [MAX_FRAMES, MOST_FRAMES]) if (takes(chain(depth))) frames = depth;
  return {
    nullKfuncMemory: lookup === undefined ? BUILT_IN.behaviour.nullKfuncMemory : takes(lookup[1]),
    lesserKfuncPointers: lesser === undefined ? BUILT_IN.behaviour.lesserKfuncPointers : takes(lesser),
    nestedRcu: has('bpf_rcu_read_lock') && takes(NESTED_RCU),
    frames,
    mayGoto: takes(MAY_GOTO),
    timedMayGoto: isTimed() ?? BUILT_IN.behaviour.timedMayGoto,
    landingPads: takes(LANDING_PAD),
    orderedAccess: takes(ORDERED_ACCESS),
    signedInsns: takes(SIGNED_INSNS),
    compiled: takes(CALLED_BACK),
    privateStack: takes(LARGE_FRAMES),
  };
}

/** Undefined where the kernel knows no may_goto, or runs no tests of such programs. */
function isTimed(): boolean | undefined {
  const loaded = loadProgram(MANY_ROUNDS, { explain: false });
  if (!loaded.ok) return undefined;
  try {
    const run = testRun(MANY_ROUNDS, loaded, {});
    return run.ok ? run.retval === 1 : undefined;
  } finally {
    loaded.close();
  }
}
