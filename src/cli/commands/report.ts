/** `report`: one HTML page of a campaign, of cases, and of programs. */
import { existsSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { givenFunctions, loadRuleSets } from '../../campaign/naming/rules.js';
import { isShrunk } from '../../campaign/shards/state.js';
import { findingsFolder, saveFindings } from '../../campaign/storage/findings.js';
import { HistoryView, readHistory } from '../../campaign/storage/history.js';
import { readState, STATE_FILE } from '../../campaign/storage/state-file.js';
import { InputError } from '../../isa/errors.js';
import { summarize } from '../../report/campaign/summary.js';
import type { ReportDocument } from '../../report/documents.js';
import { PageMaker } from '../../report/page/maker.js';
import type { PageDocument } from '../../report/page/shape.js';
import { type Define, withCommon } from '../command.js';
import { loadPrograms, readText } from '../input/files.js';
import { PROGRAM_FILES, type ProgramOptions, withPrograms } from '../input/judging.js';
import {
  judgedFor,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
  profileHelp,
} from '../input/kernel-profile.js';
import { type FoundFile, filesBelow, foundFiles } from '../input/paths.js';
import { addCampaign, type ShownCampaign, writePage } from '../output/campaign-page.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';

interface Options extends ProgramOptions {
  readonly rules: string;
  readonly output?: string;
  readonly profile?: ProfileChoice;
}

/** What the page is called that is not of one campaign. */
const PAGE = 'report.html';

/**
 * Adds `report` to the command line. It reads what `fuzz --out DIR` kept and writes the page into the same folder; of cases and programs it writes
 * one into the current folder.
 */
export const report: Define = (program, act) => {
  const command = withCommon(program.command('report'))
    .description('write the page of a campaign, of cases, of objects: one HTML file')
    .argument(
      'PATHS...',
      'folder of a campaign (fuzz --out), cases, objects, folders of them, JSON documents of design and policy',
    )
    .option('-o, --output <FILE>', `the page; index.html in a campaign's folder, else ${PAGE}, unless told`)
    .option('--rules <RULES>', 'rule set that programs are proven under, by name or file', 'sound')
    .option('--profile <PROFILE>', profileHelp('built-in'), profileChoice);
  withPrograms(command).action((paths: string[], options: Options) =>
    act(options, (common) => writeReport(paths, options, common)),
  );
};

async function writeReport(paths: readonly string[], options: Options, common: Common): Promise<Outcome> {
  const maker = new PageMaker();
  const campaigns = paths.filter(isCampaign);
  if (campaigns.length > 1)
    throw new InputError('one page shows one campaign: `merge` joins the parts of one', {
      file: campaigns[1]!,
    });
  const [folder] = campaigns;
  const campaign = folder === undefined ? undefined : await campaignIn(folder, common);
  if (campaign !== undefined) await addCampaign(maker, campaign);
  const others = paths.filter((path) => path !== folder);
  const documents = others.filter((path) => extname(path) === '.json');
  for (const path of documents) maker.addDocument(readDocument(path));
  const programs = others.filter((path) => extname(path) !== '.json');
  if (programs.length > 0) await addPrograms(maker, foundFiles(programs, PROGRAM_FILES), options, common);
  const file = options.output ?? (folder === undefined ? PAGE : join(folder, 'index.html'));
  const data = maker.data(titleOf(campaign, paths));
  const document = writePage(file, data, {
    findings: campaign?.summary.findings.length ?? data.cases.filter(({ check }) => check !== null).length,
    programs: campaign?.summary.programs ?? data.objects.length,
  }) satisfies ReportDocument;
  return { exit: 0, json: document, text: `${file}\n` };
}

function titleOf(campaign: ShownCampaign | undefined, paths: readonly string[]): string {
  if (campaign !== undefined) return `seed ${campaign.summary.seed}, ${campaign.summary.rules.join(', ')}`;
  return paths.length === 1 ? paths[0]! : `${paths[0]} and ${paths.length - 1} more`;
}

/** A folder is one of a campaign where it has a state, and where it holds no programs: then the state is missing. */
function isCampaign(path: string): boolean {
  if (path === '-' || !statSync(path).isDirectory()) return false;
  if (existsSync(join(path, STATE_FILE))) return true;
  try {
    filesBelow([path], PROGRAM_FILES);
    return false;
  } catch (error) {
    if (error instanceof InputError) return true;
    throw error;
  }
}

async function campaignIn(folder: string, common: Common): Promise<ShownCampaign> {
  const state = readState(folder);
  if (state === undefined)
    throw new InputError(`there is no ${STATE_FILE} in it, and no case or object below it`, {
      file: folder,
    });
  const history = readHistory(folder);
  const how = history?.runs.at(-1)?.how;
  const finished = history === undefined ? isShrunk(state) : how === 'finished' || how === 'time over';
  const saved = await saveFindings(state, findingsFolder(undefined, folder));
  const told =
    history === undefined || history.runs.length === 0
      ? {}
      : { history: new HistoryView(history, history.runs.length - 1) };
  const bar = countBar(common, 'cases', state.found.length);
  return {
    folder,
    summary: summarize(state, finished, saved, told),
    history,
    kernel: state.setting.kernelProfile,
    progress: (done, of) => (done === of ? bar.close() : bar.show(done)),
  };
}

/** Cases as they are; a program without a kill is proven instead. */
async function addPrograms(
  maker: PageMaker,
  files: readonly FoundFile[],
  options: Options,
  common: Common,
): Promise<void> {
  const judged = judgedProfile(options.profile ?? {}, 'built-in');
  const [rules] = await loadRuleSets([options.rules]);
  const declared = await givenFunctions(options.functions, rules);
  const bar = countBar(common, 'files', files.length);
  try {
    for (const [i, { path: file, named }] of files.entries()) {
      bar.show(i);
      if (extname(file) === '.bpf' && isKilled(readText(file))) {
        await maker.addCase(readText(file), file, {
          file,
          strict: named,
          ...(options.profile === undefined ? {} : { kernel: judged.kernel }),
        });
        continue;
      }
      const { programs, skipped } = loadPrograms([file], { ...options, declared });
      for (const one of programs)
        await maker.addObject(one.program, file, rules!, judgedFor(judged, one.case));
      for (const { name, reason } of skipped) maker.addLeftOut(file, name, reason);
    }
  } finally {
    bar.close();
  }
}

const isKilled = (text: string): boolean => /^\s*\.kill\b/m.test(text);

/** A document that another command printed with --json. Throws InputError for anything else. */
function readDocument(file: string): PageDocument {
  const bad = (): InputError =>
    new InputError('this is no JSON document of swansong: it has no `schema`', { file });
  let body: unknown;
  try {
    body = JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new InputError('this is not JSON', { file });
    throw error;
  }
  if (typeof body !== 'object' || body === null || !('schema' in body)) throw bad();
  const { schema } = body;
  if (typeof schema !== 'string' || !schema.startsWith('swansong/')) throw bad();
  return { schema, file, body: body as Record<string, unknown> };
}
