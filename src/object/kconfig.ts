/**
 * The configuration of the running kernel, as programs ask for it in externs of `.kconfig`: laid out in one read-only map, as
 * bpf_object__resolve_externs of libbpf does.
 */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import type { Btf } from './btf/read.js';
import { BPF_F_RDONLY_PROG } from './map-types.js';
import type { MapDef } from './program.js';

/** Where a kernel may show its configuration. */
const FILES = ['/proc/config.gz', `/boot/config-${release()}`];

let settings: ReadonlyMap<string, string> | undefined;

/** `CONFIG_X` and what stands behind its `=`; empty where the kernel does not show its configuration. */
function configuration(): ReadonlyMap<string, string> {
  if (settings !== undefined) return settings;
  const found = new Map<string, string>();
  for (const file of FILES) {
    try {
      const bytes = readFileSync(file);
      const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
      for (const [, name, value] of text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)) found.set(name!, value!);
      break;
    } catch {
      // Not there, or not to be read: the next one.
    }
  }
  settings = found;
  return found;
}

/** KERNEL_VERSION of the running kernel. */
function kernelVersion(): bigint {
  const [, major, minor, patch] = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release()) ?? [];
  return BigInt(Number(major ?? 0) * 65536 + Number(minor ?? 0) * 256 + Math.min(255, Number(patch ?? 0)));
}

/** What libbpf finds out by itself: a kernel that has BTF and shows it has bpf cookies, and wraps its system calls. */
const ITSELF: Readonly<Record<string, () => bigint>> = {
  LINUX_KERNEL_VERSION: kernelVersion,
  LINUX_HAS_BPF_COOKIE: () => 1n,
  LINUX_HAS_SYSCALL_WRAPPER: () => 1n,
};

/** A variable of `.kconfig`: BTF type of its value. */
export interface ConfigExtern {
  readonly name: string;
  readonly type: number;
}

/** One variable in the map, or why it has no value. */
export type Setting = { readonly offset: number } | { readonly problem: string };

/** The read-only map that holds a program's `.kconfig` variables, and what each variable asks for. */
export interface ConfigMap {
  readonly def: MapDef;
  readonly settings: ReadonlyMap<string, Setting>;
}

/** Lays the externs out and fills them in. `weak`: those that may be missing, and are 0 then. */
export function configMap(
  local: Btf,
  externs: readonly ConfigExtern[],
  weak: (name: string) => boolean,
): ConfigMap {
  const sized = externs.map((one) => ({ ...one, size: local.size(one.type) ?? 0 }));
  const align = (size: number): number => (size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1);
  sized.sort((a, b) => align(b.size) - align(a.size) || (a.name < b.name ? -1 : 1));
  const out = new Map<string, Setting>();
  const bytes: number[] = [];
  for (const { name, type, size } of sized) {
    while (bytes.length % align(size) !== 0) bytes.push(0);
    const value = settingOf(local, name, type, size) ?? (weak(name) ? new Uint8Array(size) : undefined);
    const offset = bytes.length;
    bytes.push(...(value ?? new Uint8Array(size)));
    out.set(
      name,
      value === undefined
        ? { problem: `extern '${name}' of .kconfig has no value in the configuration of the kernel` }
        : { offset },
    );
  }
  const def: MapDef = {
    name: '.kconfig',
    type: 'array',
    keySize: 4,
    valueSize: Math.max(1, bytes.length),
    maxEntries: 1,
    flags: BPF_F_RDONLY_PROG,
    fields: [],
    initial: Uint8Array.from(bytes),
    frozen: true,
  };
  return { def, settings: out };
}

const TRISTATE: Readonly<Record<string, bigint>> = { n: 0n, y: 1n, m: 2n };

function settingOf(local: Btf, name: string, id: number, size: number): Uint8Array | undefined {
  const itself = Object.hasOwn(ITSELF, name) ? ITSELF[name] : undefined;
  if (itself !== undefined) return little(itself(), size);
  const text = configuration().get(name);
  const { type } = local.resolve(id);
  if (text === undefined) return undefined;
  if (/^[ymn]$/.test(text)) {
    if (type.kind === 'enum' && type.name === 'libbpf_tristate') return little(TRISTATE[text]!, size);
    if (type.kind !== 'int') return undefined;
    if (type.encoding === 'bool') return text === 'm' ? undefined : little(TRISTATE[text]!, size);
    return size === 1 ? little(BigInt(text.charCodeAt(0)), size) : undefined;
  }
  if (text.startsWith('"')) {
    if (type.kind !== 'array') return undefined;
    const out = new Uint8Array(size);
    out.set(new TextEncoder().encode(text.slice(1, -1)).subarray(0, Math.max(0, size - 1)));
    return out;
  }
  if (type.kind !== 'int' || !/^-?(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  return little(text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text), size);
}

function little(value: bigint, size: number): Uint8Array {
  let rest = BigInt.asUintN(8 * size, value);
  return Uint8Array.from({ length: size }, () => {
    const byte = Number(rest & 0xffn);
    rest >>= 8n;
    return byte;
  });
}
