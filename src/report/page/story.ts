/**
 * What a case shows, in sentences: what was held, where the run was killed, what the patched calls did, what broke, why that is wrong, and what a
 * right rule does. Everything is read from the runs, the contracts and the rule proof.
 */
import type { Contract } from '../../kernel/contract.js';
import { imitableOutcomes } from '../../kernel/describe.js';
import type { RuleWitness } from '../../smt/rule-proof.js';
import { outcomeInWords } from '../rules/contracts.js';
import { functionAt, insnInWords } from './listing.js';
import type { PageBroken, PageCall, PageLane, PageListing, PageRun, PageStory } from './shape.js';

/** What a story is told from. */
export interface Told {
  readonly listing: PageListing;
  readonly killed: PageRun;
  readonly unkilled: PageRun;
  /** The strategy that the case is killed by, where that is no rule set: what it does, and whether it ends the run where it stands. */
  readonly by: { readonly does: string; readonly ends: boolean } | undefined;
  /** The same kill under `sound`; undefined for a case that is under it. */
  readonly sound: PageRun | undefined;
  /** The broken check that the case is about; undefined where nothing broke. */
  readonly broken: PageBroken | undefined;
  /** The calls to blame, by slot, with what the rule proof says against them. */
  readonly blamed: readonly {
    readonly slot: number;
    readonly contract: Contract;
    readonly why?: RuleWitness;
  }[];
}

/** What it means that a check breaks, for somebody who has never heard of it. */
export const CHECK_MEANS: Readonly<Record<string, string>> = {
  leak: 'what the program holds is never given back: it stays taken after the program is gone',
  misuse:
    'something is given back that is not held, or used after it was given back: the kernel’s own state is damaged',
  fault: 'memory is accessed that the verifier has not allowed: NULL, out of bounds, or never written',
  acquire: 'something new is acquired after the kill, which the fast path promises not to do',
  disclosure: 'bytes that nobody wrote leave the program’s stack: they may be secrets of the kernel',
  return: 'the program returns a value that its hook does not allow',
  bound: 'the killed program may go on for longer than it must',
};

/** Patched calls that are told one by one, beside those to blame. */
const MOST_CALLS = 6;

/** Tells a case in six parts, each of them sentences; parts in which nothing happened are empty. */
export function storyOf(told: Told): PageStory {
  const { killed } = told;
  return {
    held: heldAtKill(told),
    killed: whereKilled(told),
    patched: killed.kill === null ? [] : patchedCalls(told),
    broke: whatBroke(told),
    wrong: whyWrong(told),
    right: whatIsRight(told),
  };
}

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Things that are listed as taken without a kill, at the most. */
const MOST_TAKEN = 3;

function heldAtKill({ listing, killed, unkilled }: Told): readonly string[] {
  const { kill, lanes } = killed;
  if (kill === null) return [];
  const held = lanes.filter(({ from, to }) => from < kill && (to === null || to >= kill));
  if (held.length === 0) {
    const later = unkilled.lanes.filter(({ from }) => from >= kill);
    if (later.length === 0) return ['Nothing, and without the kill nothing is taken later.'];
    const taken = later.slice(0, MOST_TAKEN).map(({ what, by, slot, toSlot }) => {
      const until = toSlot === null ? 'never given back' : `given back at insn ${toSlot}`;
      return `${what}, by ${by} at insn ${slot}, ${until}`;
    });
    const more = later.length > taken.length ? `; and ${later.length - taken.length} more` : '';
    return ['Nothing yet.', `Without the kill the program would go on to take: ${taken.join('; ')}${more}.`];
  }
  return held.map(({ what, by, slot, from, to }) => {
    const fate = to === null ? 'never given back' : `given back at step ${to}`;
    return `${upper(what)}, taken by ${by} at ${insnInWords(listing, slot)}, step ${from}; ${fate}.`;
  });
}

