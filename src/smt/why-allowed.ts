/** Why the rules may do what they do at a call, in words; or what is against it. It tells what the proof of the site found, and decides nothing. */
import type { Outcome } from '../kernel/contract.js';
import { imitableOutcomes } from '../kernel/describe.js';
import type { CallSite } from '../patch/fast-path.js';
import { whyNoStub } from '../patch/no-stub.js';
import type { Stub } from '../patch/rule.js';
import type { SiteAnswer } from './site-proof.js';

/** One line for what is settled of a call site. */
export function whyAllowed(site: CallSite, settled: SiteAnswer): string {
  const { contract, enabled, action } = site;
  switch (settled) {
    case 'outcome': {
      const like = action.kind === 'stub' ? imitated(site, action.stub) : [];
      const names = like.map(({ name }) => `'${name}'`).join(' or ');
      return names === ''
        ? 'the call may end so without a kill: the program is ready for it'
        : `the call may end so without a kill (its outcome ${names}): the program is ready for it`;
    }
    case 'no outcome':
      return 'no outcome of the call that is possible here; the walk of what comes behind it decides';
    case 'kept':
      return (
        whyNoStub(contract, enabled) ??
        'it may run as it is: it acquires nothing that a stub could have refused'
      );
    case 'refusable':
      return 'against it: it may acquire something, and a stub could have refused it';
    case 'lasting':
      return 'it may take long, although a stub would return at once; nothing is acquired';
    case 'pad':
      return 'no killed run makes the call: it goes to the landing pad of the function';
    case 'unknown':
      return 'Z3 gave up: whether a stub could have refused it is not known';
  }
}

/** The outcomes that the stub looks like, among those that are possible at the site. */
function imitated({ contract, enabled }: CallSite, { r0 }: Stub): readonly Outcome[] {
  const names = enabled.map(({ name }) => name);
  return imitableOutcomes(contract, names).filter((outcome) => {
    if (outcome.r0.kind === 'void') return r0 === 'void' || r0 === 0n;
    if (r0 === 'void') return false;
    return outcome.r0.kind === 'scalar' ? r0 >= outcome.r0.min && r0 <= outcome.r0.max : r0 === 0n;
  });
}
