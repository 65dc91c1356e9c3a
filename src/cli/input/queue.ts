/** The queue that a person names on the command line. */
import type { Command } from 'commander';
import { PASSWORD_VARIABLE, type QueueAddress, queueAddress } from '../../campaign/queue/address.js';
import { PATIENCE } from '../../campaign/queue/connection.js';
import type { Common } from '../output/outcome.js';
import { duration } from './options.js';

const HELP = `redis://[user:password@]host[:port][/database], or rediss:// for TLS; ${PASSWORD_VARIABLE} may hold the password`;

/** Adds the options of a command that uses a queue. `needed`: it cannot do without. */
export function withQueue(command: Command, needed = false): Command {
  const flag = '--queue <URL>';
  return (needed ? command.requiredOption(flag, HELP) : command.option(flag, HELP)).option(
    '--patience <DURATION>',
    'give up when Redis is gone for this time',
    duration,
    PATIENCE,
  );
}

/** What all that use a queue are told. */
export interface QueueChoice {
  readonly address: QueueAddress;
  readonly patience: number;
  /** Writes a line to standard error. */
  readonly note: (line: string) => void;
}

/** The queue of the options. Throws InputError for what is no address. */
export function queueOf(url: string, patience: number, { quiet }: Common): QueueChoice {
  return {
    address: queueAddress(url, process.env[PASSWORD_VARIABLE]),
    patience,
    note: (line) => {
      if (!quiet) process.stderr.write(`swansong: ${line}\n`);
    },
  };
}
