/** Which exit code a verdict has. Every command that judges takes its code from here. */
import { isLostPrecision } from '../campaign/agreement/counts.js';
import type { ExportedProgram } from '../live/export.js';
import type { Session } from '../live/run/session.js';
import type { Certificate } from '../oracle/certify.js';
import type { ProgramProof } from '../smt/proof.js';

/** 0: it holds. 1: a check failed. 2: bad usage or input. 3: unknown (a solver gave up, a budget was spent). */
export type ExitCode = 0 | 1 | 2 | 3;

/** The worst of several exit codes: a failed check counts more than an unknown one. 0 of none. */
export function worst(codes: Iterable<ExitCode>): ExitCode {
  const order: readonly ExitCode[] = [0, 3, 1, 2];
  let result: ExitCode = 0;
  for (const code of codes) if (order.indexOf(code) > order.indexOf(result)) result = code;
  return result;
}

/** Of a program proof. */
export const PROOF_EXIT: Readonly<Record<ProgramProof['verdict'], ExitCode>> = {
  proven: 0,
  refuted: 1,
  unknown: 3,
};

/** Of a certificate. */
export const CERTIFICATE_EXIT: Readonly<Record<Certificate['verdict'], ExitCode>> = {
  certified: 0,
  refused: 1,
  inexpressible: 3,
};

/** Of an exported program. One that no kernel was asked about may be refused by it. */
export const EXPORT_EXIT: Readonly<Record<ExportedProgram['verdict'], ExitCode>> = {
  exported: 0,
  refused: 1,
  inexpressible: 3,
  unchecked: 3,
};

/** Of killed runs in the kernel. Where none was killed nothing was shown. */
export function killsExit({
  killed,
  leaked,
  runsAgain,
}: Pick<Session, 'killed' | 'leaked' | 'runsAgain'>): ExitCode {
  if (leaked > 0 || !runsAgain) return 1;
  return killed === 0 ? 3 : 0;
}

/** Of our verifier's verdict on a program, and the kernel's where it was asked. Only a refusal by either is a failed check. */
export function verifyExit(ours: string, kernels: string | undefined): ExitCode {
  if (ours === 'rejected' || kernels === 'rejected') return 1;
  return ours === 'accepted' ? 0 : 3;
}

/** Of rule proofs, by their numbers. */
export function rulesExit({
  refuted,
  unknown,
}: {
  readonly refuted: number;
  readonly unknown: number;
}): ExitCode {
  if (refuted > 0) return 1;
  return unknown > 0 ? 3 : 0;
}

/** Of a campaign: a finding or a disagreement fails it; a proof that gave up leaves it unknown, and so does an end before the planned one. */
export function campaignExit({
  findings,
  disagreementCount,
  unknown,
  finished,
}: {
  readonly findings: readonly unknown[];
  readonly disagreementCount: number;
  readonly unknown: number;
  readonly finished: boolean;
}): ExitCode {
  if (findings.length > 0 || disagreementCount > 0) return 1;
  return unknown > 0 || !finished ? 3 : 0;
}

/** Of a comparison with Linux. We accept what Linux refuses, or have another value: it fails. We refuse more than Linux: that is only shown. */
export function comparisonExit({
  differences,
  finished,
  openFiles,
}: {
  readonly differences: Readonly<Record<string, unknown>>;
  readonly finished: boolean;
  readonly openFiles: { readonly before: number; readonly after: number };
}): ExitCode {
  if (openFiles.after !== openFiles.before) return 1;
  if (Object.keys(differences).some((kind) => !isLostPrecision(kind))) return 1;
  return finished ? 0 : 3;
}
