/**
 * A file that only grows, one JSON document a line: each thing that a campaign learns is there before the campaign goes on, so that a kill at
 * any moment loses nothing that was told. Now and then the state is written whole, and the journal begins anew.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { InputError } from '../../isa/errors.js';
import { writing } from './writable.js';

/** An open journal. Close it at the end. */
export class Journal<E> {
  private constructor(
    private readonly file: string,
    private readonly fd: number,
    private length: number,
  ) {}

  /**
   * Opens a journal behind what it holds. A last line that was not written to its end is what a kill leaves: it is taken off. Throws InputError
   * for any other line that is no entry, and for a file that cannot be written.
   */
  static open<E>(file: string, isEntry: (value: unknown) => value is E): Journal<E> {
    const fd = writing(file, () => openSync(file, 'a+'));
    try {
      const bytes = readFileSync(file);
      const length = bytes.lastIndexOf(0x0a) + 1;
      entriesOf(file, bytes.subarray(0, length).toString('utf8'), isEntry);
      if (length < bytes.length) writing(file, () => ftruncateSync(fd, length));
      return new Journal<E>(file, fd, length);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.length;
  }

  /** Writes an entry; with `safe` it is on the disk when this returns, so that it outlives the machine as well. Throws InputError. */
  append(entry: E, safe = false): void {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`);
    writing(this.file, () => {
      try {
        for (let at = 0; at < line.length; ) at += writeSync(this.fd, line, at);
      } catch (error) {
        // Half a line must not stand before whole ones.
        ftruncateSync(this.fd, this.length);
        throw error;
      }
      this.length += line.length;
      if (safe) fsyncSync(this.fd);
    });
  }

  /** Empties it. */
  clear(): void {
    writing(this.file, () => ftruncateSync(this.fd));
    this.length = 0;
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** What a journal holds, without a last line that was not written to its end. Throws InputError for any other line that is no entry. */
export function readJournal<E>(file: string, isEntry: (value: unknown) => value is E): readonly E[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return entriesOf(file, text.slice(0, text.lastIndexOf('\n') + 1), isEntry);
}

function entriesOf<E>(file: string, text: string, isEntry: (value: unknown) => value is E): E[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line, i) => {
      let entry: unknown;
      try {
        entry = JSON.parse(line);
      } catch {
        throw new InputError('this line is no entry of a journal', { file, line: i + 1 });
      }
      if (!isEntry(entry)) throw new InputError('this line is no entry of a journal', { file, line: i + 1 });
      return entry;
    });
}
