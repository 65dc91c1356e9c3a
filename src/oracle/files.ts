/** Open descriptors of this process that lead into the kernel's BPF objects (programs, maps, BTF). */
import { readdirSync, readlinkSync } from 'node:fs';

/** How many there are now. Other descriptors (pipes of the test runner) come and go, and are not counted. */
export function openBpfFiles(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /^anon_inode:\[?(bpf|btf)/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      // The descriptor with which the directory itself was read.
      return false;
    }
  }).length;
}
