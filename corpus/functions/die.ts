/** The kfunc by which a program of SATerm asks to be killed, where it stands. No kernel has it. */
import { kfunc } from 'swansong';

kfunc({
  proto: 'void bpf_die_kfunc(void)',
  flags: [],
  types: ['tc', 'xdp', 'tracepoint', 'socket_filter', 'syscall'],
  blocks: false,
});
