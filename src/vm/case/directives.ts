/** The directives of a case, one a line (`.type xdp`): what each says is put into a Draft, of which parseCase makes the case. */
import { alreadyThere } from '../../kernel/catalog.js';
import { declare } from '../../kernel/declare/declare.js';
import { parseType } from '../../object/btf/text.js';
import type { BtfType } from '../../object/btf/types.js';
import type { Told } from '../../object/kernel/told.js';
import {
  type Attachment,
  type DeclaredFunction,
  type KernelPointer,
  type LocalType,
  type MapDef,
  PROG_TYPES,
  type ProgType,
  type WeakKfunc,
} from '../../object/program.js';
import type { Profile } from '../../verifier/state/profile.js';
import type { EnvironmentReader } from './environment-lines.js';
import { type Expectation, parseExpectation } from './expectation.js';
import { type Inner, parseMap, parsePointer, parseStruct } from './fields.js';
import { kernelDirective } from './kernel.js';
import { type KernelDraft, PROFILE_DIRECTIVES, profileDirective } from './profile.js';
import { count, type Line, type Word } from './words.js';

/** What the directives have said so far. */
export interface Draft {
  type: ProgType;
  name: string;
  profile: Profile;
  kernel?: KernelDraft;
  maps: MapDef[];
  /** Templates for the entries of maps of maps (`.inner_map`). */
  readonly innerMaps: MapDef[];
  readonly btf: Map<number, BtfType>;
  /** The BTF ids of functions, each with its line. */
  readonly funcTypes: (readonly [func: Word, id: number, line: Line])[];
  readonly told: Told;
  readonly inner: Map<string, Inner>;
  structs: LocalType[];
  pointers: KernelPointer[];
  kfuncs: string[];
  readonly weakKfuncs: WeakKfunc[];
  globals: Word[];
  globalLines: Line[];
  exceptionCallback?: readonly [word: Word, line: Line];
  license?: string;
  section?: string;
  sleepable?: true;
  attach?: Attachment;
  replaces?: string;
  rules?: string;
  strategy?: string;
  invariants?: string;
  kill?: number;
  bound?: number;
  expect?: Expectation;
  declared: readonly DeclaredFunction[];
  readonly env: EnvironmentReader;
}

const DIRECTIVES = [
  [
    '.type',
    '.name',
    '.map',
    '.inner_map',
    '.btf',
    '.func',
    '.kernel_args',
    '.kernel_struct',
    '.kernel_refused',
    '.kernel_id',
    '.kernel_var',
    '.struct',
    '.kernel_pointer',
    '.kfuncs',
    '.weak',
    '.global',
    '.exception_callback',
    '.license',
    '.section',
    '.sleepable',
    '.attach',
    '.replaces',
    '.declare',
  ],
  [
    '.profile',
    ...PROFILE_DIRECTIVES,
    '.rules',
    '.strategy',
    '.invariants',
    '.kill',
    '.bound',
    '.env',
    '.expect',
  ],
].flat();

/** Largest id of a type that a text may have (BTF_MAX_TYPE). */
const BTF_MAX = 0xfffff;

/** Reads one directive into the draft. Throws InputError with line and column for an unknown directive or a bad value. */
export function directive(draft: Draft, line: Line): void {
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
    case '.inner_map':
      draft.innerMaps.push(parseMap(line, [...draft.maps, ...draft.innerMaps], draft.inner));
      return;
    case '.btf': {
      const word = line.need(1, 'the id of a type');
      const id = line.at(word, () => count(word.text));
      if (id === 0 || id > BTF_MAX) line.fail(`a type has an id from 1 to ${BTF_MAX}`, word);
      if (draft.btf.has(id)) line.fail(`there are two types with the id ${id}`, word);
      const words = line.words.slice(2).map(({ text }) => text);
      draft.btf.set(
        id,
        line.at(line.need(2, 'a kind of BTF type'), () => parseType(words)),
      );
      return;
    }
    case '.func': {
      const func = line.need(1, 'the name of a function');
      const id = line.need(2, 'btf=ID');
      line.end(3);
      if (!id.text.startsWith('btf=')) line.fail(`expected btf=ID, not '${id.text}'`, id);
      draft.funcTypes.push([func, line.at(id, () => count(id.text.slice(4)), 4), line]);
      return;
    }
    case '.struct':
      draft.structs.push(parseStruct(line, draft.structs));
      return;
    case '.kernel_pointer':
      draft.pointers.push(parsePointer(line));
      return;
    case '.kfuncs':
      draft.kfuncs.push(...line.words.slice(1).map((word) => word.text));
      return;
    case '.weak': {
      const word = line.need(1, 'the name of a kfunc');
      const id = line.words[2];
      line.end(3);
      if (draft.weakKfuncs.some(({ name }) => name === word.text))
        line.fail(`there are two .weak lines of ${word.text}`, word);
      if (id !== undefined && !id.text.startsWith('btf=')) line.fail(`expected btf=ID, not '${id.text}'`, id);
      const btf = id && { btfId: line.at(id, () => count(id.text.slice(4)), 4) };
      draft.weakKfuncs.push({ name: word.text, ...btf });
      return;
    }
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
      const more = line.words.slice(2);
      const target = more.find(({ text }) => !text.startsWith('returns='));
      const returns = more.find(({ text }) => /^returns=(void|\*\w+)$/.test(text));
      const wrong = more.find((word) => word !== target && word !== returns);
      if (wrong !== undefined)
        line.fail(`expected returns=void or returns=*STRUCT, not '${wrong.text}'`, wrong);
      draft.attach = {
        type: line.at(number, () => count(number.text)),
        ...(target === undefined ? {} : { target: target.text }),
        ...(returns === undefined ? {} : { returns: returns.text.slice('returns='.length) }),
      };
      return;
    }
    case '.replaces':
      draft.replaces = one('the name of a function').text;
      return;
    case '.declare':
      draft.declared = [...draft.declared, declaration(line, draft.declared)];
      return;
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
    case '.strategy':
      draft.strategy = one('the name of a strategy, or of a rule set').text;
      return;
    case '.invariants':
      draft.invariants = one('a file of invariants').text;
      return;
    case '.bound': {
      const word = line.need(1, 'a number of insns');
      draft.bound = line.at(word, () => count(word.text));
      line.end(2);
      return;
    }
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
      draft.expect = parseExpectation(line);
      return;
    default: {
      const kernel = profileDirective(draft.kernel, line);
      if (kernel !== undefined) {
        draft.kernel = kernel;
        return;
      }
      if (kernelDirective(draft.told, line)) return;
      line.fail(`unknown directive '${head.text}'; there are ${DIRECTIVES.join(' ')}`, head);
    }
  }
}

/** `.declare kfunc {...}` or `.declare helper {...}`: a function that no kernel has yet, its fields as JSON. */
function declaration(line: Line, before: readonly DeclaredFunction[]): DeclaredFunction {
  const kind = line.need(1, 'kfunc or helper');
  const first = line.need(2, 'the fields of the declaration as JSON, {...}');
  if (kind.text !== 'kfunc' && kind.text !== 'helper')
    return line.fail(`expected kfunc or helper, not '${kind.text}'`, kind);
  const text = line.from(first);
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return line.fail('the fields of a declaration are one object of JSON, {...}', first);
  }
  const which = kind.text;
  const made = line.at(first, () => declare(which, fields));
  const why = alreadyThere(made, before);
  return why === undefined ? made : line.fail(`declaration ${made.name}: ${why}`, first);
}
