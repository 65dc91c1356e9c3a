/**
 * Files, inodes and paths, most of them for security modules only; and what is asked where a kernel function is entered or left. Follows
 * fs/bpf_fs_kfuncs.c, fs/verity/measure.c, kernel/bpf/{bpf_lsm,bpf_inode_storage}.c, kernel/trace/bpf_trace.c.
 */
import type { Arg, Contract } from '../contract.js';
import {
  acquired,
  alignedMem,
  any,
  btf,
  btfReleased,
  constStr,
  ctx,
  dynptr,
  dynptrWritten,
  failed,
  helper,
  INTEGER,
  kfunc,
  mem,
  memOf,
  NULL,
  outcome,
  pointer,
  releases,
  scalar,
  size,
  sizeOrZero,
  slow,
  struct,
  VOID,
  writes,
} from './define.js';

const done = [outcome('done', INTEGER)];
/** Sleeps, for the file system is asked. */
const asks = [failed(), slow('done', INTEGER)];
const dentry = btf('trusted', 'dentry');
const file = btf('trusted', 'file');
const inode: Arg = { kind: 'btf', structs: ['inode'], trust: 'any', nullable: true };
const ofInodes: Arg = { kind: 'map', types: ['inode_storage'] };
/** Reads the whole file where nobody has yet. */
const hashes = [failed(writes(1)), slow('done', INTEGER, writes(1))];

export const FILE_CONTRACTS: readonly Contract[] = [
  helper(
    'bpf_inode_storage_get',
    [ofInodes, inode, { kind: 'map_value', nullable: true }, any],
    [outcome('null', NULL), outcome('found', pointer({ kind: 'map_value' }))],
  ),
  helper('bpf_inode_storage_delete', [ofInodes, inode], done),
  // Walks up to the root. In programs on tracepoints, and in those of user space, it may be named and not called (bpf_d_path_allowed).
  helper(
    'bpf_d_path',
    [btf('any', 'path'), mem('readwrite', 2), sizeOrZero],
    [failed(), slow('done', INTEGER)],
    {
      except: ['syscall', 'tp_btf'],
    },
  ),
  helper('bpf_bprm_opts_set', [btf('any', 'linux_binprm'), any], done),
  helper('bpf_ima_inode_hash', [btf('any', 'inode'), mem('write', 2), size], hashes),
  helper('bpf_ima_file_hash', [btf('any', 'file'), mem('write', 2), size], hashes),

  kfunc(
    'bpf_get_task_exe_file',
    [btf('trusted', 'task_struct')],
    [outcome('null', NULL), outcome('found', acquired(struct('file'), 'file'))],
  ),
  kfunc('bpf_put_file', [btfReleased('file')], [outcome('done', VOID, releases(0))]),
  kfunc(
    'bpf_path_d_path',
    [btf('trusted', 'path'), mem('readwrite', 2), sizeOrZero],
    [failed(), slow('done', INTEGER)],
  ),
  kfunc('bpf_get_dentry_xattr', [dentry, constStr, dynptrWritten], asks),
  kfunc('bpf_get_file_xattr', [file, constStr, dynptrWritten], asks),
  kfunc('bpf_set_dentry_xattr', [dentry, constStr, dynptr, scalar], asks),
  kfunc('bpf_remove_dentry_xattr', [dentry, constStr], asks),
  kfunc('bpf_get_fsverity_digest', [file, dynptrWritten], [failed(), outcome('done', INTEGER)]),
  kfunc(
    'bpf_real_data_inode',
    [file],
    [outcome('null', NULL), slow('found', pointer(struct('inode', 'none')))],
  ),
  kfunc('bpf_verify_pkcs7_signature', [dynptrWritten, dynptrWritten, btf('any', 'bpf_key')], asks),
];

const word = alignedMem('write', 8);

export const ENTRY_CONTRACTS: readonly Contract[] = [
  // An argument that there is not is an error, and the memory stays as it was.
  helper('bpf_get_func_arg', [ctx, any, word], [failed(writes(2)), outcome('done', INTEGER, writes(2))]),
  helper('bpf_get_func_ret', [ctx, word], [failed(writes(1)), outcome('done', INTEGER, writes(1))]),
  helper('bpf_get_func_arg_cnt', [ctx], done),
  helper('bpf_override_return', [ctx, any], done),
  helper('bpf_probe_write_user', [any, mem('read', 2), size], [failed(), outcome('done', INTEGER)]),
  kfunc('bpf_session_is_return', [], done),
  // A word of the session's own, which may be written.
  kfunc('bpf_session_cookie', [], [outcome('found', pointer(memOf({ bytes: 8 })))]),

  // Remote controls.
  helper('bpf_rc_repeat', [ctx], done),
  helper('bpf_rc_keydown', [ctx, any, any, any], done),
  helper('bpf_rc_pointer_rel', [ctx, any, any], done),
];
