/** Mutants of what a campaign keeps. */
import { type Mutant, mutantsOf } from '../mutant.js';

const KILLED = 'campaign/threads/a-kill-at-any-moment-loses-nothing';
const FOLDER = 'campaign/threads/a-folder-that-cannot-be-used-is-one-line-and-loses-nothing';
const NEWS = 'campaign/shards/what-is-new-still-there-or-gone-is-told';

export const STORAGE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/campaign/storage/store.ts',
    [KILLED],
    [
      {
        name: 'reports-wait-for-the-next-snapshot',
        inside: 'CampaignStore.add',
        node: 'this.open?.journal.append(kept, found.length > 0);',
        becomes: '',
        wrong: 'What a shard reported is lost when the campaign is killed before the state is written whole.',
      },
      {
        name: 'small-cases-wait-for-the-next-snapshot',
        inside: 'CampaignStore.keepSmall',
        node: 'this.open?.journal.append({ small, key: causeKey(found.cause), index: found.index });',
        becomes: '',
        wrong: 'A case that was shrunk is shrunk again after a kill.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/storage/state-file.ts',
    [KILLED],
    [
      {
        name: 'a-journal-that-was-not-emptied-counts-twice',
        inside: 'apply',
        node: 'holds(state.ranges, report.index) ? [] : add(state, report)',
        becomes: 'add(state, report)',
        wrong: 'A kill between the state and its journal makes the state unreadable.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/storage/lock.ts',
    [FOLDER],
    [
      {
        name: 'everybody-has-the-lock',
        inside: 'takes',
        node: 'flock(fd, LOCK_EX | LOCK_NB) === 0',
        becomes: 'flock(fd, LOCK_EX | LOCK_NB) <= 0',
        wrong: 'Two campaigns run in one folder.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/shards/identity.ts',
    [FOLDER],
    [
      {
        name: 'rules-are-known-by-their-name',
        inside: 'rulesDigest',
        node: '[rules.name, ...decisions]',
        becomes: '[rules.name]',
        wrong: 'A campaign goes on under rules that decide otherwise than when it was begun.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/storage/history.ts',
    [NEWS],
    [
      {
        name: 'what-is-gone-stays-gone',
        inside: 'HistoryKeeper.see',
        node: 'delete known.gone;',
        becomes: '',
        wrong: 'A finding that is back is told as gone.',
      },
      {
        name: 'what-is-gone-is-news-every-night',
        inside: 'HistoryKeeper.miss',
        node: 'one.file !== file || one.gone !== undefined',
        becomes: 'one.file !== file',
        wrong: 'A finding is gone since the last run, however long it has been gone.',
      },
      {
        name: 'a-killed-run-is-a-run-of-its-own',
        inside: 'beginRun',
        node: 'last.ended !== undefined',
        becomes: 'true',
        wrong: 'What was found before a kill is not new in the morning.',
      },
    ],
  ),
];
