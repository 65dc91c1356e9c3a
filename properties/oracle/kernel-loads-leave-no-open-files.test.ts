/** Whatever is loaded, refused or fails half-way: as many BPF files are open afterwards as before. */
import { expect, it } from 'vitest';
import { callHelper, exit, ldMap, mov, r0, r1 } from '../../src/isa/build.js';
import { mapType } from '../../src/kernel/maptypes.js';
import { synthesize } from '../../src/object/btf/synthesize.js';
import { MAP_TYPES, type MapDef } from '../../src/object/program.js';
import { kernelAvailable } from '../../src/oracle/available.js';
import { loadBtf } from '../../src/oracle/btf.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { openBpfFiles } from '../../src/oracle/files.js';
import { loadProgram } from '../../src/oracle/load.js';
import { createMap } from '../../src/oracle/maps.js';
import { closeFd, KernelError } from '../../src/oracle/syscall.js';
import { callCases } from '../support/kernel/calls.js';
import { lockCases } from '../support/kernel/locks.js';
import { memoryCases } from '../support/kernel/memory.js';
import { programOf, smallMap } from '../support/kernel/programs.js';
import { describeKernel } from '../support/kernel/skip.js';

/** The kernel makes such maps. */
function isMade(map: MapDef): boolean {
  try {
    createMap(map).close();
    return true;
  } catch {
    return false;
  }
}

/** Those that can be made without types, of a number of entries that can be wrong; where there is a kernel, those that it has. */
const maps = MAP_TYPES.filter((type) => !mapType(type).typed && !mapType(type).unsized)
  .map((type) => smallMap(type))
  .filter((map) => !kernelAvailable().ok || isMade(map));
const good = programOf('xdp', [ldMap(r1, 1), mov(r0, 2), exit()], { maps });
const refused = programOf('xdp', [callHelper(999), exit()], { maps });
const unknownKfunc = programOf('xdp', [{ kind: 'call', target: 'kfunc', imm: 0 }, exit()], {
  maps,
  kfuncs: ['no_such_kfunc'],
});
const badMap = programOf('xdp', [mov(r0, 2), exit()], {
  maps: [...maps, { ...smallMap('hash'), keySize: 0 }],
});
const badBtf = { ...good, btf: Buffer.from('no BTF at all') };

describeKernel('kernel loads leave no open files', () => {
  it('of many types of maps', () => {
    expect(maps.length).toBeGreaterThan(10);
  });

  it('500 loads, refused and not, with a map of each type', () => {
    const before = openBpfFiles();
    for (let i = 0; i < 100; i++) {
      for (const program of [good, refused, unknownKfunc, badMap, badBtf]) {
        const result = loadProgram(program, i % 8 === 0 ? { logLevel: 2 } : {});
        expect(result.ok).toBe(program === good);
        if (result.ok) result.close();
      }
    }
    expect(openBpfFiles()).toBe(before);
  });

  it('programs with BTF', () => {
    const before = openBpfFiles();
    for (const { program } of [...lockCases, ...callCases]) {
      const result = loadProgram(program);
      if (result.ok) result.close();
    }
    expect(openBpfFiles()).toBe(before);
  });

  it('a judge keeps a bounded number of maps, and none after it is closed', () => {
    const before = openBpfFiles();
    const judge = new KernelJudge();
    const program = (i: number) =>
      programOf('xdp', [ldMap(r1, 0), mov(r0, 2), exit()], {
        maps: [smallMap('array', `m${i}`), smallMap('hash', `m${i}`)],
      });
    for (let i = 0; i < 200; i++) expect(judge.judge(program(i))).toEqual({ accepted: true, judged: true });
    for (const { program: other } of memoryCases) judge.judge(other);
    expect(openBpfFiles()).toBeLessThanOrEqual(before + 64);
    judge.close();
    expect(openBpfFiles()).toBe(before);
  });

  it('2,000 maps, some of which cannot be made', () => {
    const before = openBpfFiles();
    for (let i = 0; i < 2000; i++) {
      const def = { ...maps[i % maps.length]!, ...(i % 7 === 0 ? { maxEntries: 0 } : {}) };
      try {
        createMap(def).close();
        expect(i % 7).not.toBe(0);
      } catch (error) {
        expect(error).toBeInstanceOf(KernelError);
        expect(i % 7).toBe(0);
      }
    }
    expect(openBpfFiles()).toBe(before);
  });

  it('a program that is not closed is seen', () => {
    const before = openBpfFiles();
    const result = loadProgram(good);
    expect(openBpfFiles()).toBe(before + 1 + maps.length);
    if (result.ok) {
      result.close();
      result.close();
    }
    expect(openBpfFiles()).toBe(before);
  });

  it('BTF that is not closed is seen', () => {
    const before = openBpfFiles();
    const fd = loadBtf(synthesize(good).btf);
    expect(openBpfFiles()).toBe(before + 1);
    closeFd(fd);
    expect(openBpfFiles()).toBe(before);
  });
});
