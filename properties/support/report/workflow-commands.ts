/** Reads workflow commands of GitHub Actions as its runner does (actions/runner, ActionCommand.TryParseV2). */

/** One annotation. */
export interface WorkflowCommand {
  readonly kind: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

const unescapeData = (text: string): string =>
  text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
const unescapeProperty = (text: string): string =>
  text
    .replaceAll('%0D', '\r')
    .replaceAll('%0A', '\n')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%25', '%');

/** The commands of a log, each of whose lines must be one. */
export function parseWorkflowCommands(text: string): readonly WorkflowCommand[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line is not ended');
  return text
    .split(/\r\n|\r|\n/)
    .slice(0, -1)
    .map((line) => {
      const end = line.indexOf('::', 2);
      if (!line.startsWith('::') || end < 0) throw new Error(`no command: ${line}`);
      const info = line.slice(2, end);
      const space = info.indexOf(' ');
      const kind = space < 0 ? info : info.slice(0, space);
      if (!['error', 'warning', 'notice'].includes(kind)) throw new Error(`no annotation: ${kind}`);
      const properties = (space < 0 ? '' : info.slice(space + 1))
        .split(',')
        .filter((part) => part !== '')
        .map((part) => {
          const at = part.indexOf('=');
          if (at < 1) throw new Error(`no property: ${part}`);
          return [part.slice(0, at), unescapeProperty(part.slice(at + 1))] as const;
        });
      return { kind, properties: Object.fromEntries(properties), message: unescapeData(line.slice(end + 2)) };
    });
}
