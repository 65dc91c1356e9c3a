/** All commands by name, in the order in which help lists them. Each is loaded when it is asked for, so that a short one starts quickly. */
import type { Define } from '../command.js';

export const COMMANDS: Readonly<Record<string, () => Promise<Define>>> = {
  fuzz: async () => (await import('./fuzz.js')).fuzz,
  worker: async () => (await import('./worker.js')).worker,
  merge: async () => (await import('./merge.js')).merge,
  prove: async () => (await import('./prove.js')).prove,
  certify: async () => (await import('./certify.js')).certify,
  export: async () => (await import('./export.js')).exportCommand,
  'run-kernel': async () => (await import('./run-kernel.js')).runKernel,
  watch: async () => (await import('./watch.js')).watch,
  verify: async () => (await import('./verify.js')).verify,
  rules: async () => (await import('./rules.js')).rules,
  contracts: async () => (await import('./contracts.js')).contractsCommand,
  agree: async () => (await import('./agree.js')).agree,
  replay: async () => (await import('./replay.js')).replay,
  run: async () => (await import('./run.js')).run,
  prune: async () => (await import('./prune.js')).prune,
  shrink: async () => (await import('./shrink.js')).shrink,
  costs: async () => (await import('./costs.js')).costs,
  policy: async () => (await import('./policy.js')).policy,
  kernel: async () => (await import('./kernel.js')).kernel,
  report: async () => (await import('./report.js')).report,
  show: async () => (await import('./show.js')).show,
  asm: async () => (await import('./asm.js')).asm,
  disasm: async () => (await import('./disasm.js')).disasm,
  completion: async () => (await import('./completion.js')).completion,
};
