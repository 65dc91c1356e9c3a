/** What stands below the options in the help of each command: its exit codes, and commands that people begin with. */

/** Examples by command, without the program's name; behind `#` what each is for. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  fuzz: [
    'fuzz --seed 1 --programs 500  # the shipped rules, the same programs every time',
    'fuzz --rules my-rules.ts --time 10m --out campaign  # begin a campaign, or go on with it',
  ],
  prove: [
    'prove prog.bpf.o  # can it be killed anywhere, and how long does it run then?',
    'prove prog.bpf.o --prog main --explain  # what a killed run does at each call, and why it may',
    'prove prog.bpf.o --hot  # where does the work go, by C line?',
    "prove objects --timeout 60 --prog 'xdp_*,tc_*'  # some programs, none of which may take long",
    'prove objects --baseline base.json --format github,junit=results.xml  # only what is new is red',
  ],
  certify: ['certify prog.bpf.o --rules my-rules.ts  # have Linux judge the same'],
  export: [
    'export prog.bpf.o -o killable.o  # the same programs, to be killed on a kernel that nobody patched',
    'export prog.bpf.o -o killable.o --deadline 1024 --entry',
  ],
  'run-kernel': [
    'run-kernel prog.bpf.o --prog main --repeat 200  # how soon is it gone, and what does polling cost?',
    'run-kernel killable.o --original prog.bpf.o --kill-after 500us --json',
  ],
  watch: ['watch --limits policy.json  # log lines as JSON; docs/killing.md has a policy'],
  verify: [
    'verify --kernel objects  # our verdicts beside those of Linux',
    'verify objects --timeout 10  # a program that takes longer costs no other its verdict',
    'verify - < prog.bpf.o',
  ],
  compare: [
    'compare before.json after.json  # two documents of prove --json, or of another command that judges',
    'compare before.json after.json --allow bound=5,ms=400 --format text,markdown=summary.md',
  ],
  replay: ['replay corpus  # past counterexamples, again', 'replay corpus --json > base.json'],
  'rules list': ['rules list'],
  'rules show': ['rules show rfc-v1'],
  'rules check': [
    'rules check my-rules.ts  # are these rules right for every function?',
    'rules check my-rules.ts --changed-since HEAD~1 --format sarif > rules.sarif',
  ],
  'rules new': ['rules new --from-c patch.diff -o my-rules.ts'],
  'rules strength': ['rules strength objects --rules sound,my-rules.ts'],
  'rules report': ['rules report my-rules.ts  # a text for a mailing list'],
  'contracts list': ['contracts list --missing'],
  'contracts show': ['contracts show bpf_ringbuf_reserve'],
  'contracts check': ['contracts check --function bpf_ringbuf_reserve'],
  agree: ['agree verdicts --programs 200 --seed 1'],
  run: [
    'run prog.bpf --kill all --trace  # the first killed run that breaks a check, step by step',
    'run prog.bpf --kill step=9 --rules rfc-v1',
  ],
  design: [
    'design prog.bpf.o  # the ways to stop it, side by side',
    'design --generated 500 --strategies abandon,sound,my-rules.ts --out failures',
  ],
  prune: ['prune corpus --dry-run  # which cases show the same?', 'prune corpus'],
  shrink: ['shrink found.bpf -o small.bpf'],
  'costs measure': ['costs measure --out costs.tsv  # what insns and helpers cost on this machine'],
  'costs show': ['costs show --costs costs.tsv'],
  'costs estimate': [
    'costs estimate prog.bpf.o  # how long may it run, and what makes the worst?',
    'costs estimate objects --costs costs.tsv --kernel  # beside what it takes in Linux',
  ],
  'policy check': ['policy check limits.toml objects  # which programs may take too long?'],
  'policy simulate': [
    'policy simulate load.toml --csv load.csv --chart load.svg  # what limits do to the work behind the hooks',
  ],
  kernel: ['kernel  # how the running kernel differs', 'kernel --json > this-kernel.json'],
  report: [
    'report campaign  # the page of a campaign, in its folder',
    'report found.bpf prog.bpf.o -o page.html  # a finding to step through, and a program with its proof',
  ],
  show: ['show found.bpf', 'show found.bpf --all  # beside it unkilled, and under sound'],
  asm: ['asm prog.bpf -o prog.bin', 'asm --hex - < prog.bpf'],
  disasm: ['disasm prog.bpf.o --prog main', 'disasm objects'],
  completion: ['completion bash > ~/.local/share/bash-completion/completions/swansong'],
};

/** What exit codes mean, where a command has other words for it than the program. */
const FAILED: Readonly<Record<string, string>> = {
  fuzz: 'a finding, or a disagreement of its own checkers',
  prove: 'a program is refuted',
  certify: 'Linux refuses a program',
  export: 'Linux refuses the text of a program that can be killed',
  watch: 'a program went over its limits',
  'run-kernel': 'something was left behind by a killed run',
  verify: 'a program is refused, by our verifier or by Linux',
  compare: 'something got worse',
  replay: 'a case does not show what it was written for',
  'rules check': 'a rule is refuted',
  'rules report': 'a rule is refuted',
  'contracts check': 'Linux contradicts a contract',
  agree: 'swansong and Linux differ',
  run: 'a check is broken, by the run or by a killed one',
  design: 'a run breaks a check without a kill, or a failure does not replay',
  prune: 'a case does not replay; it stays',
  'policy check': 'a program may take longer than its limit, and is to be refused or cannot be killed',
  'costs estimate': 'Linux takes a time that lies outside of an estimate',
};

/** The text below the options of a command. */
export function belowHelp(path: string): string {
  const failed = FAILED[path];
  const codes = [
    `  0  ${failed === undefined ? 'it is done' : 'it holds'}`,
    ...(failed === undefined ? [] : [`  1  ${failed}`]),
    '  2  bad usage or input; one line on standard error says which',
    `  3  ${failed === undefined ? 'a bug of swansong' : 'unknown, or a bug of swansong'}`,
  ];
  const examples = (EXAMPLES[path] ?? []).map((line) => {
    const [command, what] = line.split('  # ');
    return what === undefined ? `  swansong ${command}` : `  # ${what}\n  swansong ${command}`;
  });
  return [
    '',
    'Exit codes:',
    ...codes,
    ...(examples.length === 0 ? [] : ['', 'Examples:', ...examples]),
    '',
  ].join('\n');
}
