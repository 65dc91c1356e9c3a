/** A reporter: one line for each reason for which tests were skipped, with how many, and a line for all of them. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** What a skipped test says itself, or what the tests say that it stands among. */
export function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  return note ?? test.meta().unless ?? 'it was not asked for';
}

/** The lines, of the most frequent reason first; none where nothing was skipped. */
export function skipsInWords(reasons: readonly string[]): readonly string[] {
  if (reasons.length === 0) return [];
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const sorted = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return [
    ...sorted.map(([reason, count]) => `skipped ${count}: ${reason}`),
    `skipped in all: ${reasons.length}`,
  ];
}

export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    const lines = skipsInWords(skipped.map(reasonOf));
    // The runner's own summary comes after it.
    if (lines.length > 0) process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}
