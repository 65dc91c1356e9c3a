/** `shrink CASE`: the smallest case that breaks the same check for the same cause. */
import { writeFileSync } from 'node:fs';
import { causeOf } from '../../campaign/cause.js';
import { kernelAccepts } from '../../campaign/job.js';
import { causeThatLasts, showsThatItLasts } from '../../campaign/lasting-call.js';
import { pathOf, prepareProgram, replayed, runOptions } from '../../campaign/prepared-program.js';
import { givenFunctions, rulesOfText } from '../../campaign/rules.js';
import { shrinkCase } from '../../campaign/shrink/shrink.js';
import { insnCount } from '../../campaign/shrink/size.js';
import { InputError } from '../../isa/errors.js';
import { KernelJudge } from '../../oracle/bulk.js';
import { boundOf, parseCase } from '../../vm/case.js';
import { kernelOfCase } from '../../vm/case-profile.js';
import { matches } from '../../vm/expectation.js';
import { type Define, withCommon } from '../command.js';
import { readText } from '../files.js';
import {
  judgedFor,
  judgedProfile,
  type ProfileChoice,
  profileChoice,
  profileHelp,
} from '../kernel-profile.js';
import { FUNCTIONS_HELP, list, type WithFunctions } from '../options.js';
import type { Outcome } from '../outcome.js';

interface Options extends WithFunctions {
  readonly output?: string;
  readonly kernel?: true;
  readonly profile?: ProfileChoice;
}

/** Adds `shrink` to the command line. It writes the smaller case into a file and leaves the given one as it is. */
export const shrink: Define = (program, act) => {
  withCommon(program.command('shrink'))
    .description('find the smallest case with the same verdict')
    .argument('CASE', 'a case that breaks a check')
    .option('-o, --output <FILE>', 'where to write it; CASE with .min before .bpf unless told')
    .option(
      '--profile <PROFILE>',
      profileHelp('running with --kernel, else the one that the case says, or built-in,'),
      profileChoice,
    )
    .option('--functions <FILES>', FUNCTIONS_HELP, list)
    .option('--kernel', 'keep only what the kernel accepts')
    .action((file: string, options: Options) => act(options, () => shrinkFile(file, options)));
};

async function shrinkFile(file: string, options: Options): Promise<Outcome> {
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
  const answer = replayed(one, rules.rules, kernel);
  if (typeof answer === 'string') return fail(`our verifier refuses the program: ${answer}`);
  const { expect } = one;
  const violation = expect && answer.result.violations.find((each) => matches(expect, each));
  if (violation === undefined)
    return fail(`nothing to shrink: expected ${answer.expected}, got ${answer.got}`);
  if (one.kill === undefined) return fail('nothing to shrink: the program is not killed');
  const prepared = prepareProgram(one.program, profile, { kernel });
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
      ...{ rules, profile, kernel, cause },
      ...(lasts === undefined ? bounded : { shows: showsThatItLasts }),
    };
    const full = { ...one, env: answer.result.env };
    const small = shrinkCase(full, judge ? { ...target, kernelAccepts: kernelAccepts(judge) } : target);
    const output = options.output ?? file.replace(/(\.bpf)?$/, '.min.bpf');
    writeFileSync(output, small.text);
    const [from, to] = [insnCount(one.program), small.insns];
    return {
      exit: 0,
      json: {
        from,
        to,
        file: output,
        check: cause.check,
        function: cause.function,
        profile: judged.json,
        ...(madeFor === undefined ? {} : { madeFor }),
      },
      text: `${from} insns to ${to}: ${output}\n`,
    };
  } finally {
    judge?.close();
  }
}
