/** `show CASE`: what a case does, step by step, with the ledger as lanes, as text of 80 columns. */
import { styleText } from 'node:util';
import { caseInWords, type Paint, PLAIN } from '../../report/campaign/show.js';
import type { ShowDocument } from '../../report/documents.js';
import { PageMaker } from '../../report/page/maker.js';
import { type Define, withCommon } from '../command.js';
import { readText } from '../input/files.js';
import { filesBelow } from '../input/paths.js';
import { hasColours } from '../output/colour.js';
import type { Outcome } from '../output/outcome.js';

interface Options {
  readonly all?: true;
}

/** Adds `show` to the command line: it prints what the page of a case shows, for a terminal. */
export const show: Define = (program, act) => {
  withCommon(program.command('show'))
    .description('show the run of a case step by step, and what is held')
    .argument('<CASE...>', 'cases, folders of them, or - for standard input')
    .option('--all', 'show the same run unkilled, and the same kill under sound, too')
    .action((paths: string[], options: Options) => act(options, () => showCases(paths, options)));
};

async function showCases(paths: readonly string[], { all }: Options): Promise<Outcome> {
  const maker = new PageMaker();
  for (const file of filesBelow(paths, ['.bpf']))
    await maker.addCase(readText(file), file, { file, strict: true });
  const paint = hasColours({ env: process.env, terminal: process.stdout.isTTY === true }) ? COLOURED : PLAIN;
  return {
    exit: 0,
    json: { cases: maker.cases } satisfies ShowDocument,
    text: maker.cases.map((one) => caseInWords(one, all === true, paint)).join('\n'),
  };
}

const style =
  (format: Parameters<typeof styleText>[0]) =>
  (text: string): string =>
    styleText(format, text, { validateStream: false });

const COLOURED: Paint = { bad: style('red'), good: style('green'), dim: style('dim'), strong: style('bold') };
