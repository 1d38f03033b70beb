/**
 * Renders a plan as a graph for other tools. Pure. Node ids are generated and labels are escaped, so that no name in a manifest can add a
 * node, a link or markup.
 */
import type { Plan, PlannedStep } from "../../core/plan.ts";
import { printable } from "../../text/printable.ts";
import { actionsOf, type PlanAction } from "./render-plan-actions.ts";

const mermaidStyles: Readonly<Record<PlanAction, string>> = {
  run: "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
  reuse: "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
  recheck: "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
  later: "fill:#f6f8fa,stroke:#656d76,color:#1f2328,stroke-dasharray:4 3",
  blocked: "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
};

const dotStyles: Readonly<Record<PlanAction, string>> = {
  run: 'fillcolor="#ddf4ff", color="#0969da"',
  reuse: 'fillcolor="#dafbe1", color="#1a7f37"',
  recheck: 'fillcolor="#fff8c5", color="#9a6700"',
  later: 'fillcolor="#f6f8fa", color="#656d76", style="rounded,filled,dashed"',
  blocked: 'fillcolor="#ffebe9", color="#cf222e"',
};

/** A Mermaid flowchart. Colors show the actions of `run --reuse`; links are labeled with artifacts. */
export function planAsMermaid(plan: Plan): string {
  const ids = idsOf(plan);
  const lines = ["flowchart TD"];
  for (const planned of plan.steps) {
    lines.push(`  ${ids.get(planned.step.id)}["${labelOf(planned).map(mermaidText).join("<br/>")}"]:::${actionsOf(planned).reuse}`);
  }
  for (const { from, to, artifacts } of linksOf(plan)) {
    const label = artifacts.length === 0 ? "" : `|"${artifacts.map(mermaidText).join(", ")}"|`;
    lines.push(`  ${ids.get(from)} -->${label} ${ids.get(to)}`);
  }
  for (const [name, style] of Object.entries(mermaidStyles)) lines.push(`  classDef ${name} ${style}`);
  return `${lines.join("\n")}\n`;
}

/** A Graphviz digraph with the same labels, links and colors. */
export function planAsDot(plan: Plan): string {
  const ids = idsOf(plan);
  const lines = [
    `digraph ${dotText([plan.pipeline.name])} {`,
    '  node [shape=box, style="rounded,filled", fontname="sans-serif"]',
    '  edge [fontname="sans-serif", fontsize=10]',
  ];
  for (const planned of plan.steps)
    lines.push(`  ${ids.get(planned.step.id)} [label=${dotText(labelOf(planned))}, ${dotStyles[actionsOf(planned).reuse]}]`);
  for (const { from, to, artifacts } of linksOf(plan)) {
    const label = artifacts.length === 0 ? "" : ` [label=${dotText([artifacts.join(", ")])}]`;
    lines.push(`  ${ids.get(from)} -> ${ids.get(to)}${label}`);
  }
  return `${[...lines, "}"].join("\n")}\n`;
}

function idsOf(plan: Plan): ReadonlyMap<string, string> {
  return new Map(plan.steps.map(({ step }, at) => [step.id, `s${at}`]));
}

function labelOf({ step }: PlannedStep): string[] {
  const adapter = step.adapter === undefined ? "" : ` (${step.adapter.name})`;
  return [step.id, `${step.persona.name}${adapter}`, ...step.contracts.map((contract) => `⛨ ${contract.name}`)];
}

function linksOf(plan: Plan): { from: string; to: string; artifacts: string[] }[] {
  return plan.steps.flatMap(({ step }) =>
    step.dependencies.map((from) => ({
      from,
      to: step.id,
      artifacts: step.inputs.filter((input) => input.from === from).map((input) => input.artifact),
    })),
  );
}

/** Escapes everything except letters, digits and harmless signs as Mermaid's `#code;`, so that no markup or Markdown remains. */
export function mermaidText(text: string): string {
  return printable(text).replace(/[^\p{L}\p{N} .,:/()⛨-]/gu, (character) => `#${character.codePointAt(0)};`);
}

/** A quoted string of centered lines. Backslashes are doubled, because labels have escapes such as `\N`. */
function dotText(lines: readonly string[]): string {
  return `"${lines.map((line) => printable(line).replace(/[\\"]/g, "\\$&")).join("\\n")}"`;
}
