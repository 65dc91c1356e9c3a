/** Tells whether a program may have been refused only because its text lacks the BTF types that its source had. */
import { progType } from '../kernel/progtypes.js';
import type { Program } from '../object/program.js';

/**
 * One sentence on the types that the program would need, if the refusal may come from their absence; else undefined. `message` and `slot`
 * are those of the refusal.
 */
export function missingTypes(program: Program, message: string, slot: number): string | undefined {
  const target = program.attach?.target;
  if (
    progType(program.type).arguments === true &&
    target !== undefined &&
    program.kernelTypes === undefined &&
    /\bscalar\b/.test(message)
  )
    return `the text has no types of the arguments of '${target}' (.kernel_args): write it again from its source`;
  const index = program.subprogs.findLastIndex(({ start }) => start <= slot);
  const func = program.subprogs[index];
  if (func === undefined || index === 0 || func.linkage !== 'global' || func.btfId !== undefined)
    return undefined;
  if (!/^R[1-5] !read_ok$/.test(message)) return undefined;
  return `the text has no types of the arguments of '${func.name}' (.func): write it again from its source`;
}
