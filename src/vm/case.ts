/**
 * A case: a program with everything that replay needs, as one text file.
 *
 *     # leak: the lock is skipped, the unlock is not
 *     .type xdp
 *     .map m array key=4 value=16 entries=1 spin_lock@0
 *     .rules rfc-v1
 *     .kill step=9
 *     .env bpf_map_lookup_elem#1=found
 *     .expect misuse bpf_spin_unlock at 14
 *
 *         r1 = map m
 *         ...
 *
 * Directives come first, in any order; comments start with `#` and are kept, those among the directives above them. What follows is
 * the program in the kernel's own syntax (isa/assemble.ts).
 */
import { assemble } from '../isa/assemble.js';
import { InputError } from '../isa/errors.js';
import type { Symbols } from '../isa/symbols.js';
import { symbols } from '../kernel/catalog.js';
import {
  type Attachment,
  type KernelPointer,
  type LocalType,
  type MapDef,
  PROG_TYPES,
  type Program,
  type ProgType,
} from '../object/program.js';
import type { Profile } from '../verifier/state/profile.js';
import { EnvironmentReader } from './caseenv.js';
import { type Inner, parseMap, parsePointer, parseStruct } from './casefield.js';
import type { Environment } from './environment.js';
import { CHECKS, type Check } from './trap.js';
import { count, Line, type Word } from './words.js';

/** What a replay is expected to show. */
export type Expectation =
  | { readonly kind: 'holds' }
  | {
      readonly kind: 'breaks';
      readonly check: Check;
      readonly function?: string;
      /** Slot at which it shows. */
      readonly slot?: number;
    };

export interface Case {
  readonly program: Program;
  readonly profile: Profile;
  /** Name of the rule set, or the file it is in. */
  readonly rules?: string;
  /** Insns executed before the kill; absent for a run that is not killed. */
  readonly kill?: number;
  readonly env: Environment;
  readonly expect?: Expectation;
  /** Comment lines, without the `#` and one blank. */
  readonly comments: readonly string[];
  /** The program's text as it was read, with its own comments; printed in place of a disassembly. */
  readonly body?: string;
}

/** The names that a program's text may use. */
export function symbolsOf(maps: readonly MapDef[], kfuncs: readonly string[]): Symbols {
  return {
    helperId: (name) => symbols.helperId(name),
    helperName: (id) => symbols.helperName(id),
    isKfunc: (name) => symbols.isKfunc(name),
    maps: maps.map((map) => map.name),
    kfuncs,
  };
}

interface Draft {
  type: ProgType;
  name: string;
  profile: Profile;
  maps: MapDef[];
  readonly inner: Map<string, Inner>;
  structs: LocalType[];
  pointers: KernelPointer[];
  kfuncs: string[];
  globals: Word[];
  globalLines: Line[];
  exceptionCallback?: readonly [word: Word, line: Line];
  license?: string;
  section?: string;
  sleepable?: true;
  attach?: Attachment;
  rules?: string;
  kill?: number;
  expect?: Expectation;
  readonly env: EnvironmentReader;
}

