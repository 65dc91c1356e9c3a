/** One figure of the bench: ours beside another of the same run. */

export interface Measure {
  readonly name: string;
  readonly ours: number;
  readonly other: number;
  readonly unit: string;
  /** ours / other. */
  readonly ratio: number;
}

/** Makes a figure and its ratio, `ours / other`; both in the same unit. */
export const measureOf = (name: string, ours: number, other: number, unit: string): Measure => ({
  name,
  ours,
  other,
  unit,
  ratio: ours / other,
});

/** Seconds on the clock, from some start. */
export const seconds = (): number => performance.now() / 1000;

/** Seconds of processor time that this process has taken, all its threads together. What else the machine does changes it little. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
