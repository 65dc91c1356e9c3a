/** All commands, in the order in which help lists them. */
import type { Define } from '../command.js';
import { asm } from './asm.js';
import { disasm } from './disasm.js';
import { fuzz } from './fuzz.js';
import { prove } from './prove.js';
import { replay } from './replay.js';
import { rules } from './rules.js';
import { run } from './run.js';
import { shrink } from './shrink.js';
import { verify } from './verify.js';

export const COMMANDS: readonly Define[] = [fuzz, prove, verify, rules, replay, run, shrink, asm, disasm];
