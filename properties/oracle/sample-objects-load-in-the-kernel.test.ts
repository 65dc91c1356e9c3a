/** Every program in corpus/objects loads as read from its file: maps, BTF, kfuncs, subprograms, CO-RE and all. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readObject } from '../../src/object/load.js';
import { openBpfFiles } from '../../src/oracle/files.js';
import { loadObject } from '../../src/oracle/object.js';
import { isLoadable } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const folder = fileURLToPath(new URL('../../corpus/objects/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.o'));

describeKnownKernel('sample objects load in the kernel', () => {
  it('there are some', () => expect(files.length).toBeGreaterThanOrEqual(8));

  it.each(files)('%s', (file) => {
    const before = openBpfFiles();
    const all = readObject(readFileSync(folder + file), file).programs;
    expect(all.length).toBeGreaterThan(0);
    const programs = all.filter(isLoadable);
    const object = loadObject(programs);
    try {
      const refused = object.programs.flatMap((result, i) =>
        result.ok ? [] : [`${programs[i]!.name}: ${result.stage}: ${result.errno}: ${result.message}`],
      );
      expect(refused).toEqual([]);
    } finally {
      object.close();
    }
    expect(openBpfFiles()).toBe(before);
  });

  it('an object with its BTF cut is refused, not loaded without', () => {
    const { programs } = readObject(readFileSync(`${folder}owned_list.o`), 'owned_list.o');
    const cut = programs.map((program) => ({ ...program, btf: program.btf!.slice(0, -8) }));
    const object = loadObject(cut);
    try {
      expect(object.programs[0]).toMatchObject({ ok: false, stage: 'btf', errno: 'EINVAL' });
    } finally {
      object.close();
    }
  });
});
