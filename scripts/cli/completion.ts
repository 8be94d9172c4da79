/**
 * Shell completion, from what is known of the commands: scripts that ask nobody while they run, so that a key is answered
 * at once.
 * @module
 */
import type { Command, Option } from "./command.ts";

/** What may stand behind the commands. */
export interface Completions {
  readonly commands: readonly Command[];
  readonly controls: readonly string[];
  readonly topics: readonly string[];
}

/** The words that may follow a command, its own words among them. */
function wordsOf({ words = [], arguments: more }: Command, { controls, topics }: Completions): readonly string[] {
  const others = more === "controls" ? controls : more === "topics" ? topics : more ?? [];
  return [...words.map(({ name }) => name), ...others];
}

const helpName = "help";

function optionNames(command: Command): readonly string[] {
  return [...command.options.map(({ name }) => `--${name}`), `--${helpName}`];
}

/** Options of all commands that take a value, once each. */
function valued(commands: readonly Command[]): readonly Option[] {
  const options = commands.flatMap((command) => command.options.filter(({ value }) => value !== undefined));
  return [...new Map(options.map((option) => [option.name, option])).values()];
}

/** One word for a shell. Names of commands, options and files need no more. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function pathOptions(commands: readonly Command[], kind: "folder" | "file"): readonly string[] {
  return valued(commands).filter(({ takes }) => takes === kind).map(({ name }) => `--${name}`);
}

/** For bash: defines the function `_dqmail` and binds it. */
export function bashCompletion(completions: Completions): string {
  const { commands } = completions;
  const folders = pathOptions(commands, "folder").join("|");
  const others = valued(commands).filter(({ takes }) => takes !== "folder" && typeof takes !== "object");
  const choices = commands.flatMap(({ options }) => options.filter(({ takes }) => typeof takes === "object"));
  const cases = commands.map((command) => {
    const own = [...wordsOf(command, completions), ...optionNames(command)];
    return `    ${command.name}) words=${quote(own.join(" "))} ;;`;
  });
  return `# Completion of dqmail for bash, made by "dqmail completion bash".
_dqmail() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= word words= at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case $word in
    --home) ((at++)) ;;
    -*) ;;
    *) command=$word; break ;;
    esac
  done
  case $before in
  ${folders}) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
${choices.map(({ name, takes }) => `  --${name}) words=${quote((takes as readonly string[]).join(" "))} ;;`).join("\n")}
  ${others.map(({ name }) => `--${name}`).join("|")}) return ;;
  *)
    case $command in
    "") words=${quote(commands.map(({ name }) => name).join(" "))} ;;
${cases.join("\n")}
    esac ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _dqmail dqmail
`;
}

/** For zsh: a function of its completion system, for a file `_dqmail` in fpath, or to be evaluated after compinit. */
export function zshCompletion(completions: Completions): string {
  const { commands } = completions;
  const described = (name: string, does: string) => quote(`${name.replaceAll(":", "\\:")}:${does}`);
  const argumentOf = (option: Option): string => {
    if (option.value === undefined) return "";
    const { takes } = option;
    const action = typeof takes === "object"
      ? `(${takes.join(" ")})`
      : takes === "folder"
      ? "_files -/"
      : takes === "file"
      ? "_files"
      : " ";
    return `:${option.value.replaceAll(":", "\\:")}:${action}`;
  };
  const plain = (does: string) => does.replace(/[[\]:\\]/g, (char) => `\\${char}`);
  const cases = commands.map((command) => {
    const words = wordsOf(command, completions);
    const specs = [
      ...command.options.map((option) => quote(`--${option.name}[${plain(option.does)}]${argumentOf(option)}`)),
      quote(`--${helpName}[says how it is used]`),
      ...(words.length === 0 ? [] : [quote(`*:word:(${words.join(" ")})`)]),
    ];
    return `    ${command.name})\n      _arguments ${specs.join(" \\\n        ")} ;;`;
  });
  return `#compdef dqmail
# Completion of dqmail for zsh, made by "dqmail completion zsh".
_dqmail() {
  local state
  _arguments -C '--home[the home]:DIR:_files -/' '1:command:->command' '*::word:->word'
  case $state in
  command)
    local -a commands=(
${commands.map(({ name, does }) => `      ${described(name, does)}`).join("\n")}
    )
    _describe command commands ;;
  word)
    case $words[1] in
${cases.join("\n")}
    esac ;;
  esac
}
if [ "$funcstack[1]" = _dqmail ]; then _dqmail "$@"; else compdef _dqmail dqmail; fi
`;
}

/** For fish: lines for a file in its folder of completions. */
export function fishCompletion(completions: Completions): string {
  const { commands } = completions;
  const first = "not __fish_seen_subcommand_from $dqmail_commands";
  const of = (command: Command, extra = "") => quote(`__fish_seen_subcommand_from ${command.name}${extra}`);
  const optionLine = (command: Command, option: Option): string => {
    const { name, value, takes, does } = option;
    const values = typeof takes === "object"
      ? ` -a ${quote(takes.join(" "))}`
      : takes === "folder"
      ? " -a '(__fish_complete_directories)'"
      : "";
    const needs = value === undefined ? "" : takes === "file" ? " -r -F" : ` -x${values}`;
    return `complete -c dqmail -n ${of(command)} -l ${name}${needs} -d ${quote(does)}`;
  };
  return [
    '# Completion of dqmail for fish, made by "dqmail completion fish".',
    `set -g dqmail_commands ${commands.map(({ name }) => name).join(" ")}`,
    "complete -c dqmail -f",
    "complete -c dqmail -l home -x -a '(__fish_complete_directories)' -d 'the home'",
    `complete -c dqmail -l ${helpName} -d 'says how it is used'`,
    ...commands.map(({ name, does }) => `complete -c dqmail -n ${quote(first)} -a ${name} -d ${quote(does)}`),
    ...commands.flatMap((command) => {
      const words = wordsOf(command, completions);
      return [
        ...(words.length === 0 ? [] : [`complete -c dqmail -n ${of(command)} -a ${quote(words.join(" "))}`]),
        ...command.options.filter(({ name }) => name !== "home").map((option) => optionLine(command, option)),
      ];
    }),
    "",
  ].join("\n");
}
