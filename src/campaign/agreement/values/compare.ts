/** Finds the first difference between the kernel's run and the VM's. */
import type { Program } from '../../../object/program.js';
import { toHex } from '../../../vm/state/environment.js';
import { LOG_BYTES, LOG_HEADER, type Site } from './log.js';
import type { Observation } from './observation.js';

/** The first difference: where it is, and what each side has. Undefined if there is none. */
export interface Difference {
  readonly kind: string;
  readonly detail: string;
}

/** Compares call by call first, because everything after a wrong answer is wrong too. */
export function firstDifference(
  program: Program,
  sites: readonly Site[],
  kernel: Observation,
  vm: Observation,
): Difference | undefined {
  return (
    logDifference(sites, kernel.log, vm.log) ??
    (kernel.r0 === vm.r0 ? undefined : { kind: 'r0', detail: `${kernel.r0}, the VM has ${vm.r0}` }) ??
    bytesDifference('packet', kernel.packet, vm.packet) ??
    contextDifference(kernel, vm) ??
    mapsDifference(program, kernel, vm)
  );
}

function bytesDifference(kind: string, kernel: Uint8Array, vm: Uint8Array): Difference | undefined {
  if (kernel.length !== vm.length)
    return { kind: `length of the ${kind}`, detail: `${kernel.length}, the VM has ${vm.length}` };
  const at = kernel.findIndex((byte, i) => byte !== vm[i]);
  if (at < 0) return undefined;
  return {
    kind,
    detail: `at ${at}: ${toHex(kernel.subarray(at, at + 8))}, the VM has ${toHex(vm.subarray(at, at + 8))}`,
  };
}

function contextDifference(kernel: Observation, vm: Observation): Difference | undefined {
  for (const [name, bytes] of kernel.ctx) {
    const found = bytesDifference(`ctx.${name}`, bytes, vm.ctx.get(name) ?? new Uint8Array(0));
    if (found !== undefined) return found;
  }
  return undefined;
}

function mapsDifference(program: Program, kernel: Observation, vm: Observation): Difference | undefined {
  for (const [index, map] of program.maps.entries()) {
    const [theirs, ours] = [kernel.maps[index]!, vm.maps[index]!];
    for (const key of new Set([...theirs.keys(), ...ours.keys()])) {
      // The entries that an LRU map drops cannot be predicted.
      if (map.type === 'lru_hash' && !theirs.has(key)) continue;
      const [a, b] = [theirs.get(key) ?? 'nothing', ours.get(key) ?? 'nothing'];
      if (a !== b) return { kind: `${map.type} map`, detail: `${map.name}[${key}]: ${a}, the VM has ${b}` };
    }
    const [sent, ourSent] = [kernel.records[index]!, vm.records[index]!];
    if (sent.join() !== ourSent.join())
      return { kind: 'ring buffer', detail: `${map.name}: ${sent.join()}, the VM has ${ourSent.join()}` };
  }
  return undefined;
}

function logDifference(sites: readonly Site[], kernel: Uint8Array, vm: Uint8Array): Difference | undefined {
  const [a, b] = [viewOf(kernel), viewOf(vm)];
  const [end, ourEnd] = [a.getBigUint64(0, true), b.getBigUint64(0, true)];
  for (let at = 0n; at < end && at < ourEnd; ) {
    const entry = LOG_HEADER + (Number(at) & (LOG_BYTES - 8));
    const index = Number(a.getBigUint64(entry, true));
    const site = sites[index];
    if (site === undefined || b.getBigUint64(entry, true) !== BigInt(index))
      return { kind: 'path', detail: `${site?.name}` };
    const [x, y] = [a.getBigInt64(entry + 8, true), b.getBigInt64(entry + 8, true)];
    if (!sameValue(site, x, y))
      return {
        kind: `r0 of ${site.name}`,
        detail: `${spellValue(site, x)}, the VM has ${spellValue(site, y)}`,
      };
    for (const { at: from, size } of site.copied) {
      const found = bytesDifference(
        `buffer of ${site.name}`,
        kernel.subarray(entry + from, entry + from + size),
        vm.subarray(entry + from, entry + from + size),
      );
      if (found !== undefined) return found;
    }
    at += BigInt(site.size);
  }
  return end === ourEnd ? undefined : { kind: 'path', detail: `${end} bytes of log, the VM has ${ourEnd}` };
}

function sameValue({ value }: Site, x: bigint, y: bigint): boolean {
  switch (value) {
    case 'none':
      return true;
    case 'pointer':
      return (x === 0n) === (y === 0n);
    case 'half':
      return BigInt.asIntN(32, x) === BigInt.asIntN(32, y);
    case 'number':
      return x === y;
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const spellValue = (site: Site, value: bigint): string =>
  site.value === 'pointer' ? (value === 0n ? 'NULL' : 'a pointer') : `${value}`;
