/** `certify FILE...`: Linux's own verifier on the two-mode program of each program under a rule set. */

import { replayText } from '../../campaign/check/replay.js';
import type { NamedRules } from '../../campaign/naming/rules.js';
import { storeCase } from '../../campaign/storage/corpus.js';
import { caseOfRefusal } from '../../campaign/witness/refused-certificate.js';
import { InputError } from '../../isa/errors.js';
import { kernelAvailable } from '../../oracle/available.js';
import { certify as certifyProgram } from '../../oracle/certify.js';
import type { CertifyDocument } from '../../report/documents.js';
import { CERTIFICATE_EXIT, worst } from '../../report/exit.js';
import { type CertificateRow, certificatesInWords } from '../../report/programs/certificates.js';
import { refusalFields } from '../../report/programs/explanations.js';
import { skippedLines } from '../../report/programs/verdicts.js';
import { type Define, since, withFormats } from '../command.js';
import type { LoadedProgram } from '../input/files.js';
import { brokenExit, type JudgeOptions, loadJudged, withJudged } from '../input/judging.js';
import { type JudgedProfile, judgedFor, judgedProfile } from '../input/kernel-profile.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';

interface Options extends JudgeOptions {
  readonly rules: string;
  readonly corpus?: string;
  readonly explain?: true;
}

/** Adds `certify` to the command line. It loads two-mode programs into the running kernel and tells which of them Linux accepts. */
export const certify: Define = (program, act) => {
  const command = withFormats(program.command('certify'))
    .description("have Linux's verifier judge that programs can be killed anywhere")
    .option('--rules <RULES>', 'rule set, by name or file', 'sound')
    .option('--explain', "tell the whole way to each refusal, and more of Linux's log")
    .option('--corpus <DIR>', 'write a case there for each refusal that a run shows');
  withJudged(command, 'running').action((files: string[], options: Options) =>
    act(options, (common) => certifyFiles(files, options, common)),
  );
};

async function certifyFiles(paths: readonly string[], options: Options, common: Common): Promise<Outcome> {
  const { rules, programs, unjudged, broken } = await loadJudged(paths, options);
  const kernel = kernelAvailable();
  if (!kernel.ok) throw new InputError(kernel.reason);
  const judged = judgedProfile(options.profile ?? {}, 'running');
  const rows: CertificateRow[] = [];
  const bar = countBar(common, 'certify', programs.length);
  try {
    for (const one of programs) {
      rows.push(await certifyOne(one, rules, judged, options));
      const refused = rows.filter(({ verdict }) => verdict === 'refused').length;
      bar.show(rows.length, refused > 0 ? `${refused} refused` : undefined);
    }
  } finally {
    bar.close();
  }
  return {
    // Of a program that was left out nothing is known.
    exit: worst([
      ...rows.map(({ verdict }) => CERTIFICATE_EXIT[verdict]),
      ...unjudged.map(() => 3 as const),
      brokenExit(broken),
    ]),
    json: {
      rules: options.rules,
      kernel: kernel.release,
      profile: judged.json,
      programs: rows,
      skipped: unjudged,
    } satisfies CertifyDocument,
    text: certificatesInWords(rows, skippedLines(unjudged), options.explain === true),
  };
}

async function certifyOne(
  one: LoadedProgram,
  rules: NamedRules,
  judged: JudgedProfile,
  options: Options,
): Promise<CertificateRow> {
  const { file, program } = one;
  const start = performance.now();
  const { profile, kernel } = judgedFor(judged, one.case);
  const certificate = certifyProgram(program, rules.rules, { profile, kernel, stats: true, explain: true });
  const { verdict, message, sitesLeftOut, sitesStubbed, notLookedFor, walked, at, log, refusal } =
    certificate;
  const row: CertificateRow = {
    file,
    name: program.name,
    verdict,
    message,
    sitesLeftOut,
    sitesStubbed,
    notLookedFor,
    insns: program.insns.length,
    twoMode: { insns: certificate.insns, ...certificate.form },
    walked,
    ms: since(start),
    ...(at === undefined ? {} : { at }),
    ...(log === undefined ? {} : { log }),
    ...(refusal === undefined ? {} : { ...refusalFields(refusal), message }),
  };
  if (verdict !== 'refused' || options.corpus === undefined) return row;
  const found = await caseOfRefusal(program, rules, { profile, kernel });
  if (found === undefined) return { ...row, case: null };
  const stored = await storeCase(
    options.corpus,
    found.cause,
    found.text,
    async (text, path) => (await replayText(text, path, { kernel })).ok,
  );
  return { ...row, case: stored.file };
}
