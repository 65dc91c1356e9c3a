/**
 * The one owner of what a campaign keeps: its folder, with its state, its journal and its lock, and the folder of its findings. What it is told is
 * on disk when a method returns, so that a kill at any moment loses nothing; a file system that takes no more is one InputError.
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InputError } from '../../isa/errors.js';
import type { ProgramReport } from '../check/check.js';
import type { KnownCase } from '../check/known.js';
import { type Cause, causeKey, messageOf } from '../kill/cause.js';
import type { Identity } from '../shards/identity.js';
import { type CampaignState, type Found, findings, keepSmall, newState, slim } from '../shards/state.js';
import type { SmallCase } from '../shrink/shrink.js';
import type { CampaignSetting } from '../threads/job.js';
import { type SavedFinding, saveFinding, saveFindings } from './findings.js';
import { type Ending, type History, HistoryKeeper, readHistory } from './history.js';
import { Journal } from './journal.js';
import { writeJsonFile } from './json-file.js';
import { type FolderLock, lockFolder } from './lock.js';
import { CampaignLog } from './log.js';
import { Samples } from './samples.js';
import { apply, type Entry, isEntry, JOURNAL_FILE, mustMatch, readState, STATE_FILE } from './state-file.js';
import { makeFolder, mustBeWritable, writing } from './writable.js';

/** What the state and the journal of a campaign are called once another one took its place: `campaign.before.json`. */
const beforeName = (name: string): string => name.replace('.', '.before.');

/** A journal of this many bytes is taken into a state that is written whole. */
const LONGEST_JOURNAL = 4 << 20;
/** Milliseconds after which it is in any case. */
const SNAPSHOT_EVERY = 60_000;

/** What is kept, and where. */
export interface StoreOptions {
  readonly identity: Identity;
  readonly setting: CampaignSetting;
  /** Folder of the campaign; a campaign that is there is continued. Without it only findings are kept. */
  readonly folder?: string | undefined;
  /** Folder of the findings; without it they are in the state only. */
  readonly findings?: string | undefined;
  /** Begins anew in a folder that holds a campaign already, whatever it holds. Its findings and its history stay. */
  readonly restart?: boolean | undefined;
  /** Is told, each with its time, what people want to know at once. */
  readonly tell?: ((line: string) => void) | undefined;
}

/** Opens the folders of a campaign. Throws InputError, before anything is changed, where they cannot be used for it. */
export async function openStore(options: StoreOptions): Promise<CampaignStore> {
  const { folder, findings: cases, identity, setting, restart = false } = options;
  if (folder !== undefined) {
    mustBeWritable(folder);
    writing(folder, () => makeFolder(folder));
  }
  if (cases !== undefined) mustBeWritable(cases);
  if (folder === undefined) return new CampaignStore(newState(identity, setting), options, noHistory());
  const lock = lockFolder(folder);
  try {
    clearLeftovers(folder);
    if (restart) await setAside(folder, cases);
    else mustMatch(folder, identity, setting);
    const state = readState(folder) ?? newState(identity, setting);
    const journal = Journal.open<Entry>(join(folder, JOURNAL_FILE), isEntry);
    // Rule files may lie elsewhere now; what they decide is the same.
    const history = readHistory(folder) ?? noHistory();
    const store = new CampaignStore({ ...state, identity, setting }, options, history, {
      folder,
      lock,
      journal,
    });
    store.save();
    return store;
  } catch (error) {
    lock.release();
    throw error;
  }
}

const noHistory = (): History => ({ runs: [], findings: [] });

/** Files that a kill left in the middle of being written. */
function clearLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (/^campaign\.\w+\.\d+\.new$/.test(name)) rmSync(join(folder, name), { force: true });
  }
}

/** Makes room for another campaign. What the one that is there found and did not save yet is saved, if its state can be read. */
async function setAside(folder: string, cases: string | undefined): Promise<void> {
  const state = whatIsReadable(folder);
  if (state !== undefined && cases !== undefined) await saveFindings(state, cases);
  writing(folder, () => {
    for (const [file, before] of [STATE_FILE, JOURNAL_FILE].map(
      (name) => [name, beforeName(name)] as const,
    )) {
      if (existsSync(join(folder, file))) renameSync(join(folder, file), join(folder, before));
      else rmSync(join(folder, before), { force: true });
    }
  });
}

