/** The kernel's side of a test run: loads the program with its maps filled, runs it once, and reads back all that it left. */
import { progType } from '../../../kernel/progtypes.js';
import type { MapDef, Program, ProgType } from '../../../object/program.js';
import { type Loaded, loadProgram } from '../../../oracle/load.js';
import { createMap, type KernelMap, possibleCpus } from '../../../oracle/maps.js';
import { drainRingbuf } from '../../../oracle/ringbuf.js';
import { testRun } from '../../../oracle/testrun.js';
import { toHex } from '../../../vm/state/environment.js';
import { isPerCpu, nameOf } from '../../../vm/state/maps.js';
import type { Inputs } from './inputs.js';
import { LOG, type Recording } from './log.js';
import type { Observation } from './observation.js';
import { contextProbe, jumpTargets } from './probes.js';
import { hasPacket, isCompared, isSkb, seenPart } from './test-run-types.js';

/** What a run in the kernel began with, as far as it was not given, and what it left. */
export interface KernelRun {
  readonly observed: Observation;
  /** The context as the program finds it, laid out as its struct; a byte of a pointer that is not NULL is 1. */
  readonly ctx: Uint8Array;
}

/** What came of a test run in the kernel. */
export type KernelAnswer =
  | { readonly kind: 'run'; readonly run: KernelRun }
  /** The verifier does not take the program, or the test run does not take the input. */
  | { readonly kind: 'refused'; readonly message: string };

/** Parts of a context that a test run gives back as the program left them (convert_skb_to___skb). */
const GIVEN_BACK: readonly (readonly [string, number, number])[] = [
  ['mark', 8, 4],
  ['priority', 32, 4],
  ['cb', 48, 20],
  ['tstamp', 152, 8],
];
/** Parts that only these program types can write. In other types the VM does not know them. */
const WRITTEN: ReadonlySet<string> = new Set(['tc', 'action']);

/** Holds a log map, probes and tail-call targets until it is closed. */
export class KernelRunner {
  private readonly log: KernelMap;
  private readonly probes = new Map<ProgType, { readonly program: Program; readonly loaded: Loaded }>();
  private readonly targets = new Map<
    ProgType,
    readonly { readonly program: Program; readonly loaded: Loaded }[]
  >();

  constructor() {
    this.log = createMap(LOG);
  }

  close(): void {
    this.log.close();
    for (const { loaded } of [...this.probes.values(), ...[...this.targets.values()].flat()]) loaded.close();
  }

  /** Loads and runs. The log in `inputs` is what its map holds at the start. */
  run({ program, log }: Recording, inputs: Inputs, start: Uint8Array): KernelAnswer {
    const loaded = loadProgram(program, {
      lend: (_program, index) => (index === log ? this.log : undefined),
    });
    if (!loaded.ok) return { kind: 'refused', message: loaded.message };
    try {
      this.fillMaps(program, loaded, inputs);
      this.log.update(new Uint8Array(4), start);
      const ctx = this.contextOf(program.type, inputs);
      const result = testRun(program, loaded, this.inputOf(program.type, inputs));
      if (!result.ok) return { kind: 'refused', message: result.message };
      const maps: ReadonlyMap<string, string>[] = [];
      for (const [index, map] of loaded.maps.entries()) {
        maps.push(index === log ? new Map() : contentsOf(map));
      }
      const observed: Observation = {
        r0: result.retval,
        packet: seenPart(program.type, result.dataOut),
        ctx: contextParts(program.type, result.ctxOut, inputs.ctx),
        maps,
        records: loaded.maps.map((map) => (map.def.type === 'ringbuf' ? drainRingbuf(map).map(toHex) : [])),
        log: this.log.lookup(new Uint8Array(4))!,
      };
      return { kind: 'run', run: { observed, ctx } };
    } finally {
      loaded.close();
    }
  }

  private inputOf(type: ProgType, inputs: Inputs) {
    const ctx = inputs.ctx.length === 0 ? {} : { ctx: inputs.ctx };
    return hasPacket(type) ? { data: inputs.packet, ...ctx } : ctx;
  }

