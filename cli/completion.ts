/** Shell completion of `deno task`, made from the commands' own flags. */
import { UserError } from "../core/errors.ts";
import { models } from "../models/registry.ts";
import type { Flag } from "./arguments.ts";
import { benchKernelsFlags } from "./bench_kernels.ts";
import { benchModelFlags } from "./bench_model.ts";
import { benchPeersFlags } from "./bench_peers.ts";
import { compareFlags } from "./compare.ts";
import { convertFlags } from "./convert.ts";
import { demoFlags } from "./demo.ts";
import { detectFlags } from "./detect.ts";
import { devicesFlags } from "./devices.ts";
import { evaluateFlags } from "./evaluate.ts";
import { lintDataFlags } from "./lint_data.ts";
import { main } from "./main.ts";
import { modelsFlags } from "./models.ts";
import { predictFlags } from "./predict.ts";
import { previewFlags } from "./preview.ts";
import { summaryFlags } from "./summary.ts";
import { trainFlags } from "./train_flags.ts";
import { verifyFlags } from "./verify.ts";
import { verifyOnnxFlags } from "./verify_onnx.ts";

type Flags = Readonly<Record<string, Flag<unknown>>>;

interface Task {
  readonly flags: Flags;
  /** What may stand in its first place, beside files. */
  readonly words?: readonly string[];
}

const networks = Object.keys(models);
const help = { help: trainFlags.help };
const shells: Readonly<Record<string, () => string>> = { bash, zsh, fish };

/** By their names. */
export const tasks: Readonly<Record<string, Task>> = {
  train: { flags: trainFlags },
  evaluate: { flags: evaluateFlags },
  predict: { flags: predictFlags },
  detect: { flags: detectFlags },
  compare: { flags: compareFlags },
  preview: { flags: previewFlags },
  "lint-data": { flags: lintDataFlags },
  summary: { flags: summaryFlags },
  models: { flags: modelsFlags, words: networks },
  convert: { flags: convertFlags },
  verify: { flags: verifyFlags },
  "verify:onnx": { flags: verifyOnnxFlags },
  bench: {
    flags: { ...benchKernelsFlags, ...benchModelFlags, ...benchPeersFlags },
    words: ["kernels", "model", "peers"],
  },
  demo: { flags: demoFlags },
  devices: { flags: devicesFlags },
  completion: { flags: help, words: Object.keys(shells) },
};

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
function takesPath(name: string, { value = "" }: Flag<unknown>): boolean {
  return /PATH|FILE|FOLDER|DIR/.test(value) || name === "model";
}

/** Values to choose from. */
function choicesOf(name: string, { choices }: Flag<unknown>): readonly string[] {
  return choices ?? (name === "model" ? networks : []);
}

function bash(): string {
  const cases = Object.entries(tasks).map(([task, { flags, words = [] }]) => {
    const all = Object.entries(flags);
    const choices = all.flatMap(([name, flag]) => {
      const known = choicesOf(name, flag);
      return known.length > 0 ? [`        --${name}) words="${known.join(" ")}" ;;`] : [];
    });
    // Where nothing fits, bash completes files by itself.
    const open = all.filter(([name, flag]) =>
      flag.value !== undefined && flag.bare === undefined && choicesOf(name, flag).length === 0
    );
    const values = open.length > 0 ? [`        ${open.map(([name]) => `--${name}`).join("|")}) ;;`] : [];
    return [
      `    ${task})`,
      '      case "$before" in',
      ...choices,
      ...values,
      `        *) words="${[...words, ...all.map(([name]) => `--${name}`)].join(" ")}" ;;`,
      "      esac ;;",
    ].join("\n");
  });
  return `_strata() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" task="\${COMP_WORDS[2]}" words=""
  # Bash takes a colon for the end of a word.
  [ "\${COMP_WORDS[3]}" = : ] && task="$task:\${COMP_WORDS[4]}"
  if [ "\${COMP_WORDS[1]}" != task ] || [ "$COMP_CWORD" -lt 3 ]; then
    declare -F _deno >/dev/null && _deno "$@"
    return
  fi
  case "$task" in
${cases.join("\n")}
    *) declare -F _deno >/dev/null && _deno "$@"; return ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o bashdefault -o default -F _strata deno`;
}

function zsh(): string {
  const cases = Object.entries(tasks).map(([task, { flags, words }]) => {
    const specs = Object.entries(flags).map(([name, flag]) => {
      const about = flag.help.replaceAll(
        /[[\]\\:']/g,
        (character) => character === "'" ? "'\\''" : `\\${character}`,
      );
      const choices = choicesOf(name, flag).join(" ");
      const value = takesPath(name, flag)
        ? `:${name}:${choices === "" ? "_files" : `{compadd ${choices}; _files}`}`
        : choices !== ""
        ? `:${name}:(${choices})`
        : flag.value
        ? `:${name}:`
        : "";
      return `        '--${name}[${about}]${flag.bare === undefined ? value : `:${value}`}'`;
    });
    if (words) specs.push(`        '1:what:(${words.join(" ")})'`);
    return [
      `      ${task.replace(":", "\\:")}) _arguments \\`,
      `${[...specs, "        '*:file:_files'"].join(" \\\n")} ;;`,
    ].join(
      "\n",
    );
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
  const lines = Object.entries(tasks).flatMap(([task, { flags, words }]) => {
    const condition = `__fish_seen_subcommand_from task; and __fish_seen_subcommand_from ${task}`;
    const first = words ? [`complete -c deno -n '${condition}' -a '${words.join(" ")}'`] : [];
    return first.concat(
      Object.entries(flags).map(([name, flag]) => {
        const about = flag.help.replaceAll(/['\\]/g, "\\$&");
        const choices = choicesOf(name, flag).join(" ");
        const value = !flag.value ? "" : takesPath(name, flag) ? " -r -F" : " -x";
        const known = choices === "" ? "" : ` -a '${choices}'`;
        return `complete -c deno -n '${condition}' -l ${name} -d '${about}'${value}${known}`;
      }),
    );
  });
  return [load, ...lines].join("\n");
}

if (import.meta.main) await main(complete);
