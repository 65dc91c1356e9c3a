/**
 * Map elements. Follows kernel/bpf/helpers.c (prototypes), check_map_func_compatibility and check_helper_call in
 * kernel/bpf/verifier.c.
 */
import type { MapType } from '../../object/program.js';
import type { Arg, Contract } from '../contract.js';
import { acquired, any, guarded, helper, INTEGER, NULL, outcome, pointer, sockOf } from './define.js';

/** Maps with elements: ring buffers and program arrays take only helpers of their own. */
const ELEMENTS: readonly MapType[] = [
  'array',
  'percpu_array',
  'hash',
  'lru_hash',
  'percpu_hash',
  'lru_percpu_hash',
  'lpm_trie',
];
const elements: Arg = { kind: 'map', types: ELEMENTS };
/** Maps that may be looked up. Maps of maps give a map, maps of sockets a socket, maps of devices the settings of a device. */
const found: Arg = {
  kind: 'map',
  types: [
    ...ELEMENTS,
    'array_of_maps',
    'hash_of_maps',
    'devmap',
    'devmap_hash',
    'xskmap',
    'sockmap',
    'sockhash',
  ],
};
const percpu: Arg = { kind: 'map', types: ['percpu_array', 'percpu_hash', 'lru_percpu_hash'] };
const key: Arg = { kind: 'map_key' };
const value: Arg = { kind: 'map_value' };

export const MAP_CONTRACTS: readonly Contract[] = [
  helper(
    'bpf_map_lookup_elem',
    [found, key],
    [
      // A constant key inside an array cannot miss: the verifier drops OR_NULL there, so no branch on NULL was walked.
      guarded({ kind: 'key_may_miss' }, outcome('null', NULL)),
      // A socket that was found in a map of sockets is held until bpf_sk_release (is_acquire_function).
      guarded({ kind: 'map_of_sockets', is: true }, outcome('socket', acquired(sockOf('sock'), 'socket'))),
      guarded({ kind: 'map_of_sockets', is: false }, outcome('found', pointer({ kind: 'map_value' }))),
    ],
    { packetArgs: true },
  ),
  helper('bpf_map_update_elem', [elements, key, value, any], [outcome('done', INTEGER)], {
    packetArgs: true,
  }),
  helper('bpf_map_delete_elem', [elements, key], [outcome('done', INTEGER)], { packetArgs: true }),
  helper(
    'bpf_map_lookup_percpu_elem',
    [percpu, key, any],
    // The CPU may not exist, so a constant key does not help here.
    [outcome('null', NULL), outcome('found', pointer({ kind: 'map_value' }))],
    { packetArgs: true },
  ),
];
