/** A folder that all files of one run of the properties share: for what takes long to make. It is cleared away when the run has ended. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folder of the run whose main process this is. Nobody has made it yet. */
export const sharedFolder = (main: number): string => join(tmpdir(), `swansong-run-${main}`);

/** Clears it away, in the main process: before the run, in case an earlier one left something, and after it. */
export default function setup(): () => void {
  const clear = (): void => rmSync(sharedFolder(process.pid), { recursive: true, force: true });
  clear();
  return clear;
}
