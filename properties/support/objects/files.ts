/** The sample objects of the corpus. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../../src/isa/errors.js';
import { readObject } from '../../../src/object/load.js';
import type { Program } from '../../../src/object/program.js';
import { kernelShowsBtf } from '../../../src/oracle/btf.js';

/** The folder, with a slash at its end. */
export const objectsFolder = fileURLToPath(new URL('../../../corpus/objects/', import.meta.url));

export const objectFiles: readonly string[] = readdirSync(objectsFolder)
  .filter((name) => name.endsWith('.o'))
  .sort();

/** The bytes of a sample, each time a new copy. */
export function objectBytes(file: string): Uint8Array {
  return new Uint8Array(readFileSync(objectsFolder + file));
}

/** Why the programs of a sample cannot be had on this machine, where `programsOf` has none. */
export const NEEDS_BTF =
  'the object is read for the BTF of the kernel, and /sys/kernel/btf/vmlinux cannot be read';

/** The programs of a sample; undefined when they need the types of a kernel and there are none. */
export function programsOf(
  file: string,
  targetBtf: 'kernel' | 'none' = kernelShowsBtf() ? 'kernel' : 'none',
): readonly Program[] | undefined {
  const needs = (reason: string): boolean => /relocated against|is looked up in a kernel's BTF/.test(reason);
  try {
    const { programs, skipped } = readObject(objectBytes(file), file, { targetBtf });
    return targetBtf === 'none' && skipped.some(({ reason }) => needs(reason)) ? undefined : programs;
  } catch (error) {
    if (targetBtf === 'none' && error instanceof InputError && needs(error.message)) return undefined;
    throw error;
  }
}
