/** The two profiles that `--profile` names: who loads the programs, and for which kernel. */
import { existsSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { BUILT_IN, type KernelProfile, parseProfile, profileName } from '../../kernel/profile.js';
import { runningProfile } from '../../oracle/profile/running.js';
import type { Profile } from '../../verifier/state/profile.js';
import type { Case } from '../../vm/case/case.js';
import { readText } from './files.js';

/** Help for the option of commands that only go by a kernel. */
export const KERNEL_HELP = 'kernel profile: running, built-in, or a file that `kernel --json` wrote';

/** Help for the option of commands that judge programs; `usual` is the kernel profile without it. */
export const profileHelp = (usual: string): string =>
  `who loads: privileged or strict; for which kernel: running, built-in, or a file that \`kernel --json\` wrote, ${usual} unless told; or both, as strict,running`;

/** Help for the option of commands that take cases, where nothing is asked of the kernel. */
export const CASE_PROFILE_HELP = profileHelp('the one that the case says, or built-in,');

/** What `--profile` says. */
export interface ProfileChoice {
  /** Undefined: what a case says itself, or `privileged`. */
  readonly loader?: Profile;
  /** `running`, `built-in` or a file; undefined: what the command goes by. */
  readonly kernel?: string;
}

const LOADERS: readonly string[] = ['privileged', 'strict'] satisfies Profile[];
const KERNELS: readonly string[] = ['running', 'built-in'];

/** Reads the value of `--profile`. Throws InvalidArgumentError for what is no loader, no kernel and no file, or names two of one kind. */
export function profileChoice(text: string): ProfileChoice {
  const words = text.split(',');
  const loaders = words.filter((word) => LOADERS.includes(word));
  const known = words.filter((word) => KERNELS.includes(word));
  // A comma may well be part of a file's name.
  const file = words.filter((word) => !LOADERS.includes(word) && !KERNELS.includes(word)).join(',');
  if (file !== '' && !existsSync(file))
    throw new InvalidArgumentError(
      `It must be one of privileged, strict, running, built-in, or a profile's file, and there is no file '${file}'.`,
    );
  const kernels = file === '' ? known : [...known, file];
  if (loaders.length > 1 || kernels.length > 1 || loaders.length + kernels.length === 0)
    throw new InvalidArgumentError('It must be one loader, one kernel, or one of each: strict,running.');
  const [loader] = loaders;
  const [kernel] = kernels;
  return {
    ...(loader === undefined ? {} : { loader: loader as Profile }),
    ...(kernel === undefined ? {} : { kernel }),
  };
}

/** The kernel profile of this name. Throws InputError: bpf(2) is refused, or the file is no profile. */
export function loadProfile(which: string): KernelProfile {
  if (which === 'built-in') return BUILT_IN;
  if (which === 'running') return runningProfile();
  return parseProfile(readText(which), which);
}

/** For whom a command judges programs. */
export interface JudgedProfile {
  readonly loader: Profile | undefined;
  readonly kernel: KernelProfile;
  /** A case may say another kernel: none was named, and the running one is not asked. */
  readonly caseDecides: boolean;
  /** The same for its document. */
  readonly json: {
    /** `running`, `built-in` or the file. */
    readonly kernel: string;
    readonly release: string;
    readonly digest: string;
    /** Null: what each case says itself, `privileged` for everything else. */
    readonly loader: Profile | null;
  };
}

/** Who a command judges for, by `--profile`; `usual` is the kernel that it goes by unless told. Throws as `loadProfile`. */
export function judgedProfile(
  { loader, kernel: named }: ProfileChoice,
  usual: 'running' | 'built-in',
): JudgedProfile {
  const which = named ?? usual;
  const kernel = loadProfile(which);
  const { release, digest } = kernel;
  const caseDecides = named === undefined && usual === 'built-in';
  return { loader, kernel, caseDecides, json: { kernel: which, release, digest, loader: loader ?? null } };
}

/** For whom one program is judged. */
export interface JudgedFor {
  readonly profile: Profile;
  readonly kernel: KernelProfile;
  /** The kernel that its case says, by name, where that counts. */
  readonly madeFor?: string;
}

/** For whom a program is judged; `one` is the case that it came with, which may say so itself. */
export function judgedFor({ loader, kernel, caseDecides }: JudgedProfile, one: Case | undefined): JudgedFor {
  const profile = loader ?? one?.profile ?? 'privileged';
  if (!caseDecides || one?.kernel === undefined) return { profile, kernel };
  return { profile, kernel: one.kernel, madeFor: profileName(one.kernel) };
}
