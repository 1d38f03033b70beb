/** Finds the step that produces an input: its `from`, or the nearest upstream producer. */
import { type Findings, quotedList } from "./findings.ts";
import { markDescendants, nearestProducers, type Producers, producersOf, type SearchGraph, searchGraph } from "./nearest-producer.ts";
import type { WrittenInput, WrittenStep } from "./step-graph.ts";

/** Index of a pipeline's producers. */
interface ProducerIndex {
  readonly steps: ReadonlyMap<string, WrittenStep>;
  readonly graph: SearchGraph;
  /** By artifact name. */
  readonly producers: ReadonlyMap<string, Producers>;
  readonly findings: Findings;
  /** Number of look-ups per artifact, then the steps downstream of its only producer. */
  readonly lookups: Map<string, number>;
  readonly below: Map<string, Uint8Array>;
}

/** Builds the index for {@link producerOf}. */
export function indexProducers(steps: ReadonlyMap<string, WrittenStep>, findings: Findings): ProducerIndex {
  const graph = searchGraph(steps);
  const numbers = new Map<string, number[]>();
  for (const [index, step] of [...steps.values()].entries()) {
    for (const { name } of step.artifacts) {
      const known = numbers.get(name);
      if (known === undefined) numbers.set(name, [index]);
      else known.push(index);
    }
  }
  const producers = new Map([...numbers].map(([name, list]) => [name, producersOf(graph, list)]));
  return { steps, graph, producers: producers, findings, lookups: new Map(), below: new Map() };
}

/** The step that produces an input. Reports an error and returns undefined if there is none, or more than one. */
export function producerOf(index: ProducerIndex, step: WrittenStep, input: WrittenInput): string | undefined {
  const { graph, findings } = index;
  if (input.from !== undefined) return statedProducer(index, input.from.text, input);
  const { text, origin } = input.artifact;
  const producers = index.producers.get(text);
  const nearest = producers === undefined ? [] : search(index, step, text, producers).map((number) => graph.ids[number] ?? "");
  const [first] = nearest;
  if (nearest.length === 1) return first;
  if (first !== undefined) {
    findings.error("W307", `\`${text}\` is produced by ${quotedList(nearest)}, and neither depends on the other`, origin, {
      hint: `choose one: \`{ artifact: ${text}, from: ${first} }\``,
      related: nearest.slice(0, 8).map((id) => ({ message: `\`${id}\` produces it`, origin: index.steps.get(id)?.id.origin ?? origin })),
    });
    return undefined;
  }
  if (input.optional) return undefined;
  if (producers !== undefined) reportElsewhere(index, step, input, producers.steps);
  else
    findings.error(
      "W305",
      `no step produces \`${text}\``,
      origin,
      findings.guess(text, [...index.producers.keys()], "add it to the `artifacts` of the step that produces it"),
    );
  return undefined;
}

function reportElsewhere(
  { graph, findings }: ProducerIndex,
  step: WrittenStep,
  { artifact }: WrittenInput,
  producers: readonly number[],
): void {
  const others = producers.map((number) => graph.ids[number] ?? "").filter((id) => id !== step.id.text);
  const [first] = others;
  const { text, origin } = artifact;
  if (first === undefined) {
    findings.error("W306", `\`${text}\` is produced by \`${step.id.text}\` itself`, origin, {
      hint: "inputs must come from an earlier step",
    });
    return;
  }
  findings.error("W306", `\`${text}\` is produced by ${quotedList(others)}, on which \`${step.id.text}\` does not depend`, origin, {
    hint: `add \`dependencies: [${first}]\` to the step, or write the input as \`{ artifact: ${text}, from: ${first} }\``,
  });
}

/** Checks that `from` produces the artifact. Unknown steps are reported with the dependencies. */
function statedProducer({ steps, findings }: ProducerIndex, from: string, { artifact }: WrittenInput): string | undefined {
  const made = steps.get(from)?.artifacts.map(({ name }) => name);
  if (made === undefined) return undefined;
  const { text, origin } = artifact;
  if (made.includes(text)) return from;
  const hint = made.length === 0 ? `\`${from}\` declares no artifacts` : `it declares ${quotedList(made)}`;
  findings.error("W305", `the step \`${from}\` does not declare \`${text}\``, origin, findings.guess(text, made, hint));
  return undefined;
}

/** Number of look-ups after which all steps downstream of a producer are computed at once. */
const manyLookups = 4;

function search({ graph, lookups, below }: ProducerIndex, step: WrittenStep, artifact: string, producers: Producers): readonly number[] {
  const from = graph.number.get(step.id.text) ?? 0;
  const [only, ...others] = producers.steps.slice(0, 2);
  if (only === undefined) return [];
  if (others.length > 0) return nearestProducers(graph, from, producers);
  if (graph.up[from]?.includes(only)) return producers.steps;
  const count = (lookups.get(artifact) ?? 0) + 1;
  lookups.set(artifact, count);
  if (count <= manyLookups) return nearestProducers(graph, from, producers);
  const known = below.get(artifact) ?? markDescendants(graph, only);
  below.set(artifact, known);
  return known[from] === 1 && only !== from ? producers.steps : [];
}
