/** Shell completion of `deno task`, made from the commands' own flags. */
import { UserError } from "../core/errors.ts";
import type { Flag } from "./arguments.ts";
import { compareFlags } from "./compare.ts";
import { detectFlags } from "./detect.ts";
import { evaluateFlags } from "./evaluate.ts";
import { main } from "./main.ts";
import { predictFlags } from "./predict.ts";
import { trainFlags } from "./train_flags.ts";

type Flags = Readonly<Record<string, Flag<unknown>>>;

/** By the task's name. */
const tasks: Readonly<Record<string, Flags>> = {
  train: trainFlags,
  evaluate: evaluateFlags,
  predict: predictFlags,
  detect: detectFlags,
  compare: compareFlags,
};

const shells: Readonly<Record<string, () => string>> = { bash, zsh, fish };

const HELP = `Prints completions of all flags, for bash, zsh or fish.

  source <(deno task --quiet completion bash)               in ~/.bashrc
  source <(deno task --quiet completion zsh)                in ~/.zshrc, after compinit
  deno task --quiet completion fish | source                in config.fish`;

/** The script for a shell. Throws where the shell is another one. */
export function completionScript(shell: string): string {
  const script = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
  if (script) return script();
  throw new UserError(`there are completions for ${Object.keys(shells).join(", ")}, not for "${shell}"`);
}

/** Runs the command; returns its exit code. */
export function complete(args: readonly string[]): Promise<number> {
  const [shell] = args;
  console.log(shell === undefined || shell === "--help" ? HELP : completionScript(shell));
  return Promise.resolve(0);
}

/** Whether a flag's value is the name of a file or folder. */
function takesPath({ value }: Flag<unknown>): boolean {
  return value !== undefined && ["PATH", "FILE", "FOLDER"].includes(value);
}

const named = (flags: Flags) => Object.keys(flags).map((name) => `--${name}`);

function bash(): string {
  const cases = Object.entries(tasks).map(([task, flags]) => {
    const choices = Object.entries(flags).flatMap(([name, { choices }]) =>
      choices ? [`        --${name}) words="${choices.join(" ")}" ;;`] : []
    );
    const paths = Object.entries(flags).flatMap(([name, flag]) => takesPath(flag) ? [`--${name}`] : []);
    return [
      `    ${task})`,
      '      words=""',
      '      case "$before" in',
      ...choices,
      `        ${paths.join("|")}) COMPREPLY=($(compgen -f -- "$current")); return ;;`,
      `        *) words="${named(flags).join(" ")}" ;;`,
      "      esac",
      '      COMPREPLY=($(compgen -W "$words" -- "$current")) ;;',
    ].join("\n");
  });
  return `_strata() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words
  if [ "\${COMP_WORDS[1]}" != task ] || [ "$COMP_CWORD" -lt 3 ]; then
    declare -F _deno >/dev/null && _deno "$@"
    return
  fi
  case "\${COMP_WORDS[2]}" in
${cases.join("\n")}
    *) declare -F _deno >/dev/null && _deno "$@" ;;
  esac
}
complete -o bashdefault -o default -F _strata deno`;
}

function zsh(): string {
  const cases = Object.entries(tasks).map(([task, flags]) => {
    const specs = Object.entries(flags).map(([name, flag]) => {
      const about = flag.help.replaceAll(
        /[[\]\\:']/g,
        (character) => character === "'" ? "'\\''" : `\\${character}`,
      );
      const value = flag.choices
        ? `:${name}:(${flag.choices.join(" ")})`
        : takesPath(flag)
        ? `:${name}:_files`
        : flag.value
        ? `:${name}:`
        : "";
      return `        '--${name}[${about}]${value}'`;
    });
    return [`      ${task}) _arguments \\`, `${specs.join(" \\\n")} ;;`].join("\n");
  });
  return `_strata() {
  if [[ \${words[2]} == task && $CURRENT -gt 3 ]]; then
    local task=\${words[3]}
    shift 2 words
    (( CURRENT -= 2 ))
    case $task in
${cases.join("\n")}
      *) _files ;;
    esac
  elif (( $+functions[_deno] )); then
    _deno "$@"
  fi
}
compdef _strata deno`;
}

function fish(): string {
  // Deno's own completions erase all others when they are loaded: which happens here, and not later.
  const load = "complete -C 'deno ' > /dev/null";
  const lines = Object.entries(tasks).flatMap(([task, flags]) =>
    Object.entries(flags).map(([name, flag]) => {
      const about = flag.help.replaceAll(/['\\]/g, "\\$&");
      const value = flag.choices
        ? ` -x -a '${flag.choices.join(" ")}'`
        : takesPath(flag)
        ? " -r -F"
        : flag.value
        ? " -x"
        : "";
      const condition = `__fish_seen_subcommand_from task; and __fish_seen_subcommand_from ${task}`;
      return `complete -c deno -n '${condition}' -l ${name} -d '${about}'${value}`;
    })
  );
  return [load, ...lines].join("\n");
}

if (import.meta.main) await main(complete);
