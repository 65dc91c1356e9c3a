/** Keys and ciphers. Follows kernel/trace/bpf_trace.c (keys; kernel/bpf/helpers.c later) and kernel/bpf/crypto.c. */
import type { Arg, Contract } from '../contract.js';
import {
  acquired,
  btf,
  btfReleased,
  dynptr,
  dynptrWritten,
  fixedMem,
  INTEGER,
  kfunc,
  mem,
  NULL,
  outcome,
  releases,
  scalar,
  sizeOrZero,
  slow,
  struct,
  VOID,
} from './define.js';

const key = acquired(struct('bpf_key'), 'key');
const cipher = acquired(struct('bpf_crypto_ctx'), 'crypto_ctx');
const siv: Arg = { kind: 'dynptr', state: 'init', rdonly: true, nullable: true };
const crypt = (name: string): Contract =>
  kfunc(name, [btf('rcu', 'bpf_crypto_ctx'), dynptr, dynptrWritten, siv], [outcome('done', INTEGER)]);

export const SECURITY_CONTRACTS: readonly Contract[] = [
  kfunc('bpf_lookup_user_key', [scalar, scalar], [outcome('null', NULL), slow('found', key)]),
  kfunc('bpf_lookup_system_key', [scalar], [outcome('null', NULL), outcome('found', key)]),
  kfunc('bpf_key_put', [btfReleased('bpf_key')], [outcome('done', VOID, releases(0))]),

  // Writes its error code through argument 2 where it fails; the verifier takes that memory as changed in any case.
  kfunc(
    'bpf_crypto_ctx_create',
    [mem('readwrite', 1), sizeOrZero, fixedMem('readwrite', 4)],
    [outcome('null', NULL), slow('created', cipher)],
  ),
  kfunc(
    'bpf_crypto_ctx_acquire',
    [btf('rcu', 'bpf_crypto_ctx')],
    [outcome('null', NULL), outcome('acquired', cipher)],
  ),
  kfunc('bpf_crypto_ctx_release', [btfReleased('bpf_crypto_ctx')], [outcome('done', VOID, releases(0))]),
  crypt('bpf_crypto_encrypt'),
  crypt('bpf_crypto_decrypt'),
];
