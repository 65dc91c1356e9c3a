/** How the running kernel behaves where kernels are known to differ: small programs that one kind of kernel takes and another does not. */
import { MAX_FRAMES } from '../../isa/insn.js';
import { type Behaviour, BUILT_IN } from '../../kernel/profile.js';
import type { Program } from '../../object/program.js';
import { parseCase } from '../../vm/case.js';
import { kernelFunctionId } from '../btf.js';
import { loadProgram } from '../load.js';
import { testRun } from '../testrun.js';

const program = (text: string): Program => parseCase(text).program;

/** A look-up that is given NULL, of no size, for all its memory: `nullKfuncMemory`. */
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

/** A chain of calls this many frames deep. */
function chain(frames: number): Program {
  const names = Array.from({ length: frames - 1 }, (_, i) => `f${i + 1}`);
  const calls = ['main', ...names].map((name, i) => {
    const next = names[i];
    return `${name}:\n${next === undefined ? '' : `    call ${next}\n`}    r0 = 0\n    exit\n`;
  });
  return program(`.type socket_filter\n${calls.join('')}`);
}

/** Frames that later kernels allow. */
const MOST_FRAMES = 16;

/** Leaves a may_goto loop by itself after more rounds than a counting kernel allows (BPF_MAX_LOOPS): r0 is 1 where the loop is timed. */
const MAY_GOTO = program(`.type syscall
main:
    r1 = 0
    r0 = 0
round:
    may_goto out
    r1 += 1
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

/** What is asked in some milliseconds. A question that this kernel cannot be put is answered as by the built-in profile. */
export function runningBehaviour(): Behaviour {
  const lookup = NULL_MEMORY.find(([name]) => kernelFunctionId(name) !== undefined);
  const hasRcu = kernelFunctionId('bpf_rcu_read_lock') !== undefined;
  let frames = 1;
  for (const depth of [MAX_FRAMES, MOST_FRAMES]) if (takes(chain(depth))) frames = depth;
  return {
    nullKfuncMemory: lookup === undefined ? BUILT_IN.behaviour.nullKfuncMemory : takes(lookup[1]),
    nestedRcu: hasRcu && takes(NESTED_RCU),
    frames,
    timedMayGoto: isTimed() ?? BUILT_IN.behaviour.timedMayGoto,
  };
}

/** Undefined where the kernel knows no may_goto, or runs no tests. */
function isTimed(): boolean | undefined {
  const loaded = loadProgram(MAY_GOTO, { explain: false });
  if (!loaded.ok) return undefined;
  try {
    const run = testRun(MAY_GOTO, loaded, {});
    return run.ok ? run.retval === 1 : undefined;
  } finally {
    loaded.close();
  }
}
