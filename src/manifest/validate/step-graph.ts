/** The graph of a pipeline's steps as it is written: which step each name means, unknown names, and circles. */
import { defined } from "../../core/defined.ts";
import type { DocumentNode, Origin } from "../../core/document.ts";
import { findCycles } from "../../core/graph.ts";
import type { StepArtifact } from "../../core/pipeline.ts";
import type { Findings } from "./findings.ts";
import { asBoolean, asLocated, items, type Located, member, texts } from "./read-node.ts";

/** An input as it is written. */
export interface WrittenInput {
  readonly artifact: Located;
  /** The name that the step sees. */
  readonly name: Located;
  readonly from?: Located;
  readonly optional: boolean;
}

/** A step as far as the graph needs it. */
export interface WrittenStep {
  readonly id: Located;
  readonly node: DocumentNode;
  readonly inputs: readonly WrittenInput[];
  /** Known steps that it depends on, each once, with the place that says so. */
  readonly edges: ReadonlyMap<string, Origin>;
  readonly artifacts: readonly StepArtifact[];
}

/** What is known of a step before its edges are. */
export type UnlinkedStep = Omit<WrittenStep, "edges">;

/** The inputs of a step. Two of one name are reported. */
export function readInputs(step: DocumentNode, findings: Findings): WrittenInput[] {
  const seen = new Map<string, Origin>();
  return items(member(step, "inputs")).flatMap((item) => {
    const artifact = asLocated(item) ?? asLocated(member(item, "artifact"));
    if (artifact === undefined) return [];
    const from = asLocated(member(item, "from"));
    const name = asLocated(member(item, "as")) ?? artifact;
    const before = seen.get(name.text);
    if (before !== undefined) {
      findings.error("W312", `the step has two inputs called \`${name.text}\``, name.origin, {
        hint: "give one of them another name with `as`",
        related: [{ message: "the first one", origin: before }],
      });
    }
    seen.set(name.text, before ?? name.origin);
    return [{ artifact, name, optional: asBoolean(member(item, "optional")) ?? false, ...defined({ from }) }];
  });
}

/** Links steps by id. Reports ids that stand twice, unknown steps, steps that depend on themselves, and circles. */
export function linkSteps(steps: readonly UnlinkedStep[], findings: Findings): ReadonlyMap<string, WrittenStep> {
  const byId = new Map<string, UnlinkedStep>();
  for (const step of steps) {
    const before = byId.get(step.id.text);
    if (before === undefined) byId.set(step.id.text, step);
    else
      findings.error("W312", `two steps are called \`${step.id.text}\``, step.id.origin, {
        related: [{ message: "the first one", origin: before.id.origin }],
      });
  }
  const ids = [...byId.keys()];
  for (const step of steps) if (byId.get(step.id.text) !== step) edgesOf(step, byId, ids, findings);
  const linked = new Map([...byId].map(([id, step]) => [id, { ...step, edges: edgesOf(step, byId, ids, findings) }]));
  for (const cycle of findCycles(ids, (id) => [...(linked.get(id)?.edges.keys() ?? [])])) reportCycle(cycle, linked, findings);
  return linked;
}

function edgesOf(
  step: UnlinkedStep,
  byId: ReadonlyMap<string, UnlinkedStep>,
  ids: readonly string[],
  findings: Findings,
): ReadonlyMap<string, Origin> {
  const edges = new Map<string, Origin>();
  const written = [...texts(member(step.node, "dependencies")), ...step.inputs.flatMap((input) => input.from ?? [])];
  for (const { text, origin } of written) {
    if (text === step.id.text) {
      findings.error("W402", `the step \`${text}\` depends on itself`, origin, { hint: "remove it" });
    } else if (!byId.has(text)) {
      findings.error("W302", `no step is called \`${text}\``, origin, findings.guess(text, ids, "name a step of this pipeline"));
    } else if (!edges.has(text)) edges.set(text, origin);
  }
  return edges;
}

/** How many edges of a circle are pointed at; its path names all steps. */
const edgesShown = 20;

function reportCycle(cycle: readonly string[], linked: ReadonlyMap<string, WrittenStep>, findings: Findings): void {
  const edges = cycle.slice(0, -1).flatMap((id, index) => {
    const to = cycle[index + 1] ?? id;
    const origin = linked.get(id)?.edges.get(to);
    return origin === undefined ? [] : [{ message: `\`${id}\` depends on \`${to}\``, origin }];
  });
  const first = edges[0];
  if (first === undefined) return;
  findings.error("W401", `steps depend on each other in a circle: ${cycle.join(" -> ")}`, first.origin, {
    hint: "remove one of these dependencies",
    related: edges.slice(0, edgesShown),
  });
}
