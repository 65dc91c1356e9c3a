/** Programs that run in the place of a function of another program: `SEC("freplace/FUNCTION")`, and what their loader says. */
import { InputError } from '../isa/errors.js';
import type { LoaderSettings } from './loader-settings.js';
import { settingFor } from './loader-settings.js';
import { NotInTarget } from './not-modelled.js';
import type { Program, ReplacedFunction } from './program.js';

const SECTION = /^\??freplace(?:\/(.+))?$/;

/** The word for such programs, where a type is given. */
export const EXTENSION = 'freplace';

/** A program that replaces a function. */
export interface Extension {
  readonly name: string;
  readonly section: string;
  /** The function that the section names. */
  readonly named?: string;
}

/** Whether a program of this name and section replaces a function, as its loader says or as its section does; undefined if not. */
export function extensionOf(name: string, section: string, { types }: LoaderSettings): Extension | undefined {
  const word = settingFor(types, name, section);
  const [whole, named] = SECTION.exec(word ?? section) ?? [];
  return whole === undefined ? undefined : { name, section, ...(named !== undefined && { named }) };
}

/**
 * The function that it replaces: of the file that `--attach NAME=FILE:FUNCTION` names, else of a program among `own`, those of its own object. Throws
 * NotInTarget where nothing says which, and InputError where a file has no such function.
 */
export function replacedBy(
  { name, section, named }: Extension,
  loader: LoaderSettings,
  own: readonly Program[],
  file: string,
): ReplacedFunction & { readonly of: Program } {
  const word = settingFor(loader.attach, name, section);
  const [, other, inOther] = /^(.+):([^:/]+)$/.exec(word ?? '') ?? [];
  if (other !== undefined && inOther !== undefined) {
    const programs = loader.programsOf?.(other) ?? [];
    const of = withFunction(programs, inOther);
    if (of !== undefined) return { function: inOther, of, file: other };
    throw new InputError(
      `--attach ${name}=${word}: no program of ${other} has a function '${inOther}'${functionsOf(programs)}`,
      { file },
    );
  }
  const wanted = word ?? named;
  const of = wanted === undefined ? undefined : withFunction(own, wanted);
  if (wanted !== undefined && of !== undefined) return { function: wanted, of };
  const where = wanted === undefined ? 'a function' : `the function '${wanted}'`;
  throw new NotInTarget(
    `it replaces ${where} of a program that its loader gives: say of which with --attach ${name}=FILE:FUNCTION`,
  );
}

/** The first program that has a function of this name, as a global one if there is one. */
function withFunction(programs: readonly Program[], name: string): Program | undefined {
  const having = (linkage: 'global' | 'static'): Program | undefined =>
    programs.find(({ subprogs }) => subprogs.some((one) => one.name === name && one.linkage === linkage));
  return having('global') ?? having('static');
}

/** The global functions that are there, for a message. */
function functionsOf(programs: readonly Program[]): string {
  const names = programs.flatMap(({ subprogs }) =>
    subprogs.flatMap(({ name, linkage }) => (linkage === 'global' ? [name] : [])),
  );
  return names.length === 0 ? '' : `; there are ${[...new Set(names)].slice(0, 20).join(', ')}`;
}