function whatIsReadable(folder: string): CampaignState | undefined {
  try {
    return readState(folder);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** A campaign's folder while this process has it. */
interface OpenFolder {
  readonly folder: string;
  readonly lock: FolderLock;
  readonly journal: Journal<Entry>;
}

/** What a campaign keeps, while it runs. Close it at the end. */
export class CampaignStore {
  readonly history: HistoryKeeper;
  private readonly log: CampaignLog;
  private readonly samples: Samples;
  private savedAt = performance.now();

  constructor(
    readonly state: CampaignState,
    private readonly options: StoreOptions,
    history: History,
    private readonly open?: OpenFolder,
  ) {
    const { folder, identity, setting } = options;
    this.history = new HistoryKeeper(folder, history, identity, setting.seed);
    this.log = new CampaignLog(folder);
    const { runs } = this.history.history;
    this.samples = new Samples(folder, runs.length - 1, runs.at(-1)!.begun);
    const rules = identity.rules.map(({ set }) => set).join(', ');
    const from = state.done === 0 ? 'begun' : `taken up again at ${state.done} programs`;
    this.log.add(`${from}: seed ${setting.seed}, rules ${rules}, code ${identity.code}`);
    // What a kill kept from the history is in the journal.
    for (const { cause, index } of findings(state)) this.history.see(cause, { program: index });
  }

  /** Folder of the findings, if they have one. */
  get findingsFolder(): string | undefined {
    return this.options.findings;
  }

  /** Takes what the saved cases show today. Throws InputError. */
  replayed(known: readonly KnownCase[]): void {
    for (const { cause, file, original, rules, expected, got } of known) {
      if (cause !== undefined) this.history.see(cause, { ...this.name(file), before: true });
      else if (!original && this.history.miss(basename(file)))
        this.say(`gone: ${expected} under ${rules}; now ${got}: ${file}`);
    }
    const gone = known.filter(({ cause }) => cause === undefined).length;
    if (known.length > 0)
      this.log.add(
        `${known.length} saved findings replayed: ${known.length - gone} still there, ${gone} gone`,
      );
    this.save();
  }

  /** A campaign's folder may be moved, with the findings in it. */
  private name = (file: string): { readonly file: string } => ({ file: basename(file) });

  private say(event: string): void {
    this.options.tell?.(this.log.add(event));
  }

  /** Takes the reports on programs; answers what was found, as `add` does. Throws InputError where they cannot be kept. */
  add(reports: readonly ProgramReport[]): readonly Found[] {
    const { state } = this;
    const kept: Entry = { reports: reports.map((one) => slim(state, one)), ms: state.ms };
    const found = apply(state, kept);
    this.open?.journal.append(kept, found.length > 0);
    for (const { cause, index, text } of found) {
      if (this.history.see(cause, { program: index }))
        this.say(`found: ${inWords(cause, text)}: program ${index}`);
    }
    this.samples.take(state);
    if (this.isSnapshotDue) this.save();
    return found;
  }

  /** Takes the smallest case of a finding; false where another program is the first of its cause by now. Throws InputError. */
  keepSmall(found: Found, small: SmallCase): boolean {
    if (!keepSmall(this.state, found, small)) return false;
    this.open?.journal.append({ small, key: causeKey(found.cause), index: found.index });
    const isAnother = causeKey(small.cause) !== causeKey(found.cause);
    if (isAnother) this.history.forget(found.cause);
    const isNews = this.history.see(small.cause, { program: found.index });
    const turned = isAnother ? ` (it is ${inWords(small.cause, small.text)})` : '';
    this.log.add(
      `shrunk: ${inWords(found.cause, found.text)}: ${found.insns} insns to ${small.insns}${turned}`,
    );
    if (isAnother && isNews) this.say(`found: ${inWords(small.cause, small.text)}: program ${found.index}`);
    return true;
  }

  /** Writes the case of a finding into its file; undefined where findings have no folder. Throws InputError. */
  async file(found: Found): Promise<SavedFinding | undefined> {
    const { findings: folder } = this.options;
    if (folder === undefined) return undefined;
    const key = causeKey(found.small?.cause ?? found.cause);
    const one = findings(this.state).find(({ cause }) => causeKey(cause) === key);
    const saved = one && (await saveFinding(this.state, one, folder));
    if (saved !== undefined) this.history.see(one!.cause, this.name(saved.file));
    return saved;
  }

  /** Writes all findings into their files, in the order of `findings`. Throws InputError. */
  async fileAll(): Promise<readonly SavedFinding[]> {
    const { findings: folder } = this.options;
    const saved = folder === undefined ? [] : await saveFindings(this.state, folder);
    for (const [i, { cause }] of findings(this.state).entries()) {
      const one = saved[i];
      if (one !== undefined) this.history.see(cause, this.name(one.file));
    }
    return saved;
  }

  /** Writes the state whole. Throws InputError; what was there stays. */
  save(): void {
    if (this.open === undefined) return;
    const { folder, journal } = this.open;
    writeJsonFile(join(folder, STATE_FILE), this.state);
    // A kill here leaves entries that are in the state already; they change nothing.
    journal.clear();
    this.history.save(this.state.done);
    this.savedAt = performance.now();
  }

  /** Writes down how the run ended. Throws InputError. */
  end(how: Ending): void {
    this.save();
    this.samples.take(this.state, true);
    this.history.save(this.state.done, how);
    this.log.add(`ended: ${how}, ${this.state.done} programs, ${findings(this.state).length} causes`);
  }

  private get isSnapshotDue(): boolean {
    if (this.open === undefined) return false;
    return this.open.journal.size > LONGEST_JOURNAL || performance.now() - this.savedAt > SNAPSHOT_EVERY;
  }

  /** Gives the folder back. What was not saved whole is in the journal. */
  close(): void {
    this.open?.journal.close();
    this.open?.lock.release();
  }
}

/** A cause in one line. */
function inWords(cause: Cause, text: string): string {
  return `${cause.check} under ${cause.rules}, ${cause.function}: ${messageOf(cause, text)}`;
}
