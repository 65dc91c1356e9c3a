/** Documents of other commands for the page to show: small ones that are made by hand, and what commands really print. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { here } from '../cli.js';

/** A comparison of two strategies, in a file of this folder. */
export function design(folder: string): string {
  const spread = { median: 12, p99: 80, max: 400 };
  const common = { points: 1000, faults: 0, extraInsns: 0, bytes: 64, refused: {} };
  const body = {
    schema: 'swansong/design/1',
    version: '0',
    programs: 10,
    strategies: [
      {
        ...common,
        name: 'fast path',
        does: 'patches every call',
        leaks: {},
        stopsAtOnce: 1,
        toEffect: { median: 0, p99: 0, max: 0 },
        toExit: spread,
      },
      {
        ...common,
        name: 'abandon',
        does: 'ends the run where it stands',
        leaks: { socket: 40, spin_lock: 7 },
        stopsAtOnce: 0.993,
        toEffect: null,
        toExit: null,
        refused: { 'it holds a lock': 3 },
        failures: [{ check: 'leak', kind: 'socket', points: 40, insns: 8, case: '.type xdp\n    exit\n' }],
      },
    ],
    leftOut: [{ from: 'a.o', message: 'is not modelled' }],
  };
  const file = join(folder, 'design.json');
  writeFileSync(file, JSON.stringify(body));
  return file;
}

/** A simulation over two loads, and programs beside their limits, in files of this folder. */
export function policies(folder: string): readonly string[] {
  const hook = {
    name: 'ingress',
    operations: 10,
    runs: 10,
    runTime: 90,
    overruns: 1,
    timeLost: 5,
    refused: false,
  };
  const point = (load: number, kill: string) => ({
    values: { load, kill },
    hooks: [
      {
        ...hook,
        throughput: 1e6 / load,
        latency: { mean: 100, median: 90, p99: 1000 * load, max: 5000 },
        kills: load,
        denied: 0,
        leaked: 0,
        detachedAt: null,
      },
    ],
  });
  const series = [1, 2, 3].flatMap((load) => [point(load, 'fast path'), point(load, 'never')]);
  const program = {
    file: 'a.o',
    name: 'main',
    ok: false,
    verdict: 'too long',
    reason: 'a loop',
    best: 12,
    timeToDie: 80,
  };
  const limit = { hook: 'ingress', program: 'main', time: 1e4, action: 'kill' };
  const bodies = {
    'policy-simulate': { policy: 'p.toml', rules: 'sound', seed: 1, duration: 1e9, series, files: [] },
    'policy-check': {
      policy: 'p.toml',
      rules: 'sound',
      programs: [{ ...program, limit, worst: 2e6 }],
      skipped: [],
    },
    costs: { costs: [{ name: 'insn', best: 0.3, usual: 0.5, worst: null }] },
  };
  return Object.entries(bodies).map(([name, body]) => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify({ schema: `swansong/${name}/1`, version: '0', ...body }));
    return file;
  });
}

/** What `design` prints of some programs, and `policy simulate` of a shipped policy, in files of this folder. */
export async function printed(folder: string): Promise<readonly string[]> {
  const cases = ['socket-over-a-call', 'lock-around-a-store', 'may-goto-in-a-callback', 'plain-loop'];
  const files = cases.map((name) => `corpus/design/${name}.bpf`);
  const commands = [
    ['design', ...files, '--worlds', '1', '--out', join(folder, 'failures'), '--json'],
    ['policy', 'simulate', 'corpus/policies/overload.toml', '--json'],
  ];
  const made: string[] = [];
  for (const args of commands) {
    const { out } = await here(args);
    const file = join(folder, `printed-${args[0]}.json`);
    writeFileSync(file, out);
    made.push(file);
  }
  return made;
}
