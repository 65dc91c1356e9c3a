/** Calls and returns: kernel functions, subprograms, callbacks, and the ways out of a program. */
import { InputError } from '../../isa/errors.js';
import { unmodelled } from '../../kernel/catalog.js';
import type { Outcome } from '../../kernel/contract.js';
import { imitableOutcomes } from '../../kernel/describe.js';
import { returnRange, returnsHalf, returnsNothing } from '../../kernel/progtypes.js';
import { exceptionCallbackOf } from '../../object/program.js';
import { enabledAt } from '../../patch/fast-path.js';
import type { Code } from '../state/code.js';
import { CALLER_SAVED, type HelperStep, type MachineState } from '../state/machine.js';
import { fault } from '../state/trap.js';
import { checkArgs } from './args.js';
import { Call } from './call.js';
import { startCallbacks } from './callbacks.js';
import { applyEffect } from './effects.js';
import { possible } from './guards.js';
import { runLater } from './later.js';
import { insertIntoTree } from './models/graphs.js';
import { modelOf } from './models/index.js';
import { result, resultBits } from './results.js';
import { applyStub } from './stub.js';

function nameless({ ops, program }: Code, slot: number): string {
  const op = ops[slot];
  if (op?.kind !== 'call') return 'no call';
  return unmodelled(op.target === 'kfunc' ? (program.kfuncs[op.imm] ?? `kfunc ${op.imm}`) : op.imm);
}

/**
 * Whether the call at pc ends in a landing pad: the program is killed, a rule says so of the call, and the call of the function that makes it
 * has a pad. The function is then left as by unwind_exit, with 0 in r0.
 */
export function goesToPad({ killed, options, pc, frames, frame }: MachineState): boolean {
  const unwinds = killed ? options.fastPath?.unwinds : undefined;
  if (unwinds === undefined || frames.length === 1 || frame.helper !== undefined) return false;
  return unwinds.calls.has(pc) && unwinds.pads.has(frame.callsite);
}

/** Tells who wants to know which call sites run after the kill. */
function tellOfCall({ killed, options, pc }: MachineState, stubbed: boolean): void {
  if (killed) options.onPatchedCall?.(pc, stubbed);
}

/** Carries the call at pc out, as it is, by its stub or not at all, and moves pc on: after it, into a callback, or to a landing pad. */
export function callFunction(machine: MachineState): void {
  const { code, options } = machine;
  const slot = machine.pc;
  const contract = code.contracts[slot];
  // A program may name an unknown function in code that the verifier found unreachable.
  if (contract === undefined) throw new InputError(`insn ${slot}: ${nameless(code, slot)}`);
  if (goesToPad(machine)) {
    machine.takesEffect();
    machine.pop();
    machine.write(0, 0n);
    machine.unwound = true;
    return;
  }
  const stub = machine.killed ? options.fastPath?.stubs.get(slot) : undefined;
  tellOfCall(machine, stub !== undefined);
  if (stub !== undefined) {
    machine.takesEffect();
    applyStub(machine, contract, stub);
    return;
  }
  const args = contract.args.map((arg, index) =>
    arg.kind === 'ignored' ? machine.regs[index + 1]! : machine.read(index + 1),
  );
  const call = new Call(machine, contract, slot, args);
  try {
    carryOut(call);
  } finally {
    call.record();
  }
}

function carryOut(call: Call): void {
  const { machine, contract } = call;
  checkArgs(call);
  const model = modelOf(contract.name);
  const outcomes = possible(call);
  const candidates = outcomes.length > 0 ? outcomes : contract.outcomes;
  const outcome = model?.pick?.(call, candidates) ?? call.choose(candidates);
  if (machine.killed && takesSomething(outcome)) checkRefusable(call);
  if (machine.killed && machine.options.prompt && outcome.blocks === true) checkPrompt(call);

  if (contract.name === 'bpf_rbtree_add_impl') {
    goOn(machine, insertIntoTree(call));
    return;
  }
  if (contract.args.some((arg) => arg.kind === 'callback' && arg.callback.async !== true)) {
    goOn(machine, startCallbacks(call, outcome));
    return;
  }
  const rest = (): bigint | undefined => {
    for (const effect of outcome.effects) applyEffect(call, effect);
    return result(call, outcome);
  };
  const r0 = model?.run === undefined ? rest() : narrowed(call, model.run(call, outcome, rest));
  if (outcome.effects.some((effect) => effect.kind === 'tail_call')) {
    // The next program is not patched, and its insns are not counted.
    if (machine.killed)
      machine.report('bound', `${call.name} runs another program after the kill`, call.name);
    machine.write(0, 0n);
    machine.finish('tail_call');
    return;
  }
  if (outcome.effects.some((effect) => effect.kind === 'throw')) {
    throwException(machine, call.arg(0), call.name);
    return;
  }
  comeBack(machine, r0);
}

/**
 * bpf_throw of this cookie by a function: closes all frames and goes on in the exception callback; without one the program ends and returns the
 * cookie.
 */
export function throwException(machine: MachineState, cookie: bigint, by: string): void {
  const onThrow = exceptionCallbackOf(machine.code.program);
  if (onThrow !== undefined) {
    machine.unwind(onThrow.start);
    machine.write(1, cookie);
    return;
  }
  machine.write(0, cookie);
  checkExitValue(machine, by);
  machine.finish('throw');
}

