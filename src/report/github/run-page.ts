/** A run as markdown, for check runs, job summaries and comments: one sentence, a graph, a table of steps, and what went wrong. Pure. */

import { decidingAttempt } from "../../model/deciding-attempt.ts";
import { describeFailure } from "../../model/describe.ts";
import { passedUnchecked } from "../../model/empty-output.ts";
import { codeBlock, inlineCode, type Part, plainText } from "../../model/markdown.ts";
import type { Plan } from "../../model/plan.ts";
import { formatDuration, formatSize } from "../../model/quantity.ts";
import { type RunCommit, shortCommit } from "../../model/run-commit.ts";
import type { AttemptRecord, RunRecord, StepRecord } from "../../model/state.ts";
import { totalUsage, usageText } from "../../model/usage.ts";
import { ignoredText } from "../changes-text.ts";
import { originNote } from "../render-artifacts.ts";
import { mermaidText } from "../render-plan-graph.ts";

export interface RunPage {
  /** `4 of 6 steps passed, flaky failed`; plain text. */
  readonly title: string;
  readonly graph: string;
  readonly table: Part;
  /** One part a step that did not pass. */
  readonly problems: readonly string[];
}

const signs: Readonly<Record<StepRecord["status"], string>> = {
  passed: "✅",
  failed: "❌",
  cancelled: "🚫",
  skipped: "⏭️",
  running: "▶️",
  pending: "⏳",
};

/** Names the run and the commit that it ran, as Markdown. */
export function runText(run: string, { ran }: RunCommit): string {
  return `Run ${inlineCode(run)}${ran === undefined ? "" : `, commit ${inlineCode(shortCommit(ran))}`}`;
}

/** A warning above a verdict, from a sentence without a stop. */
export function noteText(note: string): string {
  return `⚠️ ${plainText(note)}.`;
}

/** `steps`: those of a job that executes a part; absent: all. */
export function runPage(run: RunRecord, plan: Plan, steps?: readonly string[]): RunPage {
  const shown = run.steps.filter(({ id }) => steps === undefined || steps.includes(id));
  return { title: titleOf(shown), graph: graphOf(run, plan), table: tableOf(shown), problems: shown.flatMap(problemOf) };
}

function titleOf(steps: readonly StepRecord[]): string {
  const passed = steps.filter(({ status }) => status === "passed").length;
  const named = (status: StepRecord["status"]) => steps.filter((step) => step.status === status).map(({ id }) => id);
  const told = (["failed", "cancelled", "running"] as const).flatMap((status) => {
    const ids = named(status);
    return ids.length === 0 ? [] : [`${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ` and ${ids.length - 3} more` : ""} ${status}`];
  });
  const count = `${passed === steps.length ? "all " : ""}${passed === steps.length ? steps.length : `${passed} of ${steps.length}`} steps passed`;
  return [steps.length === 1 && passed === 1 ? "the step passed" : count, ...told].join(", ").slice(0, 250);
}

const styles: Readonly<Record<string, string>> = {
  passed: "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
  failed: "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
  running: "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
  other: "fill:#f6f8fa,stroke:#656d76,color:#1f2328,stroke-dasharray:4 3",
};

/** Graphs of more steps cannot be read, and are left out. */
const mostNodes = 60;

function graphOf(run: RunRecord, plan: Plan): string {
  if (run.steps.length > mostNodes || run.steps.length < 2) return "";
  const ids = new Map(run.steps.map(({ id }, at) => [id, `s${at}`]));
  const adapters = new Map(plan.pipeline.steps.map((step) => [step.id, step.adapter?.name]));
  const nodes = run.steps.map(({ id, persona, status }) => {
    const adapter = adapters.get(id);
    const label = [id, `${persona}${adapter === undefined ? "" : ` (${adapter})`}`].map(mermaidText).join("<br/>");
    return `  ${ids.get(id)}["${label}"]:::${status in styles ? status : "other"}`;
  });
  const links = run.steps.flatMap(({ id, dependencies }) => dependencies.map((from) => `  ${ids.get(from)} --> ${ids.get(id)}`));
  const classes = Object.entries(styles).map(([name, style]) => `  classDef ${name} ${style}`);
  return ["```mermaid", "flowchart TD", ...nodes, ...links, ...classes, "```"].join("\n");
}

function tableOf(steps: readonly StepRecord[]): Part {
  const hasUsage = steps.some(({ attempts }) => attempts.some(({ usage }) => usage !== undefined));
  const titles = ["step", "persona", "result", "time", "attempts", ...(hasUsage ? ["model"] : []), "contracts", "artifacts"];
  const head = [`| ${titles.join(" | ")} |`, `|${" --- |".repeat(titles.length)}`];
  const rows = steps.map((step) => {
    const deciding = decidingAttempt(step);
    const cells = [
      `${signs[step.status]} ${inlineCode(step.id)}`,
      plainText(step.persona),
      resultOf(step),
      deciding?.durationMs === undefined ? "" : formatDuration(deciding.durationMs),
      step.attempts.length === 0 ? "" : String(step.attempts.length),
      ...(hasUsage ? [usageOf(step)] : []),
      passedUnchecked(step) ? "unchecked" : contractsOf(deciding),
      step.artifacts.map((artifact) => `${inlineCode(artifact.name)} ${formatSize(artifact.size)}${originNote(artifact)}`).join("<br>"),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return { lines: [...head, ...rows], rest: (count) => `… and ${count} more steps.` };
}

/** All attempts together: each was paid for. */
function usageOf({ attempts }: StepRecord): string {
  const total = totalUsage(attempts.map(({ usage }) => usage));
  return total === undefined ? "" : usageText(total);
}

function resultOf({ status, reusedFrom, failure, because, changes }: StepRecord): string {
  if (reusedFrom !== undefined) return `reused from run ${inlineCode(reusedFrom.run)}`;
  if (status === "failed" && failure !== undefined) return plainText(describeFailure(failure).title);
  const result = because === undefined ? status : `${status}: ${plainText(because)}`;
  return changes?.ignored === undefined ? result : `${result}<br>${plainText(ignoredText(changes))}`;
}

const verdicts = { pass: "✅", fail: "❌", error: "⚠️" } as const;

function contractsOf(attempt: AttemptRecord | undefined): string {
  return (attempt?.contracts ?? []).map(({ name, verdict }) => `${verdicts[verdict]} ${inlineCode(name)}`).join("<br>");
}

function problemOf(step: StepRecord): string[] {
  if (step.status !== "failed" || step.failure === undefined) return [];
  const { title, detail, hint } = describeFailure(step.failure);
  const lines = detail.length === 0 ? [] : [codeBlock(detail.join("\n"))];
  return [
    [`#### ${signs.failed} ${inlineCode(step.id)}: ${plainText(title)}`, ...lines, ...(hint === undefined ? [] : [plainText(hint)])].join(
      "\n\n",
    ),
  ];
}
