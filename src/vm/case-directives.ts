/** The directives of a case, one a line (`.type xdp`): what each says is put into a Draft, of which parseCase makes the case. */
import {
  type Attachment,
  type KernelPointer,
  type LocalType,
  type MapDef,
  PROG_TYPES,
  type ProgType,
} from '../object/program.js';
import type { Profile } from '../verifier/state/profile.js';
import type { EnvironmentReader } from './case-environment.js';
import { type Inner, parseMap, parsePointer, parseStruct } from './case-fields.js';
import { type Expectation, parseExpectation } from './expectation.js';
import { count, type Line, type Word } from './words.js';

/** What the directives have said so far. */
export interface Draft {
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
      draft.expect = parseExpectation(line);
      return;
    default:
      line.fail(`unknown directive '${head.text}'; there are ${DIRECTIVES.join(' ')}`, head);
  }
}
