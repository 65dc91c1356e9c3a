/**
 * What bpf(2) is handed for maps and their entries, field by field of union bpf_attr (include/uapi/linux/bpf.h), and what is made of its answers. The system call is a stand-in.
 */
import { constants } from 'node:os';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MAP_TYPES, type MapDef } from '../../src/object/program.js';
import { createMap, KernelMap, possibleCpus } from '../../src/oracle/maps.js';
import { def, forgetCalls, numbers, text, words, world } from '../support/oracle/recorded-bpf.js';

vi.mock('../../src/oracle/syscall.js', async (original) =>
  (await import('../support/oracle/recorded-bpf.js')).recordedSyscall(await original()),
);
vi.mock('node:fs', async (original) =>
  (await import('../support/oracle/recorded-bpf.js')).filesOfAKernel(await original()),
);

beforeEach(forgetCalls);

const { EINVAL, ENOENT, EPERM } = constants.errno;

describe('maps', () => {
  it('every field of a definition', () => {
    const map = createMap({ ...def, extra: 0x1_0000_0002n, name: 'a name/that is long.x' });
    const [call] = world.calls;
    expect(call!.cmd).toBe(0);
    expect(numbers(call!, 28)).toEqual({ 0: 1, 4: 5, 8: 6, 12: 7, 16: 8, 64: 2, 68: 1 });
    expect(text(call!, 28)).toBe('a_name_that_is_');
    expect(world.calls).toHaveLength(1);
    map.close();
    map.close();
    expect(world.closed).toEqual([map.fd]);
  });

  it('BTF for the types that take it', () => {
    const takes = MAP_TYPES.filter((type) => {
      world.calls = [];
      createMap({ ...def, type }, { fd: 44, key: 2, value: 3 });
      const all = words(world.calls[0]!);
      if (all[48] === undefined) expect([all[52], all[56]]).toEqual([undefined, undefined]);
      else expect([all[48], all[52], all[56]]).toEqual([44, 2, 3]);
      return all[48] !== undefined;
    });
    expect([...takes].sort()).toEqual(
      [
        'array',
        'percpu_array',
        'hash',
        'lru_hash',
        'percpu_hash',
        'lru_percpu_hash',
        'lpm_trie',
        'cgroup_storage',
        'percpu_cgroup_storage',
        'sk_storage',
        'inode_storage',
        'task_storage',
        'cgrp_storage',
      ].sort(),
    );
    world.calls = [];
    createMap(def, { fd: 44, key: 2, value: 0 });
    expect(words(world.calls[0]!)[48]).toBeUndefined();
  });

  it('a map of maps has the descriptor of one like its entries, which is closed', () => {
    const inner: MapDef = { ...def, name: 'in', btfKey: 8, btfValue: 9 };
    createMap({ ...def, type: 'array_of_maps', inner }, { fd: 44, key: 0, value: 0 });
    const [first, second] = world.calls;
    expect(words(first!)).toMatchObject({ 0: 1, 48: 44, 52: 8, 56: 9 });
    expect(world.closed).toHaveLength(1);
    expect(words(second!)).toMatchObject({ 0: 12, 20: world.closed[0] });
    world.closed = [];
    world.answer = ({ bytes }) => (bytes.readUInt32LE(0) === 12 ? -EINVAL : undefined);
    expect(() => createMap({ ...def, type: 'array_of_maps', inner })).toThrow(
      'create array_of_maps map m: EINVAL',
    );
    expect(world.closed).toHaveLength(1);
  });

  it('contents are written to entry 0 and frozen; zeros are there already', () => {
    const array: MapDef = { ...def, type: 'array', keySize: 4, valueSize: 8 };
    createMap({ ...array, initial: Uint8Array.of(0, 1, 2), frozen: true });
    const [made, update, freeze] = world.calls;
    expect([made, update, freeze].map((call) => call!.cmd)).toEqual([0, 2, 22]);
    expect([...update!.pointers.get(8)!]).toEqual([0, 0, 0, 0]);
    expect([...update!.pointers.get(16)!]).toEqual([0, 1, 2, 0, 0, 0, 0, 0]);
    expect(words(freeze!)[0]).toBe(words(update!)[0]);
    world.calls = [];
    createMap({ ...array, initial: new Uint8Array(8) });
    createMap({ ...array, frozen: false });
    expect(world.calls.map(({ cmd }) => cmd)).toEqual([0, 0]);
    world.answer = ({ cmd }) => (cmd === 22 ? -EPERM : undefined);
    world.closed = [];
    expect(() => createMap({ ...array, frozen: true })).toThrow('freeze map m: EPERM');
    expect(world.closed).toHaveLength(1);
  });

  it('entries: read, written, deleted, gone through', () => {
    const map = new KernelMap({ ...def, keySize: 4, valueSize: 2 }, 55);
    const key = Uint8Array.of(1, 2, 3, 4);
    world.answer = ({ cmd, pointers }) => {
      if (cmd !== 1) return undefined;
      pointers.get(16)!.set([7, 8]);
      return 0;
    };
    expect([...map.lookup(key)!]).toEqual([7, 8]);
    map.update(key, Uint8Array.of(9, 9), 2);
    expect(map.delete(key)).toBe(true);
    expect(world.calls.map((call) => [call.cmd, words(call)])).toEqual([
      [1, { 0: 55 }],
      [2, { 0: 55, 24: 2 }],
      [3, { 0: 55 }],
    ]);
    expect(world.calls.every(({ pointers }) => Buffer.from(pointers.get(8)!).equals(Buffer.from(key)))).toBe(
      true,
    );
    world.answer = () => -ENOENT;
    expect([map.lookup(key), map.delete(key), map.keys()]).toEqual([undefined, false, []]);
    expect(() => map.update(key, Uint8Array.of(1, 1))).toThrow('update map m: ENOENT');
    world.answer = () => -EINVAL;
    expect(() => map.lookup(key)).toThrow('look up in map m: EINVAL');
    expect(() => map.delete(key)).toThrow('delete from map m: EINVAL');
    expect(() => map.keys()).toThrow('iterate over map m: EINVAL');
    expect(() => map.lookup(key.slice(1))).toThrow(RangeError);
    expect(() => map.update(key, Uint8Array.of(1))).toThrow(RangeError);
    let last = 0;
    world.calls = [];
    world.answer = ({ cmd, pointers }) => {
      if (cmd === 1) return 0;
      if (last === 3) return -ENOENT;
      pointers.get(16)![0] = ++last;
      return 0;
    };
    expect(map.keys().map(([first]) => first)).toEqual([1, 2, 3]);
    expect(world.calls.map(({ cmd, pointers }) => [cmd, pointers.get(8)?.[0]])).toEqual([
      [4, undefined],
      [4, 1],
      [4, 2],
      [4, 3],
    ]);
    // A map that grows meanwhile: no more than fit, and one.
    world.answer = () => 0;
    expect(map.keys()).toHaveLength(8);
  });

  it('values of maps for each CPU: one for each that may come', () => {
    expect(possibleCpus()).toBe(6);
    const sizes = MAP_TYPES.map(
      (type) => [type, new KernelMap({ ...def, type, valueSize: 9 }, 1).entrySize] as const,
    );
    for (const [type, size] of sizes) {
      const percpu = ['percpu_array', 'percpu_hash', 'lru_percpu_hash', 'percpu_cgroup_storage'].includes(
        type,
      );
      expect(size, type).toBe(percpu ? 96 : 9);
    }
  });
});
