/** Results as SARIF 2.1.0, which code hosts show beside the code and keep from run to run. */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { version } from '../../campaign/shards/version.js';
import { type Judged, type JudgedPlace, judgedDigest, type Standing } from '../compare/judged.js';
import { type Trouble, toJson } from '../document.js';
import type { ExitCode } from '../exit.js';
import type { FormatContext } from './form.js';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';

/** SARIF's own words for how a thing stands. */
const LEVELS: Readonly<Record<Standing, { readonly kind: string; readonly level: string }>> = {
  holds: { kind: 'pass', level: 'none' },
  failed: { kind: 'fail', level: 'error' },
  unknown: { kind: 'open', level: 'none' },
  warned: { kind: 'fail', level: 'warning' },
  'left out': { kind: 'notApplicable', level: 'none' },
};

/** What is no Unicode cannot be in a URI. */
const unicode = (text: string): string => text.replace(/\p{Cs}/gu, '\ufffd');

/** A relative path as a URI, a blank as %20; an absolute one as a file URL. */
const uri = (file: string): string =>
  isAbsolute(file)
    ? pathToFileURL(file).href
    : file
        .replace(/^\.\//, '')
        .split('/')
        .map((part) => encodeURIComponent(unicode(part)))
        .join('/');

function location({ file, line, column }: JudgedPlace): object {
  const region =
    line === undefined
      ? {}
      : { region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) } };
  return { physicalLocation: { artifactLocation: { uri: uri(file) }, ...region } };
}

/** `prove/misuse`. */
const ruleId = (command: string, what: string): string => `${command}/${what}`.replaceAll(' ', '-');

/** One log with one run: a result for each thing, what holds among them as `pass`. */
export function sarif(all: readonly Judged[], { command, exit, isNew, baseline }: FormatContext): string {
  const ids = [...new Set(all.map(({ what }) => what))];
  const rules = ids.map((what) => ({
    id: ruleId(command, what),
    shortDescription: { text: `${command}: ${what}` },
  }));
  const results = all.map((one) => {
    const { of, name, what, message, standing, place } = one;
    return {
      ruleId: ruleId(command, what),
      ruleIndex: ids.indexOf(what),
      ...LEVELS[standing],
      message: { text: name === '' || name === message ? `${of}: ${message}` : `${of}: ${name}: ${message}` },
      ...(place === undefined ? {} : { locations: [location(place)] }),
      partialFingerprints: { 'swansong/v1': judgedDigest(one) },
      ...(baseline && (standing === 'failed' || standing === 'unknown')
        ? { baselineState: isNew(one) ? 'new' : 'unchanged' }
        : {}),
    };
  });
  return log({ rules }, { executionSuccessful: true, exitCode: exit }, results);
}

function log(driver: object, invocation: object, results: readonly object[]): string {
  const tool = { driver: { name: 'swansong', version: version(), ...driver } };
  return toJson({ $schema: SCHEMA, version: '2.1.0', runs: [{ tool, invocations: [invocation], results }] });
}

/** Where there is no answer: a run that did not succeed, and why. */
export function sarifTrouble(trouble: Trouble, exit: ExitCode): string {
  const { error, file, line, column } = trouble;
  const place = { ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
  const told = {
    level: 'error',
    message: { text: error },
    ...(file === undefined ? {} : { locations: [location({ file, ...place })] }),
  };
  return log({}, { executionSuccessful: false, exitCode: exit, toolExecutionNotifications: [told] }, []);
}
