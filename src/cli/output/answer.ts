/** From what a command answers to what is printed: as text, as a document, or in a form for CI; on standard output and in files. */
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { InputError } from '../../isa/errors.js';
import {
  type Baseline,
  baselineExit,
  baselineInWords,
  compareWithBaseline,
  figuresBeside,
  isNew,
  readBaseline,
} from '../../report/compare/baseline.js';
import type { Allowed } from '../../report/compare/changes.js';
import { baselineInMarkdown } from '../../report/compare/changes-in-words.js';
import { type Judged, type JudgedPlace, judgedExit } from '../../report/compare/judged.js';
import { JUDGEMENTS } from '../../report/compare/judgements.js';
import { documentOf, type Trouble, toJson } from '../../report/document.js';
import type { ExitCode } from '../../report/exit.js';
import { FORMATS, type Format, type FormatContext } from '../../report/formats/form.js';
import { formatted, formattedTrouble } from '../../report/formats/format.js';
import { readText } from '../input/files.js';
import type { Outcome } from './outcome.js';

/** Forms that are asked for: one on standard output, any number in files. */
export interface Forms {
  readonly printed: Format;
  readonly files: readonly { readonly format: Format; readonly file: string }[];
}

/** Reads the value of `--format`: `sarif`, or `github,junit=results.xml`. Throws InvalidArgumentError. */
export function formsOf(text: string): Forms {
  const words = text.split(',').map((word) => {
    const [, name, file] = /^([^=]*)(?:=(.+))?$/.exec(word) ?? [];
    const format = FORMATS.find((one) => one === name);
    if (format === undefined)
      throw new InvalidArgumentError(`It must be ${FORMATS.join(', ')}, or FORMAT=FILE, between commas.`);
    return { format, file };
  });
  const printed = words.filter(({ file }) => file === undefined);
  if (printed.length > 1)
    throw new InvalidArgumentError(
      'Only one format goes to standard output; others need a file: FORMAT=FILE.',
    );
  const files = words.flatMap(({ format, file }) => (file === undefined ? [] : [{ format, file }]));
  return { printed: printed[0]?.format ?? 'text', files };
}

/** What the common options ask for, in their raw form. */
export interface Asked {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly format?: Forms | string;
  readonly baseline?: string;
  readonly allow?: Allowed;
}

const TEXT: Forms = { printed: 'text', files: [] };

/** The forms that options ask for. Throws InputError where they contradict each other, or a file cannot be written. */
export function formsAsked({ json, format }: Asked): Forms {
  // `rules report` has words of its own there.
  const forms = typeof format === 'object' ? format : TEXT;
  if (json !== true) return openable(forms);
  if (typeof format === 'object' && forms.printed !== 'json' && forms.printed !== 'text')
    throw new InputError(`--json and --format ${forms.printed} both want standard output`);
  return openable({ ...forms, printed: 'json' });
}

/** Says at once, and not after long work, that a file cannot be written. */
function openable(forms: Forms): Forms {
  for (const { file } of forms.files) closeSync(openSync(file, 'a'));
  return forms;
}

/** The forms that a command line asks for that could not be read as a whole: what cannot be understood is left out. */
export function formsGuessed(args: readonly string[]): Forms {
  let forms = TEXT;
  args.forEach((arg, i) => {
    const value = arg === '--format' ? args[i + 1] : /^--format=(.*)$/.exec(arg)?.[1];
    try {
      if (value !== undefined) forms = formsOf(value);
    } catch {
      // It is said on standard error.
    }
  });
  return args.includes('--json') ? { ...forms, printed: 'json' } : forms;
}

/** Reads the document that `--baseline` names. Throws InputError. */
export function baselineAsked(command: string, { baseline }: Asked): Baseline | undefined {
  return baseline === undefined ? undefined : readBaseline(readText(baseline), baseline, command);
}

/** What is asked for besides the work itself. */
export interface Wanted {
  /** `prove`, `rules check`. */
  readonly command: string;
  readonly forms: Forms;
  readonly quiet: boolean;
  readonly baseline: Baseline | undefined;
  /** By how much figures may be worse than in the baseline. */
  readonly allow?: Allowed;
}

/** What goes to standard output, and the exit code. Files are written on the way; throws the file system's errors. */
export function answered(
  outcome: Outcome,
  { command, forms, quiet, baseline, allow }: Wanted,
): { readonly printed: string | Uint8Array; readonly exit: ExitCode } {
  const plain = documentOf(command, outcome.json);
  const written = once(() => JSON.parse(toJson(plain)) as object);
  const judged = once(() => JUDGEMENTS[command]?.(written() as never) ?? []);
  const compared =
    baseline === undefined
      ? undefined
      : { ...compareWithBaseline(judged(), baseline), ...figuresBeside(command, written(), baseline, allow) };
  // What is wrong with no one thing stays wrong: a set that is refused for what it is (--strict), a folder that cannot be written.
  const isAboutThings = baseline !== undefined && outcome.exit === judgedExit(judged());
  const exit = isAboutThings ? baselineExit(judged(), baseline, compared) : outcome.exit;
  const context: FormatContext = {
    command,
    exit,
    baseline: baseline !== undefined,
    isNew: (one) => isNew(one, baseline?.judged ?? []),
  };
  const located = once(() => judged().map(inSources));
  const inForm = (format: Format): string | Uint8Array => {
    if (format === 'json') return toJson(compared === undefined ? plain : { ...plain, baseline: compared });
    if (format === 'markdown') {
      const told = outcome.markdown ?? formatted(format, located(), context);
      return compared === undefined ? told : told + baselineInMarkdown(compared);
    }
    if (format !== 'text') return formatted(format, located(), context);
    if (compared === undefined || typeof outcome.text !== 'string') return outcome.text;
    return outcome.text + baselineInWords(compared);
  };
  for (const { format, file } of forms.files) writeForm(file, format, inForm(format));
  const silent = quiet && forms.printed === 'text' && typeof outcome.text === 'string';
  return { printed: silent ? '' : inForm(forms.printed), exit };
}

/** Several commands of one step of GitHub Actions have one summary. */
function writeForm(file: string, format: Format, text: string | Uint8Array): void {
  const isSummary = format === 'markdown' && file === process.env.GITHUB_STEP_SUMMARY;
  writeFileSync(file, text, { flag: isSummary ? 'a' : 'w' });
}

/** What stands on standard output, and in the files, where there is no answer. */
export function answeredTrouble(trouble: Trouble, exit: ExitCode, forms: Forms, command: string): string {
  for (const { format, file } of forms.files) {
    try {
      writeForm(file, format, formattedTrouble(format, trouble, command, exit));
    } catch {
      // What is wrong is said on standard error already, and this may be it.
    }
  }
  return formattedTrouble(forms.printed, trouble, command, exit);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Finds the source that an object was made of: where its line information says, or beside the object. Without one the object is the place. */
function inSources(one: Judged): Judged {
  const { place } = one;
  if (place?.object === undefined) return one;
  return { ...one, place: sourceOf(place, place.object) };
}

function sourceOf({ file, line, column }: JudgedPlace, object: string): JudgedPlace {
  const beside = dirname(object);
  const candidates = isAbsolute(file) ? [file] : [join(beside, file), file];
  const found = [...candidates, join(beside, basename(file))].find((path) => existsSync(path));
  if (found === undefined) return { file: object };
  const here = relative(process.cwd(), found);
  return {
    file: here.startsWith('..') || here === '' ? found : here,
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
  };
}
