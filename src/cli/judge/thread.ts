/** The entry of a thread that judges programs, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import type { JudgeSetting } from './judge.js';
import { errorData, type Question, type Said } from './messages.js';
import { openJudge } from './open.js';

const say = (said: Said): void => parentPort?.postMessage(said);

try {
  const judge = await openJudge(workerData as JudgeSetting);
  parentPort?.on('message', async (question: Question) => {
    try {
      if (question.ask === 'open') say({ say: 'opened', opened: judge.open(question.file) });
      else {
        say({ say: 'begun' });
        say({ say: 'judged', judged: await judge.judge(question.file, question.program) });
      }
    } catch (error) {
      say({ say: 'failed', error: errorData(error) });
    }
  });
  say({ say: 'ready', profile: judge.profile });
} catch (error) {
  say({ say: 'failed', error: errorData(error) });
}
