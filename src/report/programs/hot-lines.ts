/** Where walks go: insns walked by C line, or by insn where an object has no lines. */
import type { Place, Places } from '../../verifier/explain/place.js';

/** A C line, or an insn, and how many insns were walked there. */
export interface HotLine extends Partial<Omit<Place, 'slot'>> {
  /** The first insn of the line that was walked. */
  readonly slot: number;
  /** By the verification, and after a kill. */
  readonly walked: number;
  readonly patched: number;
}

/** All lines of which an insn was walked, the one with the most walked insns first. The sums are those of all walks. */
export function hotLines(
  places: Pick<Places, 'at'>,
  { verified, patched }: { readonly verified: Uint32Array; readonly patched: Uint32Array },
): readonly HotLine[] {
  const lines = new Map<string, { slot: number; walked: number; patched: number; readonly place: Place }>();
  verified.forEach((walked, slot) => {
    const after = patched[slot]!;
    if (walked === 0 && after === 0) return;
    const place = places.at(slot);
    const key = place.line === undefined ? `${slot}` : `${place.file}:${place.line}`;
    const known = lines.get(key);
    if (known === undefined) lines.set(key, { slot, walked, patched: after, place });
    else {
      known.walked += walked;
      known.patched += after;
    }
  });
  return [...lines.values()]
    .sort((a, b) => b.walked + b.patched - a.walked - a.patched || a.slot - b.slot)
    .map(({ slot, walked, patched: after, place }) => {
      const { slot: _, insn, ...where } = place;
      return { slot, walked, patched: after, ...where, ...(place.line === undefined && { insn }) };
    });
}

/** Lines that are listed. */
const LISTED = 20;
const BAR = 20;

/** The hottest lines as a table: insns walked, those after a kill, a bar, the line. Empty where nothing was walked. */
export function hotInWords(title: string, lines: readonly HotLine[]): string {
  const sum = lines.reduce((all, { walked, patched }) => all + walked + patched, 0);
  const most = lines[0] === undefined ? 0 : lines[0].walked + lines[0].patched;
  if (sum === 0) return '';
  const isByLine = lines.some(({ line }) => line !== undefined);
  const rows = lines.slice(0, LISTED).map((one) => {
    const all = one.walked + one.patched;
    const bar = '#'.repeat(Math.max(1, Math.round((BAR * all) / most)));
    const where =
      one.line === undefined
        ? `${one.slot}: ${one.insn ?? ''}`
        : `${one.file}:${one.line}${one.source === undefined ? '' : `: ${one.source}`}`;
    const part = `${((100 * all) / sum).toFixed(1)}%`;
    return `  ${`${one.walked}`.padStart(8)}  ${`${one.patched}`.padStart(8)}  ${part.padStart(6)}  ${bar.padEnd(BAR)}  ${where}`;
  });
  const rest = lines.slice(LISTED);
  const others = rest.reduce((all, { walked, patched }) => all + walked + patched, 0);
  return [
    `${title}: ${sum} insns walked, by ${isByLine ? 'C line' : 'insn'}`,
    `  ${'walked'.padStart(8)}  ${'killed'.padStart(8)}`,
    ...rows,
    ...(rest.length === 0 ? [] : [`  and ${rest.length} more with ${others} insns`]),
    '',
  ]
    .map((line) => `${line}\n`)
    .join('');
}
