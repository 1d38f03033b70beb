/** Renders lineage for people: a tree from an artifact down to its inputs. Each artifact is described once. Pure. */

import { changesText } from "../../reporters/console/changes-text.ts";
import { type Palette, paletteOf, sign } from "../../reporters/console/palette.ts";
import { printable } from "../../text/printable.ts";
import { formatDuration, formatSize } from "../../text/quantity.ts";
import type { Lineage, LineageNode, Production } from "./lineage.ts";

/** The deepest level that is indented further, and the most changesets that are listed, so that long chains stay readable. */
const deepest = 20;
const maxChangesets = 8;

interface Place {
  readonly id: string;
  readonly depth: number;
  /** `STEP/NAME` of the input. */
  readonly as?: string;
}

/** The tree as text. Ends in a line break. */
export function renderLineage(lineage: Lineage, { color }: { readonly color: boolean }): string {
  const paint = paletteOf(color);
  const nodes = new Map(lineage.nodes.map((node) => [node.id, node]));
  const described = new Set<string>();
  const lines: string[] = [];
  const open: Place[] = [{ id: lineage.root, depth: 0 }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const node = nodes.get(place.id);
    if (node === undefined) continue;
    const { depth } = place;
    const lead = "  ".repeat(Math.min(depth, deepest));
    const again = described.has(node.id);
    lines.push(`${lead}${titleOf(node, place, paint)}${again ? paint.dim(" (see above)") : ""}`);
    if (again) continue;
    described.add(node.id);
    lines.push(...detailsOf(node, paint).map((line) => `${lead}  ${line}`));
    const inputs = (node.made?.inputs ?? []).map(({ node: id, name, from }) => ({ id, depth: depth + 1, as: `${from}/${name}` }));
    open.push(...inputs.reverse());
  }
  return `${lines.join("\n")}\n`;
}

function titleOf({ artifact }: LineageNode, { as }: Place, paint: Palette): string {
  const size = artifact.size === undefined ? "" : ` ${formatSize(artifact.size)}`;
  const type = artifact.mediaType === undefined ? "" : ` ${printable(artifact.mediaType)}`;
  const name = printable(as ?? artifact.name);
  return `${as === undefined ? "" : "← "}${paint.bold(name)}${size}${type} ${paint.dim(artifact.digest)}`;
}

function detailsOf({ made, gap, reusedBy }: LineageNode, paint: Palette): string[] {
  const reused = reusedBy.length === 0 ? [] : [paint.dim(`reused by run ${reusedBy.join(", from run ")}`)];
  if (made === undefined) return [...reused, paint.yellow(printable(gap ?? "not known"))];
  return [...reused, ...productionLines(made, paint)];
}

function productionLines(made: Production, paint: Palette): string[] {
  const { step, attempt, run, pipeline, version, adapter, model, base, builtOn, upstreamUnchanged } = made;
  const name = version === undefined ? pipeline : `${pipeline}@${version}`;
  const by = model === undefined ? adapter : `${adapter} ${model}`;
  const commit = base.head === undefined ? "" : `commit ${base.head}, `;
  return [
    `made by ${paint.bold(printable(step))}, attempt ${attempt} of run ${run} ${paint.dim(printable(name))}`,
    `  persona ${printable(made.persona)} ${paint.dim(printable(`(${by})`))}, ${timesOf(made)}`,
    ...made.contracts.map((contract) => `  ${sign(contract.verdict, paint)} contract ${printable(contract.name)} ${contract.verdict}`),
    ...upstreamLines(builtOn, paint),
    ...(upstreamUnchanged
      ? []
      : [paint.yellow("  it started from other changes than these, because upstream steps were rolled back since")]),
    `  project at ${commit}tree ${paint.dim(base.tree)}`,
    `  manifest ${paint.dim(made.manifest)}`,
    ...(made.options.input === undefined ? [] : [`  run input ${paint.dim(made.options.input)}`]),
  ];
}

function upstreamLines(builtOn: Production["builtOn"], paint: Palette): string[] {
  // In the order of the manifest: the nearest are the last.
  const listed = builtOn.slice(-maxChangesets);
  const lines = listed.map(
    ({ step, changes }) => `  on the changes of ${printable(step)}: ${changesText(changes)} ${paint.dim(changes.digest)}`,
  );
  const left = builtOn.length - listed.length;
  return left === 0 ? lines : [`  on the changes of ${left} more steps before these:`, ...lines];
}

function timesOf({ startedAt, finishedAt }: Production): string {
  const from = startedAt.replace("T", " ").replace(/\.\d+Z$/, "Z");
  return finishedAt === undefined ? from : `${from}, ${formatDuration(Date.parse(finishedAt) - Date.parse(startedAt))}`;
}
