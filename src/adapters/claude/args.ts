/**
 * A step as Claude Code's command line. Permissions become its tools and rules, besides the sandbox: they keep the agent from trying what would
 * fail. Paths in its rules are relative to the working directory with `./`, and absolute with `//`. Pure.
 */
import type { Step } from "../../core/pipeline.ts";
import type { WorkspacePaths } from "../../core/ports.ts";
import { rulesOf } from "../agent-rules.ts";

/** The words after the program's name. The prompt is its standard input. */
export function claudeArgs(step: Step, paths: WorkspacePaths): readonly string[] {
  const { model } = step.adapter ?? {};
  const { maxTurns, maxCostUsd } = step.resources;
  const { tools, allowed, denied } = claudeTools(step, paths);
  return [
    ...["-p", "--output-format", "stream-json", "--verbose", "--no-session-persistence"],
    // What a repository brings for agents is somebody's text, and its hooks are somebody's programs.
    ...["--setting-sources", "user", "--strict-mcp-config", "--disable-slash-commands"],
    ...["--permission-mode", "dontAsk"],
    ...(model === undefined ? [] : ["--model", model]),
    ...(maxTurns === undefined ? [] : ["--max-turns", String(maxTurns)]),
    ...(maxCostUsd === undefined ? [] : ["--max-budget-usd", String(maxCostUsd)]),
    ...["--tools", tools.join(",")],
    ...["--allowedTools", allowed.join(",")],
    ...(denied.length === 0 ? [] : ["--disallowedTools", denied.join(",")]),
  ];
}

interface ClaudeTools {
  readonly tools: readonly string[];
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
}

function claudeTools(step: Step, paths: WorkspacePaths): ClaudeTools {
  const writes = rulesOf(step, "file_write");
  const commands = rulesOf(step, "command");
  const reads = rulesOf(step, "file_read");
  const network = rulesOf(step, "network_access");
  const edit = (pattern: string) => `Edit(./${pattern})`;
  const runs = !commands.denied.includes("*") && !commands.denied.includes("**");
  return {
    tools: ["Read", "Glob", "Grep", "Edit", "Write", ...(runs ? ["Bash"] : []), ...(network.isOpen ? ["WebFetch"] : [])],
    allowed: [
      ...["Read", "Glob", "Grep", `Edit(/${paths.output}/**)`],
      ...(writes.allowed.length === 0 ? ["Edit(./**)"] : writes.allowed.map(edit)),
      ...(runs ? (commands.allowed.length === 0 ? ["Bash"] : commands.allowed.map((pattern) => `Bash(${pattern})`)) : []),
      ...(network.isOpen ? ["WebFetch"] : []),
    ],
    denied: [
      ...writes.denied.map(edit),
      ...reads.denied.map((pattern) => `Read(./${pattern})`),
      ...(runs ? commands.denied.map((pattern) => `Bash(${pattern})`) : []),
    ],
  };
}
