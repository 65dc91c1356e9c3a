/** Calls and returns: kernel functions, subprograms, callbacks, and the ways out of a program. */
import { InputError } from '../isa/errors.js';
import { unmodelled } from '../kernel/catalog.js';
import type { Outcome } from '../kernel/contract.js';
import { imitableOutcomes } from '../kernel/describe.js';
import { returnRange } from '../kernel/progtypes.js';
import { exceptionCallbackOf } from '../object/program.js';
import { enabledAt } from '../patch/fast-path.js';
import { checkArgs } from './args.js';
import { Call } from './call.js';
import type { Code } from './code.js';
import { applyEffect } from './effects.js';
import { takeOff } from './flights.js';
import { possible } from './guards.js';
import { insertIntoTree } from './models/graphs.js';
import { modelOf } from './models/index.js';
import { result, resultBits } from './results.js';
import { applyStub } from './stub.js';
import { fault } from './trap.js';
import { type Advance, CALLER_SAVED, type World } from './world.js';

function nameless({ ops, program }: Code, slot: number): string {
  const op = ops[slot];
  if (op?.kind !== 'call') return 'no call';
  return unmodelled(op.target === 'kfunc' ? (program.kfuncs[op.imm] ?? `kfunc ${op.imm}`) : op.imm);
}

/** Carries the call at pc out, as it is or by its stub, and moves pc on: after it, or into a callback. */
export function callFunction(world: World): void {
  const { code, options } = world;
  const slot = world.pc;
  const contract = code.contracts[slot];
  // Where the verifier saw that it is never reached, a program may name a function that does not exist.
  if (contract === undefined) throw new InputError(`insn ${slot}: ${nameless(code, slot)}`);
  const stub = world.killed ? options.fastPath?.stubs.get(slot) : undefined;
  if (stub !== undefined) {
    applyStub(world, contract, stub);
    return;
  }
  const args = contract.args.map((arg, index) =>
    arg.kind === 'ignored' ? world.regs[index + 1]! : world.read(index + 1),
  );
  const call = new Call(world, contract, slot, args);
  try {
    carryOut(call);
  } finally {
    call.record();
  }
}

function carryOut(call: Call): void {
  const { world, contract } = call;
  checkArgs(call);
  const model = modelOf(contract.name);
  const outcomes = possible(call);
  const candidates = outcomes.length > 0 ? outcomes : contract.outcomes;
  const outcome = model?.pick?.(call, candidates) ?? call.choose(candidates);
  if (world.killed && takesSomething(outcome)) checkRefusable(call);

  if (contract.name === 'bpf_rbtree_add_impl') {
    go(world, insertIntoTree(call));
    return;
  }
  if (contract.args.some((arg) => arg.kind === 'callback' && arg.callback.async !== true)) {
    go(world, takeOff(call, outcome));
    return;
  }
  const rest = (): bigint | undefined => {
    for (const effect of outcome.effects) applyEffect(call, effect);
    return result(call, outcome);
  };
  const r0 = model?.run === undefined ? rest() : narrowed(call, model.run(call, outcome, rest));
  if (outcome.effects.some((effect) => effect.kind === 'tail_call')) {
    // The next program is not patched, and nobody counts its insns.
    if (world.killed) world.report('bound', `${call.name} runs another program after the kill`, call.name);
    world.write(0, 0n);
    world.finish('tail_call');
    return;
  }
  if (outcome.effects.some((effect) => effect.kind === 'throw')) {
    throwUp(world, call);
    return;
  }
  comeBack(world, r0);
}

/** The program ends with what is thrown, or goes on in the function that it has for that: every frame is gone then (bpf_throw). */
function throwUp(world: World, call: Call): void {
  const onThrow = exceptionCallbackOf(world.code.program);
  if (onThrow !== undefined) {
    world.unwind(onThrow.start);
    world.write(1, call.arg(0));
    return;
  }
  world.write(0, call.arg(0));
  checkExitValue(world, call.name);
  world.finish('throw');
}

/** What a model says that a function returns, as it is in r0. */
function narrowed(call: Call, r0: bigint | undefined): bigint | undefined {
  const bits = resultBits(call.contract);
  return r0 === undefined || bits === 64 ? r0 : call.narrow(r0, bits);
}

/** After a call: r1 to r5 are gone, and r0 with them after a void function. */
function comeBack(world: World, r0: bigint | undefined): void {
  world.clobber(CALLER_SAVED);
  if (r0 === undefined) world.clobber(1);
  else world.write(0, r0);
  world.pc++;
}

/** The outcome leaves something to be given back. A null dynptr is no more than what a failed call leaves. */
function takesSomething(outcome: Outcome): boolean {
  if (outcome.r0.kind === 'pointer' && outcome.r0.acquires !== undefined) return true;
  return outcome.effects.some(
    (effect) =>
      effect.kind === 'lock' ||
      effect.kind === 'enter' ||
      effect.kind === 'irq_save' ||
      effect.kind === 'iter_new' ||
      (effect.kind === 'init_dynptr' && effect.acquires === 'dynptr'),
  );
}

/** The call acquires after the kill: that breaks `acquire` if a stub could have refused it here. */
function checkRefusable(call: Call): void {
  const { world, contract, slot } = call;
  const { facts } = world.options;
  const enabled = facts === undefined ? possible(call) : enabledAt(contract, world.code.program, facts, slot);
  const names = enabled.map((outcome) => outcome.name);
  const refusal = imitableOutcomes(contract, names)[0];
  if (refusal === undefined) return;
  world.report(
    'acquire',
    `${call.name} acquires, though it could have been refused (${refusal.name})`,
    call.name,
  );
}

/** The next step of a helper that calls back: into the callback, or back to the program with the helper's result. */
function go(world: World, advance: Advance): void {
  if (advance.kind === 'done') {
    comeBack(world, advance.r0);
    return;
  }
  const { flight, args } = advance;
  world.clobber(CALLER_SAVED);
  args.forEach((value, index) => {
    if (flight.spec.args[index] !== 'none') world.write(index + 1, value);
  });
  world.push(flight.callback, flight.slot, flight);
}

/** Calls a subprogram: r1 to r5 are passed on. */
export function callSubprogram(world: World, target: number): void {
  if (target < 0 || target >= world.code.ops.length)
    throw fault(`call of slot ${target}, outside of the program`);
  world.push(target, world.pc);
}

/** The `exit` insn: of a callback, of a subprogram, of the program. */
export function leave(world: World): void {
  const { flight } = world.frame;
  if (flight !== undefined) {
    checkRange(world, flight.spec.returns, `callback of ${flight.name}`, flight.name);
    const returned = world.regs[0]!;
    const stop = world.interrupted >= world.frames.length;
    world.pop();
    world.pc = flight.slot;
    go(world, flight.advance(world, returned, stop));
    return;
  }
  if (world.frames.length > 1) {
    world.pop();
    return;
  }
  checkExitValue(world, undefined);
  world.finish('exit');
}

function checkExitValue(world: World, by: string | undefined): void {
  const { type, attach } = world.code.program;
  checkRange(world, returnRange(type, attach), 'program', by);
}

function checkRange(
  world: World,
  range: readonly [number, number] | undefined,
  what: string,
  by: string | undefined,
): void {
  if ((world.readable & 1) === 0) {
    world.report('return', `${what} returns without having written r0`, by);
    return;
  }
  if (range === undefined) return;
  const value = world.signed[0]!;
  if (value >= BigInt(range[0]) && value <= BigInt(range[1])) return;
  world.report('return', `${what} returns ${value}, allowed is ${range[0]} to ${range[1]}`, by);
}
