/**
 * The commands that the README shows print what it shows under them: those that are quick and that depend on no machine. The times in a column
 * `ms` may differ, and with them the width of the columns. `...` stands for any lines.
 */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CORPUS, swansong } from '../support/cli.js';
import { NEEDS_BTF, programsOf } from '../support/objects/files.js';

const README = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8');
const BLOCKS = [...README.matchAll(/^```\n(.*?)^```$/gms)].map(([, text]) => text!);

const folder = mkdtempSync(join(tmpdir(), 'swansong-readme-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
symlinkSync(CORPUS, join(folder, 'corpus'));
writeFileSync(join(folder, 'early.bpf'), /`early\.bpf` is\n\n```\n(.*?)^```$/ms.exec(README)![1]!);

interface Shown {
  readonly command: string;
  readonly lines: readonly string[];
}

/** Each command that is shown with a prompt, and the lines under it. */
const SHOWN: readonly Shown[] = BLOCKS.flatMap((block) =>
  block
    .split(/^\$ npx swansong /m)
    .slice(1)
    .map((text) => {
      const [command, ...lines] = text.split('\n');
      return { command: command!, lines: lines.filter((line) => line.trim() !== '') };
    }),
);

/** What must be shown and is tried. `certify` asks the running kernel, and other commands need files that another command writes. */
const TRIED = SHOWN.filter(({ command }) =>
  /^(prove|verify) (corpus|early)\S*( --\S+( [a-z]\S*)?)*$/.test(command),
);

/** Words of a command line; `a{b,c}` becomes `ab ac`. */
function wordsOf(command: string): readonly string[] {
  return command.split(' ').flatMap((word) => {
    const braces = /^(.*)\{(.*)\}(.*)$/.exec(word);
    return braces === null ? [word] : braces[2]!.split(',').map((one) => `${braces[1]}${one}${braces[3]}`);
  });
}

/** Lines without the width of columns and without times. */
function plain(lines: readonly string[]): readonly string[] {
  let time = -1;
  return lines.map((line) => {
    const words = line.trim().split(/\s+/);
    if (words[0] === 'program') time = words.indexOf('ms');
    const isRow = time >= 0 && /^ {2}\S/.test(line) && /^\d+\.\d+$/.test(words[time] ?? '');
    return words.filter((_, at) => !isRow || at !== time).join(' ');
  });
}

/** The shown lines in parts, between the lines `...`. */
function partsOf(lines: readonly string[]): readonly (readonly string[])[] {
  const parts: string[][] = [[]];
  for (const line of lines) {
    if (line === '...') parts.push([]);
    else parts.at(-1)!.push(line);
  }
  return parts;
}

describe('the README', () => {
  it('shows a proof, a refutation, a proof read aloud and a refusal', () => {
    expect(TRIED.map(({ command }) => command.split(' ')[0])).toEqual([
      'prove',
      'prove',
      'prove',
      'verify',
      'prove',
    ]);
  });

  it.for(TRIED.map((shown) => [shown.command, shown] as const))('%s', ([_, { command, lines }], { skip }) => {
    const samples = wordsOf(command).filter((word) => /^corpus\/objects\/[^/]+\.o$/.test(word));
    if (samples.some((file) => programsOf(basename(file)) === undefined)) skip(NEEDS_BTF);
    const { out } = swansong(wordsOf(command), { cwd: folder });
    const printed = plain(out.split('\n').filter((line) => line.trim() !== ''));
    const parts = partsOf(plain(lines));
    if (parts.length === 1) expect(printed).toEqual(parts[0]);
    let from = 0;
    for (const part of parts) {
      if (part.length === 0) continue;
      const at = printed.indexOf(part[0]!, from);
      expect(printed.slice(Math.max(at, 0), at + part.length)).toEqual(part);
      from = at + part.length;
    }
  });
});
