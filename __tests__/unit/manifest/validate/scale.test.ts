/** Large and hostile manifests: time grows with their size, and nothing overflows. Bounds are far above what is needed, so that they only catch another order of growth. */
import { describe, expect, it } from "vitest";
import type { DocumentNode } from "../../../../src/core/document.ts";
import type { LoadedProject } from "../../../../src/core/loaded.ts";
import { validateProject } from "../../../../src/manifest/validate/validate-project.ts";

type Value = string | readonly Value[] | { readonly [key: string]: Value };

/** A document of one line a node; parsing YAML of this size is not what is looked at. */
function documentOf(value: Value, line = { at: 0 }): DocumentNode {
  const start = { line: ++line.at, column: 1 };
  const origin = { file: "wave.yaml", range: { start, end: start } };
  if (typeof value === "string") return { kind: "scalar", value, origin };
  if (Array.isArray(value)) return { kind: "list", items: value.map((item: Value) => documentOf(item, line)), origin };
  return {
    kind: "map",
    entries: new Map(Object.entries(value).map(([key, part]) => [key, { key, keyOrigin: origin, node: documentOf(part, line) }])),
    origin,
  };
}

const count = 10_000;
const step = (index: number, more: { readonly [key: string]: Value } = {}) => ({
  id: `s${index}`,
  persona: "p",
  task: "do {{ run.id }}",
  artifacts: [`a${index}`],
  ...more,
});

async function validate(make: (index: number) => Value) {
  const manifest = documentOf({ steps: Array.from({ length: count }, (_, index) => make(index)) });
  if (manifest.kind !== "map") throw new Error("a manifest is a map");
  const loaded: LoadedProject = { manifestFiles: ["wave.yaml"], manifest, pipelines: [], personas: [], files: new Map(), diagnostics: [] };
  const started = performance.now();
  const validated = await validateProject(loaded, { library: new Map([["p", { system_prompt: "x" }]]), checkContract: async () => [] });
  expect(performance.now() - started).toBeLessThan(15_000);
  return validated;
}

describe("10,000 steps", () => {
  it("in layers", async () => {
    const { project, diagnostics } = await validate((index) => {
      const above = index - 10 - (index % 10);
      return step(index, above < 0 ? {} : { dependencies: [`s${above}`, `s${above + 5}`], inputs: [`a${above}`] });
    });
    expect(diagnostics).toEqual([]);
    expect(project?.pipelines[0]?.pipeline.steps).toHaveLength(count);
  });

  it("in one chain that all use its first artifact", async () => {
    const { diagnostics } = await validate((index) => step(index, index === 0 ? {} : { dependencies: [`s${index - 1}`], inputs: ["a0"] }));
    expect(diagnostics).toEqual([]);
  });

  it("in one cycle", async () => {
    const { diagnostics } = await validate((index) =>
      step(index, { dependencies: [`s${(index + 1) % count}`], inputs: [`a${(index + 2) % count}`] }),
    );
    expect(diagnostics.map(({ code, related }) => [code, related?.length])).toEqual([["W401", 20]]);
  });

  it("that are all invalid", async () => {
    const { diagnostics } = await validate((index) =>
      step(index, { persona: `q${index}`, dependencies: [`x${index}`], inputs: [`y${index}`], taks: "x" }),
    );
    expect(diagnostics).toHaveLength(4 * count);
  });

  it("with the same artifact from half of them, and one that depends on all", async () => {
    const { diagnostics } = await validate((index) => {
      if (index < count / 2) return step(index, { artifacts: ["report"] });
      return step(index, {
        dependencies: index === count - 1 ? Array.from({ length: count / 2 }, (_, at) => `s${at}`) : [`s${index - count / 2}`],
        inputs: ["report"],
      });
    });
    expect(diagnostics.map(({ code }) => code)).toEqual(["W307"]);
  });
});
