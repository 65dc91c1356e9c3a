/** All programs whose paths meet, and what Linux 6.18 says of them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadProgram } from '../../../src/oracle/load.js';
import type { Verdict } from '../../../src/verifier/result.js';
import { type Family, type Meeting, meetingsOf } from './family.js';
import { CALLBACK_FAMILIES, LOOP_FAMILIES } from './loops.js';
import { PRECISION } from './precision.js';
import { REGISTERS } from './registers.js';
import { SECTIONS_AND_CALLS } from './sections.js';
import { STACK } from './stack.js';

/** Rooms of families, each with a file of what Linux said. */
export const ROOMS: Readonly<Record<Room, readonly Family[]>> = {
  registers: REGISTERS,
  stack: STACK,
  held: SECTIONS_AND_CALLS,
  precision: PRECISION,
  loops: [...LOOP_FAMILIES, ...CALLBACK_FAMILIES],
};
export type Room = 'registers' | 'stack' | 'held' | 'precision' | 'loops';

export const verdictsFile = (room: Room): string => resolve(import.meta.dirname, `${room}.txt`);

/** What is kept of a program: `loads` or `refused`, the insns walked, and the states kept. */
export type Told = string;

export const told = (ok: boolean, walked: number, states: number): Told =>
  `${ok ? 'loads' : 'refused'} ${walked} ${states}`;

export const ours = (verdict: Verdict): Told => told(verdict.ok, verdict.walked, verdict.states);

/** Asks the running kernel. Undefined where it could not be asked. */
export function linux({ program, profile }: Meeting): Told | undefined {
  const result = loadProgram(program, { logLevel: 4, strictCaps: profile === 'strict' });
  if (result.ok) result.close();
  else if (result.stage !== 'program') return undefined;
  const counts = /processed (\d+) insns.* total_states (\d+)/.exec(result.log);
  return counts === null ? undefined : told(result.ok, Number(counts[1]), Number(counts[2]));
}

export interface Known {
  readonly linux: Told;
  /** What our verifier says, where that is known to be something else. */
  readonly ours: Told;
}

export const meetingsIn = (room: Room): readonly Meeting[] => ROOMS[room].flatMap(meetingsOf);

export const nameOf = ({ group, pair }: Meeting): string => `${group}: ${pair}`;

/** What Linux said of the programs of a room, by name. */
export function known(room: Room): ReadonlyMap<string, Known> {
  const all = new Map<string, Known>();
  let group = '';
  for (const line of readFileSync(verdictsFile(room), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const [pair, linux, ours] = line.split('\t') as [string, string | undefined, string | undefined];
    if (linux === undefined) group = pair;
    else all.set(`${group}: ${pair}`, { linux, ours: ours ?? linux });
  }
  return all;
}