function whereKilled({ listing, killed }: Told): string {
  const { kill, steps } = killed;
  if (kill === null) return 'It is not killed.';
  const at = steps.find(({ step }) => step === kill);
  if (at === undefined) return `Before step ${kill}, which the run does not reach.`;
  const first = kill === 0 ? ': before anything has run' : '';
  const deep = at.depth === undefined ? '' : `, ${at.depth} call${at.depth === 1 ? '' : 's'} deep`;
  return `Before step ${kill}, ${insnInWords(listing, at.slot)} in ${functionAt(listing, at.slot)}${deep}${first}.`;
}

const callAt = ({ calls }: PageRun, slot: number): PageCall | undefined =>
  calls.find((one) => one.slot === slot);

/** What became of the calls after the kill: first those to blame, then those at which something broke, then others. */
function patchedCalls(told: Told): readonly string[] {
  const { listing, killed, blamed, by } = told;
  const does = by === undefined ? [] : [`The strategy ${killed.rules} ${by.does}.`];
  if (by?.ends) return [...does, whereEnded(told)];
  const seen = new Set<number>();
  const ran = killed.steps.filter(({ patched, slot }) => {
    if (patched === undefined || seen.has(slot)) return false;
    seen.add(slot);
    return true;
  });
  if (ran.length === 0) return [...does, 'No call was reached after the kill.'];
  const concerned = (slot: number): boolean =>
    blamed.some((one) => one.slot === slot) || killed.broken.some((one) => one.slot === slot);
  const shown =
    ran.length <= MOST_CALLS ? ran : ran.filter(({ slot }) => concerned(slot)).slice(0, MOST_CALLS);
  const lines = shown.map(({ slot, patched, changes }) => {
    const at = upper(insnInWords(listing, slot));
    const rule = by === undefined ? byRule(callAt(killed, slot)) : '';
    const r0 = changes?.r0;
    switch (patched) {
      case 'stubbed':
        return `${at} was replaced by a stub${rule}: ${callAt(killed, slot)?.does ?? ''}. The call itself did not run.`;
      case 'unwound':
        return `${at} ended in the landing pad of its function${rule}.`;
      case 'stopped':
        return `${at} ended the callback that was running; its helper calls it no more.`;
      default:
        return `${at} was kept${rule}, and ran${r0 == null ? '' : `: r0 = ${r0}`}.`;
    }
  });
  const left = ran.length - shown.length;
  return left === 0
    ? [...does, ...lines]
    : [...does, ...lines, `${left} other calls are not told; the program pane has them.`];
}

function whereEnded({ listing, killed: { kill, steps, length } }: Told): string {
  const at = steps.findIndex(({ ended }) => ended);
  const one = steps[at];
  if (one === undefined)
    return 'The run came to no place where it could be ended, and went on to its own exit.';
  const later = one.step === kill ? 'at once' : `${one.step - kill!} insns after the kill`;
  const own = length - one.step;
  const more = own === 0 ? '' : `; ${own} insns of the program’s own code ran after that`;
  return `The run was ended ${later}, before step ${one.step}, ${insnInWords(listing, one.slot)}${more}.`;
}

const byRule = (call: PageCall | undefined): string =>
  call === undefined ? '' : call.rule === null ? ' (no rule matches)' : ` (rule ‘${call.rule}’)`;

function whatBroke({ listing, killed, broken }: Told): readonly string[] {
  if (broken === undefined) return ['Nothing.'];
  const rest = killed.broken.filter((one) => one !== broken);
  return [broken, ...rest].map(({ check, message, slot, step, after }) => {
    const means = after ? 'it follows from what broke before' : meaning(check, message);
    return `${check}, at ${insnInWords(listing, slot)}, step ${step}: ${message}. That is: ${means}.`;
  });
}

