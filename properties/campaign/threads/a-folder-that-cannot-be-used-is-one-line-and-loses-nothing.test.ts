/**
 * Whatever is wrong with the folders of a campaign is one clear line and exit 2: before work begins where it can be known by then, and with what was
 * found so far where it happens in the middle. What is in a folder is not lost by it.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockFolder } from '../../../src/campaign/storage/lock.js';
import { here, MAIN, type Ran, scratch, swansong } from '../../support/cli.js';
import { seeded } from '../../support/seed.js';

const base = scratch();
let folders = 0;
const fresh = (): string => join(base, `${folders++}`);

const ARGS = ['fuzz', '--rules', 'naive', '--worlds', '1', '--no-proofs', '--workers', '1'];
const fuzz = (out: string, ...more: string[]): Promise<Ran> => here([...ARGS, '--out', out, ...more]);

/** One line on standard error that says this, and exit 2. */
function expectRefused({ exit, err }: Ran, said: RegExp): void {
  expect(err).toMatch(said);
  expect(err.trimEnd().split('\n').at(-1)).toMatch(/^swansong: /);
  expect(err).not.toMatch(/\n\s+at |internal error/);
  expect(exit).toBe(2);
}

/** A campaign that was begun, to be copied. */
const begun = fresh();
beforeAll(async () => {
  expect((await fuzz(begun, '--programs', '1')).exit).toBe(1);
}, 60_000);
function copy(): string {
  const folder = fresh();
  cpSync(begun, folder, { recursive: true });
  return folder;
}

describe('a folder that cannot be written', () => {
  const mounts: string[] = [];
  afterAll(() => {
    for (const folder of mounts) spawnSync('umount', [folder]);
  });
  const mount = (options: string): string | undefined => {
    const folder = fresh();
    mkdirSync(folder, { recursive: true });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status !== 0) return undefined;
    mounts.push(folder);
    return folder;
  };

  it('is refused before work begins', async () => {
    const file = fresh();
    writeFileSync(file, '');
    expectRefused(await fuzz(file), /this is no directory/);
    expectRefused(await fuzz(join(file, 'below')), /not a directory/);
    // Nothing is searched for for ever.
    expectRefused(await fuzz('/proc/nowhere/campaign'), /\/proc\/nowhere\/campaign: cannot be written/);
    expectRefused(await fuzz(fresh(), '--corpus', '/proc/nowhere'), /\/proc\/nowhere: cannot be written/);
  });

  it('and so is one that is read-only, or full', async ({ skip }) => {
    const readOnly = mount('ro');
    if (readOnly === undefined) return skip('file systems cannot be mounted here');
    expectRefused(await fuzz(readOnly), /cannot be written: read-only file system/);
    expectRefused(await fuzz(fresh(), '--corpus', join(readOnly, 'corpus')), /read-only file system/);
    const full = mount('size=64k')!;
    writeFileSync(join(full, 'taken'), Buffer.alloc(60_000));
    expectRefused(await fuzz(full), /cannot be written: no space left on device/);
    expect(readdirSync(full)).toEqual(['taken']);
  });

  it('that becomes full is told with all that was found, and is good to go on from', async ({ skip }) => {
    const folder = mount('size=80k');
    if (folder === undefined) return skip('file systems cannot be mounted here');
    const ran = await fuzz(folder, '--programs', '400', '--json');
    expectRefused(ran, /no space left on device/);
    const told = JSON.parse(ran.out) as {
      programs: number;
      finished: boolean;
      error: string;
      findings: { file: string; case?: string; also: { file: string; case?: string }[] }[];
    };
    expect(told).toMatchObject({ finished: false, error: expect.stringContaining('no space left') });
    const all = told.findings.flatMap((one) => [one, ...one.also]);
    expect(all.length).toBeGreaterThan(0);
    // Each is in a file, or it is told in full.
    for (const one of all)
      expect(one.file === '' ? one.case : readFileSync(one.file, 'utf8')).toContain('.expect');
    expect(spawnSync('mount', ['-o', 'remount,size=8m', folder]).status).toBe(0);
    const again = await fuzz(folder, '--programs', `${told.programs + 2}`, '--json');
    expect(again, again.err).toMatchObject({ exit: 1 });
    expect(JSON.parse(again.out)).toMatchObject({ finished: true, programs: told.programs + 2 });
  });
});

