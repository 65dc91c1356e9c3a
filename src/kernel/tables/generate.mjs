/**
 * Writes helpers.ts and kfuncs.ts from tab-separated tables of a kernel's helpers and kfuncs.
 *
 *     node src/kernel/tables/generate.mjs DIR
 *
 * DIR holds helpers.tsv and kfuncs.tsv (prototypes and flags, read from the kernel's source) and helper_avail_618.tsv and
 * kfunc_avail_618.tsv (what a running 6.18 lets each program type call: `+` and `OK` yes, `S` only where the program may sleep,
 * `-` no). `S` counts as yes for those types whose programs may be loaded as sleepable ones.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Letter, column, and whether programs of the type may be loaded as sleepable ones. */
const TYPES = [
  ['x', 'XDP'],
  ['t', 'SCHED_CLS'],
  ['f', 'SOCKET_FILTER'],
  ['p', 'TRACEPOINT'],
  ['s', 'SYSCALL', true],
  ['k', 'KPROBE', true],
  ['r', 'RAW_TRACEPOINT'],
  ['w', 'RAW_TRACEPOINT_WRITABLE'],
  ['e', 'PERF_EVENT'],
  ['b', 'tp_btf'],
  ['I', 'iter', true],
  ['a', 'SCHED_ACT'],
  ['g', 'CGROUP_SKB'],
  ['c', 'CGROUP_SOCK'],
  ['A', 'CGROUP_SOCK_ADDR'],
  ['G', 'CGROUP_SOCKOPT'],
  ['d', 'CGROUP_DEVICE'],
  ['y', 'CGROUP_SYSCTL'],
  ['i', 'LWT_IN'],
  ['o', 'LWT_OUT'],
  ['m', 'LWT_XMIT'],
  ['6', 'LWT_SEG6LOCAL'],
  ['S', 'SK_SKB'],
  ['M', 'SK_MSG'],
  ['O', 'SOCK_OPS'],
  ['L', 'SK_LOOKUP'],
  ['R', 'SK_REUSEPORT'],
  ['D', 'FLOW_DISSECTOR'],
  ['n', 'NETFILTER'],
];

/**
 * LSM programs and programs on functions are not in the matrix, since none could be loaded where it was made: they are taken to be given what
 * programs on tracepoints and iterators are given (rows.ts). What only they may call is said here (`l` and `F`), after bpf_lsm_func_proto,
 * tracing_prog_func_proto and the sets of fs/bpf_fs_kfuncs.c and fs/verity/measure.c.
 */
const UNASKED = {
  bpf_inode_storage_get: 'l',
  bpf_inode_storage_delete: 'l',
  bpf_bprm_opts_set: 'l',
  bpf_ima_inode_hash: 'l',
  bpf_ima_file_hash: 'l',
  bpf_get_func_arg: 'lF',
  bpf_get_func_ret: 'lF',
  bpf_get_func_arg_cnt: 'lF',
  bpf_get_task_exe_file: 'l',
  bpf_put_file: 'l',
  bpf_path_d_path: 'l',
  bpf_get_dentry_xattr: 'l',
  bpf_get_file_xattr: 'l',
  bpf_set_dentry_xattr: 'l',
  bpf_remove_dentry_xattr: 'l',
  bpf_get_fsverity_digest: 'l',
};

const here = dirname(fileURLToPath(import.meta.url));
const source = process.argv[2];
if (source === undefined) {
  process.stderr.write('usage: node generate.mjs DIR\n');
  process.exit(2);
}

function rows(file) {
  const lines = readFileSync(join(source, file), 'utf8').split('\n');
  const names = (lines.shift() ?? '').split('\t');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const cells = line.split('\t');
      return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
    });
}

/**
 * Types that the matrix does not have, because it was made with one way to attach only: these functions are open to others of the type
 * (`refusedAttached` in attached.ts says to which not).
 */
const ATTACHED_OTHERWISE = {
  bpf_get_retval: 'dy',
  bpf_set_retval: 'dy',
  bpf_setsockopt: 'GI',
  bpf_getsockopt: 'GI',
};

