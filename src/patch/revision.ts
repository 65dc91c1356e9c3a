/** A git revision as a tree of source files. Only git is asked; nothing is checked out or written. */
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { InputError } from '../isa/errors.js';
import type { Files } from './files.js';

/** The committed files of one repository, as of one commit. Files are read when they are asked for, each once. */
export class Revision implements Files {
  private readonly texts = new Map<string, string | undefined>();

  private constructor(
    /** As the person named it. */
    readonly name: string,
    /** The top folder of the repository, without symbolic links. */
    private readonly top: string,
    private readonly commit: string,
  ) {}

  /** The revision of this name in the repository that holds `file`. Throws InputError if there is no such repository or revision. */
  static of(file: string, name: string): Revision {
    const folder = dirname(resolve(file));
    const top = git(folder, ['rev-parse', '--show-toplevel'])?.trimEnd();
    if (top === undefined || top === '') throw new InputError('not in a git repository', { file });
    const commit = git(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
    if (commit === undefined) throw new InputError(`no git revision '${name}'`, { file });
    return new Revision(name, realpathSync(top), commit.trim());
  }

  /** Whether a file or folder at this absolute path lies in the repository (and not in a submodule, which git does not tell). */
  holds(path: string): boolean {
    const inside = relative(this.top, real(path));
    return inside !== '..' && !inside.startsWith(`..${'/'}`);
  }

  read(path: string): string | undefined {
    if (!this.texts.has(path)) this.texts.set(path, this.show(path));
    return this.texts.get(path);
  }

  private show(path: string): string | undefined {
    if (!this.holds(path)) return undefined;
    return git(this.top, ['cat-file', 'blob', `${this.commit}:${relative(this.top, real(path))}`]);
  }
}

/** A path without symbolic links in its folder. The folder may be gone since the revision. */
function real(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(real(parent), basename(path));
  }
}

function git(folder: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync('git', ['-C', folder, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
    });
  } catch {
    return undefined;
  }
}
