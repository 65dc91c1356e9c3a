/** One program in the running kernel and in the VM, on the same packet and context. */
import { expect } from 'vitest';
import { seenPart } from '../../../src/campaign/agreement/values/test-run-types.js';
import type { Program } from '../../../src/object/program.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { type TestInput, testRun } from '../../../src/oracle/testrun.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { Vm } from '../../../src/vm/vm.js';

/** r0 as the kernel returns it, with packet and context afterwards; undefined for a program that it refuses. */
export function inKernel(program: Program, input: TestInput = {}) {
  const loaded = loadProgram(program);
  if (!loaded.ok) return { refused: loaded.message } as const;
  try {
    const result = testRun(program, loaded, input);
    if (!result.ok) throw new Error(result.message);
    return result;
  } finally {
    loaded.close();
  }
}

/** What a program is run on, and what functions answer in the VM where that is not for it to say. */
export interface Input extends TestInput {
  readonly choices?: Readonly<Record<string, string>>;
  /** Members of the context that are not 0 in the VM, where Linux makes the context. */
  readonly members?: Readonly<Record<string, bigint>>;
}

/** The same in the VM, with the checks that broke. */
export function inVm(program: Program, input: Input = {}, tier: 'fast' | 'definitional' = 'fast') {
  const env = {
    choices: new Map(Object.entries(input.choices ?? {})),
    ...(input.data && { packet: seenPart(program.type, input.data) }),
    ...(input.ctx && { ctx: input.ctx }),
    ...(input.members && { ctxFields: new Map(Object.entries(input.members)) }),
  };
  const vm = new Vm(program, { env, tier });
  const { r0, violations } = vm.run();
  const { packet, memory, ctx } = vm.machine;
  return {
    violations,
    retval: Number(r0 & 0xffff_ffffn),
    packet: memory.get(packet.region)!.bytes.slice(packet.meta, packet.end),
    ctx: memory.get(ctx)!.bytes,
  };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Both do the same: r0, the packet and the context afterwards. Answers r0. Throws if Linux refuses the program. */
export function sameInBoth(text: string, input: Input = {}, about = text): number {
  const { program } = parseCase(text);
  const kernel = inKernel(program, input);
  if ('refused' in kernel) throw new Error(`${about}: ${kernel.refused}`);
  const theirs = {
    r0: kernel.retval | 0,
    packet: input.data && hex(seenPart(program.type, kernel.dataOut)),
    ctx: input.ctx && hex(kernel.ctxOut),
  };
  for (const tier of ['fast', 'definitional'] as const) {
    const vm = inVm(program, input, tier);
    expect(vm.violations, about).toEqual([]);
    const ours = {
      r0: vm.retval | 0,
      packet: input.data && hex(vm.packet),
      ctx: input.ctx && hex(vm.ctx.slice(0, input.ctx.length)),
    };
    expect(ours, about).toEqual(theirs);
  }
  return theirs.r0;
}
