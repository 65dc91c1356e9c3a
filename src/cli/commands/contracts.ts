/** `contracts list | show | check`: which functions are modelled, and how, and what the running kernel says of it. */

import type { Command } from 'commander';
import { type Confirmation, confirmContract } from '../../campaign/confirm.js';
import { InputError } from '../../isa/errors.js';
import { didYouMean } from '../../isa/nearest.js';
import {
  contractOf,
  contracts,
  declarationOf,
  knownFunctions,
  unmodelled,
  variantsOf,
} from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import { imitableOutcomes } from '../../kernel/describe.js';
import { kernelAvailable } from '../../oracle/available.js';
import type {
  ContractsCheckDocument,
  ContractsListDocument,
  ContractsShowDocument,
} from '../../report/documents.js';
import {
  argInWords,
  type CheckedFunction,
  checkedInWords,
  contractInWords,
  functionsInWords,
  type ListedFunction,
  outcomeInWords,
} from '../../report/rules/contracts.js';
import { type Act, commandOfCommands, type Define, withCommon } from '../command.js';
import type { Outcome } from '../output/outcome.js';

/** Declares `contracts` with the commands below it. */
export const contractsCommand: Define = (program, act) => {
  const what = 'the functions of the kernel: which are modelled, and how';
  const command = commandOfCommands(program, 'contracts', what);
  defineList(command, act);
  defineShow(command, act);
  defineCheck(command, act);
};

function defineList(command: Command, act: Act): void {
  withCommon(command.command('list'))
    .description('each helper and kfunc: modelled, or why not')
    .option('--missing', 'only those that are not modelled')
    .action((options: { readonly missing?: true }) => act(options, () => listed(options.missing === true)));
}

function listed(missing: boolean): Outcome {
  const functions = knownFunctions().map(({ name, kind }): ListedFunction => {
    const modelled = contractOf(name) !== undefined;
    return { name, kind, modelled, ...(modelled ? {} : { reason: reasonOf(name) }) };
  });
  const shown = functions.filter((one) => !missing || !one.modelled);
  const summary = { functions: functions.length, modelled: functions.filter((one) => one.modelled).length };
  return {
    exit: 0,
    json: { functions: shown, summary } satisfies ContractsListDocument,
    text: functionsInWords(functions, missing),
  };
}

/** Why there is no contract, without the name. */
function reasonOf(name: string): string {
  const sentence = unmodelled(name);
  return sentence.slice(sentence.indexOf(' is not modelled') + 4);
}

function defineShow(command: Command, act: Act): void {
  withCommon(command.command('show'))
    .description('what a function takes, what may come of a call, and what a stub may do')
    .argument('NAME', 'helper or kfunc, with or without bpf_')
    .action((name: string, options) => act(options, () => shown(name)));
}

function shown(name: string): Outcome {
  const contract = contractNamed(name);
  const others = variantsOf(contract.name);
  const prototype = declarationOf(contract.name);
  return {
    exit: 0,
    json: {
      ...asDocument(contract),
      prototype,
      variants: others.map(({ types, args }) => ({ types, args: args.map(argInWords) })),
    } satisfies ContractsShowDocument,
    text: contractInWords(contract, prototype, others),
  };
}

/** The contract of that name. Throws InputError, with the nearest names, where there is none. */
function contractNamed(name: string): Contract {
  const contract = contractOf(name);
  if (contract !== undefined) return contract;
  const names = knownFunctions().map((one) => one.name);
  const exists = names.includes(name) || names.includes(`bpf_${name}`);
  throw new InputError(`${unmodelled(name)}${exists ? '' : didYouMean(name, names)}`);
}

function asDocument(c: Contract): Omit<ContractsShowDocument, 'prototype' | 'variants'> {
  const imitable = imitableOutcomes(c).map((one) => one.name);
  return {
    name: c.name,
    kind: c.kind,
    ...(c.kind === 'helper' ? { id: c.id } : {}),
    flags: c.flags,
    types: c.types,
    sleeps: c.sleeps === true,
    needsRcu: c.needsRcu === true,
    gpl: c.gpl === true,
    args: c.args.map(argInWords),
    outcomes: c.outcomes.map((one) => ({ name: one.name, does: outcomeInWords(one) })),
    stubs: imitable,
  };
}

interface CheckOptions {
  readonly function?: string;
}

function defineCheck(command: Command, act: Act): void {
  withCommon(command.command('check'))
    .description('what the running kernel says of each contract: small programs are loaded, none is run')
    .option('--function <NAME>', 'only this function')
    .action((options: CheckOptions) => act(options, () => checked(options.function)));
}

function checked(name: string | undefined): Outcome {
  const kernel = kernelAvailable();
  const wanted = name === undefined ? contracts() : [contractNamed(name)];
  const functions = wanted.map((contract): CheckedFunction => {
    const head = { name: contract.name, kind: contract.kind, modelled: true as const };
    const answer = kernel.ok ? confirmContract(contract) : UNASKED;
    const { verdict, types, contradictions, reason } = answer;
    return {
      ...head,
      verdict,
      confirmed: verdict === 'confirmed',
      types,
      contradictions,
      ...(reason === undefined ? {} : { reason }),
    };
  });
  const count = (verdict: CheckedFunction['verdict']): number =>
    functions.filter((one) => one.verdict === verdict).length;
  const summary = {
    functions: name === undefined ? knownFunctions().length : 1,
    modelled: functions.length,
    confirmed: count('confirmed'),
    contradicted: count('contradicted'),
    unreachable: count('unreachable'),
  };
  const head = kernel.ok ? '' : `nothing could be asked: ${kernel.reason}\n`;
  return {
    exit: summary.contradicted > 0 ? 1 : 0,
    json: { functions, summary, kernel: kernel.ok ? kernel.release : null } satisfies ContractsCheckDocument,
    text: head + checkedInWords(functions, summary),
  };
}

const UNASKED: Confirmation = {
  verdict: 'unreachable',
  types: [],
  contradictions: [],
  reason: 'bpf(2) is refused here',
};
