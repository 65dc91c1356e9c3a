/** `shrink CASE`: the smallest case that breaks the same check for the same cause. */
import { statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Cause, causeKey, causeOf } from '../../campaign/kill/cause.js';
import { pathOf, prepareProgram, replayed, runOptions } from '../../campaign/kill/prepared-program.js';
import {
  givenFunctions,
  invariantsOfText,
  rulesBase,
  rulesOfText,
  withRulesFrom,
} from '../../campaign/naming/rules.js';
import { shrinkLonger } from '../../campaign/shrink/longer.js';
import { sizeMark } from '../../campaign/shrink/marks.js';
import type { SmallCase } from '../../campaign/shrink/shrink.js';
import { insnCount } from '../../campaign/shrink/size.js';
import { storeCase } from '../../campaign/storage/corpus.js';
import { mustBeWritable, writeWhole, writing } from '../../campaign/storage/writable.js';
import { kernelAccepts } from '../../campaign/threads/job.js';
import { causeThatLasts, showsThatItLasts } from '../../campaign/witness/lasting-call.js';
import { InputError } from '../../isa/errors.js';
import { KernelJudge } from '../../oracle/bulk.js';
import type { ShrinkDocument, ShrunkFolderDocument } from '../../report/documents.js';
import { boundOf, parseCase } from '../../vm/case/case.js';
import { matches } from '../../vm/case/expectation.js';
import { kernelOfCase } from '../../vm/case/profile.js';
import { type Define, withCommon } from '../command.js';
import { readText } from '../input/files.js';
import {
  type JudgedProfile,
  judgedFor,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
  profileHelp,
} from '../input/kernel-profile.js';
import { duration, FUNCTIONS_HELP, list, type WithFunctions } from '../input/options.js';
import { filesBelow, STANDARD_INPUT } from '../input/paths.js';
import type { Outcome } from '../output/outcome.js';

interface Options extends WithFunctions {
  readonly output?: string;
  readonly time?: number;
  readonly kernel?: true;
  readonly profile?: ProfileChoice;
}

/** Adds `shrink` to the command line. It writes the smaller case into a file and leaves the given one as it is. */
export const shrink: Define = (program, act) => {
  withCommon(program.command('shrink'))
    .description('find the smallest case with the same verdict')
    .argument('CASE', 'a case that breaks a check, or a folder: its cases that are not minimal, in place')
    .option('-o, --output <FILE>', 'where to write it; CASE with .min before .bpf unless told')
    .option(
      '--profile <PROFILE>',
      profileHelp('running with --kernel, else the one that the case says, or built-in,'),
      profileChoice,
    )
    .option('--functions <FILES>', FUNCTIONS_HELP, list)
    .option('--kernel', 'keep only what the kernel accepts')
    .option(
      '--time <DURATION>',
      'go on for this long where the case may become smaller: 90s, 10m, 1h',
      duration,
    )
    .action((path: string, options: Options) =>
      act(options, () =>
        statSync(path).isDirectory() ? shrinkFolder(path, options) : shrinkFile(path, options),
      ),
    );
};

/** A case of a file, shrunk. */
interface ShrunkFile {
  readonly from: number;
  readonly small: SmallCase;
  readonly cause: Cause;
  readonly profile: JudgedProfile['json'];
  readonly madeFor?: string | undefined;
}

async function shrinkFile(file: string, options: Options): Promise<Outcome> {
  if (file === STANDARD_INPUT && options.output === undefined)
    throw new InputError('a case from standard input needs a file for the smaller one: -o FILE');
  const { from, small, cause, profile, madeFor } = await shrunk(file, options, options.time ?? 0);
  const output = options.output ?? file.replace(/(\.bpf)?$/, '.min.bpf');
  writing(output, () =>
    writeFileSync(output, withRulesFrom(small.text, dirname(output), rulesBase(file, small.text))),
  );
  const minimal = sizeMark(small.text) === 'minimal';
  return {
    exit: 0,
    json: {
      from,
      to: small.insns,
      minimal,
      file: output,
      check: cause.check,
      function: cause.function,
      // Fewer functions may be to blame than it seemed. The given file stays as it is.
      ...(causeKey(small.cause) === causeKey(cause) ? {} : { became: small.cause.function }),
      profile,
      ...(madeFor === undefined ? {} : { madeFor }),
    } satisfies ShrinkDocument,
    text: `${from} insns to ${small.insns}${minimal ? '' : ' (still shrinking)'}: ${output}\n`,
  };
}

