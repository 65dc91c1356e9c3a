/** The options that say what a loader would have set before it loads an object. */
import { type Command, InvalidArgumentError } from 'commander';
import { EXTENSION } from '../../object/extensions.js';
import { PROG_TYPES } from '../../object/program.js';
import { programKind } from '../../object/sections.js';

/** What `withLoader` reads. */
export interface LoaderOptions {
  /** Types of programs, by the name of a program or a section; '' is for raw insns, and sections that say nothing. */
  readonly type?: ReadonlyMap<string, string>;
  readonly attach?: ReadonlyMap<string, string>;
  readonly set?: ReadonlyMap<string, string>;
  readonly inner?: ReadonlyMap<string, string>;
  /** The file with the contents of .rodata. */
  readonly rodata?: string;
}

/** Adds the options of `LoaderOptions`. All but `--rodata` may be given more than once. */
export function withLoader(command: Command): Command {
  return command
    .option('--type <[NAME=]TYPE>', 'type of raw insns, or of a program or section of an object', typeOf)
    .option('--attach <NAME=TARGET>', 'what a program or section attaches to, where its loader says it', pair)
    .option('--set <VARIABLE=VALUE>', 'value of a variable, such as config.limits[2]=5', pair)
    .option('--rodata <FILE>', 'the contents of .rodata on a machine')
    .option('--inner <MAP=MAP>', 'for a map of maps, the map of the object that its entries are like', pair);
}

function added(
  before: ReadonlyMap<string, string> | undefined,
  name: string,
  value: string,
): ReadonlyMap<string, string> {
  return new Map([...(before ?? []), [name, value]]);
}

function pair(text: string, before?: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError('It must be two words with = between them.');
  return added(before, name.trim(), value.trim());
}

function typeOf(text: string, before?: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const [, name = '', type = text] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const known: readonly string[] = PROG_TYPES;
  if (!known.includes(type) && programKind(type) === undefined && type !== EXTENSION)
    throw new InvalidArgumentError(`It must be one of ${PROG_TYPES.join(', ')}, or the name of a section.`);
  return added(before, name, type);
}
