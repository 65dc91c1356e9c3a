/** The log of a campaign: `campaign.log` in its folder, one line an event, each with its time. It is for people; nothing reads it back. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { writing } from './writable.js';

export const LOG_FILE = 'campaign.log';

/** Writes lines into the log of a folder, as they come. */
export class CampaignLog {
  constructor(
    private readonly folder: string | undefined,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Adds a line, and answers it with its time in front. Throws InputError where it cannot be written. */
  add(event: string): string {
    const line = `${this.now().toISOString()} ${event.replace(/\s*\n\s*/g, ' ')}`;
    if (this.folder !== undefined) {
      const file = join(this.folder, LOG_FILE);
      writing(file, () => appendFileSync(file, `${line}\n`));
    }
    return line;
  }
}
