/** docs/cli.md, printed from the table of commands. */

import { commands } from "../src/cli/commands.ts";
import type { Command } from "../src/cli/define-command.ts";

export function cliDocs(): string {
  const head = [
    "# The `wave` command",
    "",
    "Generated from the commands' definitions; `wave help COMMAND` prints the same.",
    "",
    "| command | what it does |",
    "|---|---|",
    ...commands.map((command) => `| [\`wave ${command.name}\`](#wave-${command.name}) | ${cell(command.summary)} |`),
    "",
    "## Exit statuses",
    "",
    "| status | meaning |",
    "|---|---|",
    "| 0 | done; for `run` and `resume`: the run passed, or there was nothing left to do |",
    "| 1 | the run failed: a step or a contract |",
    "| 2 | usage or manifest invalid; nothing was started |",
    "| 3 | `plan --detailed-exitcode`: there is work to do |",
    "| 4 | this environment cannot do it: adapter missing, permission not enforceable, state locked or unreadable, a full disk, output that could not be written |",
    "| 70 | a bug in wave |",
    "| 130 | cancelled |",
    "",
    "## Output",
    "",
    "Text for people goes to standard output, or to standard error where standard output is data. What is written depends on where it goes:",
    "",
    "| destination | text for people | data: logs, patches, prompts, `config`, `metrics` |",
    "|---|---|---|",
    "| a terminal | only Wave's own colours; other control sequences are dropped, and control, bidirectional and invisible characters are written out (`\\x07`, `\\u202e`) | the same, without colours |",
    "| a runner's log (`GITHUB_ACTIONS` is set and the stream is not a file) | as on a terminal, and no workflow command: `::` at the start of a line becomes `: :`, and `##[` becomes `## [` | the same; a warning on standard error names it where bytes change |",
    "| a file or a pipe | as on a terminal | every byte |",
    "",
    "On a runner a pipe counts as the runner's log, because its end may be there: use `wave artifacts --patch > work.patch` instead of `wave artifacts --patch | git apply`.",
    "JSON is the same text everywhere: it writes such characters and the first sign of `##[` as `\\uXXXX`, which every reader turns back.",
    "Text, JSON, prompts and `config` hold no secrets. See [secrets](secrets.md).",
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