describe('a state', () => {
  const kept = (folder: string): string => join(folder, 'campaign.json');
  const change = (folder: string, edit: (state: Record<string, unknown>) => void): void => {
    const state = JSON.parse(readFileSync(kept(folder), 'utf8')) as Record<string, unknown>;
    edit(state);
    writeFileSync(kept(folder), JSON.stringify(state));
  };

  it('with a hole anywhere is damaged, and is left as it is', async () => {
    const { readState } = await import('../../../src/campaign/storage/state-file.js');
    const whole = JSON.parse(readFileSync(kept(begun), 'utf8')) as object;
    const holes = placesOf(whole).filter(([first]) => first !== 'setting');
    const folder = copy();
    fc.assert(
      fc.property(
        fc.constantFrom(...holes),
        fc.constantFrom(undefined, null, 'x', -1.5, {}),
        (path, value) => {
          const holed = JSON.parse(JSON.stringify(whole)) as object;
          put(holed, path, value);
          const text = JSON.stringify(holed);
          writeFileSync(kept(folder), text);
          let said = '';
          try {
            readState(folder);
          } catch (error) {
            said = `${(error as Error).name}: ${(error as Error).message}`;
          }
          if (said !== '') expect(said).toMatch(/^InputError: .*(damaged|not the state of)/);
          // What is read all the same is another value of the same kind, or a member that need not be there.
          else if (value !== undefined || !FREE.test(path.at(-2)!))
            expect(`${path.at(-1)} ${typeof value}`).toMatch(OPTIONAL);
          expect(readFileSync(kept(folder), 'utf8')).toBe(text);
        },
      ),
      seeded(400),
    );
  });

  it('that is damaged, or of another build, is one line and a way on', async () => {
    const damages: readonly [RegExp, (folder: string) => void][] = [
      [/this is not JSON/, (folder) => truncateSync(kept(folder), 100)],
      [/this is not JSON/, (folder) => writeFileSync(kept(folder), '')],
      [/damaged|not the state of a campaign/, (folder) => writeFileSync(kept(folder), '{}')],
      [
        /coverage\.types is missing/,
        (folder) => change(folder, (s) => Reflect.deleteProperty(s.coverage as object, 'types')),
      ],
      [
        /found\[0\]\.cause: expected an object/,
        (folder) => change(folder, (s) => Object.assign((s.found as object[])[0]!, { cause: null })),
      ],
      [
        /another build .*--restart/,
        (folder) => change(folder, (s) => Object.assign(s.identity as object, { code: 'f00' })),
      ],
      [
        /another campaign .*seed is 9, not 1.*--restart/,
        (folder) => change(folder, (s) => Object.assign(s.setting as object, { seed: 9 })),
      ],
      [
        /campaign\.journal:1: this line is no entry/,
        (folder) => appendFileSync(join(folder, 'campaign.journal'), 'no\n'),
      ],
    ];
    for (const [said, damage] of damages) {
      const folder = copy();
      damage(folder);
      const before = readFileSync(kept(folder), 'utf8');
      expectRefused(await fuzz(folder, '--programs', '1'), said);
      expect(readFileSync(kept(folder), 'utf8')).toBe(before);
    }
    const folder = copy();
    truncateSync(kept(folder), 100);
    const cases = readdirSync(join(folder, 'findings'));
    expect((await fuzz(folder, '--programs', '1', '--restart')).exit).toBe(1);
    expect(readFileSync(join(folder, 'campaign.before.json'), 'utf8')).toHaveLength(100);
    expect(readdirSync(join(folder, 'findings'))).toEqual(expect.arrayContaining(cases));
  });
});

/** All members of plain data, as ways to them. */
function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inside = Object.entries(value).flatMap(([key, one]) => placesOf(one, [...path, key]));
  return path.length === 0 ? inside : [path, ...inside];
}

function put(into: object, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (rest.length > 0) put((into as Record<string, object>)[key!]!, rest, value);
  else (into as Record<string, unknown>)[key!] = value;
}

/** `small undefined`: not shrunk yet. A text may be another text; what a profile, a declaration or a setting says is compared elsewhere. */
/** Members of these may be missing, and others there. */
const FREE = /^(types|functions|held|checks|broken|cells|stubs|kept|outcomes|pairs)$/;
const OPTIONAL =
  /^(small|rules) undefined|string$|^(types|functions|held|checks|broken|byRules|cells|stubs|kept|outcomes|pairs) object$/;

describe('two campaigns', () => {
  it('never run in one folder, and a kill -9 leaves it free', async () => {
    const folder = fresh();
    const args = [...ARGS, '--programs', '100000', '--out', folder];
    const first = spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore' });
    const ended = new Promise((done) => first.on('close', done));
    for (let i = 0; i < 300 && !existsSync(join(folder, 'campaign.json')); i++) await wait(100);
    expectRefused(
      await fuzz(folder, '--programs', '1'),
      new RegExp(`another campaign runs in this folder: process ${first.pid}`),
    );
    first.kill('SIGKILL');
    await ended;
    // By the same build: the one from sources is another.
    expect(swansong([...ARGS, '--programs', '1', '--out', folder])).toMatchObject({ exit: 1 });
  });

  it('and the lock goes back when it is released', () => {
    const folder = fresh();
    mkdirSync(folder);
    for (let i = 0; i < 3; i++) {
      const lock = lockFolder(folder);
      expect(() => lockFolder(folder)).toThrow(
        `another campaign runs in this folder: process ${process.pid}`,
      );
      lock.release();
    }
  });
});

describe('a rule file', () => {
  const rules = (text: string): string => `import { NULL, rule, ruleSet } from 'swansong';
import { wrong } from './names';
export default ruleSet('own', [${text} rule('rest').keep()]);\n`;
  const wrongOnes = (names: string): string => `export const wrong: readonly string[] = [${names}];\n`;
  const first = "rule('wrong').when((f) => wrong.includes(f.name)).stub({ r0: 'void' }),";
  const out = fresh();
  const folder = fresh();
  const ran = (): Promise<Ran> =>
    here([
      'fuzz',
      '--rules',
      join(folder, 'own.ts'),
      '--programs',
      '4',
      '--no-proofs',
      '--workers',
      '1',
      '--out',
      out,
    ]);

  it('may change its comments and layout, and not what it decides, itself or in what it imports', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'own.ts'), rules(first));
    writeFileSync(join(folder, 'names.ts'), wrongOnes("'bpf_spin_lock'"));
    expect((await ran()).exit).not.toBe(2);
    writeFileSync(join(folder, 'own.ts'), `// a comment\n${rules(`${first}\n\n`)}`);
    writeFileSync(join(folder, 'names.ts'), `/* another */ ${wrongOnes("'bpf_spin_lock' as string")}`);
    expect((await ran()).exit).not.toBe(2);
    writeFileSync(join(folder, 'names.ts'), wrongOnes("'bpf_spin_unlock'"));
    expectRefused(await ran(), /another campaign is kept here: the rule set 'own' decided otherwise/);
    writeFileSync(join(folder, 'names.ts'), wrongOnes("'bpf_spin_lock'"));
    expect((await ran()).exit).not.toBe(2);
  });
});
