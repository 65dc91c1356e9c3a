/**
 * An LSM program returns zero or an error number, of which only the lower half of r0 counts; yes or no where the hook asks that; nothing where it returns
 * nothing. Follows bpf_lsm_get_retval_range and check_return_code. Few machines load LSM programs, so Linux is not asked.
 */
import { describe, expect, it } from 'vitest';
import { exit, mov, r0, w0 } from '../../../src/isa/build.js';
import type { Item } from '../../../src/isa/label.js';
import type { Attachment } from '../../../src/object/program.js';
import { verify } from '../../../src/verifier/verify.js';
import { programOf } from '../../support/kernel/programs.js';

const LSM = 27;
const CGROUP = 43;
const hook = (target: string, type = LSM, returns?: string): Attachment => ({
  type,
  target,
  ...(returns !== undefined && { returns }),
});

const ROWS: readonly (readonly [what: string, Attachment, readonly Item[], accepted: boolean])[] = [
  ['zero', hook('file_open'), [mov(r0, 0)], true],
  ['an error', hook('file_open'), [mov(r0, -1)], true],
  ['an error as an int', hook('file_open'), [mov(w0, -1)], true],
  ['the last error', hook('file_open'), [mov(w0, -4095)], true],
  ['less than any error', hook('file_open'), [mov(w0, -4096)], false],
  ['one', hook('file_open'), [mov(r0, 1)], false],
  ['nothing', hook('file_open'), [], false],
  ['one where yes or no is asked', hook('inode_xattr_skipcap'), [mov(r0, 1)], true],
  ['an error where yes or no is asked', hook('inode_xattr_skipcap'), [mov(r0, -1)], false],
  ['nothing of a hook that returns nothing', hook('task_free', LSM, 'void'), [], true],
  ['any number of a hook that returns nothing', hook('task_free', LSM, 'void'), [mov(r0, 7)], true],
  ['one, of a cgroup', hook('socket', CGROUP), [mov(r0, 1)], true],
  ['an error, of a cgroup', hook('socket', CGROUP), [mov(r0, -1)], false],
  [
    'zero of a cgroup, for a hook that returns nothing',
    hook('task_free', CGROUP, 'void'),
    [mov(r0, 0)],
    false,
  ],
  ['one of a cgroup, for a hook that returns nothing', hook('task_free', CGROUP, 'void'), [mov(r0, 1)], true],
];

describe('an LSM program returns', () => {
  it.each(ROWS)('%s', (_, attach, items, accepted) => {
    const program = { ...programOf('lsm', [...items, exit()]), attach };
    const verdict = verify(program, { facts: false });
    expect([verdict.ok, verdict.ok ? '' : verdict.message]).toEqual([
      accepted,
      accepted ? '' : expect.any(String),
    ]);
  });
});
