/** Whether files can be written: asked before work begins, and told in one line when it fails in the middle. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../../isa/errors.js';

/** Bytes that a folder must take, so that a file system that is full is noticed. */
const PROBE = Buffer.alloc(64 * 1024, 'swansong\n');

/**
 * Does work that writes `file`. Throws InputError, with the file and the system's reason, for what the file system throws: an error of
 * write(2) does not say which file it was.
 */
export function writing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new InputError(`cannot be written: ${reasonOf(error)}`, { file });
  }
}

/** The system's words for an error: `no space left on device`. */
function reasonOf({ message }: Error): string {
  return /^[A-Z0-9]+: ([^,]*)/.exec(message)?.[1] ?? message;
}

/** Makes a folder and those above it. One at a time: Node's own way of doing so does not end below /proc. Throws the file system's errors. */
export function makeFolder(folder: string): void {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return;
  const above = dirname(resolve(folder));
  if (stat === undefined && above !== resolve(folder)) makeFolder(above);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another process may have made it in the meantime.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

/**
 * Throws InputError where nothing can be written into `folder`; or, as long as there is no such folder, into the nearest one above it, in which
 * it would be made. A file is written there and taken away again.
 */
export function mustBeWritable(folder: string): void {
  writing(folder, () => {
    const probe = join(nearestFolder(folder), `.swansong-${process.pid}`);
    const fd = openSync(probe, 'w');
    try {
      for (let at = 0; at < PROBE.length; ) at += writeSync(fd, PROBE, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
      rmSync(probe, { force: true });
    }
  });
}

function nearestFolder(folder: string): string {
  const path = resolve(folder);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined && dirname(path) !== path) return nearestFolder(dirname(path));
  if (stat?.isDirectory() !== true)
    throw new InputError('this is no directory', { file: path === resolve(folder) ? folder : path });
  return path;
}

/**
 * Writes a file, whole or not at all, also where the machine stops in the middle; its folder is made where it is missing. Throws InputError where
 * it cannot be written; what was there stays.
 */
export function writeWhole(file: string, text: string): void {
  const fresh = `${file}.${process.pid}.new`;
  writing(file, () => {
    makeFolder(dirname(file));
    try {
      writeFileSync(fresh, text, { flush: true });
      renameSync(fresh, file);
    } catch (error) {
      rmSync(fresh, { force: true });
      throw error;
    }
  });
}
