/** Addresses of the running kernel's symbols, as it shows them. */
import { readFileSync } from 'node:fs';

let symbols: ReadonlyMap<string, bigint> | undefined;

/** The address of a symbol of the kernel itself, not of a module; undefined where there is none or nothing may be read. 0: it is hidden. */
export function kernelSymbol(name: string): bigint | undefined {
  if (symbols === undefined) {
    const found = new Map<string, bigint>();
    try {
      for (const line of readFileSync('/proc/kallsyms', 'latin1').split('\n')) {
        const [address, , symbol, module] = line.split(/\s+/);
        if (symbol !== undefined && module === undefined && !found.has(symbol))
          found.set(symbol, BigInt(`0x${address}`));
      }
    } catch {
      // Not there, or not to be read: no symbol is known.
    }
    symbols = found;
  }
  return symbols.get(name);
}
