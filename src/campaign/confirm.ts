/**
 * Asks the running kernel about contracts. For each function and each type of programs the smallest program that calls it is loaded, and its log is
 * held against the contract; then the call is made once more with NULL in place of each pointer argument. Nothing is run.
 */
import { isRefused, whyRefused } from '../../generators/compile/refused.js';
import { Draft } from '../../generators/edit.js';
import { GENERATED_TYPES } from '../../generators/program.js';
import { smallestCall } from '../../generators/smallest-call.js';
import { mov, registers } from '../isa/build.js';
import { contractOf } from '../kernel/catalog.js';
import type { Arg, Contract } from '../kernel/contract.js';
import type { Program, ProgType } from '../object/program.js';
import { compareCalls } from '../oracle/contracts/compare.js';
import { loadProgram, type Refused } from '../oracle/load.js';

/** What the kernel says of one function. */
export interface Confirmation {
  /** `unreachable`: no program could be made whose log shows a call of it. */
  readonly verdict: 'confirmed' | 'contradicted' | 'unreachable';
  /** Types of programs in which a call was loaded and compared. */
  readonly types: readonly ProgType[];
  /** What the kernel says otherwise, each with the type of program. */
  readonly contradictions: readonly string[];
  /** Why it is unreachable. */
  readonly reason?: string;
}

/** Program types that the kernel loads here and programs are made for, as far as a contract has them. */
export function typesToAsk(contract: Contract): readonly ProgType[] {
  return contract.types.filter((type) => GENERATED_TYPES.includes(type));
}

/**
 * Confirms one contract by loads into the running kernel, in programs of these types. bpf(2) must be allowed (`kernelAvailable`); maps and programs
 * are closed again.
 */
export function confirmContract(
  contract: Contract,
  types: readonly ProgType[] = typesToAsk(contract),
): Confirmation {
  const asked = types.map((type) => [type, askIn(contract, type)] as const);
  const reached = asked.filter(([, answer]) => answer.reason === undefined);
  const contradictions = asked.flatMap(([type, answer]) =>
    answer.contradictions.map((text) => `in ${type} programs ${text}`),
  );
  const reasons = asked.flatMap(([, { reason }]) => reason ?? []);
  const verdict =
    contradictions.length > 0 ? 'contradicted' : reached.length > 0 ? 'confirmed' : 'unreachable';
  return {
    verdict,
    types: reached.map(([type]) => type),
    contradictions,
    ...(verdict === 'unreachable' ? { reason: reasons[0] ?? unreached(contract) } : {}),
  };
}

const unreached = ({ types }: Contract): string =>
  types.length === 0
    ? 'no type of programs that is modelled may call it'
    : `programs of type ${types.join(', ')} hang on what they attach to, and are not made here`;

interface Answer {
  readonly contradictions: readonly string[];
  /** Why nothing was compared. */
  readonly reason?: string;
}

function askIn(contract: Contract, type: ProgType): Answer {
  const nothing = (reason: string): Answer => ({ contradictions: [], reason });
  if (isRefused(contract.name, type))
    return nothing(`no program is made that calls it: ${whyRefused(contract.name, type)}`);
  const program = smallestCall(contract.name, type);
  if (program === undefined) return nothing('no program is made that calls it');
  const result = loadProgram(program, { logLevel: 2 });
  if (!result.ok) {
    if (isMissing(result)) return nothing(`this kernel does not have it: ${result.message}`);
    return { contradictions: [`a call as the contract wants it is refused: ${result.message}`] };
  }
  result.close();
  const { states, contradictions } = compareCalls(contract, program, result.log);
  // A call that does not return shows nothing but that it is allowed.
  if (states === 0 && !contract.outcomes.some((one) => one.effects.some((e) => e.kind === 'throw')))
    return nothing('the log does not show what is known after a call');
  return { contradictions: [...contradictions, ...nullFlaws(contract, program)] };
}

/**
 * The question could not be put: the kernel lacks the function, the type of the program (its verifier, which always says something, was not
 * asked), or something that the program is made of.
 */
function isMissing({ stage, message }: Refused): boolean {
  return (
    stage !== 'program' ||
    /calling kernel function \S+ is not allowed|invalid func|unknown func|no word from the verifier$/.test(
      message,
    )
  );
}

/** What the kernel takes or refuses otherwise when an argument is NULL. */
function nullFlaws(contract: Contract, program: Program): readonly string[] {
  return contract.args.flatMap((arg, index) => {
    const may = mayBeNull(arg);
    if (may === undefined) return [];
    const result = loadProgram(withNull(contract, program, index), { explain: false });
    if (result.ok) result.close();
    if (result.ok === may || (!result.ok && result.stage !== 'program')) return [];
    return [`argument ${index + 1} may ${may ? 'not ' : ''}be NULL`];
  });
}

/** Whether a contract lets an argument be NULL; undefined for numbers, and where a size decides. */
function mayBeNull(arg: Arg): boolean | undefined {
  switch (arg.kind) {
    case 'anything':
    case 'scalar':
    case 'size':
    case 'alloc_size':
    case 'ignored':
    case 'kptr_value':
      return undefined;
    case 'mem':
      return arg.nullable === true || arg.optional === true
        ? undefined
        : 'arg' in arg.size
          ? undefined
          : false;
    case 'stack_or_null':
      return true;
    default:
      return 'nullable' in arg && arg.nullable === true;
  }
}

/** The same program with 0 in the register of one argument, right before each call of the function. */
function withNull(contract: Contract, program: Program, index: number): Program {
  const draft = new Draft(program);
  const calls = draft.find((op) => contractOf(program, op)?.name === contract.name);
  for (const at of calls.reverse()) draft.items.splice(at, 0, mov(registers[index + 1]!, 0));
  return draft.link('null');
}
