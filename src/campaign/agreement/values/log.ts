/** The log that a recording program keeps in a map of its own: how it is laid out, and which places of the program write to it. */
import type { MapDef, Program } from '../../../object/program.js';

/** Bytes of entries that the log holds: a power of two, so that a mask keeps the position inside. */
export const LOG_BYTES = 1 << 15;
/** Words that come first: the position after the last entry, what is left of the budget of may_goto, the CPU that ran. */
export const LOG_HEADER = 24;
export const BUDGET_AT = 8;
export const CPU_AT = 16;
/** The most that one entry takes. */
export const LARGEST_ENTRY = 1024;
export const ENTRY_HEADER = 16;

export const LOG: MapDef = {
  name: 'swansong_log',
  type: 'array',
  keySize: 4,
  valueSize: LOG_HEADER + LOG_BYTES + LARGEST_ENTRY,
  maxEntries: 1,
  flags: 0,
  fields: [],
};

/** Part of an entry: bytes that were copied. */
export interface Copied {
  /** Argument (from 0) whose buffer it is; -1: what r0 points to. */
  readonly arg: number;
  /** Where in the entry. */
  readonly at: number;
  readonly size: number;
}

/**
 * One place in the program that writes an entry. A `key` is the start of a callback for the elements of a hash, which are gone through
 * in an order of the kernel's. An entry: the site's number, a value, copied bytes. */
export interface Site {
  /** Slot of the call or load, in the program that records. */
  readonly slot: number;
  readonly kind: 'call' | 'load' | 'key';
  /** The function called, or the kind of object loaded from. */
  readonly name: string;
  /** What the value is: a number of which all or the lower 32 bits count, a pointer that is NULL or not, or nothing to compare. */
  readonly value: 'number' | 'half' | 'pointer' | 'none';
  readonly size: number;
  readonly copied: readonly Copied[];
  /** Arguments whose buffers the function may have written and that are not copied. */
  readonly unseen: readonly number[];
}

/** A program that writes down what its calls return, and how to read what it wrote. */
export interface Recording {
  readonly program: Program;
  /** Index of the log in its maps. */
  readonly log: number;
  readonly sites: readonly Site[];
}

/** A program that cannot be made to record, and why. */
export interface NotRecorded {
  readonly why: string;
}
