/** What a judge in a thread is asked, and what it answers; and errors as plain data. */
import { InputError, type Place } from '../../isa/errors.js';
import type { JudgedProfile } from '../input/kernel-profile.js';
import type { Judged, Opened } from './judge.js';

/** What the thread is asked: what is in a file, or what comes of a program of it; both by their place. */
export type Question =
  | { readonly ask: 'open'; readonly file: number }
  | { readonly ask: 'judge'; readonly file: number; readonly program: number };

/** What the thread says. `begun`: the program that was asked about is read, and the work on it begins. */
export type Said =
  | { readonly say: 'ready'; readonly profile: JudgedProfile['json'] }
  | { readonly say: 'begun' }
  | { readonly say: 'opened'; readonly opened: Opened }
  | { readonly say: 'judged'; readonly judged: Judged<unknown> }
  | { readonly say: 'failed'; readonly error: ErrorData };

/** An error that goes from one thread to another. */
export interface ErrorData {
  readonly kind: 'input' | 'system' | 'internal';
  readonly message: string;
  readonly place?: Place;
  /** Of the file system's errors. */
  readonly path?: string;
  readonly syscall?: string;
  readonly code?: string;
  readonly stack?: string;
}

/** An error as plain data, so that another thread can throw it again with all that is printed of it. */
export function errorData(error: unknown): ErrorData {
  if (error instanceof InputError) return { kind: 'input', message: error.message, place: error.place };
  if (!(error instanceof Error)) return { kind: 'internal', message: String(error) };
  const { message, stack } = error;
  const trace = stack === undefined ? {} : { stack };
  if (!('path' in error && 'syscall' in error)) return { kind: 'internal', message, ...trace };
  const code = 'code' in error ? { code: String(error.code) } : {};
  return { kind: 'system', message, path: String(error.path), syscall: String(error.syscall), ...code };
}

/** The error that `errorData` was made of, for those who print it. */
export function errorOf({ kind, message, place, path, syscall, code, stack }: ErrorData): Error {
  if (kind === 'input') return new InputError(message, place);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return kind === 'system' ? Object.assign(error, { path, syscall, code }) : error;
}
