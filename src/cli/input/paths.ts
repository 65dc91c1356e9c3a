/** Files below the paths that a person names. */
import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { InputError } from '../../isa/errors.js';

/** The word for standard input wherever a file is taken. */
export const STANDARD_INPUT = '-';

/** Endings of the files with programs that are looked for in folders. Objects are found whatever their ending is. */
export const PROGRAM_FILES: readonly string[] = ['.o', '.bpf', '.bin'];

/** A file, and whether a person named it or only a folder above it. */
export interface FoundFile {
  readonly path: string;
  readonly named: boolean;
}

/** As `filesBelow`, telling apart what was named and what was found. */
export function foundFiles(paths: readonly string[], extensions: readonly string[]): readonly FoundFile[] {
  return paths.flatMap((path) => {
    const named = !isFolder(path);
    return filesBelow([path], extensions).map((one) => ({ path: one, named }));
  });
}

/**
 * The files named, and for a folder those below it that have one of these extensions, in order of name; with `.o`, also those that are BPF objects by
 * their header. Links are followed. Throws InputError for a folder
 * that has none and the file system's error for a path that is not there.
 */
export function filesBelow(paths: readonly string[], extensions: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    if (!isFolder(path)) return [path];
    const objects = extensions.includes('.o');
    const found = walk(path).filter(
      (file) => extensions.includes(extname(file)) || (objects && isBpfObject(file)),
    );
    if (found.length === 0)
      throw new InputError(`there is no ${extensions.join(' or ')} file below`, { file: path });
    return found;
  });
}

// What is not there is told where it is read: of several files others may be there.
const isFolder = (path: string): boolean =>
  path !== STANDARD_INPUT && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Files below a folder. `above`: the real paths of the folders that lead here, so that links in a circle end. */
function walk(folder: string, above: readonly string[] = []): string[] {
  const real = realpathSync(folder);
  if (above.includes(real)) return [];
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    // A link that leads nowhere is no file.
    const kind = entry.isSymbolicLink() ? statSync(path, { throwIfNoEntry: false }) : entry;
    if (kind?.isDirectory()) return walk(path, [...above, real]);
    return kind?.isFile() ? [path] : [];
  });
}

/** The first bytes of an ELF file, and the place and number of the machine BPF in its header. */
const ELF = '\x7fELF';
const MACHINE_AT = 18;
const EM_BPF = 247;

/** Whether these are the first bytes of an ELF file for BPF; a file for another machine is left to those who want to read it. */
export function isBpfHeader(bytes: Uint8Array): boolean {
  return (
    Buffer.from(bytes.subarray(0, ELF.length)).toString('latin1') === ELF &&
    (bytes[MACHINE_AT] === EM_BPF || bytes[MACHINE_AT + 1] === EM_BPF)
  );
}

function isBpfObject(file: string): boolean {
  const head = new Uint8Array(MACHINE_AT + 2);
  try {
    const fd = openSync(file, 'r');
    try {
      return readSync(fd, head, 0, head.length, 0) === head.length && isBpfHeader(head);
    } finally {
      closeSync(fd);
    }
  } catch {
    // What may not be read is not looked for.
    return false;
  }
}
