/** One program of a campaign by itself: made, printed and checked as the campaign does it. */
import { type ProgramReport, programAt } from '../campaign/check/check.js';
import { type CampaignSetting, constraintsOf, Worker } from '../campaign/threads/job.js';
import type { ProgramDocument } from '../report/documents.js';
import { campaignExit, type ExitCode } from '../report/exit.js';
import { printCase } from '../vm/case/print.js';
import { EMPTY } from '../vm/state/environment.js';
import type { Outcome } from './output/outcome.js';

/** Checks program `index` of the campaign with this setting. Throws InputError as a campaign does. */
export async function checkOneProgram(setting: CampaignSetting, index: number): Promise<Outcome> {
  const worker = await Worker.open(setting);
  try {
    const [report] = await worker.do({ kind: 'check', from: index, to: index + 1 });
    const document = documentOf(setting, report!);
    return { exit: exitOf(report!), json: document, text: inWords(document) };
  } finally {
    worker.close();
  }
}

function documentOf(setting: CampaignSetting, report: ProgramReport): ProgramDocument {
  const { seed, rules, loader = 'privileged' } = setting;
  const { index, suspects, ...rest } = report;
  const program = programAt(index, {
    seed,
    constraints: constraintsOf(setting),
    guided: setting.unguided !== true,
    given: setting.given,
  });
  const comments = [`program ${index} of seed ${seed}`];
  const text = printCase({ program, profile: loader, env: EMPTY, comments });
  const findings = suspects.map(({ cause: { kind, ...cause }, text: of }) => ({
    ...cause,
    message:
      of
        .split('\n')
        .find((line) => line.startsWith(`# ${cause.check}: `))
        ?.slice(cause.check.length + 4) ?? kind,
    case: of,
  }));
  return { seed, rules, program: index, text, ...rest, findings };
}

function exitOf({ suspects, disagreements, proofs }: ProgramReport): ExitCode {
  const unknown = proofs.filter(({ verdict }) => verdict === 'unknown').length;
  return campaignExit({
    findings: suspects,
    disagreementCount: disagreements.length,
    unknown,
    finished: true,
  });
}

function inWords(one: ProgramDocument): string {
  const lines = [
    one.text.trimEnd(),
    '',
    `${one.accepted ? 'accepted' : 'refused'}, ${one.points} points${one.everywhere ? '' : ', not killed before every insn'}, at most ${one.worst} insns from a kill to the exit`,
    ...one.proofs.map(
      ({ rules, verdict, reason }) => `${rules}: ${verdict}${reason === undefined ? '' : `: ${reason}`}`,
    ),
    ...(one.kernel === undefined ? [] : [`Linux ${one.kernel.accepted ? 'accepts' : 'does not accept'} it`]),
    ...one.findings.map(
      (of) => `${of.check} under ${of.rules}, rule '${of.rule}', ${of.function}: ${of.message}`,
    ),
    ...one.disagreements.map(({ between, message }) => `a disagreement, ${between}: ${message}`),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
