/**
 * How far our verifier is from Linux's on a set of programs: for each program one class and one reason, and for each reason how many
 * programs it has. The worst class comes first, and in it the reason with the most programs: what to mend next.
 */

/** From the worst: we take what Linux refuses; we fell over; we refuse what it takes; we gave up; we have no model; it could not say. */
export const GAP_CLASSES = [
  'looser',
  'error',
  'stricter',
  'too large',
  'not modelled',
  'not judged',
  'unreadable',
  'agree',
] as const;
/** How the two verifiers differ on a program, from the worst kind to none. */
export type GapClass = (typeof GAP_CLASSES)[number];

/** What our verifier said, and what the kernel did. */
export interface Pair {
  readonly ours: { readonly verdict: string; readonly message: string };
  readonly kernel: { readonly verdict: string; readonly message: string };
}

/** One program: how its two verdicts differ, and why. */
export interface GapEntry {
  readonly class: GapClass;
  readonly reason: string;
  /** For the example: `FILE:PROGRAM`, or a file alone. */
  readonly of: string;
}

/** All programs that differ for the same reason, as one row with an example. */
export interface GapRow {
  readonly class: GapClass;
  /** What the programs have in common: a message, without what is only one program's own. */
  readonly reason: string;
  readonly programs: number;
  readonly example: string;
}

/** A message without numbers, names and registers, so that the same complaint about two programs is the same text. */
export function reasonOf(message: string): string {
  return message
    .replace(/'[^']*'/g, "'…'")
    .replace(/(--[a-z]+) [^\s=]+=/g, '$1 …=')
    .replace(/\bR\d+\b/g, 'R?')
    .replace(/\(0x[0-9a-f]+; 0x[0-9a-f]+\)/g, '(…)')
    .replace(/(?<![\w#])-?(?:0x[0-9a-f]+|\d+)\b/g, 'N')
    .replace(/\s+/g, ' ')
    .slice(0, 160);
}

/** Where a program stands. The message is the one of the side that refuses. */
export function classify({ ours, kernel }: Pair): { readonly class: GapClass; readonly reason: string } {
  if (ours.verdict === 'error') return { class: 'error', reason: reasonOf(ours.message) };
  // The kernel has the variable, and hides where it is.
  const hidden = kernel.message.startsWith('ldimm64 failed to find the address');
  if (kernel.verdict === 'not judged' || hidden)
    return { class: 'not judged', reason: reasonOf(kernel.message) };
  if (ours.verdict === 'unsupported') return { class: 'not modelled', reason: reasonOf(ours.message) };
  const taken = kernel.verdict === 'accepted';
  if (ours.verdict === 'budget' && taken) return { class: 'too large', reason: reasonOf(ours.message) };
  if ((ours.verdict === 'accepted') === taken)
    return { class: 'agree', reason: taken ? 'both accept' : 'both refuse' };
  return taken
    ? { class: 'stricter', reason: reasonOf(ours.message) }
    : { class: 'looser', reason: reasonOf(kernel.message) };
}

/** One row for each class and reason, the worst first. */
export function gapRows(entries: readonly GapEntry[]): readonly GapRow[] {
  const rows = new Map<string, GapRow>();
  for (const { class: kind, reason, of } of entries) {
    const key = `${kind} ${reason}`;
    const row = rows.get(key) ?? { class: kind, reason, programs: 0, example: of };
    rows.set(key, { ...row, programs: row.programs + 1 });
  }
  const order = (row: GapRow): number => GAP_CLASSES.indexOf(row.class);
  return [...rows.values()].sort(
    (a, b) => order(a) - order(b) || b.programs - a.programs || (a.reason < b.reason ? -1 : 1),
  );
}

/** How many entries each class has, the worst first; classes without any are left out. */
export function gapTotals(entries: readonly GapEntry[]): Readonly<Partial<Record<GapClass, number>>> {
  const count = (kind: GapClass): number => entries.filter((one) => one.class === kind).length;
  return Object.fromEntries(
    GAP_CLASSES.map((kind) => [kind, count(kind)] as const).filter(([, number]) => number > 0),
  );
}
