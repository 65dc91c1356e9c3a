import { calls } from './calls.js';
import { globals } from './globals.js';
import type { Kind } from './mended.js';
import { pointers } from './pointers.js';
import { precision } from './precision.js';

/** By kind of mistake. */
export const kinds: Readonly<Record<string, Kind>> = { ...pointers, ...precision, ...calls, ...globals };
