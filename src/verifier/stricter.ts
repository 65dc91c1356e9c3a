/**
 * The messages with which this verifier refuses programs that Linux 6.18 may accept. docs/stricter-than-linux.md explains each, and what
 * Linux does instead.
 */

/** Our messages about programs that Linux accepts. */
export const STRICTER: readonly RegExp[] = [
  /must point to scalar/,
  /infinite loop/,
  /too large|too complex/,
  /workqueue pointer/,
  /pointer comparison prohibited/,
  /^cannot pass in \w+( flag)? at an offset=/,
  /^invalid read from stack/,
  /on rdonly_untrusted_mem prohibited/,
  /type ID argument must be of a struct/,
  /^BPF_ATOMIC loads from/,
  /^invalid bpf_context access off=-/,
  /type=ctx expected=fp, pkt/,
  /^Possibly NULL pointer passed to trusted arg/,
  /^R\d must be referenced or trusted$/,
  /^R\d must have zero offset when passed to release func/,
  /^jump into the bpf_fastcall pattern/,
  /^R\d may not have the stack pointer of a called function added to it$/,
  /^callback address is that of the main program$/,
  /^arg#\d is expected to be non-NULL$/,
  /^R\d invalid mem access 'map_ptr'$/,
  /^a store of a pointer into an unreferenced kptr$/,
  /^cannot use BPF_LD_\[ABS\|IND\] within callback$/,
];

/**
 * Finds the line of a refusal that is such a message; undefined if there is none. All lines are searched, because some messages have two.
 */
export function stricterLine({ lines }: { readonly lines: readonly string[] }): string | undefined {
  return lines.find((line) => STRICTER.some((words) => words.test(line)));
}
