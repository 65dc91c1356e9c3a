/** Which kind of program an ELF section holds, by its name. Follows section_defs of libbpf. */
import type { ProgType } from './program.js';

const KINDS: readonly (readonly [RegExp, ProgType])[] = [
  [/^xdp(?:[._/].*)?$/, 'xdp'],
  [/^(?:tc|tcx|classifier|action)(?:[._/].*)?$/, 'tc'],
  [/^socket(?:[._/\d].*)?$/, 'socket_filter'],
  [/^(?:tp|tracepoint)(?:\.s)?(?:\/.*)?$/, 'tracepoint'],
  [/^syscall(?:\.s)?$/, 'syscall'],
];

/**
 * Type of the programs in a section; undefined for kinds that are not modelled. A leading `?` (libbpf: do not load
 * unless told to) makes no difference.
 */
export function programKind(
  section: string,
): { readonly type: ProgType; readonly sleepable: boolean } | undefined {
  const name = section.replace(/^\?/, '');
  const type = KINDS.find(([pattern]) => pattern.test(name))?.[1];
  // Linux loads syscall programs only as sleepable ones.
  return type && { type, sleepable: type === 'syscall' || /\.s(?:\/|$)/.test(name) };
}

/** Sections of subprograms only: nothing in them is a program of its own. */
export function isSubprogSection(section: string): boolean {
  return section === '.text' || section.startsWith('.text.');
}
