/** `loadObject`: one map a name, whoever uses it; a refused program does not keep the others out; all is closed at the end. */
import { expect, it } from 'vitest';
import {
  add,
  callHelper,
  exit,
  jmp,
  ldMap,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r10,
  st,
  stx,
} from '../../src/isa/build.js';
import { type Item, label } from '../../src/isa/label.js';
import { openBpfFiles } from '../../src/oracle/files.js';
import { loadObject } from '../../src/oracle/object.js';
import { testRun } from '../../src/oracle/testrun.js';
import { programOf, smallMap } from '../support/kernel/programs.js';
import { describeKernel } from '../support/kernel/skip.js';

const counter = smallMap('array', 'counter');
const jumps = smallMap('prog_array', 'jumps');

/** Looks up entry 0 of map 0 and does `inside` with the pointer in r0. */
const onCounter = (inside: readonly Item[]): Item[] => [
  st(4, r10, -4, 0),
  ldMap(r1, 0),
  mov(r2, r10),
  add(r2, -4),
  callHelper(1),
  jmp('eq', r0, 0, 'none'),
  ...inside,
  exit(),
  label('none'),
  mov(r0, 1000),
  exit(),
];

const writer = programOf('xdp', onCounter([ldx(8, r1, r0, 0), add(r1, 7), stx(8, r0, 0, r1), mov(r0, 0)]), {
  maps: [counter],
});
const reader = programOf('tc', onCounter([ldx(8, r0, r0, 0)]), { maps: [counter] });
const refused = programOf('tc', [mov(r0, r2), exit()], { maps: [counter] });
const jumper = programOf('xdp', [ldMap(r2, 0), mov(r3, 0), callHelper(12), mov(r0, 55), exit()], {
  maps: [jumps],
});

describeKernel('programs of one object share their maps', () => {
  it('what one writes the other reads, and tail calls arrive', () => {
    const before = openBpfFiles();
    const object = loadObject([writer, refused, reader, jumper]);
    try {
      expect(object.programs.map((result) => result.ok)).toEqual([true, false, true, true]);
      expect(object.programs[1]).toMatchObject({ stage: 'program', message: 'R2 !read_ok' });
      expect([...object.maps.keys()]).toEqual(['counter', 'jumps']);
      const [write, , read, jump] = object.programs;
      if (!write?.ok || !read?.ok || !jump?.ok) throw new Error('refused');
      for (let i = 1; i < 4; i++) {
        expect(testRun(writer, write)).toMatchObject({ retval: 0 });
        expect(testRun(reader, read)).toMatchObject({ retval: 7 * i });
      }
      expect(testRun(jumper, jump)).toMatchObject({ retval: 55 });
      object.maps.get('jumps')!.setProgram(0, write.fd);
      expect(testRun(jumper, jump)).toMatchObject({ retval: 0 });
      expect(testRun(reader, read)).toMatchObject({ retval: 28 });
      expect(openBpfFiles()).toBe(before + 5);
    } finally {
      object.close();
    }
    object.close();
    expect(openBpfFiles()).toBe(before);
  });
});
