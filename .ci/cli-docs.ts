/** docs/cli.md, printed from the table of commands. */

import { commands } from "../src/cli/commands.ts";
import type { Command } from "../src/cli/define-command.ts";

export function cliDocs(): string {
  const head = [
    "# The `wave` command",
    "",
    "This page is generated from the definitions of the commands. `wave help COMMAND` prints the same text.",
    "",
    "| command | what it does |",
    "|---|---|",
    ...commands.map((command) => `| [\`wave ${command.name}\`](#wave-${command.name}) | ${cell(command.summary)} |`),
    "",
    "## The project",
    "",
    "Without `-f`, a command reads `wave.yaml` or `wave.yml` in the current directory, or in the nearest parent directory that has one, up to the top of the git repository.",
    "Directories above the repository are never searched. Without a repository, or if another user owns it, only the current directory is searched.",
    "State and the paths in the manifest are relative to the directory of the manifest. Paths on the command line are relative to the current directory, or to the one that `-C` names.",
    "",
    "## Exit codes",
    "",
    "| code | meaning |",
    "|---|---|",
    "| 0 | success; for `run` and `resume`: the run passed, or it had already passed |",
    "| 1 | the run failed: a step or a contract |",
    "| 2 | the command line or the manifest is invalid; nothing was started |",
    "| 3 | `plan --detailed-exitcode`: steps would run |",
    "| 4 | this environment cannot do it: adapter missing, permission not enforceable, state locked or unreadable, disk full, output not written |",
    "| 70 | a bug in Wave |",
    "| 130 | cancelled |",
    "",
    "## Output",
    "",
    "Commands print text for people on stdout, or on stderr if stdout contains data. The destination decides how it is written:",
    "",
    "| destination | text for people | data: logs, patches, prompts, `config`, `metrics` |",
    "|---|---|---|",
    "| a terminal | only Wave's own colours; other control sequences are removed, and control, bidirectional and invisible characters are escaped (`\\x07`, `\\u202e`) | the same, without colours |",
    "| a runner's log (`GITHUB_ACTIONS` is set and the stream is not a file) | as on a terminal, without workflow commands: `::` at the start of a line becomes `: :`, and `##[` becomes `## [` | the same; a warning on stderr names the output if bytes change |",
    "| a file or a pipe | as on a terminal | unchanged |",
    "",
    "On a runner a pipe counts as the runner's log, because it can end there: use `wave artifacts --patch > work.patch` instead of `wave artifacts --patch | git apply`.",
    "JSON is the same on every destination: such characters, and the first character of `##[`, are written as `\\uXXXX` escapes.",
    "Text, JSON, prompts and `config` do not contain secrets. See [secrets](secrets.md).",
  ];
  return `${[...head, ...commands.flatMap(section)].join("\n")}\n`;
}

function section(command: Command): string[] {
  const words = ["wave", command.name, ...command.arguments.map((argument) => argument.name), "[options]"].join(" ");
  return [
    "",
    `## wave ${command.name}`,
    "",
    `${command.summary}.${command.details === undefined ? "" : ` ${command.details}`}`,
    "",
    "```",
    words,
    "```",
    "",
    ...(command.arguments.length === 0
      ? []
      : [
          "| argument | meaning |",
          "|---|---|",
          ...command.arguments.map((argument) => `| \`${argument.name}\` | ${cell(argument.description)} |`),
          "",
        ]),
    "| option | meaning | default |",
    "|---|---|---|",
    ...command.options.map(
      (option) =>
        `| \`${cell(option.flags)}\` | ${cell(option.description + (option.choices === undefined ? "" : ` (${option.choices.join(", ")})`))} | ${option.default ?? ""} |`,
    ),
    "",
    "```sh",
    ...command.examples,
    "```",
  ];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
