/** Help is where people look for it, fits the terminal, and tells exit codes and examples. */
import { expect, it } from 'vitest';
import { runCli } from '../../src/cli/cli.js';
import { COMMANDS } from '../../src/cli/commands/index.js';
import { here } from '../support/cli.js';

it('help, --help and -h say the same, of the program and of each command', async () => {
  const whole = await here(['--help']);
  expect(whole).toMatchObject({ exit: 0, err: '' });
  for (const words of [['-h'], ['help']]) expect(await here(words)).toEqual(whole);
  for (const name of Object.keys(COMMANDS)) {
    expect(whole.out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    const one = await here([name, '--help']);
    expect(one).toMatchObject({ exit: 0, err: '' });
    expect(one.out).toMatch(new RegExp(`^Usage: swansong ${name}\\b`));
    expect(await here(['help', name])).toEqual(one);
  }
  expect((await here(['help', 'proove'])).err).toContain("'proove'");
});

it('exit codes and examples are told, and each example is a command that there is', async () => {
  const { out } = await here(['--help']);
  for (const code of [0, 1, 2, 3]) expect(out).toMatch(new RegExp(`^  ${code}  \\w`, 'm'));
  const examples = [...out.matchAll(/^ {2}swansong (\w+)/gm)].map(([, name]) => name!);
  expect(examples.length).toBeGreaterThan(3);
  for (const name of examples) expect([...Object.keys(COMMANDS), 'help']).toContain(name);
});

it('the version is printed by --version and -V', async () => {
  const { out } = await here(['--version']);
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect((await here(['-V'])).out).toBe(out);
});

it('lines are as wide as the terminal', async () => {
  const widest = async (columns: number): Promise<number> => {
    let out = '';
    const streams = {
      out: async (text: string | Uint8Array) => {
        out += text.toString();
      },
      err: () => {},
      columns,
    };
    expect(await runCli(['prove', '--help'], streams)).toBe(0);
    return Math.max(...out.split('\n').map((line) => line.length));
  };
  expect(await widest(80)).toBeLessThanOrEqual(80);
  expect(await widest(140)).toBeGreaterThan(110);
});
