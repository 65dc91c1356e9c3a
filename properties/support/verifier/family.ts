/**
 * Families of small programs: tables of which each row is one thing (a resource, a pointer, a function) and each column something that is done
 * with it. Linux 6.18 has judged every program with and without capabilities; its verdicts are kept beside this file, a letter a program:
 * `+` accepted, `-` refused, `s` accepted but refused by our verifier for a reason that docs/stricter-than-linux.md gives, `.` there is no such
 * program. SWANSONG_RECORD=1 writes them anew where a kernel can be asked.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Item } from '../../../src/isa/label.js';
import { defaultParams, synthesize } from '../../../src/object/btf/synthesize.js';
import type { LocalType, Program, ProgType } from '../../../src/object/program.js';
import type { Refused } from '../../../src/verifier/result.js';
import type { Profile } from '../../../src/verifier/state/profile.js';
import { stricterLine } from '../../../src/verifier/stricter.js';
import { kernelCase, type Names } from '../kernel/case.js';

export interface Row {
  readonly name: string;
  /** The program of a column; undefined where there is none. */
  readonly program: (column: string) => Program | undefined;
  /** The program of the column is judged in the strict profile too. */
  readonly strictToo: (column: string) => boolean;
}

export interface Family {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** What our verifier says of programs of this family alone, for a reason in docs/stricter-than-linux.md: words too common for `stricterLine`. */
  readonly stricter?: RegExp;
}

/** Our verifier has a reason of its own to refuse a program of the family. */
export function hasReason({ stricter }: Family, refusal: Refused, program: Program): boolean {
  return (
    stricterLine(refusal, program) !== undefined ||
    refusal.lines.some((line) => stricter?.test(line) === true)
  );
}

/** What a program needs besides its insns. */
export interface Needs {
  readonly localTypes?: readonly LocalType[];
  readonly globals?: readonly string[];
  /** Those among the global functions whose first argument is the context. */
  readonly takeContext?: readonly string[];
  readonly sleepable?: true;
  readonly license?: string;
}

/** A program out of its insns. */
export function small(
  type: ProgType,
  { localTypes, globals, takeContext, sleepable, license }: Needs,
  body: (names: Names) => readonly Item[],
): Program {
  const { program } = kernelCase(
    'family: program',
    type,
    { ...(localTypes === undefined ? {} : { localTypes }), ...(globals === undefined ? {} : { globals }) },
    body,
  );
  return {
    ...(takeContext === undefined ? program : withContexts(program, takeContext)),
    ...(sleepable === undefined ? {} : { sleepable }),
    ...(license === undefined ? {} : { license }),
  };
}

/** The program with BTF that gives these functions a context. */
export function withContexts(program: Program, takeContext: readonly string[]): Program {
  const { btf, funcIds, mapKey, mapValue } = synthesize(program, {
    params: (i) =>
      i === 0 || takeContext.includes(program.subprogs[i]!.name) ? ['ctx'] : defaultParams(program, i),
  });
  const subprogs = program.subprogs.map((one, i) => ({ ...one, btfId: funcIds[i]! }));
  const maps = program.maps.map((map, i) => ({ ...map, btfKey: mapKey[i]!, btfValue: mapValue[i]! }));
  return { ...program, btf, subprogs, maps };
}

/** A family in which every row has something for each column, or has not. `strictToo`: which are also judged without capabilities, all unless told. */
export function family<R extends { readonly name: string }>(
  name: string,
  rows: readonly R[],
  columns: readonly string[],
  build: (row: R, column: string) => Program | undefined,
  strictToo: (row: R, column: string) => boolean = () => true,
  stricter?: RegExp,
): Family {
  return {
    name,
    columns,
    ...(stricter === undefined ? {} : { stricter }),
    rows: rows.map((row) => ({
      name: row.name,
      program: (column) => build(row, column),
      strictToo: (column) => strictToo(row, column),
    })),
  };
}

export const PROFILES: readonly Profile[] = ['privileged', 'strict'];

/** Letters of a row by profile. */
export type Letters = Readonly<Record<Profile, string>>;

const fileOf = (name: string): string => resolve(import.meta.dirname, 'verdicts', `${name}.txt`);

/** What Linux said of a family, by the row's name. */
export function recorded({ name }: Family): ReadonlyMap<string, Letters> {
  const lines = readFileSync(fileOf(name), 'utf8').split('\n').slice(1, -1);
  return new Map(
    lines.map((line) => {
      const [privileged = '', strict = '', row = ''] = line.split('\t');
      return [row, { privileged, strict }];
    }),
  );
}

export function record({ name, columns }: Family, rows: ReadonlyMap<string, Letters>): void {
  const lines = [...rows].map(([row, { privileged, strict }]) => `${privileged}\t${strict}\t${row}\n`);
  writeFileSync(fileOf(name), `# ${columns.join(', ')}\n${lines.join('')}`);
}
