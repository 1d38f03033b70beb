/** Renders a run as Markdown for check runs, job summaries and comments: title, graph, table of steps, and problems. Pure. */

import type { Plan } from "../../core/plan.ts";
import { type RunCommit, shortCommit } from "../../core/run-commit.ts";
import { mermaidText } from "../../reporters/console/render-plan-graph.ts";
import { codeBlock, inlineCode, type Part, plainText } from "../../text/markdown.ts";
import { counted, formatDuration, formatSize } from "../../text/quantity.ts";
import type { KnownRun, KnownStep } from "./known-run.ts";

export interface RunPage {
  /** `4 of 6 steps passed, flaky failed`; plain text. */
  readonly title: string;
  /** Omitted if it does not fit. */
  readonly graph: Part;
  readonly table: Part;
  /** One part per step that did not pass. */
  readonly problems: readonly string[];
}

const signs: Readonly<Record<KnownStep["status"], string>> = {
  passed: "✅",
  failed: "❌",
  cancelled: "🚫",
  skipped: "⏭️",
  running: "▶️",
  pending: "⏳",
};

/** The run's id and commit, as Markdown. */
export function runText(run: string, { ran }: RunCommit): string {
  return `Run ${inlineCode(run)}${ran === undefined ? "" : `, commit ${inlineCode(shortCommit(ran))}`}`;
}

/** A warning above a verdict, from a sentence without a full stop. */
export function noteText(note: string): string {
  return `⚠️ ${plainText(note)}.`;
}

/** The page of a run with all known steps. */
export function runPage(run: KnownRun, plan: Plan): RunPage {
  return {
    title: titleOf(run.steps),
    graph: { lines: graphOf(run, plan), rest: () => "", whole: true },
    table: tableOf(run.steps),
    problems: run.steps.flatMap(problemOf),
  };
}

function titleOf(steps: readonly KnownStep[]): string {
  const passed = steps.filter(({ status }) => status === "passed").length;
  const named = (status: KnownStep["status"]) => steps.filter((step) => step.status === status).map(({ id }) => id);
  const others = (["failed", "cancelled", "running"] as const).flatMap((status) => {
    const ids = named(status);
    return ids.length === 0 ? [] : [`${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ` and ${ids.length - 3} more` : ""} ${status}`];
  });
  const count = `${passed === steps.length ? "all " : ""}${passed === steps.length ? steps.length : `${passed} of ${steps.length}`} steps passed`;
  return [steps.length === 1 && passed === 1 ? "the step passed" : count, ...others].join(", ").slice(0, 250);
}

const styles: Readonly<Record<string, string>> = {
  passed: "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
  failed: "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
  running: "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
  other: "fill:#f6f8fa,stroke:#656d76,color:#1f2328,stroke-dasharray:4 3",
};

/** Larger graphs are not readable, so they are omitted. */
const maxNodes = 60;

function graphOf(run: KnownRun, plan: Plan): readonly string[] {
  if (run.steps.length > maxNodes || run.steps.length < 2) return [];
  const ids = new Map(run.steps.map(({ id }, at) => [id, `s${at}`]));
  const adapters = new Map(plan.pipeline.steps.map((step) => [step.id, step.adapter?.name]));
  const nodes = run.steps.map(({ id, persona, status }) => {
    const adapter = adapters.get(id);
    const label = [id, `${persona}${adapter === undefined ? "" : ` (${adapter})`}`].map(mermaidText).join("<br/>");
    return `  ${ids.get(id)}["${label}"]:::${status in styles ? status : "other"}`;
  });
  const links = run.steps.flatMap(({ id, dependencies }) => dependencies.map((from) => `  ${ids.get(from)} --> ${ids.get(id)}`));
  const classes = Object.entries(styles).map(([name, style]) => `  classDef ${name} ${style}`);
  // A single part, because a truncated graph would be invalid.
  return [["```mermaid", "flowchart TD", ...nodes, ...links, ...classes, "```"].join("\n")];
}

function tableOf(steps: readonly KnownStep[]): Part {
  const hasUsage = steps.some(({ usage }) => usage !== undefined);
  const titles = ["step", "persona", "result", "time", "attempts", ...(hasUsage ? ["model"] : []), "contracts", "artifacts"];
  const head = [`| ${titles.join(" | ")} |`, `|${" --- |".repeat(titles.length)}`];
  const rows = steps.map((step) => {
    const cells = [
      `${signs[step.status]} ${inlineCode(step.id)}`,
      plainText(step.persona),
      resultOf(step),
      step.durationMs === undefined ? "" : formatDuration(step.durationMs),
      step.attempts === 0 ? "" : String(step.attempts),
      ...(hasUsage ? [plainText(step.usage ?? "")] : []),
      step.unchecked ? "unchecked" : contractsOf(step),
      step.artifacts.map(({ name, size, note }) => `${inlineCode(name)} ${formatSize(size)}${plainText(note)}`).join("<br>"),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return { lines: [...head, ...rows], rest: (count) => `… and ${counted(count, "more step")}.`, whole: true };
}

function resultOf({ status, reusedFrom, problem, because, note }: KnownStep): string {
  if (reusedFrom !== undefined) return `reused from run ${inlineCode(reusedFrom)}`;
  if (problem !== undefined) return plainText(problem.title);
  const result = because === undefined ? status : `${status}: ${plainText(because)}`;
  return note === undefined ? result : `${result}<br>${plainText(note)}`;
}

const verdicts = { pass: "✅", fail: "❌", error: "⚠️" } as const;

function contractsOf({ contracts }: KnownStep): string {
  return contracts.map(({ name, verdict }) => `${verdicts[verdict]} ${inlineCode(name)}`).join("<br>");
}

function problemOf({ id, problem }: KnownStep): string[] {
  if (problem === undefined) return [];
  const { title, detail, hint } = problem;
  const lines = detail === "" ? [] : [codeBlock(detail)];
  return [
    [`#### ${signs.failed} ${inlineCode(id)}: ${plainText(title)}`, ...lines, ...(hint === undefined ? [] : [plainText(hint)])].join(
      "\n\n",
    ),
  ];
}
