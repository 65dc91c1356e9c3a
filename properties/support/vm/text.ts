/** Pieces of program text. */

/** Insns, one a line. */
export const lines = (...rows: readonly string[]): string => rows.map((row) => `    ${row}\n`).join('');

/** Calls a function with these arguments in r1 and up; `fp-8` is an address on the stack. */
export function call(name: string, ...args: readonly string[]): string {
  const loads = args.flatMap((arg, index) => {
    const stack = /^fp(-\d+)$/.exec(arg)?.[1];
    const reg = `r${index + 1}`;
    return stack === undefined ? [`${reg} = ${arg}`] : [`${reg} = r10`, `${reg} += ${stack}`];
  });
  return lines(...loads, `call ${name}`);
}

/** Mixes r0 into r9, which starts at 0, so that one number in the end tells all that was answered. */
export const note = lines('r9 *= 31', 'r9 += r0');

/** Ends a program with what was noted, both halves of it. */
export const answer = lines('r0 = r9', 'r9 >>= 32', 'r0 ^= r9', 'exit');

/** What can lie above the low 32 bits of an argument: insns that put it there. They use r7. */
export const ABOVE = {
  zeroes: (reg: string) => [`${reg} <<= 32`, `${reg} >>= 32`],
  ones: (reg: string) => ['r7 = 0xffffffff00000000 ll', `${reg} |= r7`],
  'other bits': (reg: string) => ['r7 = 0x1234567800000000 ll', `${reg} ^= r7`],
} as const;

/** A call of which something else lies above the low 32 bits of one argument (r1 is 1). */
export const withAbove = (
  what: keyof typeof ABOVE,
  at: number,
  name: string,
  ...args: readonly string[]
): string =>
  call(name, ...args).replace(`    call ${name}`, `${lines(...ABOVE[what](`r${at}`))}    call ${name}`);
