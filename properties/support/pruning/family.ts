/**
 * Programs whose two paths meet at one insn with states that differ in one thing. The first path is walked to its end; then the verifier
 * has to decide whether the state that it kept covers the state of the second path. If it does so wrongly, the second path is not
 * walked on, and what goes wrong on it is missed; if it does not where Linux does, it walks more than Linux.
 */
import type { Program } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';

/** What differs, how it is made, and what is done with it. `@` in a text stands for the number of the path, so that labels differ. */
export interface Family {
  readonly name: string;
  /** `tc` unless told. */
  readonly type?: string;
  /** Maps and other directives. */
  readonly directives?: string;
  /** Runs before the paths part. r9 is the context. */
  readonly before?: string;
  /** Ways to make the state. Every ordered pair of them is one program. */
  readonly setups: Readonly<Record<string, string>>;
  /** What both paths do where they have met. Ends by falling off its end, or at `out`; `bad` is an access that is refused. */
  readonly tails: Readonly<Record<string, string>>;
  /** Subprograms by name. A program has those that it calls. */
  readonly functions?: Readonly<Record<string, string>>;
  /** Those of them that are global. */
  readonly globals?: readonly string[];
  /** In which profiles it is judged; `privileged` unless told. */
  readonly profiles?: readonly ('privileged' | 'strict')[];
  /** Setups are only paired with these first ones: keeps large families small. */
  readonly firsts?: readonly string[];
}

export interface Meeting {
  /** The family, and what is done where the paths meet. */
  readonly group: string;
  /** Which path is first, and which is second. */
  readonly pair: string;
  /** The pair whose two paths are both the first one of this. */
  readonly alone: string;
  readonly profile: 'privileged' | 'strict';
  /** Parsed when it is asked for. */
  readonly program: Program;
}

const lines = (text: string): string =>
  text
    .split(/[;\n]/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => (line.endsWith(':') ? line : `    ${line}`))
    .join('\n');

/** Insns without effect: a state is kept for pruning only after eight insns and two jumps (is_state_visited). */
const EIGHT_INSNS = 'r5 = 1;'.repeat(8);

/** The functions that a text calls, and those that they call. */
function calledBy(text: string, functions: Readonly<Record<string, string>>): readonly string[] {
  const found: string[] = [];
  const visit = (caller: string): void => {
    for (const [, name] of caller.matchAll(/(?:call|func) (\w+)/g)) {
      const body = functions[name!];
      if (body === undefined || found.includes(name!)) continue;
      found.push(name!);
      visit(body);
    }
  };
  visit(text);
  return found;
}

/** The text of one program: the path of `first` is walked before that of `second`. */
function meetingText(family: Family, first: string, second: string, tail: string): string {
  const setup = (name: string, path: number): string => family.setups[name]!.replaceAll('@', String(path));
  const paths = `${family.before ?? ''};${setup(first, 1)};${setup(second, 2)};${family.tails[tail]!}`;
  const functions = calledBy(paths, family.functions ?? {});
  // An insn that nothing leads to is refused.
  const bad = paths.includes('goto bad');
  const falls = !family.tails[tail]!.endsWith('exit') || paths.includes('goto out');
  const globals = (family.globals ?? []).filter((name) => functions.includes(name));
  return `.type ${family.type ?? 'tc'}
${family.directives ?? ''}
${globals.map((name) => `.global ${name}`).join('\n')}

main:
${lines(`
  r9 = r1
  call bpf_get_prandom_u32#7
  r8 = r0
  ${family.before ?? ''}
  if r8 == 0x0 goto second
  ${setup(first, 1)}
  r5 = 0
  if r5 == 0x1 goto meet
  ${EIGHT_INSNS}
  goto meet
second:
  ${setup(second, 2)}
meet:
  ${family.tails[tail]!}
  ${falls ? 'out:;r0 = 0;exit' : ''}
  ${bad ? 'bad:;r0 = 0;r0 = *(u64 *)(r0 +0);exit' : ''}
`)}
${functions.map((name) => `${name}:\n${lines(family.functions![name]!)}`).join('\n')}
`;
}

function meeting(
  family: Family,
  first: string,
  second: string,
  tail: string,
  profile: Meeting['profile'],
  text: string,
): Meeting {
  let program: Program | undefined;
  return {
    group: `${family.name}${profile === 'strict' ? ' (strict)' : ''}: ${tail}`,
    pair: `${first} > ${second}`,
    alone: `${first} > ${first}`,
    profile,
    get program() {
      program ??= parseCase(text).program;
      return program;
    },
  };
}

/** Every program of a family. */
export function meetingsOf(family: Family): readonly Meeting[] {
  const meetings: Meeting[] = [];
  const names = Object.keys(family.setups);
  for (const tail of Object.keys(family.tails)) {
    for (const first of family.firsts ?? names) {
      for (const second of names) {
        const text = meetingText(family, first, second, tail);
        for (const profile of family.profiles ?? ['privileged'])
          meetings.push(meeting(family, first, second, tail, profile, text));
      }
    }
  }
  return meetings;
}
