/** How rows tell what a program runs in the place of. */
import type { Program } from '../../object/program.js';

/** `FILE:FUNCTION`; nothing for a program that replaces none. */
export function replacedOf({ replaces }: Program): { readonly replaces?: string } {
  if (replaces === undefined) return {};
  const { file, function: name } = replaces;
  return { replaces: file === undefined ? name : `${file}:${name}` };
}
