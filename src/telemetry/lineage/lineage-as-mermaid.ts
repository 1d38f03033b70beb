/** Renders lineage as a Mermaid flowchart: from the base and changesets, through attempts, to the artifact. Pure. */
import { changesText } from "../../reporters/console/changes-text.ts";
import { mermaidText } from "../../reporters/console/render-plan-graph.ts";
import type { Lineage, Production } from "./lineage.ts";

const styles = [
  "  classDef base fill:#f6f8fa,stroke:#656d76,color:#1f2328",
  "  classDef changes fill:#fff8c5,stroke:#9a6700,color:#1f2328",
  "  classDef attempt fill:#ddf4ff,stroke:#0969da,color:#1f2328",
  "  classDef artifact fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
  "  classDef gap fill:#ffebe9,stroke:#cf222e,color:#1f2328",
];

interface Chart {
  readonly ids: Map<string, string>;
  readonly lines: string[];
}

/** The chart. Node ids are generated and labels are escaped, so that no name adds a node or markup. Ends in a line break. */
export function lineageAsMermaid(lineage: Lineage): string {
  const chart: Chart = { ids: new Map(), lines: [] };
  for (const { id, artifact, made, gap } of lineage.nodes) {
    const own = node(chart, `artifact ${id}`, ["([", "])"], [artifact.name, shortOf(artifact.digest)], "artifact");
    const maker =
      made === undefined ? node(chart, `gap ${id}`, ["[", "]"], [gap ?? "not known"], "gap") : node(chart, ...attemptLabel(made));
    link(chart, maker, own);
    if (made !== undefined) drawSources(chart, maker, made);
  }
  return `${["flowchart TD", ...new Set(chart.lines), ...styles].join("\n")}\n`;
}

type NodeLabels = readonly [key: string, shape: readonly [string, string], label: readonly string[], style: string];

function attemptLabel({ run, step, attempt, persona, adapter, model }: Production): NodeLabels {
  const by = model === undefined ? adapter : `${adapter} ${model}`;
  return [`attempt ${run}/${step}/${attempt}`, ["[", "]"], [`${step}, attempt ${attempt}`, `${persona} (${by})`, `run ${run}`], "attempt"];
}

function drawSources(chart: Chart, maker: string, { base, builtOn, inputs }: Production): void {
  const label = base.head === undefined ? ["tree", shortOf(base.tree)] : [`commit ${base.head.slice(0, 12)}`, shortOf(base.tree)];
  link(chart, node(chart, `base ${base.tree} ${base.head ?? ""}`, ["[(", ")]"], label, "base"), maker);
  for (const { step, changes } of builtOn) {
    link(chart, node(chart, `changes ${changes.digest}`, ["[/", "/]"], [`changes of ${step}`, changesText(changes)], "changes"), maker);
  }
  for (const { node: id, name } of inputs) link(chart, idOf(chart, `artifact ${id}`), maker, name);
}

function node(chart: Chart, ...[key, [open, close], label, style]: NodeLabels): string {
  const id = idOf(chart, key);
  chart.lines.push(`  ${id}${open}"${label.map(mermaidText).join("<br/>")}"${close}:::${style}`);
  return id;
}

function link(chart: Chart, from: string, to: string, label?: string): void {
  chart.lines.push(`  ${from} -->${label === undefined ? "" : `|"${mermaidText(label)}"|`} ${to}`);
}

function idOf({ ids }: Chart, key: string): string {
  const id = ids.get(key) ?? `n${ids.size}`;
  ids.set(key, id);
  return id;
}

function shortOf(digest: string): string {
  return digest.slice(0, "sha256:".length + 12);
}
