/** The examples for many machines: every command in them is one that swansong takes, and they have what Kubernetes and compose need. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.js';

const DOCS = resolve(import.meta.dirname, '../../docs');
const text = (file: string): string => readFileSync(join(DOCS, file), 'utf8');

/** Throws where swansong would not take this command line. It is read and not run. */
async function read(args: readonly string[]): Promise<void> {
  const program = new Command().exitOverride();
  (await COMMANDS[args[0]!]!())(program, async () => {});
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(args, { from: 'user' });
}

/** The words of each `swansong …` in a text: lines that end in a backslash go on, and what a shell puts in stands for itself. */
function commandsIn(source: string): readonly (readonly string[])[] {
  const whole = source.replaceAll(/\\\n\s*/g, '');
  return [...whole.matchAll(/^[ -]*swansong ((?:fuzz|worker|merge) [^\n]*)/gm)].map(([, line]) =>
    line!
      .replace(/\s*(#|\|\|).*$/, '')
      .replaceAll(/"?\$part\/\$PARTS"?/g, '3/8')
      .replaceAll('"', '')
      .trim()
      .split(/\s+/),
  );
}

/** The list behind `key:` in YAML as these files write it, in one line or an entry a line. */
function listOf(source: string, key: string): readonly (readonly string[])[] {
  const bare = (word: string): string => word.trim().replace(/^'(.*)'$/, '$1');
  const flow = [...source.matchAll(new RegExp(`${key}: \\[(.*)\\]`, 'g'))].map(([, list]) =>
    list!.split(/,(?![^']*'(?:,|$))/).map(bare),
  );
  const block = [...source.matchAll(new RegExp(`^( *)${key}:\\n((?:\\1  - .*\\n)+)`, 'gm'))].map(
    ([, , list]) =>
      list!
        .trim()
        .split('\n')
        .map((line) => bare(line.replace(/^ *- /, ''))),
  );
  return [...flow, ...block];
}

it('commands in the text and in the Job are read by swansong', async () => {
  const inText = commandsIn(text('many-machines.md'));
  const inJob = commandsIn(text('ci/kubernetes-job.yaml'));
  expect(inText.map(([name]) => name).sort()).toEqual(['fuzz', 'fuzz', 'fuzz', 'fuzz', 'merge', 'worker']);
  expect(inJob.map(([name]) => name)).toEqual(['fuzz', 'merge']);
  for (const args of [...inText, ...inJob]) await read(args);
  await expect(read(['fuzz', '--shard', '9/8'])).rejects.toThrow();
});

it('commands of the services are read by swansong', async () => {
  const commands = listOf(text('ci/compose.yaml'), 'command').filter(([name]) => name === 'swansong');
  expect(commands.map((args) => args[1]).sort()).toEqual(['fuzz', 'worker']);
  for (const [, ...args] of commands) await read(args);
});

it('the Job is an indexed one whose parts are as many as its completions', () => {
  const job = text('ci/kubernetes-job.yaml');
  expect(job).not.toContain('\t');
  const documents = job.split(/^---$/m);
  expect(documents.map((one) => /^kind: (\w+)$/m.exec(one)?.[1])).toEqual([
    'PersistentVolumeClaim',
    'Job',
    'Job',
  ]);
  const [, parts, merge] = documents as [string, string, string];
  expect(parts).toMatch(/^ {2}completionMode: Indexed$/m);
  expect(/name: PARTS\n\s+value: '(\d+)'/.exec(parts)?.[1]).toBe(/completions: (\d+)/.exec(parts)?.[1]);
  expect(parts).toContain('part=$((JOB_COMPLETION_INDEX + 1))');
  for (const one of [parts, merge]) {
    expect(one).toMatch(/^apiVersion: batch\/v1$/m);
    expect(one).toMatch(/^ {6}restartPolicy: Never$/m);
    const claims = /claimName: (\S+)/.exec(one)?.[1];
    expect(documents[0]).toContain(`name: ${claims}`);
  }
});

it('the services wait for a Redis that keeps what it is told', () => {
  const compose = text('ci/compose.yaml');
  expect(compose).not.toContain('\t');
  const services = [...compose.split(/^volumes:/m)[0]!.matchAll(/^ {2}(\w+):$/gm)].map(([, name]) => name);
  expect(services).toEqual(['redis', 'worker', 'fuzz']);
  expect(listOf(compose, 'command')[0]).toEqual([
    'redis-server',
    '--appendonly',
    'yes',
    '--maxmemory-policy',
    'noeviction',
  ]);
  expect(compose.match(/redis:\n {8}condition: service_healthy/g)).toHaveLength(2);
});
