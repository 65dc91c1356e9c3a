/** `fuzz`: a campaign. */

import { availableParallelism } from 'node:os';
import { Option } from 'commander';
import { resultOf } from '../../../generators/compile/names.js';
import { aimedTypes } from '../../../generators/smallest-call.js';
import { runCampaign } from '../../campaign/campaign.js';
import { joined, loadDeclared, loadRuleSets, type NamedRules } from '../../campaign/naming/rules.js';
import { openQueue } from '../../campaign/queue/publish.js';
import { codeDigest } from '../../campaign/shards/identity.js';
import type { Part } from '../../campaign/shards/schedule.js';
import { FINDINGS, findingsFolder } from '../../campaign/storage/findings.js';
import type { CampaignSetting } from '../../campaign/threads/job.js';
import { InputError } from '../../isa/errors.js';
import { contractOf, unmodelled } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import { acquires } from '../../kernel/describe.js';
import type { DeclaredFunction } from '../../object/program.js';
import { loadInvariants } from '../../patch/invariants.js';
import { summarize } from '../../report/campaign/summary.js';
import { inWords } from '../../report/campaign/summary-words.js';
import type { FuzzDocument } from '../../report/documents.js';
import { campaignExit, type ExitCode } from '../../report/exit.js';
import { printCase } from '../../vm/case/print.js';
import { EMPTY } from '../../vm/state/environment.js';
import { type Define, withFormats } from '../command.js';
import { loadPrograms } from '../input/files.js';
import { PROGRAM_FILES } from '../input/judging.js';
import { judgedProfile, type ProfileChoice, profileChoice, profileHelp } from '../input/kernel-profile.js';
import {
  duration,
  FUNCTIONS_HELP,
  INVARIANTS_HELP,
  integer,
  list,
  partOf,
  type WithFunctions,
} from '../input/options.js';
import { filesBelow } from '../input/paths.js';
import { queueOf, withQueue } from '../input/queue.js';
import { checkOneProgram } from '../one-program.js';
import { writeCampaignPage } from '../output/campaign-page.js';
import { onInterrupt } from '../output/interrupt.js';
import type { Common, Outcome } from '../output/outcome.js';
import { campaignBar } from '../output/progress.js';
import { withRulePlaces } from '../output/rule-places.js';

interface Options extends WithFunctions {
  readonly function?: string;
  readonly invariants?: string;
  readonly seed: number;
  readonly programs?: number;
  readonly program?: number;
  readonly time?: number;
  readonly rules: readonly string[];
  readonly worlds: number;
  readonly workers?: number;
  readonly kernel?: true;
  readonly guided: boolean;
  readonly profile?: ProfileChoice;
  readonly proofs: boolean;
  readonly corpus?: string;
  readonly out?: string;
  readonly restart?: true;
  readonly shard?: Part;
  readonly queue?: string;
  readonly patience: number;
}

/** Programs of a campaign that is told neither a number nor a time. */
const PROGRAMS = 1000;

/**
 * Adds `fuzz` to the command line. A campaign runs until its programs or its time are used up; Ctrl-C ends it in order. It exits with
 * 1 if there are findings.
 */
export const fuzz: Define = (program, act) => {
  withQueue(withFormats(program.command('fuzz')))
    .description('generate programs, kill them everywhere, prove them')
    .argument(
      '[FILE...]',
      'check the programs of these files, in turns and each in worlds of its own, and generate none',
    )
    .option('--seed <N>', 'seed of all that is random', integer(0, 0xffff_ffff), 1)
    .option('--programs <N>', `programs to check; ${PROGRAMS} unless a time is given`, integer(1))
    .addOption(
      new Option('--program <N>', 'make, print and check this one program of the campaign, and nothing else')
        .argParser(integer(0))
        .conflicts(['programs', 'time', 'corpus', 'out', 'restart', 'workers']),
    )
    .option('--time <DURATION>', 'stop after this time: 90s, 10m, 1h', duration)
    .addOption(
      new Option('--rules <RULES>', 'rule sets between commas, by name or file')
        .argParser(list)
        .default(['sound'], 'sound'),
    )
    .option('--functions <FILES>', FUNCTIONS_HELP, list)
    .option('--function <NAME>', 'aim at this function: every program calls it')
    .option('--invariants <FILE>', INVARIANTS_HELP)
    .option('--worlds <N>', 'environments that each program is run in', integer(1, 64), 3)
    .option('--workers <N>', 'threads; one for each processor unless told', integer(1, 256))
    .option('--kernel', 'load every program into the kernel as well')
    .option('--profile <PROFILE>', profileHelp('running with --kernel, else built-in'), profileChoice)
    .option('--no-guided', 'draw programs without regard to what those before them reached')
    .option('--no-proofs', 'leave the program proofs out')
    .option('--corpus <DIR>', `where findings are saved; findings in --out, or ${FINDINGS}, unless told`)
    .option('--out <DIR>', 'keep the campaign there, and continue the one that is there')
    .option('--shard <I/N>', 'check one of N parts, for merge to join: 1/3, 2/3, 3/3', partOf)
    .option('--restart', 'begin anew in --out, whatever campaign is there; its findings stay')
    .action((files: string[], options: Options) => act(options, (common) => runFuzz(files, options, common)));
};