/** What giving back does that is not held, by the function that the message names. */
const GIVEN_BACK_WRONGLY: readonly (readonly [name: RegExp, means: string])[] = [
  [
    /^bpf_(res_)?spin_unlock/,
    'a lock is opened that the program does not hold; another CPU may be inside of it',
  ],
  [
    /^bpf_rcu_read_unlock|^bpf_preempt_enable|^bpf_local_irq_restore/,
    'a section is left that was not entered',
  ],
  [
    /_release|_put|_drop/,
    'a reference is dropped that the program does not own, so the object may be freed while in use',
  ],
];

function meaning(check: string, message: string): string | undefined {
  const special =
    check === 'misuse' ? GIVEN_BACK_WRONGLY.find(([name]) => name.test(message))?.[1] : undefined;
  return special ?? CHECK_MEANS[check];
}

/** Arguments are named by their registers. `from`: the number that the first argument has in the text. */
const withRegisters = (text: string, from: 0 | 1): string =>
  text.replace(/\bargument (\d)\b/g, (_, digit: string) => `r${Number(digit) + 1 - from}`);

function whyWrong({ killed, blamed, broken }: Told): readonly string[] {
  if (broken === undefined) return [];
  const lines = blamed.flatMap(({ slot, contract, why }) => {
    const { name, outcomes } = contract;
    const call = callAt(killed, slot);
    const ways = outcomes.map((one) => `‘${one.name}’ (${withRegisters(outcomeInWords(one), 1)})`);
    const count = ways.length === 1 ? 'only one way' : `${ways.length} ways`;
    const ends = `In Linux a call of ${name} can end in ${count}: ${ways.join(', or ')}.`;
    if (call?.action === 'stub') return [ends, ...(why === undefined ? [] : missedInWords(why))];
    const said = why === undefined ? [] : why.state.map((one) => `${upper(withRegisters(one, 0))}.`);
    if (said.length === 0) return [ends, `${name} was kept, and what it does after the kill is what breaks.`];
    const free = imitableOutcomes(contract).map((one) => `‘${one.name}’`);
    const could =
      free.length === 0
        ? []
        : [`A stub could have claimed ${free.join(' or ')} instead, which takes nothing and no time.`];
    return [ends, ...said, ...could];
  });
  const replaced = blamed.some(({ slot }) => callAt(killed, slot)?.action === 'stub');
  if (!replaced) return lines;
  return [
    ...lines,
    'The verifier proved the rest of the program for the ways that Linux has, and for no other. Behind this stub nothing is proven.',
  ];
}

function missedInWords({ missed }: RuleWitness): readonly string[] {
  return missed.map(({ outcome, why }) => {
    const told = why.filter((one) => one !== 'the call may take long' || why.length === 1);
    const demands = told.map((one) => withRegisters(one, 0)).join(', and ');
    return `The stub is not ‘${outcome}’: after that, ${demands}. After the stub it is not so.`;
  });
}

function whatIsRight({ sound, unkilled, blamed, listing }: Told): readonly string[] {
  const lanes = (run: PageRun): readonly PageLane[] => run.lanes;
  const ordinary =
    unkilled.broken.length === 0
      ? `Not killed, the program holds: ${unkilled.length} insns, ${lanes(unkilled).length === 0 ? 'nothing taken' : 'all that is taken is given back'}.`
      : `Not killed, the program breaks a check, too.`;
  if (sound === undefined) return [ordinary];
  const does = blamed.map(({ slot, contract }) => {
    const call = callAt(sound, slot);
    const what =
      call === undefined || call.action === 'keep'
        ? 'keeps it'
        : call.action === 'stub'
          ? `replaces it by: ${call.does}`
          : 'lets it end in its landing pad';
    return `For ${contract.name} at insn ${slot}, ‘sound’ ${what}.`;
  });
  const end =
    sound.broken.length === 0
      ? `Killed at the same place under ‘sound’, the program holds: ${sound.afterKill} insns from the kill to the exit.`
      : `Killed at the same place under ‘sound’, it breaks ${sound.broken[0]!.check} at ${insnInWords(listing, sound.broken[0]!.slot)}.`;
  return [...new Set(does), end, ordinary];
}
