/** Who loads the program. `privileged`: a loader with all capabilities. `strict`: one without CAP_PERFMON and CAP_SYS_ADMIN, for whom
 * reads of unwritten stack bytes and leaks of kernel addresses are refused (bpf_bypass_spec_v1 and its siblings, include/linux/bpf.h). */
export type Profile = 'privileged' | 'strict';
