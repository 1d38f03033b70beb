/** Builds the dependency graph of a pipeline. Reports unknown steps, duplicate ids and cycles. */
import { defined } from "../../core/defined.ts";
import type { DocumentNode, Origin } from "../../core/document.ts";
import { findCycles } from "../../core/graph.ts";
import type { StepArtifact } from "../../core/pipeline.ts";
import type { Findings } from "./findings.ts";
import { asBoolean, asLocated, items, type Located, member, textItems } from "./read-node.ts";

/** An input before its producer is known. */
export interface WrittenInput {
  readonly artifact: Located;
  /** Its name in the step. */
  readonly name: Located;
  readonly from?: Located;
  readonly optional: boolean;
}

/** The parts of a step that the graph uses. */
export interface WrittenStep {
  readonly id: Located;
  readonly node: DocumentNode;
  readonly inputs: readonly WrittenInput[];
  /** Known dependencies, each with its first position. */
  readonly edges: ReadonlyMap<string, Origin>;
  readonly artifacts: readonly StepArtifact[];
}

/** A step before its dependencies are resolved. */
export type UnlinkedStep = Omit<WrittenStep, "edges">;

/** Reads the inputs of a step. Reports duplicate names. */
export function readStepInputs(step: DocumentNode, findings: Findings): WrittenInput[] {
  const seen = new Map<string, Origin>();
  return items(member(step, "inputs")).flatMap((item) => {
    const artifact = asLocated(item) ?? asLocated(member(item, "artifact"));
    if (artifact === undefined) return [];
    const from = asLocated(member(item, "from"));
    const name = asLocated(member(item, "as")) ?? artifact;
    const before = seen.get(name.text);
    if (before !== undefined) {
      findings.error("W312", `the step has two inputs named \`${name.text}\``, name.origin, {
        hint: "rename one of them with `as`",
        related: [{ message: "the first one", origin: before }],
      });
    }
    seen.set(name.text, before ?? name.origin);
    return [{ artifact, name, optional: asBoolean(member(item, "optional")) ?? false, ...defined({ from }) }];
  });
}

/** Links steps by id. Reports duplicate ids, unknown steps, steps that depend on themselves, and cycles. */
export function linkSteps(steps: readonly UnlinkedStep[], findings: Findings): ReadonlyMap<string, WrittenStep> {
  const byId = new Map<string, UnlinkedStep>();
  for (const step of steps) {
    const before = byId.get(step.id.text);
    if (before === undefined) byId.set(step.id.text, step);
    else
      findings.error("W312", `two steps are named \`${step.id.text}\``, step.id.origin, {
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
  const written = [...textItems(member(step.node, "dependencies")), ...step.inputs.flatMap((input) => input.from ?? [])];
  for (const { text, origin } of written) {
    if (text === step.id.text) {
      findings.error("W402", `the step \`${text}\` depends on itself`, origin, { hint: "remove the dependency" });
    } else if (!byId.has(text)) {
      findings.error("W302", `there is no step \`${text}\``, origin, findings.guess(text, ids, "use a step of this pipeline"));
    } else if (!edges.has(text)) edges.set(text, origin);
  }
  return edges;
}

/** Maximum number of related positions. The message names all steps. */
const edgesShown = 20;

function reportCycle(cycle: readonly string[], linked: ReadonlyMap<string, WrittenStep>, findings: Findings): void {
  const edges = cycle.slice(0, -1).flatMap((id, index) => {
    const to = cycle[index + 1] ?? id;
    const origin = linked.get(id)?.edges.get(to);
    return origin === undefined ? [] : [{ message: `\`${id}\` depends on \`${to}\``, origin }];
  });
  const first = edges[0];
  if (first === undefined) return;
  findings.error("W401", `dependency cycle: ${cycle.join(" -> ")}`, first.origin, {
    hint: "remove one of these dependencies",
    related: edges.slice(0, edgesShown),
  });
}
