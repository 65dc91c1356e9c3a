/** Mutants of what is loaded from kernel structs, and of what may be written into them. */
import { type Mutant, mutantsOf } from '../../mutant.js';

const TRUSTED = ['verifier/insn/members-of-kernel-structs-are-trusted-as-by-linux'];
const BEGINS = ['verifier/call/a-struct-is-passed-for-the-struct-it-begins-with'];
const MARK = ['verifier/insn/of-a-connection-only-its-mark-is-written'];

export const KERNEL_STRUCT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf('src/verifier/insn/btf-access.ts', TRUSTED, [
    {
      name: 'what-may-be-null-counts-as-never',
      inside: 'memberPointer',
      node: "if (SAFE_TRUSTED_OR_NULL.has(name)) return pointer('trusted', true);",
      becomes: "if (SAFE_TRUSTED_OR_NULL.has(name)) return pointer('trusted');",
      wrong: 'A member that Linux vouches for unless it is NULL is never NULL.',
    },
    {
      name: 'protected-members-outside-of-sections',
      inside: 'memberPointer',
      node: "if (!p.inRcu) return pointer('untrusted');",
      becomes: '',
      wrong: 'Members that RCU protects are taken for protected outside of an RCU section.',
    },
    {
      name: 'user-memory-behind-rcu-is-the-kernels',
      inside: 'memberPointer',
      node: "tag === 'user' && trust !== 'untrusted'",
      becomes: "tag === 'user' && trust === 'trusted'",
      wrong: 'A plain pointer to memory of user space is followed as one to the kernel.',
    },
  ]),
  ...mutantsOf('src/verifier/call/args-objects.ts', BEGINS, [
    {
      name: 'the-first-member-from-anywhere',
      inside: 'checkBtf',
      node: 'FIRST_MEMBER[s]?.includes(reg.struct) === true && fixedOffset(reg) === 0',
      becomes: 'FIRST_MEMBER[s]?.includes(reg.struct) === true',
      wrong: 'A pointer into the middle of a struct is taken for one to its first member.',
    },
    {
      name: 'any-struct-from-anywhere',
      inside: 'checkBtf',
      node: 's === reg.struct && fixedOffset(reg) === 0',
      becomes: 's === reg.struct',
      wrong: 'A pointer into the middle of a struct is taken for one to its start.',
    },
  ]),
  ...mutantsOf('src/verifier/insn/kernel-members.ts', MARK, [
    {
      name: 'marks-from-the-middle',
      inside: 'isConnectionMark',
      node: 'at === mark.offset',
      becomes: 'at >= mark.offset',
      wrong: 'What lies behind the mark of a connection may be written.',
    },
    {
      name: 'no-mark-of-a-new-connection',
      inside: 'isConnectionMark',
      node: "reg.struct !== 'nf_conn' && reg.struct !== 'nf_conn___init'",
      becomes: "reg.struct !== 'nf_conn'",
      wrong: 'The mark of a connection that was only allocated may not be written.',
    },
  ]),
];
