/**
 * Functions that have no contract, each with the reason. A property compares this list with the tables: a function that is neither here nor
 * described is an error.
 */

const TASK_WORK = 'works on a struct bpf_task_work in a map value, a field that is not modelled';
const FILE_DYNPTR =
  'works on a dynptr of a file, a type that is not modelled and that Linux 6.18 does not have';
const HOOK = 'is there for programs that run in its place (fmod_ret), and is called by none';
const NODES = 'takes nodes of a list that are owned or not, which Linux 6.18 has no way for';
const UNREAD = 'is in Linux 7.2 only, and how long it may take is not known';

/** By name: why there is no contract, as the end of the sentence "NAME is not modelled: it ...". */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  __bpf_trap: 'is put in by the verifier itself, never by a program',
  bpf_dynptr_file_discard: FILE_DYNPTR,
  bpf_dynptr_from_file: FILE_DYNPTR,
  bpf_fentry_test1: HOOK,
  bpf_get_lowcore: 'is on s390 only, and its declaration is not in the tables',
  bpf_list_add: NODES,
  bpf_list_del: NODES,
  bpf_list_is_first: NODES,
  bpf_list_is_last: NODES,
  bpf_modify_return_test: HOOK,
  bpf_modify_return_test2: HOOK,
  bpf_task_work_schedule_resume: TASK_WORK,
  bpf_task_work_schedule_resume_impl: TASK_WORK,
  bpf_task_work_schedule_signal: TASK_WORK,
  bpf_task_work_schedule_signal_impl: TASK_WORK,
  crash_kexec: 'starts another kernel, after which there is no program',
  scx_bpf_cid_override: UNREAD,
  scx_bpf_dsq_reenq: UNREAD,
  scx_bpf_reenqueue_local___v2: UNREAD,
  scx_bpf_sub_dispatch: UNREAD,
  update_socket_protocol: HOOK,
};
