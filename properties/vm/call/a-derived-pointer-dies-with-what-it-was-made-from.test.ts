/** A pointer that a function makes from a socket is good for as long as the socket is held: a load through it before the release runs, and one behind it is a misuse, however often one was made from the other. */
import { expect, it } from 'vitest';
import { parseCase } from '../../../src/vm/case/case.js';
import { Vm } from '../../../src/vm/vm.js';
import { SOCKET_LOOKUP } from '../../support/texts.js';

const MAKERS = [
  'bpf_sk_fullsock',
  'bpf_tcp_sock',
  'bpf_skc_to_tcp_sock',
  'bpf_skc_to_udp6_sock',
  'bpf_skc_to_mptcp_sock',
];

/** A socket is looked up, pointers are made from it one from the other, and the last is read from. */
const text = (makers: readonly string[], where: 'before' | 'behind'): string => `
.type tc
.license GPL
main:
${SOCKET_LOOKUP}
    if r0 == 0 goto out
    r6 = r0
    r7 = r0
${makers.map((name) => `    r1 = r7\n    call ${name}\n    if r0 == 0 goto give\n    r7 = r0\n`).join('')}
${where === 'before' ? '    r8 = *(u32 *)(r7 +0)\n' : ''}
    r1 = r6
    call bpf_sk_release
${where === 'behind' ? '    r8 = *(u32 *)(r7 +0)\n' : ''}
    r0 = 0
    exit
give:
    r1 = r6
    call bpf_sk_release
out:
    r0 = 0
    exit
`;

function broken(makers: readonly string[], where: 'before' | 'behind'): readonly string[] {
  const { program, env } = parseCase(text(makers, where));
  return new Vm(program, { env }).run().violations.map(({ check }) => check);
}

it.each([
  [],
  ...MAKERS.map((name) => [name]),
  ['bpf_sk_fullsock', 'bpf_tcp_sock'],
  ['bpf_sk_fullsock', 'bpf_skc_to_tcp_sock'],
])('%s %s', (...makers: readonly string[]) => {
  expect(broken(makers, 'before')).toEqual([]);
  expect(broken(makers, 'behind')).toEqual(['misuse']);
});
