/** `compare A B`: what changed between two documents that a command wrote, program by program. */
import { InputError } from '../../isa/errors.js';
import { type Allowed, changesBetween, readDocument } from '../../report/compare/changes.js';
import { changesInMarkdown, changesInWords } from '../../report/compare/changes-in-words.js';
import type { CompareDocument } from '../../report/documents.js';
import { type Define, withForm } from '../command.js';
import { readText } from '../input/files.js';
import { ALLOW_HELP, allowance } from '../input/options.js';
import type { Outcome } from '../output/outcome.js';

/** Adds `compare` to the command line. It exits with 1 only for what got worse. */
export const compare: Define = (program, act) => {
  withForm(program.command('compare'))
    .description('what changed between two JSON documents of a command')
    .argument('A', 'the earlier document, as `prove --json` and other commands that judge write it')
    .argument('B', 'the later one, of the same command')
    .option('--allow <FIELD=PERCENT>', ALLOW_HELP, allowance)
    .action((a: string, b: string, options: { readonly allow?: Allowed }) =>
      act(options, () => compareFiles(a, b, options.allow)),
    );
};

function compareFiles(a: string, b: string, allowed: Allowed | undefined): Outcome {
  const [before, after] = [readDocument(readText(a), a), readDocument(readText(b), b)];
  if (before.command !== after.command)
    throw new InputError(`${a} is of '${before.command}', and this is of '${after.command}'`, { file: b });
  const found = changesBetween(before.measured, after.measured, allowed);
  return {
    exit: found.worse > 0 ? 1 : 0,
    json: { a, b, command: before.command, ...found } satisfies CompareDocument,
    text: changesInWords(found),
    markdown: changesInMarkdown(`swansong ${before.command}: ${a} and ${b}`, found),
  };
}
