/**
 * The profile of the running kernel. Asking takes about a second, so the answer is kept in the user's cache folder under the digest of the
 * kernel's release and BTF, which tells two builds of one release apart.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir, release } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../isa/errors.js';
import { BUILT_IN, builtInPrototype, type KernelProfile, parseProfile } from '../../kernel/profile.js';
import { KFUNCS } from '../../kernel/tables/rows.js';
import { comparable, prototypeOf } from '../../object/btf/declare.js';
import { kernelAvailable } from '../available.js';
import { kernelBtf, kernelShowsBtf } from '../btf.js';
import { runningBehaviour } from './behaviour.js';
import { differingFunctions } from './functions.js';

/** Counts up when more is asked, so that an older answer is not taken for a whole one. */
const FORMAT = 2;

let profile: KernelProfile | undefined;

/** The running kernel's profile, asked once. Throws InputError where bpf(2) is refused. */
export function runningProfile(): KernelProfile {
  profile ??= remembered() ?? ask();
  return profile;
}

/** The running kernel's profile where it can be asked, the built-in one elsewhere. */
export function profileHere(): KernelProfile {
  return kernelAvailable().ok ? runningProfile() : BUILT_IN;
}

function digest(): string {
  const btf = kernelShowsBtf() ? kernelBtf().data : new Uint8Array(0);
  return createHash('sha256').update(release()).update('\0').update(btf).digest('hex');
}

const cacheFile = (): string =>
  join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    'swansong',
    `kernel-${FORMAT}-${digest()}.json`,
  );

function remembered(): KernelProfile | undefined {
  try {
    const file = cacheFile();
    return parseProfile(readFileSync(file, 'utf8'), file);
  } catch {
    return undefined;
  }
}

function ask(): KernelProfile {
  const kernel = kernelAvailable();
  if (!kernel.ok) throw new InputError(kernel.reason);
  const asked: KernelProfile = {
    release: kernel.release,
    digest: digest(),
    ...differingFunctions(),
    prototypes: differingPrototypes(),
    behaviour: runningBehaviour(),
  };
  remember(asked);
  return asked;
}

/** Whoever cannot keep the answer asks again. */
function remember(asked: KernelProfile): void {
  try {
    const file = cacheFile();
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(asked));
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    return;
  }
}

/** Kfuncs that some type may call here and that are declared otherwise than in the tables. */
function differingPrototypes(): Record<string, string> {
  const differing: Record<string, string> = {};
  if (!kernelShowsBtf()) return differing;
  for (const { name, types } of KFUNCS) {
    const theirs = types.length === 0 ? undefined : prototypeOf(kernelBtf(), name);
    if (theirs === undefined) continue;
    const declared = comparable(`${theirs.returns} ${name}(${theirs.params.join(', ')})`);
    if (declared !== comparable(builtInPrototype(name) ?? '')) differing[name] = declared;
  }
  return differing;
}