/** Reads a case. Throws InputError with file, line and column for an unknown directive, a bad value or a bad insn. */
export function parseCase(text: string, file?: string): Case {
  const lines = text.split('\n');
  const comments: string[] = [];
  const draft: Draft = {
    type: 'xdp',
    name: 'case',
    profile: 'privileged',
    maps: [],
    inner: new Map(),
    structs: [],
    pointers: [],
    kfuncs: [],
    globals: [],
    globalLines: [],
    env: new EnvironmentReader(),
  };
  let body = 0;
  for (; body < lines.length; body++) {
    const raw = lines[body]!.replace(/\r$/, '');
    const trimmed = raw.trim();
    if (trimmed === '') continue;
    if (trimmed.startsWith('#')) comments.push(trimmed.replace(/^# ?/, ''));
    else if (trimmed.startsWith('.') && !trimmed.endsWith(':'))
      directive(draft, new Line(raw, file, body + 1));
    else break;
  }
  return finish(draft, comments, lines.slice(body).join('\n'), body + 1, file);
}

function finish(draft: Draft, comments: string[], body: string, firstLine: number, file?: string): Case {
  const { type, name, structs, license, section, sleepable, rules, kill, expect } = draft;
  const maps = draft.maps.map((map): MapDef => {
    const named = draft.inner.get(map.name);
    if (named === undefined) return map;
    return { ...map, inner: draft.maps.find((one) => one.name === named.name) ?? named.missing() };
  });
  const assembly = assemble(body, {
    symbols: symbolsOf(maps, draft.kfuncs),
    firstLine,
    ...(file === undefined ? {} : { file }),
    ...(draft.exceptionCallback === undefined ? {} : { functions: [draft.exceptionCallback[0].text] }),
  });
  if (assembly.insns.length === 0) {
    throw new InputError('the case has no program', file === undefined ? {} : { file });
  }
  const [onThrow, onThrowLine] = draft.exceptionCallback ?? [];
  if (
    onThrow !== undefined &&
    !assembly.functions.some((one) => one.name === onThrow.text && one.start !== 0)
  )
    onThrowLine!.fail(`no function but the main program is called ${onThrow.text}`, onThrow);
  draft.globals.forEach((word, index) => {
    if (assembly.functions.some((one) => one.name === word.text)) return;
    draft.globalLines[index]!.fail(`no function is called ${word.text}`, word);
  });
  const globals = new Set(draft.globals.map((word) => word.text));
  return {
    program: {
      name,
      type,
      insns: assembly.insns,
      maps,
      kfuncs: assembly.kfuncs,
      subprogs: assembly.functions.map((one) => ({
        ...one,
        linkage: globals.has(one.name) ? ('global' as const) : ('static' as const),
        ...(one.name === onThrow?.text ? { exceptionCallback: true as const } : {}),
      })),
      localTypes: structs,
      ...(draft.pointers.length === 0 ? {} : { kernelPointers: draft.pointers }),
      ...(license === undefined ? {} : { license }),
      ...(section === undefined ? {} : { section }),
      ...(sleepable === undefined ? {} : { sleepable }),
      ...(draft.attach === undefined ? {} : { attach: draft.attach }),
    },
    profile: draft.profile,
    ...(rules === undefined ? {} : { rules }),
    ...(kill === undefined ? {} : { kill }),
    env: draft.env.finish(maps, type),
    ...(expect === undefined ? {} : { expect }),
    comments,
    body,
  };
}

const DIRECTIVES = [
  [
    '.type',
    '.name',
    '.map',
    '.struct',
    '.kernel_pointer',
    '.kfuncs',
    '.global',
    '.exception_callback',
    '.license',
    '.section',
    '.sleepable',
    '.attach',
  ],
  ['.profile', '.rules', '.kill', '.env', '.expect'],
].flat();

function directive(draft: Draft, line: Line): void {
  const head = line.need(0, 'a directive');
  const one = (what: string): Word => {
    line.end(2);
    return line.need(1, what);
  };
  switch (head.text) {
    case '.type': {
      const word = one(`a program type: ${PROG_TYPES.join(', ')}`);
      const type = PROG_TYPES.find((known) => known === word.text);
      draft.type =
        type ?? line.fail(`no program type '${word.text}'; there are ${PROG_TYPES.join(', ')}`, word);
      return;
    }
    case '.name':
      draft.name = one('a name').text;
      return;
    case '.map':
      draft.maps.push(parseMap(line, draft.maps, draft.inner));
      return;
    case '.struct':
      draft.structs.push(parseStruct(line, draft.structs));
      return;
    case '.kernel_pointer':
      draft.pointers.push(parsePointer(line));
      return;
    case '.kfuncs':
      draft.kfuncs.push(...line.words.slice(1).map((word) => word.text));
      return;
    case '.global':
      draft.globals.push(one('the name of a function'));
      draft.globalLines.push(line);
      return;
    case '.exception_callback':
      draft.exceptionCallback = [one('the name of a function'), line];
      return;
    case '.license':
      line.need(1, 'a licence');
      draft.license = line.words
        .slice(1)
        .map((word) => word.text)
        .join(' ');
      return;
    case '.section':
      draft.section = one('the name of a section').text;
      return;
    case '.attach': {
      const number = line.need(1, 'an attach type, by number');
      const target = line.words[2];
      line.end(3);
      draft.attach = {
        type: line.at(number, () => count(number.text)),
        ...(target === undefined ? {} : { target: target.text }),
      };
      return;
    }
    case '.sleepable':
      line.end(1);
      draft.sleepable = true;
      return;
    case '.profile': {
      const word = one('privileged or strict');
      if (word.text !== 'privileged' && word.text !== 'strict') {
        line.fail(`no profile '${word.text}'; there are privileged and strict`, word);
      }
      draft.profile = word.text === 'strict' ? 'strict' : 'privileged';
      return;
    }
    case '.rules':
      draft.rules = one('the name of a rule set').text;
      return;
    case '.kill': {
      const word = one('step=N');
      if (!word.text.startsWith('step=')) line.fail(`expected step=N, not '${word.text}'`, word);
      draft.kill = line.at(word, () => count(word.text.slice(5)), 5);
      return;
    }
    case '.env':
      draft.env.read(line);
      return;
    case '.expect':
      draft.expect = expectation(line);
      return;
    default:
      line.fail(`unknown directive '${head.text}'; there are ${DIRECTIVES.join(' ')}`, head);
  }
}

/** `.expect holds`, `.expect CHECK [FUNCTION] [at SLOT]` */
function expectation(line: Line): Expectation {
  const word = line.need(1, `a check: ${CHECKS.join(', ')}, or holds`);
  if (word.text === 'holds') {
    line.end(2);
    return { kind: 'holds' };
  }
  const check = CHECKS.find((known) => known === word.text);
  if (check === undefined)
    return line.fail(`no check '${word.text}'; there are ${CHECKS.join(', ')} and holds`, word);
  let next = 2;
  const named =
    line.words[next] !== undefined && line.words[next]!.text !== 'at' ? line.words[next++]!.text : undefined;
  let slot: number | undefined;
  if (line.words[next]?.text === 'at') {
    const at = line.need(next + 1, 'a slot');
    slot = line.at(at, () => count(at.text));
    next += 2;
  }
  line.end(next);
  return {
    kind: 'breaks',
    check,
    ...(named === undefined ? {} : { function: named }),
    ...(slot === undefined ? {} : { slot }),
  };
}
