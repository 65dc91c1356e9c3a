/**
 * One campaign at a time in a folder. The lock is flock(2) on a file in it: the kernel takes it away when the process ends, however it
 * ends. The file tells which process it is, and stays.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { InputError } from '../../isa/errors.js';
import { writing } from './writable.js';

export const LOCK_FILE = 'campaign.lock';

const LOCK_EX = 2;
const LOCK_NB = 4;

/** A folder that this process alone may write a campaign to, until `release`. */
export interface FolderLock {
  release(): void;
}

/** Locks a folder that is there. Throws InputError where another process has it, and where the lock cannot be written. */
export function lockFolder(folder: string): FolderLock {
  const file = join(folder, LOCK_FILE);
  const fd = writing(file, () => openSync(file, 'a+'));
  const owner = readFileSync(file, 'utf8').trim();
  if (!takes(fd, owner)) {
    closeSync(fd);
    throw new InputError(`another campaign runs in this folder${owner === '' ? '' : `: process ${owner}`}`, {
      file: folder,
    });
  }
  try {
    writing(file, () => {
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`);
    });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    release() {
      ftruncateSync(fd);
      closeSync(fd);
    },
  };
}

/** Where flock(2) cannot be called, a process that lives still has it. */
function takes(fd: number, owner: string): boolean {
  const flock = systemFlock();
  if (flock !== undefined) return flock(fd, LOCK_EX | LOCK_NB) === 0;
  return owner === '' || !isAlive(Number(owner));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

type Flock = (fd: number, operation: number) => number;
interface Koffi {
  load(library: string): { func(signature: string): Flock };
}
const LIBRARIES = ['libc.so.6', 'libc.so', 'libSystem.B.dylib'];
let known: { readonly flock: Flock | undefined } | undefined;

/** flock(2) of the system's C library, if it can be called. */
function systemFlock(): Flock | undefined {
  known ??= { flock: loadFlock() };
  return known.flock;
}

function loadFlock(): Flock | undefined {
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch {
    return undefined;
  }
  for (const library of LIBRARIES) {
    try {
      return koffi.load(library).func('int flock(int fd, int operation)');
    } catch {
      // Another system calls it otherwise.
    }
  }
  return undefined;
}
