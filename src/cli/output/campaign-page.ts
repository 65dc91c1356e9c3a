/** The page of a campaign, in its folder. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { loadRuleSets, type NamedRules } from '../../campaign/naming/rules.js';
import { casesIn } from '../../campaign/storage/corpus.js';
import { findingsFolder } from '../../campaign/storage/findings.js';
import type { History, Remembered } from '../../campaign/storage/history.js';
import { readSamples } from '../../campaign/storage/samples.js';
import { writeWhole } from '../../campaign/storage/writable.js';
import { InputError } from '../../isa/errors.js';
import type { KernelProfile } from '../../kernel/profile.js';
import type { Instance, Summary } from '../../report/campaign/summary.js';
import { documentOf, toJson } from '../../report/document.js';
import type { ReportDocument } from '../../report/documents.js';
import { pageAssets, pageHtml } from '../../report/page/html.js';
import { PageMaker } from '../../report/page/maker.js';
import { nightOf, seenOf } from '../../report/page/night-view.js';
import type { PageCase, PageData } from '../../report/page/shape.js';

/** A campaign's folder, with what was read from it, for its page. */
export interface ShownCampaign {
  readonly folder: string;
  readonly summary: Summary;
  readonly history: History | undefined;
  readonly kernel?: KernelProfile | undefined;
  /** Is told how many of the cases are done. */
  readonly progress?: (done: number, of: number) => void;
}

/** Writes `index.html` into the folder of a campaign, and answers its document. Throws InputError where it cannot be written. */
export async function writeCampaignPage(shown: ShownCampaign): Promise<ReportDocument> {
  const maker = new PageMaker();
  await addCampaign(maker, shown);
  const { seed, rules, findings, programs } = shown.summary;
  return writePage(join(shown.folder, 'index.html'), maker.data(`seed ${seed}, ${rules.join(', ')}`), {
    findings: findings.length,
    programs,
  });
}

/** Writes the page, and answers the document that it carries, with the path of the page instead of its name. Throws InputError where it cannot be written. */
export function writePage(
  file: string,
  data: PageData,
  counts: Pick<ReportDocument, 'findings' | 'programs'>,
): ReportDocument {
  const shown = { ...counts, ...data };
  // A page may be moved: it knows its own name and not where it is.
  const json = toJson(documentOf('report', { file: basename(file), ...shown } satisfies ReportDocument));
  writeWhole(file, pageHtml(`swansong: ${data.title}`, json, pageAssets()));
  return { file, ...shown };
}

/** Puts a campaign on the page: its figures, and all cases in the folder of its findings. */
export async function addCampaign(
  maker: PageMaker,
  { folder, summary, history, kernel, progress }: ShownCampaign,
): Promise<void> {
  const instances = summary.findings.flatMap((one): readonly Instance[] => [one, ...one.also]);
  const files = filesOf(folder, instances);
  const unsaved = instances.flatMap((one) => (one.case === undefined ? [] : [one]));
  const all = files.length + unsaved.length;
  // The page and its cases are one folder, that may be moved.
  for (const [i, file] of files.entries()) {
    progress?.(i, all);
    const name = relative(folder, file);
    const instance = instances.find((one) => one.file === file);
    await maker.addCase(readFileSync(file, 'utf8'), file, {
      file: name,
      ...(kernel === undefined ? {} : { kernel }),
      ...toldOf(instance, rememberedOf(history, name), history),
    });
  }
  for (const [i, one] of unsaved.entries()) {
    progress?.(files.length + i, all);
    await maker.addCase(one.case ?? '', join(folder, `unsaved-${i + 1}.bpf`), {
      file: `unsaved-${i + 1}.bpf`,
      ...toldOf(one, undefined, history),
    });
  }
  progress?.(all, all);
  maker.night = await nightOf(summary, {
    history,
    samples: readSamples(folder),
    sets: await setsOf(summary),
    cases: maker.cases,
  });
}

/** The files of the findings, and of those that are gone. */
function filesOf(folder: string, instances: readonly Instance[]): readonly string[] {
  const own = findingsFolder(undefined, folder);
  const saved = existsSync(own) ? casesIn(own) : [];
  const met = instances.map(({ file }) => file).filter((file) => file !== '' && existsSync(file));
  return [...new Set([...met, ...saved])];
}

function rememberedOf(history: History | undefined, file: string): Remembered | undefined {
  const name = file.replace(/^.*\//, '');
  return history?.findings.find((one) => one.file === name);
}

/** What is known of a finding: from the campaign's state, or from its history where only a saved case is left. */
function toldOf(
  instance: Instance | undefined,
  remembered: Remembered | undefined,
  history: History | undefined,
): Partial<Pick<PageCase, 'status' | 'firstSeen' | 'goneSince'>> & { readonly hits?: number } {
  const hits = instance === undefined ? {} : { hits: instance.hits };
  if (instance?.firstSeen !== undefined && remembered?.gone === undefined)
    return { ...hits, status: instance.status ?? null, firstSeen: seenOf(instance.firstSeen) };
  if (remembered === undefined || history === undefined) return hits;
  const seen = ({ at, run, program }: Remembered['first']): PageCase['firstSeen'] => {
    const { version, code } = history.runs[run]!;
    return { at, version, code, program: program ?? null };
  };
  return {
    ...hits,
    status: remembered.gone === undefined ? 'still there' : 'gone',
    firstSeen: seen(remembered.first),
    ...(remembered.gone === undefined ? {} : { goneSince: seen(remembered.gone) }),
  };
}

/** The rule sets of the campaign, without those whose files are not there any more, or cannot be loaded. */
async function setsOf({ rules }: Summary): Promise<readonly NamedRules[]> {
  const sets: NamedRules[] = [];
  for (const name of rules) {
    try {
      sets.push(...(await loadRuleSets([name])));
    } catch (error) {
      if (!(error instanceof InputError) && !(error instanceof Error && 'code' in error)) throw error;
    }
  }
  return sets;
}
