/** The kernel profile that a command is told to go by. */
import { BUILT_IN, type KernelProfile, parseProfile } from '../kernel/profile.js';
import { runningProfile } from '../oracle/profile/running.js';
import { readText } from './files.js';

export const PROFILE_HELP = 'kernel profile: running, built-in, or a file that `kernel --json` wrote';

/** Throws InputError: bpf(2) is refused, or the file is no profile. */
export function loadProfile(which: string): KernelProfile {
  if (which === 'built-in') return BUILT_IN;
  if (which === 'running') return runningProfile();
  return parseProfile(readText(which), which);
}