/** Goes on with the cases of a folder that are not minimal, each in its own file, and shares the time out among them. */
async function shrinkFolder(folder: string, options: Options): Promise<Outcome> {
  if (options.output !== undefined)
    throw new InputError('the cases of a folder are shrunk in place: leave -o out', { file: folder });
  mustBeWritable(folder);
  const end = performance.now() + (options.time ?? 0);
  const left = filesBelow([folder], ['.bpf']).filter(
    (file) => sizeMark(readText(file)) === 'still shrinking',
  );
  const cases: { file: string; from: number; to: number; minimal: boolean; became?: string }[] = [];
  for (const [i, file] of left.entries()) {
    const share = Math.max(0, end - performance.now()) / (left.length - i);
    const { from, small, cause } = await shrunk(file, options, share);
    const minimal = sizeMark(small.text) === 'minimal';
    if (causeKey(small.cause) === causeKey(cause)) {
      writeWhole(file, small.text);
      cases.push({ file, from, to: small.insns, minimal });
    } else {
      // It is another finding now; the case as it was is kept.
      const stored = await storeCase(dirname(file), small.cause, small.text, async () => true);
      cases.push({ file: stored.file, from, to: small.insns, minimal, became: small.cause.function });
    }
  }
  const lines = cases.map(
    ({ file, from, to, minimal }) =>
      `${from} insns to ${to}${minimal ? '' : ' (still shrinking)'}: ${file}\n`,
  );
  return {
    exit: 0,
    json: { cases } satisfies ShrunkFolderDocument,
    text: lines.join('') || 'all cases are minimal\n',
  };
}

/** Shrinks the case of a file for at most about so many milliseconds; once at least. Throws InputError for one that shows nothing. */
async function shrunk(file: string, options: Options, ms: number): Promise<ShrunkFile> {
  const text = readText(file);
  const rules = await rulesOfText(text, file);
  const read = parseCase(text, file, await givenFunctions(options.functions, rules));
  const judged = judgedProfile(options.profile ?? {}, options.kernel ? 'running' : 'built-in');
  const { profile, kernel, madeFor } = judgedFor(judged, read);
  const { kernel: _, ...rest } = read;
  const own = kernelOfCase(read.program, kernel);
  const one = { ...rest, profile, ...(own === undefined ? {} : { kernel: own }) };
  const fail = (message: string): never => {
    throw new InputError(message, { file });
  };
  const invariants = await invariantsOfText(text, file);
  const answer = replayed(one, rules.rules, kernel, invariants);
  if (typeof answer === 'string') return fail(`our verifier refuses the program: ${answer}`);
  const { expect } = one;
  const violation = expect && answer.result.violations.find((each) => matches(expect, each));
  if (violation === undefined)
    return fail(`nothing to shrink: expected ${answer.expected}, got ${answer.got}`);
  if (one.kill === undefined) return fail('nothing to shrink: the program is not killed');
  const prepared = prepareProgram(one.program, profile, { kernel, invariants });
  if (typeof prepared === 'string') return fail(`our verifier refuses the program: ${prepared}`);
  const broken = { violation, step: one.kill, env: answer.result.env };
  const path = pathOf(prepared, rules.rules);
  const lasts =
    one.bound === undefined ? undefined : causeThatLasts(prepared, rules, { ...one, env: broken.env });
  const cause =
    lasts ?? causeOf(prepared.code, { ...runOptions(prepared, path), ...boundOf(one) }, path, broken);
  const judge = options.kernel ? new KernelJudge({ strictCaps: profile === 'strict' }) : undefined;
  try {
    const bounded = one.bound === undefined ? {} : { bound: one.bound };
    const target = {
      ...{ rules, profile, kernel, cause, invariants },
      ...(lasts === undefined ? bounded : { shows: showsThatItLasts }),
    };
    const full = { ...one, env: answer.result.env };
    const end = performance.now() + ms;
    const wanted = judge ? { ...target, kernelAccepts: kernelAccepts(judge) } : target;
    const small = shrinkLonger(full, wanted, () => performance.now() >= end);
    return { from: insnCount(one.program), small, cause, profile: judged.json, madeFor };
  } finally {
    judge?.close();
  }
}
