/**
 * export and run-kernel: what scripts rely on in their JSON, their exit codes, what is written when a program cannot be exported, and bad input in one
 * line.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readObject } from '../../src/object/load.js';
import { CORPUS, here, scratch } from '../support/cli.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const folder = scratch();
const object = (name: string): string => join(CORPUS, 'objects', name);

describeKnownKernel('export', () => {
  it('writes the object, and says what it is', async () => {
    const out = join(folder, 'iter.o');
    const ran = await here(['export', object('iter_num.o'), '-o', out, '--json']);
    expect(ran).toMatchObject({ exit: 0, err: '' });
    expect(JSON.parse(ran.out)).toMatchObject({
      output: out,
      map: '.data.swansong_kill',
      variable: 'swansong_kill',
      distance: 4096,
      perCpu: false,
      deadline: null,
      programs: [{ name: 'iter_num', verdict: 'exported', message: '', polls: 1, word: 0, limit: -1 }],
    });
    expect(readObject(readFileSync(out), out).programs.map(({ name }) => name)).toEqual(['iter_num']);
    const text = await here(['export', object('iter_num.o'), '-o', out]);
    expect(text.out).toMatch(/iter_num +exported/);
  });

  it('with a limit and words for CPUs, where they are', async () => {
    const out = join(folder, 'deadline.o');
    const ran = await here([
      'export',
      object('sampler.o'),
      '-o',
      out,
      '--deadline',
      '64',
      '--per-cpu',
      '--json',
    ]);
    const { programs } = JSON.parse(ran.out) as { programs: { word: number; limit: number }[] };
    expect(programs.map(({ word }) => word)).toEqual([0, 4]);
    const [first, second] = programs.map(({ limit }) => limit);
    expect(first! % 8).toBe(0);
    expect(second! - first!).toBe(8);
  });

  it('writes nothing where the rules make a program that Linux refuses, unless it is to stay as it was', async () => {
    const out = join(folder, 'refused.o');
    const args = ['export', object('lock_counter.o'), '-o', out, '--rules', 'rfc-v1', '--entry', '--json'];
    const ran = await here(args);
    expect(ran.exit).toBe(1);
    expect(JSON.parse(ran.out)).toMatchObject({ output: null, programs: [{ verdict: 'refused' }] });
    expect(existsSync(out)).toBe(false);
    expect((await here([...args, '--as-is'])).exit).toBe(1);
    const [kept] = readObject(readFileSync(out), out).programs;
    const [original] = readObject(readFileSync(object('lock_counter.o')), 'lock_counter.o').programs;
    expect(kept!.insns).toEqual(original!.insns);
  });

  it.each([
    [['export', 'none.o', '-o', 'x.o'], /none\.o/],
    [['export', object('iter_num.o')], /output/],
    [['export', object('iter_num.c'), '-o', 'x.o'], /expected an object/],
    [['export', object('iter_num.o'), '-o', 'x.o', '--deadline', '100'], /power of two/],
    [['run-kernel', object('lock_counter.o')], /does not poll/],
    [['run-kernel', object('sampler.o')], /choose a program with --prog: sampler_tc, sampler_flush/],
    [['run-kernel', object('iter_num.o'), '--kill-after', 'soon'], /a time such as/],
    [['run-kernel', object('iter_num.o'), '--packet', 'xyz'], /hex digits/],
  ])('%s is refused in one line', async (args, message) => {
    const ran = await here(args);
    expect(ran.exit).toBe(2);
    expect(ran.err).toMatch(message);
    expect(ran.err.trim().split('\n')).toHaveLength(1);
  });
});

describeKnownKernel('run-kernel', () => {
  it('tells runs, kills, what was left and what was promised', async () => {
    const ran = await here([
      'run-kernel',
      object('iter_num.o'),
      '--entry',
      '--repeat',
      '3',
      '--within',
      '1us',
      '--json',
    ]);
    // A run of half a microsecond may well be over before it is killed: then nothing was shown.
    expect([0, 3]).toContain(ran.exit);
    expect(JSON.parse(ran.out)).toMatchObject({
      program: 'iter_num',
      runs: 3,
      leaked: 0,
      runsAgain: true,
      polling: { share: expect.any(Number) },
      promised: { verdict: 'proven', longest: expect.any(Number), kept: expect.any(Array) },
    });
  });
});
