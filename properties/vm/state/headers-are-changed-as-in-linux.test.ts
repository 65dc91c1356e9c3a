/**
 * Helpers that read and change the headers of a packet, one after the other: each finds them where the one before it has left them, as in Linux.
 * Packets of both versions of IP with UDP, one without a checksum, and one that is neither.
 */
import { expect, test } from 'vitest';
import { parseCase } from '../../../src/vm/case/case.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';
import { inKernel, sameInBoth } from '../../support/vm/linux.js';
import { ABOVE, answer, call, lines, note, withAbove } from '../../support/vm/text.js';

/** An Ethernet header for this protocol, and what follows it, filled up to 96 bytes. */
function packet(protocol: number, ...behind: readonly number[]): Uint8Array {
  const bytes = Uint8Array.from({ length: 96 }, (_, i) => 5 * i + 3);
  bytes.set([protocol >> 8, protocol & 0xff, ...behind], 12);
  return bytes;
}
const IPV4 = [0x45, 1, 0, 82, 0, 1, 0, 0, 64, 17, 0x26, 0x9a, 10, 0, 0, 1, 10, 0, 0, 2];
const IPV6 = [0x60, 0x10, 0, 0, 0, 42, 17, 64, ...Array.from({ length: 32 }, (_, i) => i)];
const udp = (checksum: number): number[] => [0, 53, 0, 54, 0, 62, checksum >> 8, checksum & 0xff];
const PACKETS: Readonly<Record<string, Uint8Array>> = {
  IPv4: packet(0x0800, ...IPV4, ...udp(0x1234)),
  'IPv4 without a checksum': packet(0x0800, ...IPV4, ...udp(0)),
  IPv6: packet(0x86dd, ...IPV6, ...udp(0x1234)),
  'neither version': packet(0x88b5),
};

/** Where the checksum of UDP over IPv4 is. */
const SUM = 14 + 20 + 6;
const CALLS: readonly (readonly [string, ...(readonly (number | string)[])])[] = [
  ['bpf_skb_change_head', 8, 0],
  ['bpf_skb_change_tail', 120, 0],
  ['bpf_skb_change_tail', 60, 0],
  ['bpf_skb_pull_data', 40],
  ['bpf_skb_ecn_set_ce'],
  ['bpf_skb_adjust_room', 4, 1, 0],
  ['bpf_skb_adjust_room', -4, 1, 0],
  ['bpf_skb_adjust_room', 8, 0, 0],
  ['bpf_skb_vlan_push', 0x0081, 5],
  ['bpf_skb_vlan_pop'],
  ['bpf_skb_change_proto', 0xdd86, 0],
  ['bpf_skb_change_proto', 0x0008, 0],
  ['bpf_l3_csum_replace', 24, 0x0102, 0x0304, 2],
  // BPF_F_MARK_MANGLED_0 is 0x20, BPF_F_MARK_ENFORCE 0x40, BPF_F_PSEUDO_HDR 0x10.
  ...[0, 2, 4, 0x20, 0x22, 0x24, 0x60, 0x62, 0x64, 0x72].map(
    (flags) => ['bpf_l4_csum_replace', SUM, 0x0102, 0x0304, flags] as const,
  ),
];

const BEGIN = `.type tc\n${lines('r9 = 0', 'r6 = r1')}`;

/** What the last of these calls answers in Linux. */
function answerOf(calls: string, data: Uint8Array): number {
  const run = inKernel(parseCase(`${BEGIN}${calls}${lines('exit')}`).program, { data });
  if ('refused' in run) throw new Error(run.refused);
  return run.retval | 0;
}

describeKnownKernel('headers are changed as in Linux', () => {
  test.each(Object.entries(PACKETS))('%s', (_, data) => {
    const seen = new Set<number>();
    const members = { protocol: BigInt(data[12]! | (data[13]! << 8)) };
    for (const first of CALLS)
      for (const second of CALLS) {
        const about = `${first.join(' ')}, then ${second.join(' ')}`;
        const texts = [first, second].map(([name, ...args]) => call(name, 'r6', ...args.map(String)));
        // Whether Linux does it hangs on more than the VM knows: it is told, and does then the same.
        const said = [texts[0]!, texts.join('')].map((text) => answerOf(text, data));
        const [one, two] = [first[0], second[0]];
        const choices = {
          [`${one}#1`]: `done:${said[0]}`,
          [`${two}#${one === two ? 2 : 1}`]: `done:${said[1]}`,
        };
        const text = `${BEGIN}${texts.map((each) => each + note).join('')}${answer}`;
        seen.add(sameInBoth(text, { data, choices, members }, about));
      }
    expect(seen.size).toBeGreaterThan(1);
  });

  test.each(Object.keys(ABOVE) as (keyof typeof ABOVE)[])(
    'with %s above the 32 bits of an argument',
    (what) => {
      let count = 0;
      const data = PACKETS.IPv4!;
      const members = { protocol: BigInt(data[12]! | (data[13]! << 8)) };
      for (const [name, ...args] of CALLS)
        for (const at of args.keys()) {
          const text = withAbove(what, at + 2, name, 'r6', ...args.map(String));
          const said = answerOf(text, data);
          const whole = `${BEGIN}${text}${note}${answer}`;
          const about = `${name} ${args.join(' ')}, argument ${at + 2}`;
          sameInBoth(whole, { data, choices: { [`${name}#1`]: `done:${said}` }, members }, about);
          count++;
        }
      expect(count).toBeGreaterThan(40);
    },
  );
});