/** Puts the result of a model into r0. Some functions set only some of its bits. */
function narrowed(call: Call, r0: bigint | undefined): bigint | undefined {
  const bits = resultBits(call.contract);
  return r0 === undefined || bits === 64 ? r0 : call.narrow(r0, bits);
}

/** After a call: r1 to r5 are gone, and r0 with them after a void function. */
function comeBack(machine: MachineState, r0: bigint | undefined): void {
  machine.clobber(CALLER_SAVED);
  if (r0 === undefined) machine.clobber(1);
  else machine.write(0, r0);
  machine.pc++;
}

/** Whether the outcome acquires something that must be given back. A null dynptr does not count: a failed call leaves one too. */
export function takesSomething(outcome: Outcome): boolean {
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

/** The outcome that a stub could have had here in place of the call; undefined if there is none. */
function refusalOf(call: Call): Outcome | undefined {
  const { machine, contract, slot } = call;
  const { facts } = machine.options;
  const enabled =
    facts === undefined ? possible(call) : enabledAt(contract, machine.code.program, facts, slot);
  const names = enabled.map((outcome) => outcome.name);
  return imitableOutcomes(contract, names)[0];
}

/** The call acquires after the kill: that breaks `acquire` if a stub could have refused it here. */
function checkRefusable(call: Call): void {
  const refusal = refusalOf(call);
  if (refusal === undefined) return;
  const message = `${call.name} acquires, though it could have been refused (${refusal.name})`;
  call.machine.report('acquire', message, call.name);
}

/** The call may take long after the kill: that breaks `bound` if a stub could have refused it. The insns of callbacks are counted instead. */
function checkPrompt(call: Call): void {
  if (call.contract.args.some((arg) => arg.kind === 'callback' && arg.callback.async !== true)) return;
  const refusal = refusalOf(call);
  if (refusal === undefined) return;
  const message = `${call.name} may take long, though it could have been refused (${refusal.name})`;
  call.machine.report('bound', message, call.name);
}

/** Takes a helper's next step: enters its callback, or returns to the program with the helper's result. */
function goOn(machine: MachineState, step: HelperStep): void {
  if (step.kind === 'done') {
    comeBack(machine, step.r0);
    return;
  }
  const { helper, args } = step;
  machine.clobber(CALLER_SAVED);
  args.forEach((value, index) => {
    if (helper.spec.args[index] !== 'none') machine.write(index + 1, value);
  });
  machine.push(helper.callback, helper.slot, helper);
}

/** Calls a subprogram: r1 to r5 are passed on. */
export function callSubprogram(machine: MachineState, target: number): void {
  if (target < 0 || target >= machine.code.ops.length)
    throw fault(`call of slot ${target}, outside of the program`);
  machine.push(target, machine.pc);
}

/** Whether the callback that returns was open at the kill, and the kill reaches its helper. */
function isStopped({ interrupted, frames, options }: MachineState, helper: string): boolean {
  return interrupted >= frames.length && options.sampled?.helpers?.has(helper) !== false;
}

/** The `exit` insn: of a callback, of a subprogram, of the program. */
export function leave(machine: MachineState): void {
  const { helper } = machine.frame;
  if (helper !== undefined) {
    checkRange(machine, helper.spec.returns, `callback of ${helper.name}`, helper.name);
    const returned = machine.regs[0]!;
    const stop = isStopped(machine, helper.name);
    if (stop) machine.takesEffect();
    machine.pop();
    machine.pc = helper.slot;
    goOn(machine, helper.next(machine, returned, stop));
    return;
  }
  if (machine.frames.length > 1) {
    machine.pop();
    return;
  }
  const { later } = machine.frame;
  if (later === undefined) checkExitValue(machine, undefined);
  else checkRange(machine, later.returns, 'callback', undefined);
  if (!runLater(machine)) machine.finish('exit');
}

/** The `unwind_exit` insn: the caller goes on in the landing pad of its call; of the outermost frame it is `exit`. */
export function leaveUnwinding(machine: MachineState): void {
  const { frame, frames, code } = machine;
  if (frames.length === 1) {
    leave(machine);
    return;
  }
  if (frame.helper !== undefined) throw fault(`unwind_exit in a callback of ${frame.helper.name}`);
  if (code.ops[frame.callsite + 1]?.kind !== 'unwind_goto')
    throw fault(`unwind_exit, but no unwind_goto follows the call at ${frame.callsite}`);
  machine.pop();
  machine.unwound = true;
}

function checkExitValue(machine: MachineState, by: string | undefined): void {
  const { type, attach } = machine.code.program;
  if (returnsNothing(type, attach)) return;
  checkRange(machine, returnRange(type, attach), 'program', by, returnsHalf(type, attach));
}

function checkRange(
  machine: MachineState,
  range: readonly [number, number] | undefined,
  what: string,
  by: string | undefined,
  half = false,
): void {
  if ((machine.readable & 1) === 0) {
    machine.report('return', `${what} returns without having written r0`, by);
    return;
  }
  if (range === undefined) return;
  const value = half ? BigInt.asIntN(32, machine.signed[0]!) : machine.signed[0]!;
  if (value >= BigInt(range[0]) && value <= BigInt(range[1])) return;
  machine.report('return', `${what} returns ${value}, allowed is ${range[0]} to ${range[1]}`, by);
}