async function runFuzz(files: readonly string[], options: Options, common: Common): Promise<Outcome> {
  const { seed, rules, worlds, time, out } = options;
  const judged = judgedProfile(options.profile ?? {}, options.kernel ? 'running' : 'built-in');
  const { declared } = await rulesFor(options);
  const setting: CampaignSetting = {
    seed,
    rules,
    worlds,
    prove: options.proofs,
    kernel: options.kernel === true,
    loader: judged.loader ?? 'privileged',
    kernelProfile: judged.kernel,
    ...(files.length === 0 ? {} : { given: givenPrograms(files, declared) }),
    ...(options.invariants === undefined ? {} : { invariants: await invariantsAt(options.invariants) }),
    ...(options.guided ? {} : { unguided: true as const }),
    ...(declared.length === 0 ? {} : { declared }),
    ...(options.function === undefined ? {} : { aim: aimAt(options.function, declared) }),
  };
  mustFit(files, options);
  const queue = options.queue === undefined ? undefined : queueOf(options.queue, options.patience, common);
  if (options.program !== undefined) {
    const { exit, json, text } = await checkOneProgram(setting, options.program);
    return { exit, json: { ...(json as object), profile: { ...judged.json, loader: setting.loader } }, text };
  }
  const programs = options.programs ?? (time === undefined ? PROGRAMS : undefined);
  if (options.restart === true && out === undefined)
    throw new InputError('--restart begins anew in the folder of a campaign: it needs --out DIR');
  const stop = new AbortController();
  const release = onInterrupt(() => stop.abort());
  const bar = campaignBar(common);
  try {
    const { state, saved, known, history, interrupted, failure } = await runCampaign({
      setting,
      findings: findingsFolder(options.corpus, out),
      restart: options.restart === true,
      ...(options.shard === undefined ? {} : { part: options.shard }),
      workers: options.workers ?? availableParallelism(),
      stop: stop.signal,
      progress: (progress) => bar.show(progress),
      tell: (line) => bar.note(line),
      ...(programs === undefined ? {} : { programs }),
      ...(time === undefined ? {} : { time }),
      ...(out === undefined ? {} : { folder: out }),
      ...(queue === undefined
        ? {}
        : { open: () => openQueue(setting, { ...queue, code: codeDigest(), stop: stop.signal }) }),
    });
    const counted = summarize(state, !interrupted && failure === undefined, saved, {
      failure: failure && lineOf(failure),
      known,
      history,
    });
    const summary = { ...counted, findings: await withRulePlaces(counted.findings, state.identity.rules) };
    if (out !== undefined && failure === undefined)
      await writeCampaignPage({
        folder: out,
        summary,
        history: history.history,
        kernel: setting.kernelProfile,
      });
    if (failure !== undefined) common.complain(failure);
    return {
      exit: failure === undefined ? campaignExit(summary) : failureExit(failure),
      json: {
        ...summary,
        profile: { ...judged.json, loader: judged.loader ?? 'privileged' },
      } satisfies FuzzDocument,
      text: inWords(summary),
    };
  } finally {
    bar.close();
    release();
  }
}

/** Options that say something of generated programs, or of other machines, with files that are only here. */
function mustFit(files: readonly string[], { queue, invariants, function: aim }: Options): void {
  if (files.length > 0 && aim !== undefined)
    throw new InputError('--function aims generated programs: with files there are none');
  if (queue !== undefined && invariants !== undefined)
    throw new InputError(
      '--invariants are read from a file of this machine: they cannot be checked over a queue',
    );
}

/** The programs of files, as cases. */
function givenPrograms(paths: readonly string[], declared: readonly DeclaredFunction[]): readonly string[] {
  const { programs } = loadPrograms(filesBelow(paths, PROGRAM_FILES), {
    declared: { first: declared, last: [] },
  });
  return programs.map(({ program }) =>
    printCase({ program, profile: 'privileged', env: EMPTY, comments: [] }),
  );
}

async function invariantsAt(file: string): Promise<NonNullable<CampaignSetting['invariants']>> {
  const { digest } = await loadInvariants(file);
  return { file, digest };
}

const lineOf = (error: Error): string => (error instanceof InputError ? error.describe() : error.message);
/** What could not be written is bad input; anything else is a bug of swansong's own. */
const failureExit = (error: Error): ExitCode => (error instanceof InputError ? 2 : 3);

/** The rule sets, and the functions that the command line and the rule files declare. */
async function rulesFor({ functions, rules }: Options): Promise<{
  readonly sets: readonly NamedRules[];
  readonly declared: readonly DeclaredFunction[];
}> {
  const given = await loadDeclared(functions ?? []);
  const sets = await loadRuleSets(rules, given);
  return { sets, declared: joined([given, ...sets.map((set) => set.declared ?? [])]) };
}

/** The full name of a function that programs can be aimed at. Throws InputError for one that is not there, or that no program can call. */
function aimAt(name: string, declared: readonly DeclaredFunction[]): string {
  const contract = contractOf(name, declared);
  if (contract === undefined) throw new InputError(unmodelled(name));
  if (aimedTypes(contract.name, { declared }).length === 0)
    throw new InputError(`no program that is made here can call ${contract.name}: ${whyNot(contract)}`);
  return contract.name;
}

function whyNot(contract: Contract): string {
  const struct = resultOf(contract).pointer?.to;
  const what = struct?.kind === 'btf' ? `struct ${struct.struct}` : 'what it returns';
  if (acquires(contract) && resultOf(contract).pointer !== undefined)
    return `nothing that is declared or modelled gives ${what} back, or makes what it takes`;
  return 'nothing that is declared or modelled makes what it takes';
}
