/**
 * A night in small: a campaign that is killed (kill -9) every few seconds and taken up again has the same findings as one that is left alone.
 *
 * usage: npm run night -- [--minutes 15] [--every 10] [--rules sound,rfc-v1] [--seed 1] [--kills N] [--programs N] [--proofs] [--log FILE]
 * With --kills, that many kills at random moments take the place of the minutes.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const MAIN = resolve(import.meta.dirname, '../dist/src/cli/main.js');
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    every: { type: 'string', default: '10' },
    kills: { type: 'string' },
    rules: { type: 'string', default: 'sound,rfc-v1' },
    seed: { type: 'string', default: '1' },
    programs: { type: 'string' },
    workers: { type: 'string', default: '2' },
    proofs: { type: 'boolean', default: false },
    log: { type: 'string' },
  },
});
const kills = values.kills === undefined ? undefined : Number(values.kills);
const lines = [];
const say = (line) => {
  lines.push(line);
  console.log(line);
};

/** Starts the campaign in a folder; resolves to its exit code and output when it ends. */
function start(folder, ...more) {
  const args = ['fuzz', '--seed', values.seed, '--rules', values.rules, '--workers', values.workers];
  if (!values.proofs) args.push('--no-proofs');
  const child = spawn(process.execPath, [MAIN, ...args, '--out', folder, '--json', ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (text) => {
    out += text;
  });
  const ended = new Promise((done) => child.on('close', (code, signal) => done({ code, signal, out })));
  return { child, ended };
}

/** Random moments, the same every time. */
let state = Number(values.seed) >>> 0;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** What a run found, without what differs from run to run. */
function findingsOf(document, folder) {
  const plain = (one) => ({
    check: one.check,
    function: one.function,
    message: one.message,
    program: one.program,
    hits: one.hits,
    insns: one.insns,
    minimal: one.minimal,
    file: one.file.replace(folder, 'DIR'),
    text: readFileSync(one.file, 'utf8'),
  });
  return document.findings.flatMap((one) => [plain(one), ...one.also.map(plain)]);
}

const base = mkdtempSync(join(tmpdir(), 'swansong-night-'));
const [killed, alone] = [join(base, 'killed'), join(base, 'alone')];
const begun = performance.now();
let done = 0;
let count = 0;
const until = begun + Number(values.minutes) * 60_000;
const fixed = values.programs;
const more = () => (kills === undefined ? performance.now() < until : count < kills);
let finished = false;
while (more() && !finished) {
  const { child, ended } = start(killed, '--programs', fixed ?? '1000000');
  // At random moments: from the first instant of the process on.
  const ms = kills === undefined ? Number(values.every) * 1000 : 50 + random() * Number(values.every) * 1000;
  const result = await Promise.race([ended, wait(ms)]);
  if (result !== undefined) {
    finished = true;
    if (result.code !== 0 && result.code !== 1 && result.code !== 3) throw new Error(`exit ${result.code}`);
    break;
  }
  child.kill('SIGKILL');
  await ended;
  count++;
}
// What was under way may have left holes: all programs up to the last one are done in the end.
const peek = (folder) => {
  try {
    const { ranges } = JSON.parse(readFileSync(join(folder, 'campaign.json'), 'utf8'));
    const journal = readFileSync(join(folder, 'campaign.journal'), 'utf8').split('\n').slice(0, -1);
    const later = journal.flatMap((line) => (JSON.parse(line).reports ?? []).map(({ index }) => index + 1));
    return Math.max(0, ...ranges.map(([, to]) => to), ...later);
  } catch {
    return 0;
  }
};
done = Number(fixed ?? Math.max(peek(killed), 4));
say(`${count} kills in ${Math.round((performance.now() - begun) / 1000)} s; ${done} programs, rules ${values.rules}, seed ${values.seed}, ${values.workers} workers, proofs ${values.proofs ? 'on' : 'off'}`);
const a = await start(killed, '--programs', String(done)).ended;
const b = await start(alone, '--programs', String(done)).ended;
const [one, other] = [JSON.parse(a.out), JSON.parse(b.out)];
const [left, right] = [findingsOf(one, killed), findingsOf(other, alone)];
const filesOf = (folder) => readdirSync(join(folder, 'findings'), { recursive: true }).map(String).filter((name) => name.endsWith('.bpf')).sort();
const checks = [
  ['exit codes', a.code, b.code],
  ['programs', one.programs, other.programs],
  ['termination points', one.points, other.points],
  ['findings', left, right],
  ['files', filesOf(killed), filesOf(alone)],
  ['coverage', one.coverage, other.coverage],
  ['unknowns', one.unknowns, other.unknowns],
  ['disagreements', one.disagreements, other.disagreements],
];
let same = true;
for (const [what, x, y] of checks) {
  const [p, q] = [x, y].map((value) => JSON.stringify(value));
  const size = Array.isArray(x) ? `${x.length}` : typeof x === 'number' ? `${x}` : 'all';
  say(`${what}: ${p === q ? `the same (${size})` : 'DIFFERENT'}`);
  if (p !== q) {
    same = false;
    console.error(p.slice(0, 2000), '\n', q.slice(0, 2000));
  }
}
say(same ? 'nothing is lost' : 'SOMETHING IS LOST');
if (values.log !== undefined) {
  mkdirSync(dirname(values.log), { recursive: true });
  writeFileSync(values.log, `${lines.join('\n')}\n`);
}
if (same) rmSync(base, { recursive: true, force: true });
else console.error(`kept in ${base}`);
process.exit(same ? 0 : 1);