  private fillMaps(program: Program, loaded: Loaded, inputs: Inputs): void {
    inputs.maps.forEach((entries, index) => {
      for (const { key, value } of entries)
        loaded.maps[index]!.update(key, onAllCpus(program.maps[index]!, value));
    });
    inputs.jumps.forEach((targets, index) => {
      targets.forEach((target, at) => {
        if (target !== undefined)
          loaded.maps[index]!.setProgram(at, this.targetsOf(program.type)[target]!.loaded.fd);
      });
    });
  }

  /** The context of a run with these inputs, as a program reads it. */
  private contextOf(type: ProgType, inputs: Inputs): Uint8Array {
    if (progType(type).members.length === 0) return inputs.ctx;
    let probe = this.probes.get(type);
    if (probe === undefined) {
      const program = contextProbe(type);
      probe = { program, loaded: mustLoad(program) };
      this.probes.set(type, probe);
    }
    const result = testRun(probe.program, probe.loaded, this.inputOf(type, inputs));
    if (!result.ok) return new Uint8Array(0);
    return probe.loaded.maps[0]!.lookup(new Uint8Array(4))!;
  }

  private targetsOf(type: ProgType): readonly { readonly program: Program; readonly loaded: Loaded }[] {
    const known = this.targets.get(type);
    if (known !== undefined) return known;
    const made = jumpTargets(type).map((program) => ({ program, loaded: mustLoad(program) }));
    this.targets.set(type, made);
    return made;
  }
}

function mustLoad(program: Program): Loaded {
  const loaded = loadProgram(program);
  if (!loaded.ok) throw new Error(`${program.name} for ${program.type}: ${loaded.message}\n${loaded.log}`);
  return loaded;
}

function onAllCpus(map: MapDef, value: Uint8Array): Uint8Array {
  if (!isPerCpu(map)) return value;
  const each = Math.ceil(map.valueSize / 8) * 8;
  const all = new Uint8Array(each * possibleCpus());
  for (let at = 0; at < all.length; at += each) all.set(value, at);
  return all;
}

/** What a map holds; of a per-CPU map the values of all CPUs, under `key@cpu`. */
function contentsOf(map: KernelMap): ReadonlyMap<string, string> {
  const { def } = map;
  const contents = new Map<string, string>();
  if (!isCompared(def)) return contents;
  if (!isPerCpu(def)) {
    for (const { key, value } of map.entries())
      contents.set(nameOf(def, key), toHex(withoutSpecialFields(def, value)));
    return contents;
  }
  const each = Math.ceil(def.valueSize / 8) * 8;
  for (const { key, value } of map.entries()) {
    for (let cpu = 0; cpu < possibleCpus(); cpu++) {
      const own = value.subarray(cpu * each, cpu * each + def.valueSize);
      contents.set(`${toHex(key)}@${cpu}`, toHex(withoutSpecialFields(def, own)));
    }
  }
  return contents;
}

/** A value with the fields cleared that only helpers touch. */
export function withoutSpecialFields(map: MapDef, value: Uint8Array): Uint8Array {
  if (map.fields.length === 0) return value;
  const copy = value.slice();
  for (const { offset, size } of map.fields) copy.fill(0, offset, offset + size);
  return copy;
}

/** The parts of a context that can be compared. */
export function contextParts(
  type: ProgType,
  ctx: Uint8Array,
  given: Uint8Array,
): ReadonlyMap<string, Uint8Array> {
  if (given.length === 0) return new Map();
  if (type === 'syscall') return new Map([['bytes', ctx.slice(0, given.length)]]);
  if (!isSkb(type)) return new Map();
  const parts = WRITTEN.has(type) ? GIVEN_BACK : GIVEN_BACK.filter(([name]) => name === 'cb');
  return new Map(parts.map(([name, offset, size]) => [name, ctx.slice(offset, offset + size)]));
}
