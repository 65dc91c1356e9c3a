/** Completion scripts for shells, made of commander's own tree of commands, so that they know what there is and nothing else. */
import type { Command, Option } from 'commander';

/** Shells for which there is a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
/** One of them. */
export type Shell = (typeof SHELLS)[number];

/** What may follow a command. */
interface Node {
  /** `` of the program, else `rules check`. */
  readonly path: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly Option[];
}

/** The program, and each command below it. */
export function nodesOf(command: Command, path = ''): readonly Node[] {
  const commands = command.commands.map((one) => ({ name: one.name(), description: one.description() }));
  const help = { name: 'help', description: 'print the help of a command' };
  const own: Node = {
    path,
    commands: path === '' ? [...commands, help] : commands,
    options: command.createHelp().visibleOptions(command),
  };
  const below = command.commands.flatMap((one) => nodesOf(one, `${path} ${one.name()}`.trim()));
  return [own, ...below];
}

const flagsOf = (option: Option): readonly string[] =>
  [option.short, option.long].filter((flag) => flag !== undefined);

/** Words of a choice; an option that takes none of a few words completes files. */
const choicesOf = (option: Option): readonly string[] => option.argChoices ?? [];
const takesValue = (option: Option): boolean => option.required || option.optional;

/** The script for a shell. */
export function completionFor(shell: Shell, program: Command): string {
  const nodes = nodesOf(program);
  return { bash, zsh, fish }[shell](nodes);
}

function bash(nodes: readonly Node[]): string {
  const words = nodes.map(
    ({ path, commands, options }) =>
      `    '${path}') words='${[...commands.map(({ name }) => name), ...options.flatMap(flagsOf)].join(' ')}' ;;`,
  );
  const values = nodes.flatMap(({ path, options }) =>
    options.filter(takesValue).map((option) => {
      const patterns = flagsOf(option).map((flag) => `'${path}:${flag}'`);
      const choices = choicesOf(option);
      const act = choices.length === 0 ? 'files' : `words='${choices.join(' ')}'`;
      return `    ${patterns.join('|')}) ${choices.length === 0 ? 'files=1' : act}; value=1 ;;`;
    }),
  );
  return `# bash completion for swansong: source this, or put it into the folder of bash-completion
_swansong() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev='' path='' words='' files='' value='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "\${path:+$path }$word" in
${nodes
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      '${path}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  ((COMP_CWORD > 0)) && prev=\${COMP_WORDS[COMP_CWORD - 1]}
  case "$path:$prev" in
${values.join('\n')}
  esac
  if [ -z "$value" ]; then
    case "$path" in
${words.join('\n')}
    esac
    [ -n "$path" ] && files=1
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  case "$cur" in -*) return ;; esac
  if [ -n "$files" ]; then
    compopt -o filenames 2> /dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
  fi
}
complete -F _swansong swansong
`;
}

/** In single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
/** Inside a specification of _arguments, colons and brackets have a meaning. */
const zshText = (text: string): string => text.replace(/([\\:[\]])/g, '\\$1');

function zsh(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const names = commands.map(
      ({ name, description }) => `      ${quoted(`${zshText(name)}:${description}`)}`,
    );
    const specs = options.flatMap((option) =>
      flagsOf(option).map((flag) => {
        const choices = choicesOf(option);
        const value = !takesValue(option)
          ? ''
          : choices.length === 0
            ? ':value:_files'
            : `:value:(${choices.join(' ')})`;
        return `      ${quoted(`${flag}[${zshText(option.description)}]${value}`)}`;
      }),
    );
    return `    ${quoted(path)})
      commands=(
${names.join('\n')}
      )
      specs=(
${specs.join('\n')}
      ) ;;`;
  });
  return `#compdef swansong
# zsh completion for swansong: put this as _swansong into a folder of $fpath
_swansong() {
  local path_='' word i
  local -a commands specs
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    case "\${path_:+$path_ }$word" in
${nodes
  .filter(({ path }) => path !== '')
  .map(({ path }) => `      ${quoted(path)}) path_=${quoted(path)} ;;`)
  .join('\n')}
    esac
  done
  case "$path_" in
${cases.join('\n')}
  esac
  if (( \${#commands} )) && [[ \${words[CURRENT]} != -* ]]; then
    _describe command commands
  fi
  _arguments $specs '*:file:_files'
}
if [ "$funcstack[1]" = _swansong ]; then _swansong "$@"; else compdef _swansong swansong; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const when = `-n ${quoted(`__swansong_at ${quoted(path)}`)}`;
    return [
      ...commands.map(
        ({ name, description }) =>
          `complete -c swansong ${path === '' || commands.length > 0 ? '-f ' : ''}${when} -a ${quoted(name)} -d ${quoted(description)}`,
      ),
      ...options.map((option) => {
        const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
        const long = option.long === undefined ? '' : ` -l ${option.long.slice(2)}`;
        const choices = choicesOf(option);
        const value = !takesValue(option)
          ? ''
          : choices.length === 0
            ? ' -r -F'
            : ` -x -a ${quoted(choices.join(' '))}`;
        return `complete -c swansong ${when}${short}${long}${value} -d ${quoted(option.description)}`;
      }),
    ];
  });
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quoted(path));
  return `# fish completion for swansong: put this as swansong.fish into ~/.config/fish/completions
function __swansong_at
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim -- "$path $word")
    contains -- "$longer" ${paths.join(' ')}; and set path "$longer"
  end
  test "$path" = "$argv[1]"
end
${lines.join('\n')}
`;
}
