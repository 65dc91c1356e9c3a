/** What two runs must have in common to count as the same. */
import { hash } from 'node:crypto';
import { Choices } from '../../../src/vm/state/environment.js';
import type { Vm } from '../../../src/vm/vm.js';

/**
 * Members that are no part of a run's state: what all runs of a program share, where choices come from, who may write in place, and other
 * views of the same bytes.
 */
const NO_STATE: ReadonlySet<string> = new Set([
  'code',
  'program',
  'options',
  'spec',
  'token',
  'writer',
  'signed',
  'words',
]);

/** Longer bytes are compared by their hash. */
const LONG = 1024;

/** Everything that a run is, as plain data: all members of its machine state, whatever they are. Two runs with the same go on alike. */
export function fingerprint(vm: Vm): unknown {
  return plain(vm.machine);
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (value instanceof Uint8Array)
    return value.length > LONG
      ? `${value.length} bytes, ${hash('md5', value)}`
      : Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex');
  if (ArrayBuffer.isView(value)) return [...(value as BigUint64Array)];
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return [...value].map(plain);
  if (value instanceof Choices) return whatItTells(value);
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (NO_STATE.has(name) ? [] : [[name, plain(member)]])),
  );
}

/** The part of a log of choices that knows which functions were called. */
interface Log {
  readonly latest: ReadonlyMap<string, number>;
  readonly from: Log | undefined;
}

/** All that can be asked of the choices made so far: they, and the number of each function's next call. A fork's log is not its parent's. */
function whatItTells(choices: Choices): unknown {
  const names = new Set<string>();
  for (let log: Log | undefined = choices as unknown as Log; log !== undefined; log = log.from)
    for (const name of log.latest.keys()) names.add(name);
  const next = [...names].map((name) => choices.fork().next(name));
  return { next: next.sort().filter((key) => !key.endsWith('#1')), all: plain(choices.all) };
}