/** The letters of the program types whose cell says that the function may be called. */
function letters(row, name) {
  if (row === undefined) return UNASKED[name] ?? '';
  return TYPES.filter(
    ([, column, sleeps]) => row[column] === '+' || row[column] === 'OK' || (sleeps && row[column] === 'S'),
  )
    .map(([letter]) => letter)
    .join('')
    .concat(ATTACHED_OTHERWISE[name] ?? '', UNASKED[name] ?? '');
}

function helperLine(row, available) {
  const args = [1, 2, 3, 4, 5].map((n) => row[`arg${n}`].replaceAll(' ', '_')).filter((arg) => arg !== '');
  const marks = [
    row.acquires.startsWith('socket, only') ? '' : row.acquires && 'acquires',
    row.releases && 'releases',
    row.ptr_cast && 'cast',
    row.callback && 'callback',
    row.might_sleep_flag && 'sleeps',
    row.changes_pkt && 'packet',
    row.returns_null === 'y' && 'null',
    row.gpl_only && 'gpl',
    row.allow_fastcall && 'fastcall',
  ].filter(Boolean);
  return [row.id, row.name, row.ret_type, args.join(' '), marks.join(' '), letters(available, row.name)];
}

function kfuncLine(row, available) {
  const open = row.prototype.indexOf(`${row.name}(`);
  const ret = row.prototype.slice(0, open).trim();
  const release = releaseOf(row);
  const inside = row.prototype.slice(open + row.name.length + 1, row.prototype.lastIndexOf(')'));
  return [
    row.name,
    ret,
    inside === 'void' ? '' : parameters(inside).join('; '),
    flags(row[release === '' ? 'flags_6.18' : `flags_${release}`]),
    letters(available, row.name),
    ...(release === '' ? [] : [release]),
  ];
}

const flags = (cell) =>
  cell
    .split('|')
    .filter((flag) => flag !== '' && flag !== '-')
    .join(' ');

/**
 * Empty for what Linux 6.18 is known to have: its BTF, its flags, or its neighbours on both sides. Else the neighbour whose source declares it,
 * and whose flags it has.
 */
function releaseOf(row) {
  const [older, here, newer] = ['in_6.12_src', 'in_6.18_btf_here', 'in_7.2_src'].map(
    (cell) => row[cell] === 'y',
  );
  if (here || row['flags_6.18'] !== '' || (older && newer)) return '';
  return newer ? '7.2' : '6.12';
}

/** Splits at the commas outside parentheses: a parameter may be a function pointer. */
function parameters(text) {
  const out = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === ',' && depth === 0) {
      out.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  out.push(text.slice(from).trim());
  return out;
}

function write(file, name, comment, lines) {
  const quoted = lines.map((cells) => `  '${cells.join('|')}',`);
  writeFileSync(
    join(here, file),
    `/** ${comment} Written by generate.mjs; see rows.ts for the columns. */\nexport const ${name}: readonly string[] = [\n${quoted.join('\n')}\n];\n`,
  );
}

// A type word may contain `|`; the columns are set apart by it, so inside a cell it becomes `+`.
const plain = (cells) => cells.map((cell) => cell.replaceAll('|', '+'));

const helperCells = new Map(rows('helper_avail_618.tsv').map((row) => [row.helper_id, row]));
const kfuncCells = new Map(rows('kfunc_avail_618.tsv').map((row) => [row.kfunc, row]));
write(
  'helpers.ts',
  'HELPER_LINES',
  'All helpers of Linux 6.18.',
  rows('helpers.tsv').map((row) => plain(helperLine(row, helperCells.get(row.id)))),
);
write(
  'kfuncs.ts',
  'KFUNC_LINES',
  'Kfuncs of Linux 6.18 and of its neighbours, so that one which is not there can be named.',
  rows('kfuncs.tsv').map((row) => plain(kfuncLine(row, kfuncCells.get(row.name)))),
);
