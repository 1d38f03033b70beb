/**
 * Builds Claude Code's command line for a step. Permissions become its tools and rules; the sandbox enforces them. In its
 * rules, paths with `./` are relative to the working directory, and paths with `//` are absolute. Pure.
 */
import type { Step } from "../../core/pipeline.ts";
import type { WorkspacePaths } from "../../core/ports.ts";
import { rulesOf } from "../agent-rules.ts";

/** The arguments. The prompt is passed on standard input. */
export function claudeArgs(step: Step, paths: WorkspacePaths): readonly string[] {
  const { model } = step.adapter ?? {};
  const { maxTurns, maxCostUsd } = step.resources;
  const { tools, allowed, denied } = claudeTools(step, paths);
  return [
    ...["-p", "--output-format", "stream-json", "--verbose", "--no-session-persistence"],
    // The repository's agent settings and hooks are untrusted text and programs.
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
